"""Where the configuration comes from, and what options and variables do to it: one beats another, and says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corsproxy.config import ConfigError, Options, find_source, load
from corsproxy.config.configuration import Configuration, NothingNamedError, find_admin, load_again, load_options
from corsproxy.config.options import FLAGS, QUICK
from corsproxy.errors import UsageError
from tests.config.files import MINIMAL

SPELT = {**FLAGS, "config_text": "CORSPROXY_CONFIG_TEXT"}


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(*from_environment: str, **options: Any) -> Options:
    """Return options as the command line gives them; those named first come from the environment."""
    names = {
        name: "CORSPROXY_" + name.upper() if name in from_environment or name == "config_text" else SPELT[name]
        for name in options
    }
    return Options(**options, names=names)


FROM_FILE, FROM_TEXT, QUICKLY = {"config": "a.yaml"}, {"config_text": MINIMAL}, {"upstream": "http://a"}


@pytest.mark.parametrize(
    ("options", "kind", "notes"),
    [
        pytest.param(asked(**FROM_FILE), "file", [], id="a file"),
        pytest.param(asked("config", **FROM_FILE), "file", [], id="a file, by the environment"),
        pytest.param(asked(**FROM_TEXT), "text", [], id="a text"),
        pytest.param(asked(**QUICKLY), "quick", [], id="an upstream"),
        pytest.param(asked(routes=("/a=http://a",)), "quick", [], id="a route"),
        pytest.param(
            asked(**FROM_FILE, **FROM_TEXT),
            "file",
            ["CORSPROXY_CONFIG_TEXT is ignored: --config is given"],
            id="a file beats a text",
        ),
        pytest.param(
            asked("upstream", **FROM_FILE, **QUICKLY),
            "file",
            ["CORSPROXY_UPSTREAM is ignored: --config is given"],
            id="a file beats a variable's upstream",
        ),
        pytest.param(
            asked("config", **FROM_FILE, **QUICKLY),
            "quick",
            ["CORSPROXY_CONFIG is ignored: --upstream is given"],
            id="an upstream beats a variable's file",
        ),
        pytest.param(
            asked(**FROM_TEXT, **QUICKLY),
            "quick",
            ["CORSPROXY_CONFIG_TEXT is ignored: --upstream is given"],
            id="an upstream beats a text",
        ),
        pytest.param(
            asked("max_age", **FROM_FILE, max_age="5"),
            "file",
            ["CORSPROXY_MAX_AGE is ignored: it is an option of quick mode, and --config names a file"],
            id="a file beats a variable of quick mode",
        ),
    ],
)
def test_which_source_is_taken(options: Options, kind: str, notes: list[str]) -> None:
    """An option takes precedence over a variable, with a note about the other."""
    source = find_source(options)
    assert (source.kind, source.file) == (kind, "a.yaml" if kind == "file" else None)
    assert list(source.notes) == notes


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (asked(**FROM_FILE, **QUICKLY), ("--config", "--upstream")),
        (asked("config", **FROM_FILE, **FROM_TEXT), ("CORSPROXY_CONFIG", "CORSPROXY_CONFIG_TEXT")),
        (asked("upstream", **FROM_TEXT, **QUICKLY), ("CORSPROXY_CONFIG_TEXT", "CORSPROXY_UPSTREAM")),
        (asked("config", "routes", **FROM_FILE, routes=("/a=http://a",)), ("CORSPROXY_CONFIG", "CORSPROXY_ROUTES")),
    ],
)
def test_two_sources_of_one_rank_are_an_error(options: Options, named: tuple[str, str]) -> None:
    """Each is a whole configuration, and the intended one is unclear."""
    with pytest.raises(UsageError) as refused:
        find_source(options)
    assert str(refused.value).startswith(f"{named[0]} and {named[1]} exclude each other")


def test_no_source_at_all(folder: Path) -> None:
    """Then the ways to begin are named; a file of the usual name is one."""
    with pytest.raises(NothingNamedError, match="--upstream"):
        find_source(asked())
    with pytest.raises(ConfigError) as missing:
        load_options(asked(), {})
    assert [(problem.file, problem.reason) for problem in missing.value.problems] == [("corsproxy.yaml", "missing")]
    (folder / "corsproxy.yaml").write_text(MINIMAL)
    assert (find_source(asked()).kind, find_source(asked()).file) == ("file", "corsproxy.yaml")
    assert load_options(asked(), {}).file == "corsproxy.yaml"
    (note,) = find_source(asked(**QUICKLY)).notes
    assert note.startswith("corsproxy.yaml here is ignored: --upstream is given")
    assert find_source(asked(config="b.yaml")).notes == ()


GIVEN: dict[str, Any] = dict.fromkeys(QUICK, "5") | {
    "allow_credentials": True,
    "insecure": True,
    "https": True,
    **dict.fromkeys(("routes", "allow_origins", "allow_methods", "allow_headers", "expose_headers"), ("a",)),
    **dict.fromkeys(("trusted_proxies", "public_origins"), ("a",)),
}


@pytest.mark.parametrize("name", [name for name in QUICK if name not in ("upstream", "routes")])
@pytest.mark.parametrize("by", ["option", "variable"])
def test_an_option_of_quick_mode_beside_a_file(name: str, by: str) -> None:
    """It would change nothing, so it is an error that says what to write in the file instead."""
    options = asked("config", **({} if by == "option" else {name: None}), **FROM_FILE)
    named = SPELT[name] if by == "option" else f"CORSPROXY_{name.upper()}"
    options = Options(config="a.yaml", **{name: GIVEN[name]}, names={**options.names, name: named})
    with pytest.raises(UsageError) as refused:
        find_source(options)
    assert str(refused.value).startswith(f"{named} goes with --upstream or --route: with a file (a.yaml), write ")


FILE = f"""\
listen: 127.0.0.1:1
admin: 127.0.0.1:2
inspector: false
workers: 2
log: {{format: json, level: info}}
{MINIMAL}"""


def loaded(text: str, **options: Any) -> Configuration:
    """Return the configuration of a file with this text under these options."""
    Path("a.yaml").write_text(text)
    return load(find_source(asked(config="a.yaml", **options)), {})


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"listen": "127.0.0.1:3"}, "--listen is in force: listen is 127.0.0.1:3, and not 127.0.0.1:1 as in a.yaml:1"),
        ({"admin": "4"}, "--admin is in force: admin is 127.0.0.1:4, and not 127.0.0.1:2 as in a.yaml:2"),
        ({"inspect": True}, "--inspect is in force: inspector is true, and not false as in a.yaml:3"),
        ({"workers": 3}, "--workers is in force: workers is 3, and not 2 as in a.yaml:4"),
        ({"log_format": "text"}, "--log-format is in force: log.format is text, and not json as in a.yaml:5"),
        ({"log_level": "debug"}, "--log-level is in force: log.level is debug, and not info as in a.yaml:5"),
    ],
)
def test_an_option_that_overrides_a_key_causes_a_note(options: dict[str, Any], note: str) -> None:
    """With both values and the place; not where they agree, and not where the file says nothing."""
    assert loaded(FILE, **options).notes == (note,)
    assert loaded(MINIMAL, **options).notes == ()


def test_an_option_with_the_value_of_the_file() -> None:
    """Is nothing to speak of."""
    same = {"listen": "1", "admin": "2", "inspect": False, "workers": 2, "log_format": "json", "log_level": "info"}
    assert loaded(FILE, **same).notes == ()


def test_which_values_are_in_force() -> None:
    """The option's value if it is given, otherwise the file's."""
    kept = loaded(FILE).settings
    assert (str(kept.listen), str(kept.admin), kept.inspector) == ("127.0.0.1:1", "127.0.0.1:2", False)
    assert (kept.workers, kept.log.format, kept.log.level, kept.log.access) == (2, "json", "info", True)
    options = {"listen": "[::1]:3", "admin": "4", "inspect": True, "workers": 1, "log_format": "text"}
    changed = loaded(FILE + "\n", **options, log_level="error").settings
    assert (str(changed.listen), str(changed.admin), changed.inspector) == ("[::1]:3", "127.0.0.1:4", True)
    assert (changed.workers, changed.log.format, changed.log.level, changed.log.access) == (1, "text", "error", True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_format": "xml"}, "--log-format: unknown word 'xml': one of text, json"),
        ({"log_level": "loud"}, "--log-level: unknown word 'loud': one of debug, info, warning, error"),
        ({"listen": "x:y"}, "--listen: "),
        ({"admin": "127.0.0.1:1"}, "--admin: duplicate address 127.0.0.1:1"),
        ({"listen": "127.0.0.1:2"}, "--listen: duplicate address 127.0.0.1:2"),
        ({"listen": "unix:/a", "admin": "unix:/a"}, "--admin: duplicate address unix:/a"),
    ],
)
def test_an_option_that_cannot_be(options: dict[str, Any], message: str) -> None:
    """It is named as it was written."""
    with pytest.raises(UsageError) as refused:
        loaded(FILE, **options)
    assert str(refused.value).startswith(message)


def test_port_0_is_no_duplicate() -> None:
    """Two free ports are two."""
    assert str(loaded(FILE, listen="0", admin="0").settings.admin) == "127.0.0.1:0"


@pytest.mark.parametrize(
    ("text", "options", "admin"),
    [
        (FILE, {}, "127.0.0.1:2"),
        (FILE, {"admin": "5"}, "127.0.0.1:5"),
        (MINIMAL, {}, "None"),
        (MINIMAL, {"inspect": True}, "127.0.0.1:8081"),
        (FILE, {"inspect": True}, "127.0.0.1:2"),
    ],
)
def test_where_the_admin_listener_is(text: str, options: dict[str, Any], admin: str) -> None:
    """As `serve` would open it; where an option names it even a broken file does not matter."""
    Path("a.yaml").write_text(text)
    assert str(find_admin(asked(config="a.yaml", **options), {})) == admin
    if "admin" in options:
        assert str(find_admin(asked(config="none.yaml", **options), {})) == admin


def test_a_text_that_another_process_has_read() -> None:
    """It replaces the file; any other source is unchanged."""
    Path("a.yaml").write_text(FILE)
    source = find_source(asked(config="a.yaml"))
    again = load_again(source, FILE.replace("workers: 2", "workers: 1"), {})
    assert (again.settings.workers, again.loaded.file) == (1, "a.yaml")
    assert load_again(find_source(asked(**FROM_TEXT)), FILE, {}).settings.workers == 1
    assert load(find_source(asked(**FROM_TEXT)), {}).loaded.file == "CORSPROXY_CONFIG_TEXT"


def test_the_environment_fills_in_whatever_the_source_is() -> None:
    """A file, a text, one that was read elsewhere, and for the admin listener alone."""
    text = MINIMAL + "admin: ${ADMIN}\n"
    environ = {"ADMIN": "127.0.0.1:7"}
    Path("a.yaml").write_text(text)
    for options in (asked(config="a.yaml"), asked(config_text=text)):
        assert str(find_admin(options, environ)) == "127.0.0.1:7"
        assert str(load(find_source(options), environ).settings.admin) == "127.0.0.1:7"
        assert str(load_again(find_source(options), text, environ).settings.admin) == "127.0.0.1:7"
        assert str(load_options(options, environ).settings.admin) == "127.0.0.1:7"


BLOCKED = MINIMAL + "listen: 6000\n"
SHOWN = MINIMAL + "admin: 0.0.0.0:9\ninspector: true\n"


@pytest.mark.parametrize(
    ("text", "options", "doubted"),
    [
        (BLOCKED, {}, [("a.yaml", 3, "listen")]),
        (BLOCKED, {"listen": "3"}, []),
        (MINIMAL, {"listen": "6000"}, [("", 0, "--listen")]),
        (BLOCKED, {"listen": "6665"}, [("", 0, "--listen")]),
        (SHOWN, {}, [("a.yaml", 4, "inspector")]),
        (SHOWN, {"inspect": False}, []),
        (SHOWN, {"admin": "9"}, []),
        (MINIMAL, {"inspect": True, "admin": "0.0.0.0:9"}, [("", 0, "--admin")]),
        (MINIMAL + "admin: 0.0.0.0:9\n", {"inspect": True}, [("", 0, "--inspect")]),
        (MINIMAL, {"listen": "8000"}, [("a.yaml", 1, "upstreams.api.url")]),
    ],
)
def test_doubts_are_about_the_addresses_in_force(
    text: str, options: dict[str, Any], doubted: list[tuple[str, int, str]]
) -> None:
    """A warning that an option removes is gone, one that it causes has the option's name."""
    found = loaded(text, **options).warnings
    assert [(problem.file, problem.line, problem.path) for problem in found] == doubted
    assert {problem.severity for problem in found} <= {"warning"}
    assert all(problem.column == 0 for problem in found if not problem.file)
