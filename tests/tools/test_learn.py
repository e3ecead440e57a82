"""Learn: from lines of the access log to a whole new file with the smallest policies that would have allowed them."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corsproxy.config import Options, load_text
from corsproxy.cors import PolicySpec
from corsproxy.errors import UsageError
from corsproxy.tools.explain import Question, judge
from corsproxy.tools.learn import LearnOptions, learn, learn_command
from corsproxy.tools.learn.traffic import MAX_ORIGINS, read_traffic
from tests.support.examples import examples
from tests.tools.logs import CONFIG, entry, learnt, loaded, origins

APP = "https://app.example.com"
NEW = "https://new.example.org"


def test_the_smallest_policy(tmp_path: Path) -> None:
    """Only what was asked is granted; what no log shows stays as it is in force."""
    lines = [
        entry("/orders", APP, cors="granted"),
        entry("/orders", APP, "PUT", cors="granted"),
        entry("/orders", NEW, requested_method="DELETE", requested_headers="content-type,x-odd-spelling"),
    ]
    text, told = learnt(lines, tmp_path)
    assert loaded(text).specs["app"] == PolicySpec(
        allow_origins=tuple(loaded(text).specs["app"].allow_origins),
        allow_methods=("DELETE", "PUT"),
        allow_headers=("Content-Type", "X-Odd-SPELLING"),
        expose_headers=("ETag",),
        allow_credentials=True,
        max_age=3600,
    )
    assert origins(text, "app") == [APP, NEW]
    assert loaded(text).policies["app"].on_refused == "reject"
    assert told == "learn: 3 requests read\n"


@pytest.mark.parametrize(
    ("question", "allowed"),
    [
        (Question("/orders", APP, "PUT", credentials=True), True),
        (Question("/orders", NEW, "DELETE", (("Content-Type", "application/json"),)), True),
        (Question("/orders", APP, "PATCH"), False),
        (Question("/orders", "https://unused.example.org"), False),
        (Question("/orders", APP, "GET", (("Authorization", "x"),)), False),
        (Question("/bare", NEW), True),
        (Question("/bare", APP), False),
        (Question("/quiet", "https://anybody.example"), True),
    ],
)
def test_the_proposal_allows_what_was_recorded_and_no_more(tmp_path: Path, question: Question, allowed: bool) -> None:
    """The proposed file, loaded, decides as the log would have wished."""
    lines = [
        entry("/orders", APP, "PUT", cors="granted"),
        entry("/orders", NEW, requested_method="DELETE", requested_headers="content-type"),
        entry("/bare", NEW),
    ]
    assert judge(loaded(learnt(lines, tmp_path)[0]), question).is_allowed is allowed


def test_everything_else_of_the_file_stays(tmp_path: Path) -> None:
    """Comments and keys outside the policies are kept, and each route is sent to its own policy."""
    text, _ = learnt([entry("/bare", NEW), entry("/open", NEW)], tmp_path)
    for line in ("# Our proxy.", "listen: 127.0.0.1:8080   # here", "  - path: /orders        # the orders"):
        assert f"{line}\n" in text
    assert [route.policy.name if route.policy else None for route in loaded(text).settings.routes] == [
        "app",
        "open",
        "bare",
        "other",
    ]


def test_counts_and_times_are_comments(tmp_path: Path) -> None:
    """Each item says how often it was asked, how often refused, and when."""
    lines = [
        entry("/bare", NEW, time="2026-11-20T12:00:00.000Z"),
        entry("/bare", NEW, time="2026-11-20T10:00:00.000Z", requested_method="PUT", requested_headers="x-a"),
        entry("/bare", NEW, time="2026-11-20T11:00:00.000Z", cors="granted"),
    ]
    text, _ = learnt(lines, tmp_path)
    when = "2026-11-20T10:00:00.000Z to 2026-11-20T12:00:00.000Z"
    assert f"      - {NEW}   # 3 requests, 2 refused, {when}\n" in text
    assert "      - PUT   # 1 request, 1 refused, 2026-11-20T10:00:00.000Z\n" in text
    assert "      - X-A   # 1 request, 1 refused, 2026-11-20T10:00:00.000Z\n" in text


@pytest.mark.parametrize(
    ("more", "left_out"),
    [
        ({"requested_method": "TRACE"}, "TRACE"),
        ({"requested_method": "PUT", "requested_headers": "cookie"}, "Cookie"),
        ({"requested_method": "PUT", "requested_headers": "x evil"}, "X evil"),
    ],
)
def test_what_cannot_be_granted_is_left_out(tmp_path: Path, more: dict[str, Any], left_out: str) -> None:
    """Forbidden methods and names are reported, and the rest is proposed."""
    text, _ = learnt([entry("/bare", NEW, **more)], tmp_path)
    assert origins(text, "bare") == [NEW]
    assert any(left_out in line for line in text.splitlines() if "left out" in line)


def test_nothing_but_attacks(tmp_path: Path) -> None:
    """A route that only attackers asked stays as it is, and the comment says why."""
    text, _ = learnt([entry("/bare", "null"), entry(None, NEW)], tmp_path)
    assert loaded(text).settings.routes[2].policy is None
    assert "# /bare: left out: null: any page can make itself null" in text
    assert "# No route: 1 request, 1 refused, 2026-11-20T10:00:00.000Z" in text


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(CONFIG.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(CONFIG.rstrip("\n"), id="no line end at the end"),
        pytest.param(
            CONFIG[: CONFIG.index("policies:")] + "# Where to.\nroutes: [{path: /bare, upstream: api}]\n",
            id="no policies",
        ),
        pytest.param(CONFIG[CONFIG.index("routes:") :] + CONFIG[: CONFIG.index("routes:")], id="policies last"),
        pytest.param(
            json.dumps({"upstreams": {"api": "http://127.0.0.1:1"}, "routes": [{"path": "/bare", "upstream": "api"}]}),
            id="JSON",
        ),
        pytest.param(
            '{upstreams: {api: "http://127.0.0.1:1"}, policies: {app: {allow_origins: [https://a.example]}},\n'
            "  routes: [{path: /bare, upstream: api, policy: app}]}",
            id="flow",
        ),
        pytest.param(
            '{upstreams: {api: "http://127.0.0.1:1"}, policies: {app: {allow_origins: [https://a.example], '
            "timing: [https://a.example]}}, routes: [{path: /bare, upstream: api, policy: app}]}",
            id="flow with a list of timing",
        ),
    ],
)
def test_styles_of_files(tmp_path: Path, config: str) -> None:
    """Whatever style the file has, the proposal is valid and grants what was seen."""
    lines = [entry("/bare", NEW, requested_method="PUT", requested_headers="x-a"), entry("/bare", "null")]
    text, _ = learnt(lines, tmp_path, config)
    assert judge(loaded(text), Question("/bare", NEW, "PUT", (("X-A", "1"),))).is_allowed
    assert "left out: null" in text


def test_other_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    """Lines of a supervisor do no harm."""
    lines: list[dict[str, Any] | str] = [
        "listening on http://127.0.0.1:8080\n",
        "[]\n",
        "{}\n",
        "\n",
        "nul\0\n",
        entry("/bare", NEW),
        entry("/bare", None),
    ]
    text, told = learnt(lines, tmp_path)
    assert told == "learn: 2 requests read, 4 lines skipped: not of the JSON access log\n"
    assert origins(text, "bare") == [NEW]


def test_a_comment_cannot_be_ended_by_a_stranger(tmp_path: Path) -> None:
    """Line ends in what was sent stay in the comment, escaped."""
    evil = "https://x\nroutes: []\n#"
    text, _ = learnt([entry("/bare", NEW), entry("/bare", evil, time="x\ny: z\u2028")], tmp_path)
    assert "\nroutes: []" not in text
    assert "https://x\\nroutes: []" in text


def test_memory_is_bounded() -> None:
    """Origins beyond the limit are counted together."""
    lines = (json.dumps(entry("/bare", f"https://{number}.example")) for number in range(MAX_ORIGINS + 5))
    found = read_traffic(lines).routes["/bare"]
    assert (len(found.origins), found.dropped) == (MAX_ORIGINS, 5)


def test_a_file_as_log(tmp_path: Path) -> None:
    """LOG may be a file."""
    file, log = tmp_path / "corsproxy.yaml", tmp_path / "access.log"
    file.write_text(CONFIG)
    log.write_text(json.dumps(entry("/bare", NEW)) + "\n")
    out = io.StringIO()
    learn_command(
        LearnOptions(str(log), Options(config=str(file))), environ={}, stdin=io.StringIO(), out=out, err=io.StringIO()
    )
    assert origins(out.getvalue(), "bare") == [NEW]


def test_a_line_that_does_not_end_takes_no_memory(tmp_path: Path) -> None:
    """An endless line of any content is skipped, and the next lines are read."""
    file, log = tmp_path / "corsproxy.yaml", tmp_path / "access.log"
    file.write_text(CONFIG, encoding="utf-8")
    with log.open("wb") as opened:
        opened.truncate(100_000_000)  # sparse: one line of nothing
        opened.seek(0, os.SEEK_END)
        opened.write(b"\n" + json.dumps(entry("/orders", APP, cors="granted")).encode() + b"\n")
    out, err = io.StringIO(), io.StringIO()
    tracemalloc.start()
    try:
        learn_command(
            LearnOptions(str(log), Options(config=str(file))), environ={}, stdin=io.StringIO(), out=out, err=err
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert err.getvalue() == "learn: 1 request read, 1 line skipped: not of the JSON access log\n"
    assert peak < 50_000_000


@pytest.mark.parametrize(("log", "says"), [("missing.log", "cannot read"), (None, "no request in the log")])
def test_usage(tmp_path: Path, log: str | None, says: str) -> None:
    """A missing log, or a file that is not a log, is a mistake of the user."""
    file = tmp_path / "corsproxy.yaml"
    file.write_text(CONFIG)
    path = str(tmp_path / log) if log else None
    with pytest.raises(UsageError, match=says):
        learn_command(
            LearnOptions(path, Options(config=str(file))),
            environ={},
            stdin=io.StringIO("x\n"),
            out=io.StringIO(),
            err=io.StringIO(),
        )


ANY = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=30),
    st.from_regex(r"https?://[a-c.\-]{1,9}(:[0-9]{1,3})?", fullmatch=True),
)
ENTRIES = st.fixed_dictionaries(
    {"method": st.text(max_size=8), "path": st.text(max_size=8)},
    optional={
        "time": ANY,
        "route": st.sampled_from(["/orders", "/open", "/bare", "/quiet", "none", None, 7]),
        "origin": ANY,
        "cors": st.sampled_from(["preflight_refused", "granted", "x", None]),
        "requested_method": ANY,
        "requested_headers": ANY,
    },
)  # fmt: skip


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ENTRIES, max_size=12))
def test_whatever_was_recorded_the_proposal_passes_the_check(entries: list[dict[str, Any]]) -> None:
    """No log makes a file that is not valid."""
    traffic = read_traffic(json.dumps(one) for one in entries)
    loaded(learn(load_text(CONFIG, "corsproxy.yaml", {}), traffic, {}))
