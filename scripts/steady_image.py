"""Removes from an image's record what differs from build to build, so that two builds have the same digest.

The record of an image in Docker's format, the only one with a health check, names the container that it was committed
from and that container's host name: random, and read by nobody.
buildah before 1.41 has no option that leaves them out.

    python scripts/steady_image.py IMAGE

The image keeps its name and gets another digest.
Its layers are not touched, and none is stored twice.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def main() -> int:
    """Make the record of the named image reproducible."""
    make_steady(sys.argv[1])
    return 0


def make_steady(image: str) -> None:
    """Replace the image with one whose record depends only on its content."""
    made = _buildah("images", "--quiet", "--no-trunc", image)
    with TemporaryDirectory(prefix="corsproxy-image-") as folder:
        _buildah("push", "--quiet", "--disable-compression", image, f"dir:{folder}")
        _rewrite(Path(folder))
        kept = _buildah("pull", "--quiet", f"dir:{folder}")
    _buildah("tag", kept, image)
    if kept != made.removeprefix("sha256:"):
        _buildah("rmi", made)


def _rewrite(folder: Path) -> None:
    """Replace the record with the reproducible one, and write its digest into the manifest."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    old = folder / manifest["config"]["digest"].removeprefix("sha256:")
    record = steady(json.loads(old.read_bytes()))
    old.unlink()
    digest = hashlib.sha256(record).hexdigest()
    (folder / digest).write_bytes(record)
    manifest["config"] |= {"size": len(record), "digest": f"sha256:{digest}"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def steady(record: dict[str, Any]) -> bytes:
    """Return an image's record without the container in which it was made."""
    record.pop("container", None)
    for part in ("config", "container_config"):
        record.get(part, {}).pop("Hostname", None)
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode()


def _buildah(*arguments: str) -> str:
    """Run buildah and return what it prints; raises if it fails. Its errors go to the terminal."""
    done = subprocess.run(["buildah", *arguments], check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603, S607
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
