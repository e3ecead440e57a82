"""Makes the tree that `make test-compiled` tests: git's files, with the package from its compiled wheel.

    python scripts/compiled_tree.py FOLDER

FOLDER has the wheel, and gets the tree as `tree`.
The source of every compiled module is replaced by a line that raises, so that a test fails if any process imports it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "corsproxy"
NO_SOURCE = 'raise ImportError("the source of a compiled module: what is tested is not the compiled package")\n'


def main(folder: Path) -> int:
    """Make a new tree; return 1 if there is not exactly one wheel, or nothing in it is compiled."""
    wheels, tree = list(folder.glob("*.whl")), folder / "tree"
    if len(wheels) != 1:
        print(f"{folder} holds {len(wheels)} wheels, not one", file=sys.stderr)
        return 1
    shutil.rmtree(tree, ignore_errors=True)
    for name in files_of_git():
        if PurePosixPath(name).parts[0] != PACKAGE:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(tree)
    compiled = list((tree / PACKAGE).rglob("*.so"))
    for module in compiled:
        module.with_name(module.name.partition(".")[0] + ".py").write_text(NO_SOURCE, encoding="ascii")
    print(f"{tree}: {len(compiled)} compiled modules")
    return 0 if compiled else 1


def files_of_git() -> list[str]:
    """Return the existing files that git tracks, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - fixed words
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
