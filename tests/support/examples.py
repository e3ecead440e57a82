"""The number of examples of a property: few for each change, some in CI, very many in a search for faults.

HYPOTHESIS_PROFILE selects it: `check`, `default` or `thorough` (`make check`, `make test`, `make fuzz`).
"""

from __future__ import annotations

import os

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
_SCALE = {"check": 0.2, "default": 0.4, "thorough": 100}


def examples(usually: int) -> int:
    """Return the number of examples for the current profile; `usually` is a number that finds most faults."""
    return max(20, round(usually * _SCALE[PROFILE]))
