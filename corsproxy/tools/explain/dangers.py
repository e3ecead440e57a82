"""The names needed under `dangerously_allow`, and their warnings.

The names that a policy needs are found by compiling it with each; nothing is decided here.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from corsproxy.cors import DANGERS, PolicyErrors, PolicySpec, compile_policy

DANGEROUS = {
    "any_origin_with_credentials": "Dangerous: every web site can then act as the signed-in user.",
    "null_origin": "Dangerous: every web site can make itself the origin null with a sandboxed frame; "
    "serve the page from http://localhost instead of a file, if that is what it is.",
    "insecure_origins": "Dangerous: anyone on the network can change a plain-http page, "
    "and then act as the signed-in user; serve the page over https.",
    "public_suffix_origins": "Dangerous: anyone can register a name under that suffix, "
    "and then act as the signed-in user.",
}
"""By the name under `dangerously_allow`."""


def needed_dangers(spec: PolicySpec) -> tuple[str, ...]:
    """Return the fewest further names with which a policy compiles; empty if none are needed, or none help."""
    for count in range(len(DANGERS) + 1):
        for chosen in combinations(DANGERS, count):
            try:
                compile_policy(replace(spec, dangerously_allow=(*spec.dangerously_allow, *chosen)))
            except PolicyErrors:
                continue
            return chosen
    return ()
