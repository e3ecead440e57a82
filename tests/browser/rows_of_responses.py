"""Rows about what is answered: headers, errors, redirects, caches, and answers to others than fetch()."""

from __future__ import annotations

from tests.browser.checks import DEAD, GET, GRANTED, NOTHING, PREFLIGHTED, STRANGER, Check, read

RESPONSES = (
    Check(
        "exposed headers are readable; others, and Set-Cookie, are not",
        "attempt(at('headers'), {reads: ['ETag', 'X-Total-Count', 'X-Secret', 'Set-Cookie', 'Content-Length']})",
        read("ok", ETag='"7"', X_Total_Count="3", X_Secret=None, Set_Cookie=None, Content_Length="2"), GRANTED, GET,
    ),
    Check(
        "a star exposes every header but Set-Cookie",
        "attempt(at('headers'), {reads: ['X-Secret', 'Set-Cookie']})",
        read("ok", X_Secret="hush", Set_Cookie=None), GRANTED, GET, policy="open",
    ),
    Check(
        "a star with credentials exposes every header, since the proxy names them",
        "attempt(at('headers'), {reads: ['X-Secret', 'Set-Cookie'], credentials: 'include'})",
        read("ok", X_Secret="hush", Set_Cookie=None), GRANTED, GET, policy="exposing",
    ),
    Check("a 404 of the upstream is readable", "attempt(at('no-such'))", read("nothing here", 404), GRANTED, GET),
    Check("a 401 of the upstream is readable", "attempt(at('unauthorized'))", read("who?", 401), GRANTED, GET),
    Check("a 500 of the upstream is readable", "attempt(at('broken'))", read("it broke", 500), GRANTED, GET),
    Check(
        "a 502 of the proxy is readable where the upstream hangs up",
        "attempt(at('hang-up'), {method: 'POST'}).then((r) => r.status)", 502, GRANTED, ("POST",),
    ),
    Check(
        "a 502 of the proxy is readable where nobody listens",
        "attempt(at('ok')).then((r) => r.status)", 502, GRANTED, NOTHING, policy=DEAD,
    ),
    Check(
        "a 413 of the proxy is readable",
        "attempt(at('length'), {method: 'POST', grow: 6 * 2 ** 20 + 1}).then((r) => r.status)", 413, GRANTED, NOTHING,
    ),
    Check("a large answer arrives whole", "attempt(at('large'))", read(8 * 2**20), GRANTED, GET),
    Check(
        "a large upload arrives whole",
        "attempt(at('length'), {method: 'POST', grow: 5 * 2 ** 20})", read(str(5 * 2**20)), GRANTED, ("POST",),
    ),
    Check("timing is told where the policy says so", "timed(at('ok'))", True, GRANTED, GET, policy="open"),
    Check("timing is not told otherwise", "timed(at('ok'))", False, GRANTED, GET),
    Check("timing is told with the same grant", "timed(at('ok'))", True, GRANTED, GET, policy="timed"),
    Check("timing of an image is told to an origin that the file names", "timedImage(at('picture'))", True, ("none",),
          GET, policy="timed"),
    Check("timing of an image is not told to another origin", "timedImage(at('picture'))", False, ("none",), GET,
          policy="timed", page="stranger"),
    Check("timing of an image is told to a list of its own", "timedImage(at('picture'))", True, ("none",), GET,
          policy="timed-list"),
    Check("timing of an image is not told otherwise", "timedImage(at('picture'))", False, ("none",), GET),
)  # fmt: skip

REDIRECTS = (
    Check(
        "a redirect within the service is followed, with a grant on each hop",
        "attempt(at('redirect'))", read("ok", at="{base}/ok"), GRANTED * 2, GET * 2,
    ),
    Check(
        "a redirect to the upstream's own address stays at the proxy",
        "attempt(at('own-redirect'))", read("ok", at="{base}/ok"), GRANTED * 2, GET * 2,
    ),
    Check(
        "303 turns a PUT into a GET",
        "attempt(at('see-other'), {method: 'PUT'})",
        read("GET", at="{base}/method"), (*PREFLIGHTED, "granted"), ("PUT", "GET"),
    ),
    Check(
        "a redirect back to the page's own origin makes its origin null, and is not read",
        "attempt(at('away'), {referrerPolicy: 'origin'})", "blocked", GRANTED, GET,
    ),
    Check(
        "a redirect is not told to an origin that is not named",
        "attempt(at('redirect'))", "blocked", STRANGER, GET, page="stranger",
    ),
    Check(
        "a redirect followed by hand is opaque",
        "attempt(at('redirect'), {redirect: 'manual'}).then((r) => r.type)", "opaqueredirect", GRANTED, GET,
    ),
)  # fmt: skip

CACHING = (
    Check(
        "a preflight is remembered",
        "several(at('method'), 3, {method: 'PUT'}).then((all) => all.map((r) => r.text))",
        ["PUT"] * 3, ("preflight_granted", *GRANTED * 3), ("PUT",) * 3,
    ),
    Check(
        "with max_age 0 every PUT has its preflight",
        "several(at('method'), 2, {method: 'PUT'}).then((all) => all.map((r) => r.text))",
        ["PUT"] * 2, PREFLIGHTED * 2, ("PUT",) * 2, policy="forgetful",
    ),
    Check(
        "an answer that lasts is read again from the browser's cache",
        "several(at('lasting'), 2).then((all) => all.map((r) => r.text))", ["ok", "ok"], GRANTED, GET,
    ),
)  # fmt: skip

OTHER_WAYS = (
    Check("a WebSocket of an allowed origin opens", "socket(at('socket'))", "hello", GRANTED, GET),
    Check(
        "a WebSocket of an origin that is not named is refused",
        "socket(at('socket'))", "refused", STRANGER, NOTHING, page="stranger",
    ),
    Check(
        "websockets off refuses those of allowed origins too",
        "socket(at('socket'))", "refused", GRANTED, NOTHING, policy="strict",
    ),
    Check(
        "websockets any opens them for every origin",
        "socket(at('socket'))", "hello", STRANGER, GET, policy="old", page="stranger",
    ),
    Check(
        "server-sent events arrive as they are sent",
        "events(at('events'), true)", ["first", "second"], GRANTED * 2, GET * 2,
    ),
    Check(
        "server-sent events are withheld from an origin that is not named",
        "events(at('events'), false)", "blocked", STRANGER, GET, page="stranger",
    ),
    Check(
        "an image asked for with CORS may be read",
        "pixel(at('picture'), 'anonymous')", [255, 0, 0, 255], GRANTED, GET,
    ),
    Check("an image asked for without CORS taints the canvas", "pixel(at('picture'), null)", "tainted", ("none",), GET),
    Check(
        "an image is withheld from an origin that is not named",
        "pixel(at('picture'), 'anonymous')", "blocked", STRANGER, GET, page="stranger",
    ),
    Check("a module script is loaded", "module(at('module'))", 42, GRANTED, GET),
    Check(
        "a module script is withheld from an origin that is not named",
        "module(at('module'))", "blocked", STRANGER, GET, page="stranger",
    ),
)  # fmt: skip
