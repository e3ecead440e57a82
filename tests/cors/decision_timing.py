"""Decision tables of `timing`: with the grant, without Origin, as an explicit list."""

from __future__ import annotations

from corsproxy.cors import Kind, Reason
from tests.cors.tables import (
    APP,
    NOTHING,
    Case,
    actual,
    grants,
    only_timing,
    policy,
    preflight,
    refuses,
    regex,
    unasked,
)

NONE, PREFLIGHT, ACTUAL = Kind.NONE, Kind.PREFLIGHT, Kind.ACTUAL
ORIGIN_NOT_ALLOWED = Reason.ORIGIN_NOT_ALLOWED

_DEFAULTS = {"acam": "GET, HEAD, POST", "acma": "600"}

TIMING_CASES = [
    Case(
        "timing with credentials",
        policy(APP, timing=True, allow_credentials=True, expose_headers=("X-A",)),
        True,
        [
            (
                "an actual request gets the same origin twice",
                actual(APP),
                grants(ACTUAL, acao=APP, acac="true", aceh="X-A", tao=APP),
            ),
            ("another origin gets no timing", actual("https://b.example"), refuses(ACTUAL, ORIGIN_NOT_ALLOWED)),
            ("a request without Origin gets the origins that are written", unasked(), only_timing(NONE, APP)),
            ("a preflight gets none", preflight(APP, "GET"), grants(PREFLIGHT, acao=APP, acac="true", **_DEFAULTS)),
        ],
    ),
    Case(
        "timing where most origins cannot be listed",
        policy(
            "https://b.example",
            "https://*.c.example",
            regex("https://d\\.example"),
            "null",
            APP,
            "https://b.example",
            timing=True,
            dangerously_allow=("null_origin",),
        ),
        True,
        [
            ("the exact ones are, once, in order", unasked(), only_timing(NONE, f"https://b.example, {APP}")),
            (
                "a pattern's origin gets its own",
                actual("https://x.c.example"),
                grants(ACTUAL, acao="https://x.c.example", tao="https://x.c.example"),
            ),
        ],
    ),
    Case(
        "timing where none can be listed",
        policy("https://*.c.example", timing=True),
        True,
        [("a request without Origin gets nothing", unasked(), NOTHING)],
    ),
    Case(
        "a list of timing's own",
        policy(APP, timing=("https://t.example", APP)),
        True,
        [
            ("a request without Origin gets it", unasked(), only_timing(NONE, f"https://t.example, {APP}")),
            ("an allowed origin gets it whole", actual(APP), grants(ACTUAL, acao=APP, tao=f"https://t.example, {APP}")),
            (
                "a refused one too",
                actual("https://b.example"),
                only_timing(ACTUAL, f"https://t.example, {APP}", ORIGIN_NOT_ALLOWED),
            ),
            ("a preflight does not", preflight(APP, "GET"), grants(PREFLIGHT, acao=APP, **_DEFAULTS)),
        ],
    ),
    Case(
        "timing for everybody under named origins",
        policy(APP, timing=("*",)),
        True,
        [
            ("an allowed origin gets the star", actual(APP), grants(ACTUAL, acao=APP, tao="*")),
            ("a refused one too", actual("https://b.example"), only_timing(ACTUAL, "*", ORIGIN_NOT_ALLOWED)),
        ],
    ),
    Case(
        "a list of timing's own under a star",
        policy("*", timing=("https://t.example",)),
        False,
        [("everybody gets the grant and the list", unasked(), grants(NONE, acao="*", tao="https://t.example"))],
    ),
]
