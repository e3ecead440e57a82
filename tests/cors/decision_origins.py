"""Decision tables for origin matching: which origins each pattern lets pass, and which it must not."""

from __future__ import annotations

from corsproxy.cors import Kind, OriginSpec, Reason
from tests.cors.tables import APP, Case, Outcome, Row, actual, grants, policy, refuses, regex


def _case(name: str, origins: list[str | OriginSpec], table: list[tuple[str, str, str]]) -> Case:
    """A case whose rows are (sentence, origin, verdict): `yes`, `no` or `malformed`."""
    return Case(name, policy(*origins), True, [_row(*row) for row in table])


def _row(sentence: str, origin: str, verdict: str) -> Row:
    outcomes: dict[str, Outcome] = {
        "yes": grants(Kind.ACTUAL, acao=origin),
        "no": refuses(Kind.ACTUAL, Reason.ORIGIN_NOT_ALLOWED),
        "malformed": refuses(Kind.ACTUAL, Reason.ORIGIN_MALFORMED),
    }
    return sentence, actual(origin.encode("latin-1")), outcomes[verdict]


ORIGIN_CASES = [
    _case(
        "exact https origin",
        [APP],
        [
            ("itself passes", APP, "yes"),
            ("http instead does not", "http://app.example.com", "no"),
            ("another port does not", "https://app.example.com:8443", "no"),
            ("the default port written out is malformed", "https://app.example.com:443", "malformed"),
            ("port 80, not the default of https, is only another origin", "https://app.example.com:80", "no"),
            ("a name that ends in it does not", "https://evilapp.example.com", "no"),
            ("a name under it does not", "https://x.app.example.com", "no"),
            ("its parent does not", "https://example.com", "no"),
            ("it as a prefix does not", "https://app.example.com.evil.test", "no"),
            ("it as user information is malformed", "https://app.example.com@evil.test", "malformed"),
            ("a final dot makes another origin", "https://app.example.com.", "no"),
            ("a trailing slash is malformed", "https://app.example.com/", "malformed"),
            ("a path is malformed", "https://app.example.com/x", "malformed"),
            ("a query is malformed", "https://app.example.com?x", "malformed"),
            ("an upper-case host is malformed", "https://App.example.com", "malformed"),
            ("an upper-case scheme is malformed", "HTTPS://app.example.com", "malformed"),
            ("no scheme is malformed", "app.example.com", "malformed"),
            ("a scheme alone is malformed", "https://", "malformed"),
            ("an empty label is malformed", "https://app..example.com", "malformed"),
            ("a non-ASCII host is malformed", "https://\xe4pp.example.com", "malformed"),
            ("a NUL byte is malformed", "https://app.example.com\x00", "malformed"),
            ("a final line feed is malformed", "https://app.example.com\n", "malformed"),
            ("white space around it is malformed", " https://app.example.com", "malformed"),
            ("two origins with a space are malformed", "https://app.example.com https://b.example", "malformed"),
            ("two origins with a comma are malformed", "https://app.example.com, https://b.example", "malformed"),
            ("port zero is malformed", "https://app.example.com:0", "malformed"),
            ("a port beyond 65535 is malformed", "https://app.example.com:65536", "malformed"),
            ("a port with a leading zero is malformed", "https://app.example.com:08443", "malformed"),
            ("an empty port is malformed", "https://app.example.com:", "malformed"),
            ("a star is malformed", "*", "malformed"),
            ("a pattern is malformed", "https://*.example.com", "malformed"),
            ("an over-long origin is malformed", "https://" + "a." * 200 + "com", "malformed"),
            ("a longest possible origin is only another one", "https://" + "a." * 125 + "com:65535", "no"),
            ("a label too long is malformed", "https://" + "a" * 64 + ".com", "malformed"),
        ],
    ),
    _case(
        "exact origin with a port",
        ["https://app.example.com:8443"],
        [
            ("itself passes", "https://app.example.com:8443", "yes"),
            ("no port does not", APP, "no"),
            ("a port that ends alike does not", "https://app.example.com:18443", "no"),
        ],
    ),
    _case(
        "exact addresses",
        ["http://127.0.0.1:3000", "http://[::1]:3000", "https://[2001:db8::1]"],
        [
            ("IPv4 passes", "http://127.0.0.1:3000", "yes"),
            ("IPv6 loopback passes", "http://[::1]:3000", "yes"),
            ("IPv6 passes", "https://[2001:db8::1]", "yes"),
            ("IPv6 not compressed is malformed", "https://[2001:db8:0:0:0:0:0:1]", "malformed"),
            ("IPv6 in upper case is malformed", "https://[2001:DB8::1]", "malformed"),
            ("IPv6 with a dotted part is malformed", "http://[::ffff:127.0.0.1]:3000", "malformed"),
            ("IPv6 with a zone is malformed", "http://[::1%25lo]:3000", "malformed"),
            ("IPv4 with a leading zero is malformed", "http://127.0.0.01:3000", "malformed"),
            ("IPv4 as one number is malformed", "http://2130706433:3000", "malformed"),
            ("IPv4 in hexadecimal is malformed", "http://0x7f.0.0.1:3000", "malformed"),
            ("IPv4 with a part missing is malformed", "http://127.0.1:3000", "malformed"),
            ("another address does not pass", "http://127.0.0.2:3000", "no"),
        ],
    ),
    _case(
        "extension and app schemes",
        ["chrome-extension://abcdefghijklmnop", "capacitor://localhost"],
        [
            ("the extension passes", "chrome-extension://abcdefghijklmnop", "yes"),
            ("another extension does not", "chrome-extension://ponmlkjihgfedcba", "no"),
            ("the app shell passes", "capacitor://localhost", "yes"),
            ("the same host over http does not", "http://localhost", "no"),
            ("a file origin is malformed", "file://", "malformed"),
        ],
    ),
    _case(
        "star for subdomains",
        ["https://*.example.com"],
        [
            ("one label passes", "https://a.example.com", "yes"),
            ("two labels pass", "https://a.b.example.com", "yes"),
            ("many labels pass", "https://" + "a." * 60 + "example.com", "yes"),
            ("a punycode label passes", "https://xn--bcher-kva.example.com", "yes"),
            ("a label with an underscore passes", "https://my_app.example.com", "yes"),
            ("the apex does not", "https://example.com", "no"),
            ("a name that ends alike does not", "https://evilexample.com", "no"),
            ("a hyphen is no label boundary", "https://a-example.com", "no"),
            ("it as a prefix does not", "https://a.example.com.evil.test", "no"),
            ("http does not", "http://a.example.com", "no"),
            ("a port does not", "https://a.example.com:8443", "no"),
            ("a final dot does not", "https://a.example.com.", "no"),
            ("an empty label is malformed", "https://.example.com", "malformed"),
            ("an upper-case label is malformed", "https://A.example.com", "malformed"),
        ],
    ),
    _case(
        "star for subdomains at a port",
        ["https://*.example.com:8443"],
        [
            ("that port passes", "https://a.example.com:8443", "yes"),
            ("no port does not", "https://a.example.com", "no"),
            ("another port does not", "https://a.example.com:9443", "no"),
        ],
    ),
    _case(
        "star for subdomains and any port",
        ["https://*.example.com:*"],
        [
            ("no port passes", "https://a.example.com", "yes"),
            ("a port passes", "https://a.example.com:9443", "yes"),
            ("the apex does not", "https://example.com:9443", "no"),
            ("http does not", "http://a.example.com:9443", "no"),
        ],
    ),
    _case(
        "star inside a label",
        ["https://shop-*-team.preview.dev"],
        [
            ("letters pass", "https://shop-blue-team.preview.dev", "yes"),
            ("one digit passes", "https://shop-7-team.preview.dev", "yes"),
            ("hyphens pass", "https://shop-a--b-team.preview.dev", "yes"),
            ("a lone hyphen passes", "https://shop---team.preview.dev", "yes"),
            ("nothing does not", "https://shop--team.preview.dev", "no"),
            ("prefix and suffix that overlap do not", "https://shop-team.preview.dev", "no"),
            ("a dot does not", "https://shop-a.b-team.preview.dev", "no"),
            ("an underscore does not", "https://shop-a_b-team.preview.dev", "no"),
            ("another prefix does not", "https://xshop-a-team.preview.dev", "no"),
            ("another suffix does not", "https://shop-a-teams.preview.dev", "no"),
            ("a label before it does not", "https://x.shop-a-team.preview.dev", "no"),
            ("another domain does not", "https://shop-a-team.preview.dev.evil.test", "no"),
            ("a port does not", "https://shop-a-team.preview.dev:444", "no"),
        ],
    ),
    _case(
        "star at the beginning or the end of a label",
        ["https://*-team.preview.dev", "https://shop-*.preview.dev:*"],
        [
            ("the first passes", "https://blue-team.preview.dev", "yes"),
            ("the first without anything before the hyphen does not", "https://-team.preview.dev", "no"),
            ("the second passes at a port", "https://shop-1.preview.dev:8080", "yes"),
            ("the second passes without one", "https://shop-1.preview.dev", "yes"),
            ("the first at a port does not", "https://blue-team.preview.dev:8080", "no"),
            ("neither does not", "https://shop.preview.dev", "no"),
        ],
    ),
    _case(
        "any port",
        ["http://localhost:*", "http://[::1]:*"],
        [
            ("a port passes", "http://localhost:3000", "yes"),
            ("no port passes", "http://localhost", "yes"),
            ("the last port passes", "http://localhost:65535", "yes"),
            ("IPv6 passes at a port", "http://[::1]:5173", "yes"),
            ("https does not", "https://localhost:3000", "no"),
            ("the default port written out is malformed", "http://localhost:80", "malformed"),
            ("a name under it does not", "http://a.localhost:3000", "no"),
            ("a name that begins alike does not", "http://localhost.evil.test:3000", "no"),
        ],
    ),
    _case(
        "regular expression",
        [regex(r"https://pr-[0-9]+\.example\.net")],
        [
            ("a match passes", "https://pr-12.example.net", "yes"),
            ("a longer origin does not", "https://pr-12.example.net.evil.test", "no"),
            ("a port behind it does not", "https://pr-12.example.net:8443", "no"),
            ("the dot is a dot", "https://pr-12xexample.net", "no"),
            ("a line feed behind it is malformed", "https://pr-12.example.net\n", "malformed"),
        ],
    ),
    _case(
        "regular expression with alternatives",
        [regex(r"https://a\.example|https://b\.example"), regex(r"^https://c\.example$")],
        [
            ("the first passes", "https://a.example", "yes"),
            ("the second passes", "https://b.example", "yes"),
            ("the second is anchored at the end", "https://b.example.evil.test", "no"),
            ("the first is anchored at the end", "https://a.example.evil.test", "no"),
            ("anchors written out do no harm", "https://c.example", "yes"),
        ],
    ),
]
