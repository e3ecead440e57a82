"""Pasted curl commands, as browsers copy them and as people write them."""

from __future__ import annotations

import pytest

from corsproxy.tools.probe.curl import CurlCommand, parse_curl

COPIED_BY_CHROMIUM = r"""curl 'https://api.example.net/items?page=2' \
  -X 'PUT' \
  -H 'accept: application/json' \
  -H 'accept-language: de-CH,de;q=0.9' \
  -H 'authorization: Bearer abc' \
  -H 'content-type: application/json' \
  -b 'session=1; theme=dark' \
  -H 'origin: https://app.example.com' \
  -H 'referer: https://app.example.com/page' \
  -H 'sec-ch-ua: "Chromium";v="142"' \
  -H 'sec-fetch-mode: cors' \
  -H 'user-agent: Mozilla/5.0' \
  --data-raw $'{"name":"it\'s\\u0021"}' \
  --compressed"""


def test_command_lines_that_chromium_copies() -> None:
    """Only what the script set stays; what the browser adds is the browser's."""
    assert parse_curl(COPIED_BY_CHROMIUM) == CurlCommand(
        url="https://api.example.net/items?page=2",
        method="PUT",
        headers=[
            ("accept", "application/json"),
            ("authorization", "Bearer abc"),
            ("content-type", "application/json"),
        ],
        origin="https://app.example.com",
        cookie="session=1; theme=dark",
        body='{"name":"it\'s\\u0021"}',
    )


JSON, FORM = ("Content-Type", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("text", "method", "url", "headers"),
    [
        ("curl http://a/", "GET", "http://a/", []),
        ("curl a.example/x", "GET", "http://a.example/x", []),
        ("/usr/bin/curl --url http://a/", "GET", "http://a/", []),
        ("curl -XDELETE http://a/", "DELETE", "http://a/", []),
        ("curl --request=PATCH http://a/", "PATCH", "http://a/", []),
        ("curl -I http://a/", "HEAD", "http://a/", []),
        ("curl -d x=1 http://a/", "POST", "http://a/", [FORM]),
        ("curl --json '{}' http://a/", "POST", "http://a/", [JSON]),
        ("curl -d '{}' -H 'Content-Type: application/json' http://a/", "POST", "http://a/", [JSON]),
        ("curl -G -d q=1 http://a/", "GET", "http://a/?q=1", []),
        ("curl -F f=@x http://a/", "POST", "http://a/", [("Content-Type", "multipart/form-data; boundary=x")]),
        ("curl -u me:secret http://a/", "GET", "http://a/", [("Authorization", "Basic bWU6c2VjcmV0")]),
        ("curl -o out.txt --max-time 5 http://a/", "GET", "http://a/", []),
        ("curl -sSL http://a/", "GET", "http://a/", []),
        ("curl -H 'X-Empty:' http://a/", "GET", "http://a/", [("X-Empty", "")]),
    ],
)
def test_command_lines_that_people_write(text: str, method: str, url: str, headers: list[tuple[str, str]]) -> None:
    """Each spelling gives the request that curl would send."""
    found = parse_curl(text)
    assert (found.method, found.url, found.headers) == (method, url, headers)


def test_insecure_among_bundled_options() -> None:
    """-sk is -s and -k."""
    assert parse_curl("curl -sk https://a/").insecure
    assert not parse_curl("curl -s https://a/").insecure


def test_the_origin_is_taken_from_the_referer_where_there_is_no_other() -> None:
    """A request copied without Origin was made by the page in Referer."""
    assert parse_curl("curl http://a/ -e https://app.example.com/page?x").origin == "https://app.example.com"
    assert (
        parse_curl("curl http://a/ -e https://b.example/ -H 'Origin: https://c.example'").origin == "https://c.example"
    )


def test_bytes_that_are_no_utf_8_are_taken_as_they_are() -> None:
    """A shell hands over whatever was pasted."""
    command = parse_curl("curl http://x/ -u a:\udcff -d \udcfe")
    assert command.headers[0] == ("Authorization", "Basic YTr/")
    assert command.body == "\udcfe"
