"""The import law of docs/architecture.md, read from the sources: who may know whom, and who may know what.

Nothing is imported here; the sources are parsed, so an import inside a function or under TYPE_CHECKING counts too.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "corsproxy"

# Each part of the package, and the parts it may import besides itself. A part is a package or module right under
# `corsproxy`; the bare package holds the version alone.
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"entry"},
    "entry": {"cli", "health"},
    "certificates": {"escape"},
    "errors": set(),
    "escape": set(),
    "health": set(),
    "streams": set(),
    "cors": set(),
    "settings": {"cors"},
    "config": {"cors", "settings", "certificates", "errors", "escape"},
    "proxy": {"cors", "settings", "certificates"},
    "server": {"cors", "settings", "certificates", "errors", "escape", "health", "config", "proxy"},
    "tools": {"cors", "settings", "errors", "escape", "config", "proxy"},
    "cli": {"cors", "settings", "errors", "escape", "streams", "config", "proxy", "server", "tools"},
}
# The inspector shows what `explain` says; nothing else crosses between the process and the tools.
EXCEPTIONS = {("corsproxy.server.inspector", "corsproxy.tools.explain")}

# Outside modules that only some parts may know.
ONLY_IN: dict[str, set[str]] = {
    "yaml": {"config"},
    "click": {"cli"},
    "aiohttp": {"proxy", "server", "tools"},
    "aiohappyeyeballs": {"proxy"},
    "prometheus_client": {"server"},
    "publicsuffixlist": {"cors"},
    "uvloop": {"server", "tools"},
    "cryptography": {"server"},
}
# What would give a pure part the world: sockets, files, clocks, loops, threads, processes, logs, randomness.
WORLD = {
    "asyncio", "concurrent", "datetime", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets",
    "select", "selectors", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess", "sys", "tempfile",
    "threading", "time",
}  # fmt: skip
NEVER_IN: dict[str, set[str]] = {
    "cors": WORLD,
    "settings": WORLD,
    "escape": WORLD,
    "config": {"asyncio", "logging", "signal", "socket", "subprocess", "threading"},
}
# The rooms: what each of them may import of its own part, besides itself. What is not named here stands in front of the
# rooms and tells the story.
ROOMS: dict[str, set[str]] = {
    # Bytes of a client and its requests: no policy, no route, no upstream.
    "proxy.client": {"errors", "fields.lengths", "response.answers", "table"}
    | {"fields.lines", "fields.names", "fields.sections"},
    "proxy.upstream": {"errors", "fields.lengths", "fields.lines", "fields.names", "table"},
    # Pure: bytes in, values and bytes out.
    "proxy.fields": {"errors", "table"},
    "proxy.request": {"errors", "fields", "table"},
    "proxy.response": {"cors_gate", "fields", "table", "upstream.head"},
    "server.listen": set(),
    "server.observe": set(),
    "server.admin": {"listen"},
    "server.inspector": {"observe"},
    "server.workers": {"data_path", "inspector", "listen", "observe", "runtime"},
    "server.reload": {"listen.certificates", "notify", "observe", "workers.fleet"},
}
# What gives a room a socket; the pure rooms of the data path have none.
SOCKETS = {"multiprocessing", "os", "select", "selectors", "socket", "socketserver", "ssl", "subprocess", "uvloop"}
WITHOUT_SOCKETS = ("proxy.fields", "proxy.request", "proxy.response")
# Modules of aiohttp that it does not document are imported in one module, so that a new release breaks one module.
UNPROMISED_AIOHTTP = "corsproxy.proxy.client.parser"
PROMISED_AIOHTTP = {"aiohttp", "aiohttp.web"}


# What others import of a part: its package, and these beside it.
DOORS = {
    "corsproxy.server.healthcheck",  # asked every few seconds, by a process that loads nothing else
}
# Each tool is a house of its own, whose command is what the command line calls.
TOOLS = re.compile(r"corsproxy\.tools\.\w+(\.command)?")


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement's module, and where it stands."""

    module: str
    """The module that imports."""
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.imported}"


def part(module: str) -> str:
    """Return which part of the package a module belongs to."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def module_name(path: Path) -> str:
    """Turn a file's place into the module's name."""
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imports_of(path: Path) -> Iterator[Import]:
    """Find every import of a source file, relative ones made absolute."""
    module = module_name(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, *filter(None, [node.module])])
            # `from corsproxy import settings` names a module by what is taken from the package.
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                is_module = (ROOT / submodule.replace(".", "/")).with_suffix(".py").exists() or (
                    ROOT / submodule.replace(".", "/")
                ).is_dir()
                yield Import(module, submodule if base.startswith("corsproxy") and is_module else base, node.lineno)


@functools.cache
def every_import() -> list[Import]:
    """List the imports of all sources."""
    return [found for path in sorted(PACKAGE.rglob("*.py")) for found in imports_of(path)]


def own() -> list[Import]:
    """List the imports of the project's own modules."""
    return [found for found in every_import() if found.imported.split(".")[0] == "corsproxy"]


def is_exception(found: Import) -> bool:
    """Return whether this is one of the named exceptions (a module or what is below it)."""
    return any(
        f"{found.module}.".startswith(f"{module}.") and f"{found.imported}.".startswith(f"{imported}.")
        for module, imported in EXCEPTIONS
    )


def test_the_sources_are_read() -> None:
    """Every part of the law has sources, and every source belongs to a part of the law."""
    assert {part(module_name(path)) for path in PACKAGE.rglob("*.py")} == set(MAY_IMPORT)
    assert len(every_import()) > 100


@pytest.mark.parametrize("importer", MAY_IMPORT)
def test_imports_go_one_way(importer: str) -> None:
    """A part imports only those below it: cors, settings, config and proxy, server and tools, cli."""
    allowed = MAY_IMPORT[importer] | {importer, "__init__"}
    broken = [
        str(found)
        for found in own()
        if part(found.module) == importer and part(found.imported) not in allowed and not is_exception(found)
    ]
    assert not broken


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_its_neighbours_alone(room: str) -> None:
    """A room imports of its own part what is named above."""
    home, house = f"corsproxy.{room}", f"corsproxy.{room.partition('.')[0]}"
    allowed = {home, *(f"{house}.{name}" for name in ROOMS[room])}
    broken = [
        str(found)
        for found in own()
        if f"{found.module}.".startswith(f"{home}.")
        and f"{found.imported}.".startswith(f"{house}.")
        and not any(f"{found.imported}.".startswith(f"{name}.") for name in allowed)
    ]
    assert not broken


def test_every_folder_is_a_room() -> None:
    """A new folder of the data path or of the process says what it may know."""
    folders = {
        f"{house}.{path.name}"
        for house in ("proxy", "server")
        for path in (PACKAGE / house).iterdir()
        if (path / "__init__.py").exists()
    }
    assert folders == set(ROOMS)


@pytest.mark.parametrize("room", ["proxy.client", "proxy.upstream"])
def test_who_moves_bytes_knows_no_policy(room: str) -> None:
    """The connections of both sides know nothing of CORS."""
    assert not [
        str(found)
        for found in own()
        if f"{found.module}.".startswith(f"corsproxy.{room}.") and part(found.imported) == "cors"
    ]


@pytest.mark.parametrize("room", WITHOUT_SOCKETS)
def test_a_pure_room_has_no_socket(room: str) -> None:
    """Fields, requests and responses are read and written as bytes."""
    broken = [
        str(found)
        for found in every_import()
        if f"{found.module}.".startswith(f"corsproxy.{room}.")
        and (found.imported.split(".")[0] in SOCKETS or found.imported.endswith(".connection"))
    ]
    assert not broken


def test_others_use_front_doors() -> None:
    """What a part has for others is in its package; what lies deeper can be moved without asking them."""
    broken = [
        str(found)
        for found in own()
        if part(found.module) != part(found.imported)
        and found.imported.count(".") > 1
        and found.imported not in DOORS
        and not TOOLS.fullmatch(found.imported)
        and not is_offered(found.imported)
    ]
    assert not broken


def is_offered(name: str) -> bool:
    """Return whether a package offers a name in its `__all__` that one of its modules has, too, as `config.load`."""
    package, _, last = name.rpartition(".")
    text = (ROOT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")
    return f'    "{last}",\n' in text.partition("__all__")[2]


@pytest.mark.parametrize("outside", ONLY_IN)
def test_an_outside_package_is_known_only_where_it_belongs(outside: str) -> None:
    """PyYAML is known to the configuration alone, click to the command line, and so on."""
    importers = {part(found.module) for found in every_import() if found.imported.split(".")[0] == outside}
    assert importers, f"nothing imports {outside}: it need not be a dependency"
    assert importers <= ONLY_IN[outside]


@pytest.mark.parametrize("pure", NEVER_IN)
def test_a_pure_part_does_not_touch_the_world(pure: str) -> None:
    """No socket, file, clock, loop or log where the rules live."""
    broken = [
        str(found)
        for found in every_import()
        if part(found.module) == pure and found.imported.split(".")[0] in NEVER_IN[pure]
    ]
    assert not broken


def test_unpromised_names_of_aiohttp_stay_in_one_module() -> None:
    """A module of aiohttp that is not part of its documented interface is imported in one place."""
    broken = [
        str(found)
        for found in every_import()
        if found.imported.split(".")[0] == "aiohttp"
        and found.imported not in PROMISED_AIOHTTP
        and found.module != UNPROMISED_AIOHTTP
    ]
    assert not broken


def test_every_outside_package_is_declared() -> None:
    """What the sources import from outside is exactly what this law and pyproject.toml name."""
    outside = {found.imported.split(".")[0] for found in every_import()} - {"corsproxy"} - sys.stdlib_module_names
    assert outside == set(ONLY_IN)
    declared = re.findall(
        r'^  "([A-Za-z0-9-]+)[>=]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    names = {"pyyaml": "yaml"} | {name.lower(): name.lower().replace("-", "_") for name in declared if name != "PyYAML"}
    assert set(ONLY_IN) <= set(names.values())


@pytest.mark.parametrize(
    "door",
    [*(ROOT / "corsproxy/tools").glob("*/__init__.py"), *(ROOT / "corsproxy/cli").rglob("__init__.py")],
    ids=module_name,
)
def test_a_front_door_only_passes_on(door: Path) -> None:
    """What a tool and the command line do is in their rooms: the package says what there is, and does nothing."""
    for statement in ast.parse(door.read_text(encoding="utf-8")).body:
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        is_list = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List | ast.Tuple)
        assert isinstance(statement, ast.ImportFrom) or is_docstring or is_list, f"{door}:{statement.lineno}"


def test_no_two_classes_have_one_name() -> None:
    """Who reads a name, or searches for it, finds one thing."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "corsproxy").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name.lstrip("_"), []).append(f"{module_name(path)}:{node.lineno}")
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
