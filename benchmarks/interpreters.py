"""The Python on which corsproxy is measured, and whether it is an optimized build.

It must not know corsproxy.
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
    """A program is not a Python on which corsproxy can be measured; the text says why."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python interpreter."""

    path: Path
    name: str
    """The name of the implementation."""
    version: str
    identity: str
    """Differs between two builds of the same version."""
    optimized: bool | None
    """True if built with profile-guided optimization; None if unknown."""

    @property
    def said(self) -> str:
        """Its description in a report."""
        words = {
            True: "built with profile-guided optimization",
            False: "built without profile-guided optimization",
            # https://github.com/docker-library/python/issues/160, https://github.com/ContinuumIO/anaconda-issues/issues/11963
            None: "not said how it was built (Debian's, Ubuntu's and conda's are optimized)",
        }
        return f"{self.name} {self.version}, {words[self.optimized]}"


def examine(path: Path) -> Interpreter:
    """Return what a Python reports about itself; raises `Unusable`."""
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

    `shared` is sysconfig's answer whether there is a shared library, `has_library` whether the program has loaded one.
    If the two differ, sysconfig describes another build than the running one, so a missing option proves nothing:
    Debian, Ubuntu and conda-forge build the program apart from the library, the program with optimization,
    and install the sysconfig of the library.
    """
    if "--enable-optimizations" in options:
        return True
    return None if shared != has_library else False
