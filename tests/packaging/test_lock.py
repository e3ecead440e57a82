"""uv.lock is the one truth: it satisfies pyproject.toml, and what pip installs is exported from it, hash by hash."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.latest import changes, pins
from scripts.lock import EXPORTS
from tests.packaging.files import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, list[Any]] = PROJECT["dependency-groups"]
# The index that uv asks where nothing is set up, and where it leads.
PUBLIC = {"pypi.org", "files.pythonhosted.org"}


@functools.cache
def locked_packages() -> list[dict[str, Any]]:
    """Read the lock: half a second, which no other test has to wait for."""
    lock: dict[str, Any] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages: list[dict[str, Any]] = lock["package"]
    return packages


def declared() -> Iterator[Requirement]:
    """List every requirement of pyproject.toml, extras and groups included."""
    lists = [PROJECT["project"]["dependencies"], PROJECT["build-system"]["requires"], *GROUPS.values()]
    lists += PROJECT["project"].get("optional-dependencies", {}).values()
    yield from (Requirement(text) for texts in lists for text in texts if isinstance(text, str))


def files_of(package: dict[str, Any]) -> list[dict[str, Any]]:
    """List the files of a locked package."""
    return [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]


def exported(name: str) -> dict[str, tuple[str, set[str]]]:
    """Read an export: the pinned version and the hashes of each package."""
    found = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "requirements" / name).read_text(encoding="utf-8")):
        match = re.match(r"([a-z0-9.-]+)==([^\s;]+)", block)
        if match is not None:
            found[match[1]] = (match[2], set(re.findall(r"--hash=(sha256:[0-9a-f]{64})\b", block)))
    return found


def test_the_lock_satisfies_the_project() -> None:
    """Every requirement has a locked version that it admits."""
    locked = {package["name"]: package["version"] for package in locked_packages() if "version" in package}
    for requirement in declared():
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}, locked {version}: run `make lock`"


def test_the_lock_knows_every_requirement_of_a_group() -> None:
    """A requirement that was added without `make lock` is found."""
    [own] = [package for package in locked_packages() if package["name"] == PROJECT["project"]["name"]]
    known = {
        (canonicalize_name(item["name"]), item.get("specifier", ""))
        for items in [own["metadata"]["requires-dist"], *own["metadata"]["requires-dev"].values()]
        for item in items
    }
    wanted = {(canonicalize_name(one.name), str(one.specifier)) for one in declared()}
    missing = {name for name, specifier in wanted if not any(name == n and same(specifier, text) for n, text in known)}
    assert not missing, "run `make lock`"


def same(left: str, right: str) -> bool:
    """Compare two specifiers whatever the order of their clauses."""
    return set(left.split(",")) == {clause.strip() for clause in right.split(",")}


def test_the_lock_names_the_public_index() -> None:
    """No mirror or index of the machine on which it was made is in the lock; every file has its hash."""
    places = [package["source"].get("registry") for package in locked_packages()]
    files = [file for package in locked_packages() for file in files_of(package)]
    urls = [place for place in places if place is not None] + [file["url"] for file in files]
    assert {urlsplit(url).netloc for url in urls} == PUBLIC
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files)
    assert [package["name"] for package in locked_packages() if "registry" not in package["source"]] == ["corsproxy"]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_follows_from_the_lock(name: str) -> None:
    """An export has the lock's versions and hashes, and names no index or folder to look in."""
    locked: dict[tuple[str, str], set[str]] = {
        (package["name"], package.get("version", "")): {file["hash"] for file in files_of(package)}
        for package in locked_packages()
    }
    found = exported(name)
    assert found
    for package, (version, hashes) in found.items():
        assert hashes == locked[(package, version)], f"{package}: run `make lock`"
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_an_export_has_what_it_is_for() -> None:
    """Each export has the packages for its purpose, and the image has no development tool."""
    run, build, compiler, dev = (exported(name) for name in ("run.txt", "build.txt", "compile.txt", "dev.txt"))
    assert {canonicalize_name(Requirement(text).name) for text in PROJECT["project"]["dependencies"]} <= run.keys()
    assert build.keys() == {"setuptools"}
    assert {"setuptools", "mypy"} <= compiler.keys()
    assert {"pytest", "ruff", "mypy", "setuptools", *run} <= dev.keys()
    assert not {"pytest", "mypy", "ruff", "setuptools", "uv"} & run.keys()


def test_the_build_group_is_what_builds() -> None:
    """A build without isolation uses the packages that a frontend would fetch for an isolated one."""
    assert GROUPS["build"] == PROJECT["build-system"]["requires"]


def test_nothing_is_built_to_be_installed() -> None:
    """Every locked package has a wheel, since what would build it is not locked."""
    lacking = [
        package["name"]
        for package in locked_packages()
        if "registry" in package["source"] and not package.get("wheels")
    ]
    assert not lacking


def test_latest_lists_what_changed() -> None:
    """`make latest` names the packages that are newer than the lock, and those that it does not know."""
    locked = pins("a==1.0\nb==2.0 ; python_version < '3.12' \\\n    --hash=sha256:00\n")
    assert changes(locked, pins("a==1.1\nb==2.0\nc==3\n-e file:///tree\n")) == ["a: 1.0 -> 1.1", "c: not locked -> 3"]
    assert changes(locked, pins("a==1.0\n")) == ["every version is that of uv.lock"]


def test_latest_knows_that_a_version_may_depend_on_python() -> None:
    """A package locked in two versions, one for each range of Pythons, has not changed in either."""
    locked = pins("d==5.2 ; python_version < '3.12'\nd==6.1 ; python_version >= '3.12'\n")
    assert (
        changes(locked, pins("d==5.2\n")) == changes(locked, pins("d==6.1\n")) == ["every version is that of uv.lock"]
    )
    assert changes(locked, pins("d==6.2\n")) == ["d: 5.2 or 6.1 -> 6.2"]
