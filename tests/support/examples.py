"""On how many examples a property is tried: few while one works, some in CI, very many when one looks for trouble.

HYPOTHESIS_PROFILE says which: `check`, `default` or `thorough` (`make check`, `make test`, `make fuzz`).
"""

from __future__ import annotations

import os

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
_SCALE = {"check": 0.2, "default": 0.4, "thorough": 100}


def examples(usually: int) -> int:
    """Return the number of examples for the profile in force; with `usually` many most faults are found at once."""
    return max(20, round(usually * _SCALE[PROFILE]))
