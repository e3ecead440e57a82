"""Compiles the `cookies` of an upstream, and reports combinations that a browser would reject."""

from __future__ import annotations

from corsproxy.config.declaration import CookieValues
from corsproxy.config.problems import Report, quote
from corsproxy.cors import is_public_suffix
from corsproxy.settings import CookieRules


def compile_cookies(values: CookieValues, path: str, report: Report) -> CookieRules | None:
    """Return the rules, or None if they edit nothing."""
    rules = CookieRules(
        None if values.domain == "keep" else values.domain,
        None if values.path == "keep" else values.path,
        None if values.same_site == "keep" else values.same_site,
        None if values.secure == "keep" else values.secure,
        values.partitioned,
    )
    for key, holds, attribute in (
        ("same_site", rules.same_site == "none", "SameSite=None"),
        ("partitioned", rules.partitioned is True, "Partitioned"),
    ):
        if not holds or rules.secure == "add":
            continue
        detail = f"browsers reject a cookie with {attribute} and without Secure"
        if rules.secure == "remove":
            report.error(f"{path}.{key}", "invalid", f"invalid with 'secure: remove': {detail}; write 'secure: add'")
        else:
            report.warning(f"{path}.{key}", "missing", f"missing 'secure: add': {detail}")
    if rules.partitioned is True and rules.same_site in ("lax", "strict"):
        report.warning(
            f"{path}.partitioned",
            "unused",
            f"unused with 'same_site: {rules.same_site}', which withholds the cookie from "
            "pages of other sites; write 'same_site: none'",
        )
    if rules.domain and "." in rules.domain and is_public_suffix(rules.domain):
        report.warning(
            f"{path}.domain",
            "invalid",
            f"invalid domain {quote(rules.domain)}: it is a public suffix, and browsers reject such a cookie; "
            "write 'remove', or your registered domain",
        )
    return None if rules == CookieRules() else rules
