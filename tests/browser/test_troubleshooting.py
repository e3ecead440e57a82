"""The page on blocked requests holds what Chromium really writes on its console, message by message."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium
from tests.browser.model_rows import WRONG, Asked
from tests.browser.servers import Pages
from tests.browser.test_model import verdicts, wrong_servers

pytestmark = pytest.mark.browser

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"


def _documented() -> list[re.Pattern[str]]:
    """Each message of Chromium, `…` standing for anything."""
    lines = re.findall(r"^- Chromium: `(.+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [re.compile(".*".join(map(re.escape, line.split("…")))) for line in lines]


def test_every_message_of_chromium_is_explained(chromium: Chromium) -> None:
    """Each message that the matrix of wrong servers brings about is on the page, and the page has no other."""
    with contextlib.ExitStack() as stack:
        pages = stack.enter_context(Pages())
        page = pages.origin("localhost")
        server = stack.enter_context(wrong_servers(page))
        tab = stack.enter_context(chromium.page())
        tab.open(f"{page}/checks.html")
        verdicts(tab, server, [*WRONG, Asked("/methods", "DELETE")])
        messages = [line.partition("blocked by CORS policy: ")[2] for line in tab.console if "CORS policy" in line]
    assert len(messages) > 100
    documented = _documented()
    assert [text for text in messages if not any(pattern.search(text) for pattern in documented)] == []
    assert [pattern.pattern for pattern in documented if not any(map(pattern.search, messages))] == []
