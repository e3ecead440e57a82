"""Which methods and headers need permission, and when a preflight is needed; against the Fetch standard."""

from __future__ import annotations

import pytest

from corsproxy.tools.browser import Credentials, PageRequest, names, play
from tests.tools.browser_rows import PAGE, URL, Fields, row

SAFE, UNSAFE = True, False


@pytest.mark.parametrize(
    ("name", "value", "is_safe"),
    [
        row("Accept with an ordinary value is safelisted", "Accept", "application/json", SAFE),
        row("Accept may have 128 bytes", "Accept", "a" * 128, SAFE),
        row("Accept of 129 bytes is unsafe", "Accept", "a" * 129, UNSAFE),
        row("Accept with a tab is safelisted", "Accept", "a\tb", SAFE),
        *(
            row(f"Accept with the unsafe byte {sign!r}", "Accept", f"a{sign}b", UNSAFE)
            for sign in '"():<>?@[\\]{}\x7f\x01\x1f'
        ),
        row("Accept with a slash, comma and equals sign is safelisted", "Accept", "text/*;q=0.5, */*", SAFE),
        row("Accept-Language with a list is safelisted", "Accept-Language", "de-CH, en;q=0.8, *", SAFE),
        row("Accept-Language with an underscore is unsafe", "Accept-Language", "en_US", UNSAFE),
        row("Content-Language with a word is safelisted", "Content-Language", "en", SAFE),
        row("Content-Language with a slash is unsafe", "Content-Language", "en/US", UNSAFE),
        row("Content-Type text/plain is safelisted", "Content-Type", "text/plain", SAFE),
        row("Content-Type with a charset is safelisted", "Content-Type", "text/plain;charset=UTF-8", SAFE),
        row("Content-Type in upper case is safelisted", "content-type", "TEXT/PLAIN", SAFE),
        row("Content-Type of a form is safelisted", "Content-Type", "application/x-www-form-urlencoded", SAFE),
        row("Content-Type of a form with files is safelisted", "Content-Type", "multipart/form-data; boundary=x", SAFE),
        row("Content-Type JSON is unsafe", "Content-Type", "application/json", UNSAFE),
        row("Content-Type XML is unsafe", "Content-Type", "text/xml", UNSAFE),
        row("Content-Type that is no MIME type is unsafe", "Content-Type", "text", UNSAFE),
        row("Content-Type that is empty is unsafe", "Content-Type", "", UNSAFE),
        row("Content-Type with an unsafe byte is unsafe", "Content-Type", 'text/plain; x="y"', UNSAFE),
        row("Content-Type list is unsafe", "Content-Type", "text/plain, application/json", UNSAFE),
        row("Range from the start is safelisted", "Range", "bytes=0-", SAFE),
        row("Range with an end is safelisted", "Range", "bytes=5-99", SAFE),
        row("Range without a start is unsafe", "Range", "bytes=-99", UNSAFE),
        row("Range with two parts is unsafe", "Range", "bytes=0-1,5-6", UNSAFE),
        row("Range that ends before it begins is unsafe", "Range", "bytes=9-5", UNSAFE),
        row("Range with a space is unsafe", "Range", "bytes= 0-9", UNSAFE),
        row("Authorization is never safelisted", "Authorization", "Bearer x", UNSAFE),
        row("a name of one's own is never safelisted", "X-Request-Id", "1", UNSAFE),
    ],
)
def test_safelisted_request_header(name: str, value: str, is_safe: bool) -> None:
    """A header needs permission exactly where the standard says so."""
    assert (names.unsafe_because(name, value) is None) is is_safe


def test_unsafe_names_are_lower_case_sorted_and_unique() -> None:
    """Access-Control-Request-Headers is made from the names in this order."""
    found = names.unsafe_names((("X-B", "1"), ("x-a", "1"), ("X-b", "2"), ("Accept", "*/*")))
    assert list(found) == ["x-a", "x-b"]


@pytest.mark.parametrize(
    ("more", "unsafe"),
    [
        row("1024 bytes of safelisted values in all need no permission", (), []),
        row("1025 bytes make every one of them unsafe", (("Accept", "a"),), ["accept", "accept-language"]),
    ],
)
def test_total_of_safelisted_values(more: Fields, unsafe: list[str]) -> None:
    """The limit of all values together is 1024 bytes."""
    values = (*[("Accept", "a" * 128)] * 7, ("Accept-Language", "a" * 128), *more)
    assert list(names.unsafe_names(values)) == unsafe


@pytest.mark.parametrize(
    ("name", "value", "is_forbidden"),
    [
        *(
            row(f"{name} is the browser's own", name, "x", True)
            for name in ("Cookie", "host", "ORIGIN", "Referer", "DNT")
        ),
        row("a name beginning with Sec- is forbidden", "Sec-Fetch-Site", "none", True),
        row("a name beginning with Proxy- is forbidden", "Proxy-Authorization", "x", True),
        row("Access-Control-Request-Method is forbidden", "Access-Control-Request-Method", "PUT", True),
        row("User-Agent is not forbidden", "User-Agent", "x", False),
        row("a method override to TRACE is forbidden", "X-HTTP-Method-Override", "GET, trace", True),
        row("a method override to PUT is not", "X-HTTP-Method-Override", "PUT", False),
        row("Authorization is not forbidden", "Authorization", "x", False),
    ],
)
def test_forbidden_request_header(name: str, value: str, is_forbidden: bool) -> None:
    """Headers that a script may not set are dropped."""
    assert names.is_forbidden_header(name, value) is is_forbidden


@pytest.mark.parametrize(
    ("written", "sent"),
    [("get", "GET"), ("Delete", "DELETE"), ("options", "OPTIONS"), ("put", "PUT"), ("post", "POST"), ("head", "HEAD"),
     ("patch", "patch"), ("Patch", "Patch"), ("chicken", "chicken")],
)  # fmt: skip
def test_method_normalization(written: str, sent: str) -> None:
    """Six methods are upper-cased, PATCH is none of them."""
    assert names.normalized(written) == sent


@pytest.mark.parametrize(
    ("request_", "because"),
    [
        row("GET with nothing set needs none", PageRequest(URL, PAGE), 0),
        row("POST of a form needs none", PageRequest(URL, PAGE, "POST", (("Content-Type", "text/plain"),)), 0),
        row("HEAD needs none", PageRequest(URL, PAGE, "HEAD"), 0),
        row("post in lower case needs none", PageRequest(URL, PAGE, "post"), 0),
        row("PUT needs one", PageRequest(URL, PAGE, "PUT"), 1),
        row("patch in lower case needs one", PageRequest(URL, PAGE, "patch"), 1),
        row("JSON needs one", PageRequest(URL, PAGE, "POST", (("Content-Type", "application/json"),)), 1),
        row("Authorization needs one", PageRequest(URL, PAGE, "GET", (("Authorization", "x"),)), 1),
        row("method and header are told apart", PageRequest(URL, PAGE, "DELETE", (("X-A", "1"),)), 2),
        row("an upload listener needs one", PageRequest(URL, PAGE, "POST", forces_preflight=True), 1),
        row("credentials alone need none", PageRequest(URL, PAGE, credentials=Credentials.INCLUDE), 0),
        row("a forbidden header is dropped and needs none", PageRequest(URL, PAGE, "GET", (("Cookie", "a=b"),)), 0),
        row("the same origin needs none", PageRequest(f"{PAGE}/x", PAGE, "PUT"), 0),
        row("the same host on another port needs one", PageRequest(f"{PAGE}:8443/x", PAGE, "PUT"), 1),
        row("the default port is the same origin", PageRequest(f"{PAGE}:443/x", PAGE, "PUT"), 0),
        row("an opaque origin is never the same", PageRequest(URL, "null", "PUT"), 1),
    ],
)
def test_preflight_needed(request_: PageRequest, because: int) -> None:
    """A preflight is needed for these and no others, and each cause is named."""
    played = play(request_, lambda _: None)
    assert len(played.preflight_because) == because
    assert played.exchanges[0].sent.kind == ("preflight" if because else "actual")


def test_preflight_as_sent() -> None:
    """A preflight names method and headers, lower case and without spaces, and carries neither cookie nor header."""
    request = PageRequest(
        URL, PAGE, "put", (("X-B", "1"), ("Authorization", "s"), ("X-A", "2")), Credentials.INCLUDE, cookie="a=b"
    )
    sent = play(request, lambda _: None).exchanges[0].sent
    assert (sent.method, sent.url) == ("OPTIONS", URL)
    assert dict(sent.headers) == {
        "Accept": "*/*",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,x-a,x-b",
        "Origin": PAGE,
    }
