"""corsproxy as users install it: the tree in virtual environments, once compiled as in the image and once pure.

They are kept in `.cache/corsproxy`, for this state of the tree and for each interpreter; those of another state are
removed. The installed package is measured, never the working tree: each environment reports where its corsproxy is.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from textwrap import shorten

from benchmarks.interpreters import Interpreter
from benchmarks.processes import clean_environ

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "benchmarks/.cache/corsproxy"

_SWITCH = "CORSPROXY_COMPILE"
"""The environment variable for pip that requests the compiled build."""

_BUILT_BY = ("pyproject.toml", "*.py", "requirements/*.txt")
"""Files besides the package that affect the installation."""

_SHIPPED = ("README.md", "LICENSE")
"""Files that the build needs, whatever their content."""

_DEPENDENCIES = ROOT / "requirements/run.txt"

_COMPLAINT = re.compile(r"\berror: (?!subprocess-exited-with-error)")
"""Words of a compiler's error line, which precedes those of the programs that ran the compiler."""

_LONGEST = 200
"""The most characters of that line to show; some contain the compiler's whole command line."""

_ASK = """
import importlib.machinery, importlib.metadata, json
import corsproxy, corsproxy.proxy.relay
print(json.dumps({
    "version": importlib.metadata.version("corsproxy"),
    "package": corsproxy.__file__,
    "compiled": corsproxy.proxy.relay.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)),
}))
"""


class CannotInstall(Exception):  # noqa: N818 - it is reported as a gap in the table, or said to the user in one line
    """A step failed; the text is what its program said."""


@dataclass(frozen=True, slots=True)
class Installation:
    """corsproxy in a separate virtual environment."""

    home: Path
    version: str
    compiled: bool

    @property
    def python(self) -> Path:
        """The environment's Python."""
        return self.home / "bin/python"

    @property
    def program(self) -> Path:
        """The program `corsproxy`."""
        return self.home / "bin/corsproxy"

    @property
    def form(self) -> str:
        """The form of its modules, for people."""
        return "compiled" if self.compiled else "pure Python"


@dataclass(frozen=True, slots=True)
class Installations:
    """Both forms; they are the same if compiling failed."""

    image: Installation
    """As in the container image: compiled, if possible."""
    pure: Installation
    gaps: tuple[str, ...] = ()


def install_both(interpreter: Interpreter) -> Installations:
    """Install the tree for an interpreter in both forms, unless it is installed already; raises `CannotInstall`."""
    state = digest(ROOT)
    _remove_other_states(state)
    key = f"{state}-{interpreter.version}-{_digest([interpreter.identity.encode()])}"
    pure = _install(interpreter, CACHE / key / "pure", compiled=False)
    try:
        image = _install(interpreter, CACHE / key / "compiled", compiled=True)
    except CannotInstall as error:
        return Installations(
            pure, pure, (f"corsproxy is measured as pure Python, as it could not be compiled: {error}",)
        )
    if not image.compiled:
        return Installations(
            pure, pure, (f"corsproxy is measured as pure Python: {_SWITCH}=1 gives no compiled build of this tree",)
        )
    return Installations(image, pure)


def digest(root: Path) -> str:
    """Return a digest of everything that affects an installation of the tree at `root`."""
    return _digest(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() for path in _sources(root))


def _sources(root: Path) -> Iterator[Path]:
    """Yield the files on which the installed package depends, without those of an earlier build."""
    for pattern in _BUILT_BY:
        yield from sorted(root.glob(pattern))
    yield from sorted(
        path
        for path in (root / "corsproxy").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    )


def _digest(parts: Iterable[bytes]) -> str:
    whole = sha256()
    for part in parts:
        whole.update(sha256(part).digest())
    return whole.hexdigest()[:12]


def _remove_other_states(state: str) -> None:
    for folder in CACHE.glob("*"):
        if not folder.name.startswith(f"{state}-"):
            shutil.rmtree(folder)


def _install(interpreter: Interpreter, home: Path, *, compiled: bool) -> Installation:
    finished = home / ".installed"
    if not finished.exists():
        if home.exists():
            shutil.rmtree(home)
        _make(interpreter, home, compiled=compiled)
        finished.touch()
    return find(home)


def find(home: Path) -> Installation:
    """Return the corsproxy of an environment; raises `CannotInstall` if it is not installed there."""
    told = json.loads(_run((str(home / "bin/python"), "-P", "-c", _ASK), cwd=home))
    if not Path(told["package"]).is_relative_to(home):
        raise CannotInstall(f"{home} has corsproxy from {told['package']}")
    return Installation(home, told["version"], told["compiled"])


def _make(interpreter: Interpreter, home: Path, *, compiled: bool) -> None:
    """Make an environment as the Dockerfile does: the locked dependencies, then only the package."""
    pip = (str(home / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    _run((str(interpreter.path), "-m", "venv", str(home)), cwd=ROOT)
    _run((*pip, "--require-hashes", "-r", str(_DEPENDENCIES)), cwd=ROOT)
    with tempfile.TemporaryDirectory(prefix="bench-build-") as name:
        folder = Path(name)
        # From a copy: what an earlier build has left in the tree must not get into this one, nor its own into the tree.
        for source in (*_sources(ROOT), *(ROOT / name for name in _SHIPPED)):
            copy = folder / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
        _run((*pip, "--no-deps", str(folder)), cwd=folder, environ={_SWITCH: "1"} if compiled else {})


def _run(command: Sequence[str], *, cwd: Path, environ: dict[str, str] | None = None) -> str:
    """Run a step and return what it printed; raises `CannotInstall`."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env={**clean_environ(), **(environ or {})}
    )
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()
        said = next((line.strip() for line in lines if _COMPLAINT.search(line)), lines[-1])
        raise CannotInstall(shorten(said, _LONGEST, placeholder=" ..."))
    return done.stdout
