"""Timing-Allow-Origin (https://w3c.github.io/resource-timing/#sec-timing-allow-origin): who may read timings.

It follows the grant, or is an explicit list. Images, scripts and style sheets send no Origin, so for them the origins
are listed.
"""

from __future__ import annotations

from corsproxy.cors.patterns import PatternError, PatternKind, parse_pattern
from corsproxy.cors.problems import PolicyProblem, quote
from corsproxy.cors.spec import WILDCARD, PolicySpec

MOST_BYTES = 4096
"""Bytes of the list in every response without Origin: half of what many clients and proxies accept as a head."""


def check_timing(spec: PolicySpec) -> list[PolicyProblem]:
    """Check `timing`: an explicit list, or the origins that cannot be listed if it follows the grant."""
    if spec.timing is True:
        return _check_followed(spec)
    if spec.timing is False:
        return []
    if not spec.timing:
        message = (
            "missing origins: an empty list acts like false, so the upstream's own field is kept; write false for "
            "that, true for the granted origin, or a list of origins"
        )
        return [PolicyProblem("timing", None, "missing", (), message, "warning")]
    problems = []
    for index, text in enumerate(spec.timing):
        if text == WILDCARD and len(spec.timing) == 1:
            continue
        try:
            is_exact = parse_pattern(text).kind is PatternKind.EXACT
        except PatternError as error:
            rule = str(error)
        else:
            if is_exact:
                continue
            rule = "the field lists exact origins, or '*' alone for everyone; browsers read nothing else"
        problems.append(PolicyProblem("timing", index, "invalid", text, f"invalid origin {quote(text)}: {rule}"))
    return problems


def _check_followed(spec: PolicySpec) -> list[PolicyProblem]:
    """Return warnings about origins whose pages cannot read the timings of images and scripts."""
    if any(origin.text == WILDCARD for origin in spec.allow_origins) and not spec.allow_credentials:
        return []
    reasons = []
    if any(origin.in_file for origin in spec.allow_origins):
        reasons.append("the origins of a file are never listed, because every client could read them")
    listed = _listable(spec)
    if len(_joined(listed)) > MOST_BYTES:
        reasons.append(f"only the first {_fitting(listed)} of {len(listed)} origins fit into the 4 KiB of the list")
    if not reasons:
        return []
    message = (
        f"where a request has no Origin (images, scripts), {' and '.join(reasons)}; write the origins that need it as "
        "'timing: [https://...]', or '*'"
    )
    return [PolicyProblem("timing", None, "missing", True, message, "warning")]


def value_for_all(spec: PolicySpec) -> bytes:
    """Return the value for every response, whatever the Origin; empty without an explicit list."""
    if isinstance(spec.timing, bool):
        return b""
    return _joined(list(dict.fromkeys(spec.timing)))


def value_without_origin(spec: PolicySpec) -> bytes:
    """Return the exact origins of the configuration itself, as far as they fit, for requests without Origin."""
    if spec.timing is not True:
        return b""
    listed = _listable(spec)
    return _joined(listed[: _fitting(listed)])


def _listable(spec: PolicySpec) -> list[str]:
    """Return the exact origins that are written in the configuration, each once."""
    written = (one.text for one in spec.allow_origins if not one.in_file and not one.is_regex)
    return list(dict.fromkeys(text for text in written if "*" not in text and text != "null"))


def _joined(origins: list[str]) -> bytes:
    return ", ".join(origins).encode("ascii", "replace")


def _fitting(origins: list[str]) -> int:
    """Return how many of the origins fit, from the first on."""
    size = -len(", ")
    for count, origin in enumerate(origins):
        size += len(origin) + len(", ")
        if size > MOST_BYTES:
            return count
    return len(origins)
