"""Which origins learn proposes: grouped where a pattern is safe, left out where they look like an attack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.logs import CONFIG, entry, learnt, loaded, origins

APP = "https://app.example.com"


@pytest.mark.parametrize(
    ("seen", "proposed"),
    [
        pytest.param(["https://a.example.org", "https://b.example.org"], None, id="two subdomains stay a list"),
        pytest.param(
            ["https://a.example.org", "https://b.example.org", "https://c.d.example.org"],
            ["https://*.example.org"],
            id="three subdomains of one domain are a pattern",
        ),
        pytest.param(
            ["https://a.pr.example.org", "https://b.pr.example.org", "https://c.pr.example.org"],
            ["https://*.pr.example.org"],
            id="the pattern is as deep as all allow",
        ),
        pytest.param(
            ["https://example.org", "https://a.example.org", "https://b.example.org", "https://c.example.org"],
            ["https://*.example.org", "https://example.org"],
            id="the domain itself is no subdomain",
        ),
        pytest.param(
            ["https://a.github.io", "https://b.github.io", "https://c.github.io"],
            None,
            id="a public suffix is no owner",
        ),
        pytest.param(["https://a.co.uk", "https://b.co.uk", "https://c.co.uk"], None, id="nor is a country's"),
        pytest.param(
            ["https://a.example.org", "https://b.example.org:8443", "https://c.example.org"],
            None,
            id="another port is another family",
        ),
        pytest.param(
            ["http://localhost:3000", "http://localhost:5173"], ["http://localhost:*"], id="ports of loopback"
        ),
        pytest.param(["http://localhost:3000", "http://127.0.0.1:3000"], None, id="two names of loopback stay two"),
        pytest.param(["http://[::1]:1", "http://[::1]:2"], ["http://[::1]:*"], id="ports of IPv6 loopback"),
        pytest.param(["https://10.0.0.1", "https://10.0.0.2", "https://10.0.0.3"], None, id="addresses have no owner"),
    ],
)
def test_grouping(tmp_path: Path, seen: list[str], proposed: list[str] | None) -> None:
    """Origins become a pattern only if it matches only their owner's names."""
    text, _ = learnt([entry("/bare", origin) for origin in seen], tmp_path)
    assert origins(text, "bare") == (proposed or sorted(seen))


def test_a_pattern_in_force_stays_for_several(tmp_path: Path) -> None:
    """A person found it safe already; for one origin the origin itself is smaller."""
    two = [entry("/orders", f"https://{name}.example.net") for name in "ab"]
    assert origins(learnt(two, tmp_path)[0], "app") == ["https://*.example.net"]
    assert origins(learnt(two[:1], tmp_path)[0], "app") == ["https://a.example.net"]


def test_a_star_in_force_stays_for_many(tmp_path: Path) -> None:
    """Only what all origins requested is granted to everyone."""
    many = [entry("/open", f"https://site{number}.example", cors="granted") for number in range(30)]
    assert origins(learnt(many, tmp_path)[0], "open") == ["*"]
    assert origins(learnt(many[:2], tmp_path)[0], "open") == ["https://site0.example", "https://site1.example"]


SUSPECTS = {
    "null": "sandboxed frame",
    "https://APP.example.com": "no browser sends",
    "https://app.example.com/": "no browser sends",
    "app.example.com": "no browser sends",
    "https://app.example.com.evil.test": "holds example.com",
    "https://evilexample.com": "holds example.com",
    "https://example-com.evil.test": "holds example.com",
    "https://examp1e.com": "looks like example.com",
    "https://exmaple.com": "looks like example.com",
    "https://exarnple.com": "looks like example.com",
    "https://examplle.com": "looks like example.com",
    "http://app.example.com": "plain http",
    "https://localhost.evil.test": "pretends to be localhost",
    "http://plain.example.test": "http",
    "https://corsproxyprobe.github.io": "made up by 'corsproxy probe'",
    "https://corsproxyprobe.example.com": "made up by 'corsproxy probe'",
    "https://corsproxyverify.preview.test": "made up by 'corsproxy probe' or 'corsproxy verify'",
    "https://codepen.io": "anyone can put a page there",
    "https://app.exampl": "beginning of a name",
    "https://ap": "beginning of a name",
}


@pytest.mark.parametrize("suspect", SUSPECTS)
def test_what_looks_like_an_attack_is_left_out(tmp_path: Path, suspect: str) -> None:
    """A comment names it with the reason, and nothing that only it requested is granted."""
    lines = [entry("/orders", APP), entry("/orders", suspect, requested_method="DELETE", requested_headers="x-evil")]
    text, _ = learnt(lines, tmp_path)
    spec = loaded(text).specs["app"]
    assert origins(text, "app") == [APP]
    if suspect != "http://plain.example.test":  # refused by the rules of policies, not for its looks
        assert (spec.allow_methods, spec.allow_headers) == (("GET", "HEAD", "POST"), ())
    comment = next(line for line in text.splitlines() if line.startswith("    # left out: "))
    assert suspect in comment
    assert SUSPECTS[suspect] in comment


def test_dangers_in_force_stay_only_where_they_are_needed(tmp_path: Path) -> None:
    """A name under `dangerously_allow` stays only if a recorded origin needs it."""
    config = CONFIG.replace(
        "allow_origins: [https://app.example.com,",
        'allow_origins: ["null", http://plain.example.com, https://app.example.com,',
    ).replace("    max_age: 1h\n", "    max_age: 1h\n    dangerously_allow: [null_origin, insecure_origins]\n")
    lines = [entry("/orders", APP), entry("/orders", "null", cors="granted")]
    text, _ = learnt(lines, tmp_path, config)
    assert origins(text, "app") == [APP, "null"]
    assert loaded(text).specs["app"].dangerously_allow == ("null_origin",)


@pytest.mark.parametrize(
    "innocent",
    ["https://www.example.com", "https://partner.test", "http://localhost:3000", "https://xn--bcher-kva.example"],
)
def test_what_looks_like_nobody_is_kept(tmp_path: Path, innocent: str) -> None:
    """Other names are not accused."""
    text, _ = learnt([entry("/orders", APP), entry("/orders", innocent)], tmp_path)
    assert sorted(origins(text, "app")) == sorted([APP, innocent])


def test_an_imitation_accuses_nobody_of_the_imitated_name(tmp_path: Path) -> None:
    """A stranger who sends `xample.com`, which `example.com` contains, must not have its pages left out."""
    lines = [entry("/orders", APP), entry("/orders", "https://new.example.com")]
    lines += [entry("/orders", origin) for origin in ("https://xample.com", "https://example.co")] * 5
    assert origins(learnt(lines, tmp_path)[0], "app") == [APP, "https://new.example.com"]


def test_the_rarer_name_accuses_no_other_that_contains_it(tmp_path: Path) -> None:
    """With no policy in force the numbers tell here, too."""
    lines = [entry("/bare", "https://shop.portal.test")] * 9 + [entry("/bare", "https://portal.te")]
    assert "https://shop.portal.test" in origins(learnt(lines, tmp_path)[0], "bare")


def test_of_two_that_look_alike_the_rarer_is_the_imitation(tmp_path: Path) -> None:
    """With no policy in force the numbers tell."""
    lines = [entry("/bare", "https://shopify.test")] * 9 + [entry("/bare", "https://shopiffy.test")]
    assert origins(learnt(lines, tmp_path)[0], "bare") == ["https://shopify.test"]
