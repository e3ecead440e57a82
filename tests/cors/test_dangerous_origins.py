"""The four dangers: what is prohibited unless it is wanted by name, and what looks dangerous but is not."""

from __future__ import annotations

import pytest

from corsproxy.cors import DANGERS, OriginSpec, policy_warnings
from tests.cors.tables import APP, errors_of, places, regex, spec, text_of

# An origin that is refused with credentials, and the name in `dangerously_allow` that lets it pass.
_DANGEROUS: list[tuple[str | OriginSpec, str]] = [
    ("*", "any_origin_with_credentials"),
    ("null", "null_origin"),
    ("http://example.com", "insecure_origins"),
    ("http://example.com:8080", "insecure_origins"),
    ("http://*.example.com", "insecure_origins"),
    ("http://a-*.example.com:*", "insecure_origins"),
    ("http://10.0.0.1", "insecure_origins"),
    ("http://0.0.0.0:3000", "insecure_origins"),
    ("http://[::]:3000", "insecure_origins"),
    ("http://localhost.example.com", "insecure_origins"),
    ("http://notlocalhost", "insecure_origins"),
    (regex(r"https?://a\.example"), "insecure_origins"),
    ("https://*.com", "public_suffix_origins"),
    ("https://*.co.uk", "public_suffix_origins"),
    ("https://*.github.io", "public_suffix_origins"),
    ("https://*.github.io:*", "public_suffix_origins"),
    ("https://*.github.io:8443", "public_suffix_origins"),
    ("https://*.github.io.", "public_suffix_origins"),
    ("https://*.pages.dev", "public_suffix_origins"),
    ("https://shop-*.github.io", "public_suffix_origins"),
    ("https://*.foo.ck", "public_suffix_origins"),
    ("https://*.kawasaki.jp", "public_suffix_origins"),
    ("https://*.xn--p1ai", "public_suffix_origins"),
    ("https://*.corp", "public_suffix_origins"),
    ("https://*.internal", "public_suffix_origins"),
]


@pytest.mark.parametrize(("origin", "danger"), _DANGEROUS, ids=[text_of(origin) for origin, _ in _DANGEROUS])
def test_dangerous_origins_must_be_wanted(origin: str | OriginSpec, danger: str) -> None:
    """A dangerous origin is prohibited with credentials; only the danger's own name lets it pass."""
    text = text_of(origin)
    others = tuple(name for name in DANGERS if name != danger)

    for allowed in ((), others):
        problems = errors_of(spec(APP, origin, allow_credentials=True, dangerously_allow=allowed))
        assert places(problems) == [("allow_origins", 1, "prohibited", text)]
        assert f"'{danger}'" in problems[0].message
    assert errors_of(spec(APP, origin, allow_credentials=True, dangerously_allow=(danger,))) == ()
    # Without credentials only `null` remains dangerous.
    assert bool(errors_of(spec(APP, origin))) is (danger == "null_origin")


def test_two_dangers_of_one_origin_are_two_problems() -> None:
    """Each danger is reported, and each must be allowed by its own name."""
    wanted = [("allow_origins", 0, "prohibited", "http://*.github.io")]

    assert places(errors_of(spec("http://*.github.io", allow_credentials=True))) == wanted * 2
    for danger in ("insecure_origins", "public_suffix_origins"):
        keys = {"allow_credentials": True, "dangerously_allow": (danger,)}
        assert places(errors_of(spec("http://*.github.io", **keys))) == wanted


@pytest.mark.parametrize(
    "origin",
    [
        "https://*.example.com",
        "https://*.example.co.uk",
        "https://*.example.com.",
        "https://*.city.kawasaki.jp",
        "https://*.me.github.io",
        "https://shop-*.example.com",
        "https://github.io",
        "https://a.com",
        "https://*.app.internal",
        "https://*.localhost:*",
        "http://localhost:*",
        "http://localhost",
        "http://*.localhost:*",
        "http://shop-*.localhost",
        "http://app.localhost:3000",
        "http://127.0.0.1:*",
        "http://127.9.8.7",
        "http://[::1]:*",
        "chrome-extension://abcdefghijklmnop",
        "capacitor://localhost",
        regex(r"https://pr-[0-9]+\.example\.net"),
        regex(r"http://localhost:\d+"),
    ],
    ids=text_of,
)
def test_safe_origins_pass_with_credentials(origin: str | OriginSpec) -> None:
    """Named hosts, loopback, stars under a registered name and app schemes need no danger's name."""
    assert errors_of(spec(origin, allow_credentials=True)) == ()
    assert policy_warnings(spec(origin, allow_credentials=True)) == ()
