"""Writes the bill of materials of the image: every package that it installs from the lock, as CycloneDX.

    python -m scripts.sbom FILE

uv writes it from uv.lock; what differs from one writing to the next is taken out, and what it leaves open is added.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

from scripts.lock import ROOT, uv


def main(path: Path) -> int:
    """Write the bill to the named file."""
    options = ["--frozen", "--no-default-groups", "--format", "cyclonedx1.5", "--preview-features", "sbom-export"]
    exported = uv("export", *options)
    version = (ROOT / "corsproxy/__init__.py").read_text(encoding="utf-8").split('__version__ = "')[1].split('"')[0]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settled(json.loads(exported), version, epoch), indent=2) + "\n", encoding="utf-8")
    print(f"{path}: {len(json.loads(exported)['components'])} components")
    return 0


def settled(bill: dict[str, Any], version: str, epoch: int) -> dict[str, Any]:
    """Return the bill with the package's version and licence, a given time and no random serial number."""
    time = dt.datetime.fromtimestamp(epoch, dt.UTC).isoformat().replace("+00:00", "Z")
    own = bill["metadata"]["component"] | {
        "type": "application",
        "version": version,
        "purl": f"pkg:pypi/corsproxy@{version}",
        "licenses": [{"license": {"id": "MIT"}}],
    }
    rest = {key: value for key, value in bill.items() if key != "serialNumber"}
    return rest | {"metadata": bill["metadata"] | {"timestamp": time, "component": own}}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
