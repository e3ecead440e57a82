"""Rows about what is asked: by which origin, with which method and headers, and with credentials."""

from __future__ import annotations

from tests.browser.checks import (
    GET,
    GRANTED,
    HEADERS,
    METHOD,
    NO_POLICY,
    NO_PREFLIGHT_FOR_STRANGER,
    NOTHING,
    PREFLIGHTED,
    STRANGER,
    Check,
    read,
)

ORIGINS = (
    Check("a GET from an allowed origin is read", "attempt(at('ok'))", read("ok"), GRANTED, GET),
    Check(
        "a GET from an origin that is not named is sent, and its answer withheld",
        "attempt(at('ok'))", "blocked", STRANGER, GET, page="stranger",
    ),
    Check(
        "with on_refused reject the upstream is not even asked",
        "attempt(at('ok'))", "blocked", STRANGER, NOTHING, policy="strict", page="stranger",
    ),
    Check(
        "a route without a policy grants nothing, whatever its upstream says",
        "attempt(at('ok'))", "blocked", ("refused: no_policy",), GET, policy=NO_POLICY,
    ),
    Check("a star lets any origin read", "attempt(at('ok'))", read("ok"), GRANTED, GET, policy="open", page="stranger"),
    Check(
        "a star lets a sandboxed frame read, whose origin is null",
        "sandboxed(at('ok'))", ["null", "ok"], GRANTED, GET, policy="open",
    ),
    Check(
        "a list of origins does not let a sandboxed frame read, whose origin is null",
        "sandboxed(at('ok'))", ["null", "blocked"], STRANGER, GET,
    ),
    *(
        Check(f"a wildcard lets its {page} read", "attempt(at('ok'))", read("ok"), GRANTED, GET, "family", page)
        for page in ("subdomain", "deep subdomain")
    ),
    *(
        Check(f"a wildcard does not let its {page} read", "attempt(at('ok'))", "blocked", STRANGER, GET, "family", page)
        for page in ("apex", "look-alike")
    ),
    Check("a regex lets what it matches read", "attempt(at('ok'))", read("ok"), GRANTED, GET, "family", "preview"),
    Check(
        "a regex does not let read what it matches in part",
        "attempt(at('ok'))", "blocked", STRANGER, GET, "family", "preview look-alike",
    ),
    Check(
        "no-cors is sent, and stays opaque",
        "attempt(at('ok'), {mode: 'no-cors'}).then((r) => r.type)", "opaque", ("none",), GET,
    ),
    Check("same-origin mode sends nothing", "attempt(at('ok'), {mode: 'same-origin'})", "blocked", NOTHING, NOTHING),
)  # fmt: skip

METHODS = (
    Check("a HEAD is read", "attempt(at('ok'), {method: 'HEAD'})", read(""), GRANTED, ("HEAD",)),
    Check(
        "a POST of text needs no preflight",
        "attempt(at('length'), {method: 'POST', body: 'four'})", read("4"), GRANTED, ("POST",),
    ),
    Check(
        "a POST of a form needs no preflight",
        "attempt(at('length'), {method: 'POST', body: new URLSearchParams('a=b')})", read("3"), GRANTED, ("POST",),
    ),
    Check(
        "a POST whose upload is watched needs a preflight",
        "classic(at('length'), {method: 'POST', body: 'four', listens: true})",
        {"status": 200, "text": "4"}, PREFLIGHTED, ("POST",),
    ),
    Check(
        "a PUT is read after its preflight, which the upstream never sees",
        "attempt(at('method'), {method: 'PUT'})", read("PUT"), PREFLIGHTED, ("PUT",),
    ),
    Check(
        "a preflight answered with 200 is as good",
        "attempt(at('method'), {method: 'PUT'})", read("PUT"), PREFLIGHTED, ("PUT",), policy="old",
    ),
    Check(
        "a PUT from an origin that is not named is never sent",
        "attempt(at('method'), {method: 'PUT'})", "blocked", NO_PREFLIGHT_FOR_STRANGER, NOTHING, page="stranger",
    ),
    Check("PATCH is read", "attempt(at('method'), {method: 'PATCH'})", read("PATCH"), PREFLIGHTED, ("PATCH",)),
    Check("patch is another method than PATCH", "attempt(at('method'), {method: 'patch'})", "blocked", METHOD, NOTHING),
    Check(
        "put is PUT, as browsers write it",
        "attempt(at('method'), {method: 'put'})", read("PUT"), PREFLIGHTED, ("PUT",),
    ),
    Check(
        "a DELETE that is not named is never sent",
        "attempt(at('ok'), {method: 'DELETE'})", "blocked", METHOD, NOTHING,
    ),
    Check(
        "a star covers DELETE",
        "attempt(at('method'), {method: 'DELETE'})", read("DELETE"), PREFLIGHTED, ("DELETE",), policy="open",
    ),
    Check(
        "a star with credentials covers DELETE, since the proxy names it",
        "attempt(at('method'), {method: 'DELETE', credentials: 'include'})",
        read("DELETE"), PREFLIGHTED, ("DELETE",), policy="exposing",
    ),
    Check(
        "an OPTIONS of the page is forwarded, its preflight is not",
        "attempt(at('method'), {method: 'OPTIONS'})", read("OPTIONS"), PREFLIGHTED, ("OPTIONS",), policy="open",
    ),
    Check(
        "TRACE is forbidden by the browser itself",
        "attempt(at('ok'), {method: 'TRACE'})", "blocked", NOTHING, NOTHING,
    ),
)  # fmt: skip

REQUEST_HEADERS = (
    Check(
        "JSON needs a preflight",
        "attempt(at('length'), {method: 'POST', body: '{}', headers: {'Content-Type': 'application/json'}})",
        read("2"), PREFLIGHTED, ("POST",),
    ),
    Check(
        "JSON that is not allowed is never sent",
        "attempt(at('length'), {method: 'POST', body: '{}', headers: {'Content-Type': 'application/json'}})",
        "blocked", HEADERS, NOTHING, policy="strict",
    ),
    Check(
        "a header that is allowed arrives",
        "attempt(at('token'), {headers: {'x-TOKEN': 'abc'}})", read("abc"), PREFLIGHTED, GET,
    ),
    Check(
        "a header that is not allowed is never sent",
        "attempt(at('ok'), {headers: {'X-Other': '1'}})", "blocked", HEADERS, NOTHING,
    ),
    Check(
        "one header that is not allowed spoils those that are",
        "attempt(at('ok'), {headers: {'X-Token': '1', 'X-Other': '1'}})", "blocked", HEADERS, NOTHING,
    ),
    Check(
        "an Accept of more than 128 bytes needs permission",
        "attempt(at('ok'), {headers: {Accept: 'text/plain,'.repeat(20)}})", "blocked", HEADERS, NOTHING,
    ),
    Check(
        "a single range needs no preflight",
        "attempt(at('ok'), {headers: {Range: 'bytes=0-1'}})", read("ok"), GRANTED, GET,
    ),
    Check(
        "Authorization that is named arrives",
        "attempt(at('authorization'), {headers: {Authorization: 'Bearer x'}})", read("Bearer x"), PREFLIGHTED, GET,
    ),
    Check(
        "a star covers any header",
        "attempt(at('ok'), {headers: {'X-Any': '1'}})", read("ok"), PREFLIGHTED, GET, policy="open",
    ),
    Check(
        "a star does not cover Authorization",
        "attempt(at('ok'), {headers: {Authorization: 'Bearer x'}})", "blocked", HEADERS, NOTHING, policy="open",
    ),
    Check(
        "Authorization named beside a star arrives",
        "attempt(at('authorization'), {headers: {Authorization: 'Bearer x', 'X-Any': '1'}})",
        read("Bearer x"), PREFLIGHTED, GET, policy="open-named",
    ),
    Check(
        "a star with credentials covers any header, since the proxy names it",
        "attempt(at('token'), {headers: {'X-Token': 'abc'}, credentials: 'include'})",
        read("abc"), PREFLIGHTED, GET, policy="exposing",
    ),
)  # fmt: skip

CREDENTIALS = (
    Check(
        "a cookie set through the proxy comes back with credentials",
        "several(at('cookie'), 2, {credentials: 'include'})",
        [read("no cookie"), read("session=abc")], GRANTED * 2, GET * 2,
    ),
    Check(
        "without credentials no cookie is kept or sent",
        "several(at('cookie'), 2)", [read("no cookie"), read("no cookie")], GRANTED * 2, GET * 2,
    ),
    Check(
        "XMLHttpRequest with credentials is read",
        "classic(at('cookie'), {withCredentials: true})", {"status": 200, "text": "no cookie"}, GRANTED, GET,
    ),
    Check(
        "a star lets nobody read with credentials",
        "attempt(at('ok'), {credentials: 'include'})", "blocked", GRANTED, GET, policy="open",
    ),
    Check(
        "without allow_credentials an answer to a request with credentials is withheld",
        "attempt(at('ok'), {credentials: 'include'})", "blocked", GRANTED, GET, policy="strict",
    ),
)  # fmt: skip
