"""How often an oddity of an upstream is logged."""

from __future__ import annotations

import pytest

from corsproxy.proxy.upstream.oddity import REPORT_INTERVAL, Oddity, OddityReports


@pytest.mark.parametrize("start", [0.0, 1.0, 1e6])
def test_an_oddity_is_reported_once_a_minute(start: float) -> None:
    """Each kind for itself, and the first at once, even if the machine, and with it its clock, has just started."""
    reports = OddityReports()
    steps = [
        (Oddity.BARE_LF, 0.0, True),
        (Oddity.BARE_LF, 0.0, False),
        (Oddity.CONTROL, 0.0, True),
        (Oddity.BARE_LF, REPORT_INTERVAL - 1, False),
        (Oddity.BARE_LF, REPORT_INTERVAL, True),
        (Oddity.BARE_LF, REPORT_INTERVAL + 1, False),
        (Oddity.CONTROL, REPORT_INTERVAL + 1, True),
    ]
    assert [reports.is_due(oddity, start + after) for oddity, after, _ in steps] == [due for *_, due in steps]
