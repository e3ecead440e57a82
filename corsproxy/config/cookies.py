"""The `cookies` key of an upstream: its values, and the combinations a browser would throw away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corsproxy.config.problems import RefusedError, Report, quote
from corsproxy.cors import is_public_suffix
from corsproxy.settings import CookieRules


def parse_cookie_path(text: str) -> str:
    """Parse a Path attribute (RFC 6265 section 4.1.1: any characters but controls and `;`; here ASCII)."""
    if not text.startswith("/"):
        raise RefusedError(f"invalid path {quote(text)}: expected rewrite, keep, or a path that begins with '/'")
    if ";" in text or not text.isascii() or not text.isprintable():
        raise RefusedError(f"invalid path {quote(text)}: a cookie's path is printable ASCII without ';'")
    return text


def compile_cookies(values: Mapping[str, Any], path: str, report: Report) -> CookieRules | None:
    """Compile the rules, and report combinations that lose the cookie; None where nothing is edited."""
    edits: dict[str, Any] = {key: None if value == "keep" else value for key, value in values.items()}
    rules = CookieRules(**edits)
    for key, holds, attribute in (
        ("same_site", rules.same_site == "none", "SameSite=None"),
        ("partitioned", rules.partitioned is True, "Partitioned"),
    ):
        if not holds or rules.secure == "add":
            continue
        said = f"browsers throw away a cookie with {attribute} and without Secure"
        if rules.secure == "remove":
            report.error(f"{path}.{key}", "invalid", f"invalid with 'secure: remove': {said}; write 'secure: add'")
        else:
            report.warning(f"{path}.{key}", "missing", f"missing 'secure: add': {said}")
    if rules.partitioned is True and rules.same_site in ("lax", "strict"):
        report.warning(
            f"{path}.partitioned",
            "unused",
            f"unused with 'same_site: {rules.same_site}', which keeps the cookie from pages of other sites, "
            "whose jars this is about; write 'same_site: none'",
        )
    if rules.domain and "." in rules.domain and is_public_suffix(rules.domain):
        report.warning(
            f"{path}.domain",
            "invalid",
            f"invalid domain {quote(rules.domain)}: it is a public suffix, for which browsers take no cookie; "
            "write 'remove', or the name that was registered",
        )
    return None if rules == CookieRules() else rules
