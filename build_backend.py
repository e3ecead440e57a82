"""The build backend (PEP 517): setuptools', and a compiled build for those who ask for one.

    pip install .                        pure Python, for every platform
    CORSPROXY_COMPILE=1 pip install .    the modules of `COMPILED` as C extensions, made from the same sources by mypyc

Knows nothing of what the modules do.
mypyc is imported only where it compiles: a pure build needs setuptools alone.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from setuptools import build_meta

VARIABLE = "CORSPROXY_COMPILE"

COMPILED = (
    # Here belongs what runs for every request, with what it calls for every field, chunk and connection.
    # What runs at the start, at a reload or for a tool does not: it would gain nothing that anybody notices.
    #
    # One module near these cannot be here:
    # corsproxy/cors/problems.py: a dataclass's field annotated `object` is a KeyError at import (mypyc 2.4).
    "corsproxy/cors/decision.py",
    "corsproxy/cors/headers.py",
    "corsproxy/cors/index.py",
    "corsproxy/cors/methods.py",
    "corsproxy/cors/policy.py",
    "corsproxy/cors/request_headers.py",
    "corsproxy/cors/tokens.py",
    "corsproxy/proxy/admission.py",
    "corsproxy/proxy/answers.py",
    "corsproxy/proxy/client/chunks.py",
    "corsproxy/proxy/client/connection.py",
    "corsproxy/proxy/client/content.py",
    "corsproxy/proxy/client/deadlines.py",
    "corsproxy/proxy/client/flow.py",
    "corsproxy/proxy/client/head.py",
    "corsproxy/proxy/client/head_buffer.py",
    "corsproxy/proxy/client/parser.py",
    "corsproxy/proxy/client/plain_head.py",
    "corsproxy/proxy/client/request.py",
    "corsproxy/proxy/client/request_line.py",
    "corsproxy/proxy/content.py",
    "corsproxy/proxy/cors_gate.py",
    "corsproxy/proxy/exchange.py",
    "corsproxy/proxy/field_lines.py",
    "corsproxy/proxy/fields.py",
    "corsproxy/proxy/forwarded.py",
    "corsproxy/proxy/hops.py",
    "corsproxy/proxy/passage.py",
    "corsproxy/proxy/plan.py",
    "corsproxy/proxy/relay.py",
    "corsproxy/proxy/replies.py",
    "corsproxy/proxy/request_head.py",
    "corsproxy/proxy/response_head.py",
    "corsproxy/proxy/routes.py",
    "corsproxy/proxy/table.py",
    "corsproxy/proxy/target.py",
    "corsproxy/proxy/upstream/connection.py",
    "corsproxy/proxy/upstream/head.py",
    "corsproxy/proxy/upstream/plain_head.py",
    "corsproxy/proxy/upstream/pool.py",
    "corsproxy/proxy/upstream/reader.py",
)

Settings = Mapping[str, Any] | None
"""What the frontend passes on from its user; setuptools reads it."""


# --- what a frontend calls --------------------------------------------------------------------------------------------

build_sdist = build_meta.build_sdist
get_requires_for_build_sdist = build_meta.get_requires_for_build_sdist
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Ask for nothing, or for the compiler and, as it reads their types, for what the package itself needs."""
    if not is_compiled_wanted():
        return build_meta.get_requires_for_build_wheel(config_settings)
    check_c_compiler()  # before anything is fetched in vain
    declared = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    return [*declared["dependency-groups"]["compile"], *declared["project"]["dependencies"]]


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build the wheel: for every platform, or compiled for this one."""
    if is_compiled_wanted():
        check_c_compiler()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """Refuse to compile what is going to be edited."""
    if is_compiled_wanted():
        _refuse(
            f"{VARIABLE}=1 is not for an editable install: a compiled module would hide the changes to its source.\n"
            f"Leave {VARIABLE} out, or leave --editable out; `make test-compiled` tests a change in compiled form."
        )
    return build_meta.get_requires_for_build_editable(config_settings)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """Build an editable wheel; never a compiled one."""
    get_requires_for_build_editable(config_settings)
    return build_meta.build_editable(wheel_directory, config_settings, metadata_directory)


# --- what setup.py calls ----------------------------------------------------------------------------------------------


def is_compiled_wanted() -> bool:
    """Read the variable."""
    value = os.environ.get(VARIABLE, "")
    if value not in ("", "0", "1"):
        _refuse(f"invalid {VARIABLE}={value}: 1 builds the compiled package, 0 the pure one")
    return value == "1"


def compiled() -> dict[str, Any]:
    """Translate the modules to C, and give what setuptools needs to make extensions of them."""
    from mypyc.build import mypycify

    # Everything on the way to the wheel is made outside the tree, so that no build finds what an earlier one has left.
    folder = tempfile.mkdtemp(prefix="corsproxy-build-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    options = [f"--cache-dir={os.devnull}", *COMPILED]  # the rest of mypy's options is in pyproject.toml
    extensions = mypycify(options, opt_level="3", debug_level="0", group_name="corsproxy", target_dir=folder)
    for extension in extensions:
        # mypyc makes errors of warnings, and a newer compiler has new ones.
        extension.extra_compile_args.append("-Wno-error")
    return {"ext_modules": extensions, "options": {"build": {"build_base": folder}}}


# --- refusals ---------------------------------------------------------------------------------------------------------


def check_c_compiler() -> None:
    """Compile one line against Python's headers, as setuptools will; refuse with the remedy where that fails."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "line.c")
        source.write_text("#include <Python.h>\n", encoding="ascii")
        command = [*compiler, f"-I{sysconfig.get_path('include')}", "-fPIC", "-shared", str(source)]
        try:
            done = subprocess.run(  # noqa: S603 - the compiler that Python was built with, or that the user names
                [*command, "-o", str(source.with_suffix(".so"))], capture_output=True, text=True, check=False
            )
        except OSError as error:
            reason = str(error)
        else:
            if not done.returncode:
                return
            reason = done.stderr.strip()
    _refuse(
        f"{VARIABLE}=1 needs a C compiler and Python's headers, and this failed:\n"
        f"  {shlex.join(command)}\n  {reason}\n"
        f"Install them (Debian: apt-get install gcc libc6-dev python3-dev), or leave {VARIABLE} out:\n"
        "the pure package does the same, only slower."
    )


def _refuse(message: str) -> NoReturn:
    """End the build with a message, in the form in which compilers and pip say what is wrong."""
    raise SystemExit(f"corsproxy: error: {message}")
