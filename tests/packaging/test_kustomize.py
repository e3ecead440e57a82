"""The overlays: what kustomize makes of them is valid, and says what each overlay is for.

Rendered by kustomize itself, if the file of `.ci/run` is there that has it as a library; without it that test skips.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from hashlib import sha256
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.packaging.files import KUBERNETES, OVERLAYS, ROOT, Document, documents, of_kind

FOLDERS = [KUBERNETES, OVERLAYS / "staging", OVERLAYS / "production"]
CUSTOM = {"ServiceMonitor", "Certificate"}
LIBRARY = "pykustomize/_lib/linux-amd64/libpykustomize.so"
# Go's runtime wants a process of its own: it takes over signals and threads.
RENDER = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.pykustomize_last_error.restype = ctypes.c_char_p
result = ctypes.c_char_p()
if library.pykustomize_build_to_json(sys.argv[2].encode(), b"", ctypes.byref(result)):
    sys.exit(library.pykustomize_last_error().decode())
print(result.value.decode())
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take kustomize out of the wheel that CI fetches, if it is the one that the lock has."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    [package] = [package for package in lock["package"] if package["name"] == "pykustomize"]
    hashes = {wheel["hash"] for wheel in package["wheels"]}
    for wheel in (ROOT / "build/kustomize").glob("*.whl"):
        if f"sha256:{sha256(wheel.read_bytes()).hexdigest()}" in hashes:
            with zipfile.ZipFile(wheel) as archive:
                return Path(archive.extract(LIBRARY, tmp_path_factory.mktemp("kustomize")))
    pytest.skip("no kustomize here; `.ci/run` says how to fetch one")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_rendered(folder: Path, library: Path) -> None:
    """Kustomize takes the folder, and every object that it makes is valid."""
    command = [sys.executable, "-c", RENDER, str(library), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    rendered: list[Document] = json.loads(done.stdout)["resources"]
    for document in rendered:
        if document["kind"] not in CUSTOM:
            kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    kinds = {document["kind"]: document for document in rendered}
    assert {"Deployment", "NetworkPolicy", "HorizontalPodAutoscaler", "ConfigMap"} <= kinds.keys()
    if folder.name == "staging":
        assert kinds["Deployment"]["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":main")
        assert kinds["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == 2
        assert {document["metadata"]["namespace"] for document in rendered} == {"staging"}
    if folder.name == "production":
        pod = kinds["Deployment"]["spec"]["template"]["spec"]
        [secret] = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
        assert secret["secretName"] == kinds["Certificate"]["spec"]["secretName"]
        [proxy] = pod["containers"]
        assert "/etc/corsproxy-tls" in {mount["mountPath"] for mount in proxy["volumeMounts"]}
        ports = {item["metadata"]["name"]: item["spec"]["ports"] for item in rendered if item["kind"] == "Service"}
        assert [port["port"] for port in ports["corsproxy"]] == [443]
        assert [port["port"] for port in ports["corsproxy-admin"]] == [8081]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_files_that_a_folder_names_exist(folder: Path) -> None:
    """Resources and patches exist, and a patch is for an object that the base has."""
    [kustomization] = documents(folder / "kustomization.yaml")
    for resource in kustomization["resources"]:
        assert (folder / resource).exists()
    base = {
        (one["kind"], one["metadata"]["name"]) for path in sorted(KUBERNETES.glob("s*.yaml")) for one in documents(path)
    }
    for patch in kustomization.get("patches", ()):
        named = documents(folder / patch["path"])[0] if "path" in patch else None
        target = (
            (patch["target"]["kind"], patch["target"]["name"].strip("^$"))
            if named is None
            else (named["kind"], named["metadata"]["name"])
        )
        assert target in base


def test_the_certificate_is_where_the_configuration_looks() -> None:
    """The files of cert-manager are mounted at the paths in the configuration."""
    folder = OVERLAYS / "production"
    [certificate] = of_kind(folder / "certificate.yaml", "Certificate")
    [deployment] = of_kind(folder / "certificate-volume.yaml", "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["volumes"][0]["secret"]["secretName"] == certificate["spec"]["secretName"]
    [config_map] = of_kind(folder / "configuration.yaml", "ConfigMap")
    tls = yaml.safe_load(config_map["data"]["corsproxy.yaml"])["tls"]
    mount = pod["containers"][0]["volumeMounts"][0]["mountPath"]
    assert tls == {"certificate": f"{mount}/tls.crt", "private_key": f"{mount}/tls.key"}


def test_ci_fetches_the_locked_one() -> None:
    """The version of `.ci/run` is the one in pyproject.toml, whose hash is in the lock."""
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [fetched] = re.findall(r"pykustomize==([\d.]+)", ci)
    assert f'"pykustomize=={fetched};' in project
