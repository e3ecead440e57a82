"""Decision tables for the method and header checks of preflights."""

from __future__ import annotations

from collections.abc import Sequence

from corsproxy.cors import Kind, Reason
from tests.cors.tables import APP, Case, Outcome, Row, grants, policy, preflight, refuses

_NO_METHOD = refuses(Kind.PREFLIGHT, Reason.METHOD_NOT_ALLOWED)
_NO_HEADERS = refuses(Kind.PREFLIGHT, Reason.HEADERS_NOT_ALLOWED)


def _yes(acam: str, acah: str = "") -> Outcome:
    return grants(Kind.PREFLIGHT, acao=APP, acam=acam, **({"acah": acah} if acah else {}), acma="600")


def _headers(acah: str, table: list[tuple[str, Sequence[str | bytes], bool]]) -> list[Row]:
    """Rows of (sentence, Access-Control-Request-Headers lines, granted)."""
    granted = _yes("GET, HEAD, POST", acah)
    return [(name, preflight(APP, "GET", *lines), granted if passes else _NO_HEADERS) for name, lines, passes in table]


METHOD_AND_HEADER_CASES = [
    Case(
        "a list of methods",
        policy(APP, allow_methods=("PUT", "put", "Delete", "PATCH", "PUT", "PROPFIND")),
        True,
        [
            (
                "PUT passes, and the list is as written, normalized, without duplicates",
                preflight(APP, "PUT"),
                _yes("PUT, DELETE, PATCH, PROPFIND"),
            ),
            (
                "DELETE passes, as the configured one is normalized",
                preflight(APP, "DELETE"),
                _yes("PUT, DELETE, PATCH, PROPFIND"),
            ),
            ("PATCH passes", preflight(APP, "PATCH"), _yes("PUT, DELETE, PATCH, PROPFIND")),
            ("PROPFIND passes", preflight(APP, "PROPFIND"), _yes("PUT, DELETE, PATCH, PROPFIND")),
            ("patch does not pass", preflight(APP, "patch"), _NO_METHOD),
            ("Patch does not, as methods keep their letter case", preflight(APP, "Patch"), _NO_METHOD),
            ("put as requested is not normalized", preflight(APP, "put"), _NO_METHOD),
            ("GET passes unlisted", preflight(APP, "GET"), _yes("PUT, DELETE, PATCH, PROPFIND")),
            ("HEAD passes unlisted", preflight(APP, "HEAD"), _yes("PUT, DELETE, PATCH, PROPFIND")),
            ("POST passes unlisted", preflight(APP, "POST"), _yes("PUT, DELETE, PATCH, PROPFIND")),
            ("get in lower case is no safelisted method", preflight(APP, "get"), _NO_METHOD),
            ("OPTIONS does not pass unlisted", preflight(APP, "OPTIONS"), _NO_METHOD),
            ("a star as the requested method does not pass", preflight(APP, "*"), _NO_METHOD),
            ("an empty requested method does not pass", preflight(APP, ""), _NO_METHOD),
            ("two methods in one line do not pass", preflight(APP, "PUT, DELETE"), _NO_METHOD),
            ("CONNECT does not pass", preflight(APP, "CONNECT"), _NO_METHOD),
        ],
    ),
    Case(
        "an empty list of methods",
        policy(APP, allow_methods=()),
        True,
        [
            ("POST passes, and no list is sent", preflight(APP, "POST"), grants(Kind.PREFLIGHT, acao=APP, acma="600")),
            ("PUT does not", preflight(APP, "PUT"), _NO_METHOD),
        ],
    ),
    Case(
        "star for methods",
        policy(APP, allow_methods=("*", "PUT")),
        True,
        [
            ("PUT passes with the wildcard alone", preflight(APP, "PUT"), _yes("*")),
            ("PROPFIND passes", preflight(APP, "PROPFIND"), _yes("*")),
            ("patch does not pass, as the proxy cannot carry it", preflight(APP, "patch"), _NO_METHOD),
            ("get does not pass", preflight(APP, "get"), _NO_METHOD),
            ("a made-up method does not pass", preflight(APP, "CHICKEN"), _NO_METHOD),
            ("CONNECT does not pass", preflight(APP, "CONNECT"), _NO_METHOD),
            ("TRACE does not pass", preflight(APP, "TRACE"), _NO_METHOD),
            ("track in any letter case does not pass", preflight(APP, "Track"), _NO_METHOD),
            ("a method with a space does not pass", preflight(APP, "PUT PUT"), _NO_METHOD),
            ("a non-ASCII method does not pass", preflight(APP, b"P\xffT"), _NO_METHOD),
            ("an empty method does not pass", preflight(APP, ""), _NO_METHOD),
        ],
    ),
    Case(
        "a list of headers",
        policy(APP, allow_headers=("Content-Type", "X-Api-Key", "content-type")),
        True,
        _headers(
            "Content-Type, X-Api-Key",
            [
                ("none requested pass", [], True),
                ("one requested passes", ["content-type"], True),
                ("both requested pass", ["content-type,x-api-key"], True),
                ("both in any order pass", ["x-api-key,content-type"], True),
                ("any letter case passes", ["X-API-KEY"], True),
                ("white space around the comma passes", ["content-type \t, x-api-key"], True),
                ("white space around the list passes", [" content-type\t"], True),
                ("two lines are joined", ["content-type", "x-api-key"], True),
                ("two lines of which the second is wrong do not pass", ["content-type", "x-evil"], False),
                ("an empty line passes", [""], True),
                ("white space alone passes", [" \t "], True),
                ("a duplicate passes", ["x-api-key,x-api-key"], True),
                ("sixteen empty elements pass", ["content-type" + "," * 16], True),
                ("seventeen empty elements do not", ["content-type" + "," * 17], False),
                ("sixteen empty elements of white space pass", ["content-type" + ", " * 16], True),
                ("seventeen empty elements over several lines do not", [","] * 8 + [""], False),
                ("a name not listed does not pass", ["x-other"], False),
                ("a name not listed among listed ones does not pass", ["content-type,x-api-key,x-other"], False),
                ("a listed name as a prefix does not pass", ["x-api-key2"], False),
                ("Authorization does not pass", ["authorization"], False),
                ("a safelisted name that is not listed does not pass", ["accept-language"], False),
                ("a star does not pass", ["*"], False),
                ("two names without a comma do not pass", ["content-type x-api-key"], False),
                ("a semicolon is no separator", ["content-type;x-api-key"], False),
                ("a quoted name does not pass", ['"content-type"'], False),
                ("a non-ASCII byte does not pass", [b"content-type\xa0"], False),
                ("a NUL byte does not pass", [b"content-type\x00"], False),
                ("a vertical tab is no white space", [b"content-type\x0b"], False),
                ("a megabyte of commas does not pass", [b"," * 1_000_000], False),
                ("a megabyte of white space does not pass", [b" " * 1_000_000], False),
                ("a megabyte of a listed name does not pass", [b"x-api-key," * 100_000], False),
                ("a thousand empty lines do not pass", [""] * 1000, False),
            ],
        ),
    ),
    Case(
        "star for headers beside Authorization",
        policy(APP, allow_headers=("X-A", "Authorization", "*")),
        True,
        _headers(
            "*, Authorization",
            [
                ("Authorization passes", ["authorization"], True),
                ("Authorization in any letter case passes", ["AUTHORIZATION"], True),
                ("others pass beside it", ["authorization,x-b,x-c"], True),
                ("two hundred names pass", [",".join(f"x-{number}" for number in range(200))], True),
                (
                    "a thousand names do not, whatever they are",
                    [",".join(f"x-{number}" for number in range(1000))],
                    False,
                ),
                ("a name that is no token does not pass", ["x-b,x(c)"], False),
                ("two names without a comma do not pass", ["x-b, x-c x-d"], False),
                ("two names with a tab do not pass", ["x-b\tx-c"], False),
            ],
        ),
    ),
    Case(
        "star for headers alone",
        policy(APP, allow_headers=("*", "X-A")),
        True,
        _headers(
            "*",
            [
                ("any name passes", ["x-whatever"], True),
                ("Authorization does not", ["authorization"], False),
                ("Authorization in another letter case does not", ["x-a,AuthoriZation"], False),
                ("Authorization on a second line does not", ["x-a", "authorization"], False),
                ("Authorization in white space does not", ["x-a, authorization "], False),
            ],
        ),
    ),
    Case(
        "a long list of headers",
        policy(APP, allow_headers=tuple(f"X-{number:04}" for number in range(2000))),
        True,
        _headers(
            ", ".join(f"X-{number:04}" for number in range(2000)),
            [("all of it may be requested", [",".join(f"x-{number:04}" for number in range(2000))], True)],
        ),
    ),
]
