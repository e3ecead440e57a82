"""The Python that corsproxy is measured on: which one, and whether it was built to be fast.

Knows nothing of corsproxy.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import clean_environ

_ASK = """
import json, pathlib, platform, sys, sysconfig
print(json.dumps({
    "path": sys.executable,
    "name": platform.python_implementation(),
    "version": platform.python_version(),
    "build": sys.version,
    "home": sys.base_prefix,
    "options": sysconfig.get_config_var("CONFIG_ARGS") or "",
    "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
    "has_library": "libpython" in pathlib.Path("/proc/self/maps").read_text(),
}))
"""


class Unusable(Exception):  # noqa: N818 - it is said to the user in one line
    """A program is no Python that corsproxy can be measured on; the text says why."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python."""

    path: Path
    name: str
    """Of the implementation."""
    version: str
    identity: str
    """Differs between two builds of the same version."""
    optimized: bool | None
    """Built with profile-guided optimization; None where it does not say."""

    @property
    def said(self) -> str:
        """What a report says of it."""
        words = {
            True: "built with profile-guided optimization",
            False: "built without profile-guided optimization",
            # https://github.com/docker-library/python/issues/160, https://github.com/ContinuumIO/anaconda-issues/issues/11963
            None: "not said how it was built (Debian's, Ubuntu's and conda's are optimized)",
        }
        return f"{self.name} {self.version}, {words[self.optimized]}"


def examine(path: Path) -> Interpreter:
    """Ask a Python what it is. Raises `Unusable`."""
    try:
        done = subprocess.run(
            (str(path), "-P", "-c", _ASK), capture_output=True, text=True, check=False, env=clean_environ()
        )
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    if done.returncode:
        raise Unusable(f"{path} is no Python 3.11 or newer")  # older ones do not know -P
    told = json.loads(done.stdout)
    return Interpreter(
        Path(told["path"]),
        told["name"],
        told["version"],
        f"{told['home']} {told['build']}",
        is_optimized(told["options"], shared=told["shared"], has_library=told["has_library"]),
    )


def is_optimized(options: str, *, shared: bool, has_library: bool) -> bool | None:
    """Return whether a Python was built with profile-guided optimization, by the options of `configure`.

    `shared` is what sysconfig says of a library of its own, `has_library` whether the running program has loaded one.
    Where the two differ, sysconfig describes another build than the one that runs, and its silence says nothing:
    Debian, Ubuntu and conda-forge build the program apart from the library, the program with optimization,
    and install the sysconfig of the library.
    """
    if "--enable-optimizations" in options:
        return True
    return None if shared != has_library else False
