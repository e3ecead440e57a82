"""The part of the build that pyproject.toml cannot express: the extension modules of a compiled build.

    pip install .                        pure Python, for every platform
    CORSPROXY_COMPILE=1 pip install .    the modules that [tool.corsproxy] lists as C extensions, made by mypyc

CORSPROXY_OPT_LEVEL=0 has the C compiler optimize nothing, for tests: half the time or less.

Setuptools runs this file for each of its steps, and only in `bdist_wheel` is there something to compile.
What a compiled build needs besides is asked for by `setup_requires`, which a frontend installs before it builds.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from setuptools import setup


def compiled_build() -> dict[str, Any]:
    """Return the arguments for a compiled build, or none for a pure one."""
    wanted = os.environ.get("CORSPROXY_COMPILE", "")
    if wanted not in ("", "0", "1"):
        raise SystemExit(f"corsproxy: error: invalid CORSPROXY_COMPILE={wanted}: 1 compiles the package, 0 does not")
    if wanted != "1":
        return {}
    opt_level = os.environ.get("CORSPROXY_OPT_LEVEL") or "3"
    if opt_level not in ("0", "1", "2", "3"):
        raise SystemExit(f"corsproxy: error: invalid CORSPROXY_OPT_LEVEL={opt_level}: 0 to 3, as for the C compiler")
    if "editable_wheel" in sys.argv:
        raise SystemExit(
            "corsproxy: error: CORSPROXY_COMPILE=1 is not for an editable install, where a compiled module would hide\n"
            "the changes to its source. Leave CORSPROXY_COMPILE out; `make test-compiled` tests a change compiled."
        )
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    # The compiler, and the packages whose types it reads.
    requirements = [*project["dependency-groups"]["compile"], *project["project"]["dependencies"]]
    if "bdist_wheel" not in sys.argv:
        return {"setup_requires": requirements}

    from mypyc.build import mypycify  # not there for a pure build

    # Intermediate files are made outside the tree, so that no build finds those of an earlier one.
    folder = tempfile.mkdtemp(prefix="corsproxy-build-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = [f"--cache-dir={os.devnull}", *project["tool"]["corsproxy"]["compiled"]]
    extensions = mypycify(options, opt_level=opt_level, debug_level="0", group_name="corsproxy", target_dir=folder)
    for extension in extensions:
        extension.extra_compile_args.append(
            "-Wno-error"
        )  # mypyc turns warnings into errors, and a newer compiler has new warnings
    return {"ext_modules": extensions, "options": {"build": {"build_base": folder}}}


setup(**compiled_build())
