"""`corsproxy check`, `init` and `schema`, as functions."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from corsproxy.config import ConfigError, Options, load_file, load_quick
from corsproxy.errors import UsageError
from corsproxy.tools.check import CheckOptions, Format, check_command
from corsproxy.tools.init import InitOptions, init_command
from tests.config.files import MINIMAL

WARNED = MINIMAL.replace("{api", "{spare: http://x, api")
BROKEN = MINIMAL + "listne: x\nworkers: 0\n"


def init(file: str, options: Options) -> str:
    """Write a file to begin with; gives what was written to standard output."""
    out = io.StringIO()
    assert init_command(InitOptions(file, options), out=out) == 0
    return out.getvalue()


def run(path: Path, output: Format = "text", *, strict: bool = False) -> tuple[int, str, str]:
    """Check a file; gives the exit status and what was written to the two streams."""
    out, err = io.StringIO(), io.StringIO()
    status = check_command(CheckOptions(Options(config=str(path)), output, strict), environ={}, out=out, err=err)
    return status, out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """File."""
    return tmp_path / "corsproxy.yaml"


def test_a_valid_file_is_one_line_that_counts(file: Path) -> None:
    """A valid file is one line that counts."""
    file.write_text(MINIMAL)
    assert run(file) == (0, f"{file}: valid: 1 upstream, 0 policies, 1 route\n", "")


def test_problems_are_lines_on_standard_output(file: Path) -> None:
    """Problems are lines on standard output."""
    file.write_text(BROKEN)
    status, out, err = run(file)
    assert (status, err) == (2, "")
    assert [line.rpartition(str(file))[2].split(" ")[0:2] for line in out.splitlines()] == [
        [":3:1:", "listne:"],
        [":4:10:", "workers:"],
    ]


def test_warnings_are_shown_and_fail_only_when_strict(file: Path) -> None:
    """Warnings are shown and fail only when strict."""
    file.write_text(WARNED)
    status, out, _ = run(file)
    assert status == 0
    assert out.splitlines() == [
        f"{file}:1:20: upstreams.spare: warning: unused upstream 'spare': no route refers to it",
        f"{file}: valid: 2 upstreams, 0 policies, 1 route",
    ]
    assert run(file, strict=True)[0] == 1


@pytest.mark.parametrize("strict", [True, False])
def test_problems_are_problems_strict_or_not(file: Path, strict: bool) -> None:
    """Problems are problems strict or not."""
    file.write_text(BROKEN)
    assert run(file, strict=strict)[0] == 2
    assert run(file, "json", strict=strict)[0] == 2


def test_json_is_a_list_of_problems(file: Path) -> None:
    """Json is a list of problems."""
    file.write_text(WARNED + "listne: x\n")
    status, out, err = run(file, "json")
    assert (status, err) == (2, "")
    assert json.loads(out) == [
        {
            "file": str(file), "line": 1, "column": 20, "path": "upstreams.spare", "severity": "warning",
            "reason": "unused", "message": "unused upstream 'spare': no route refers to it",
        },
        {
            "file": str(file), "line": 3, "column": 1, "path": "listne", "severity": "error",
            "reason": "unknown", "message": "unknown key 'listne': did you mean 'listen'?",
        },
    ]  # fmt: skip


def test_json_of_a_valid_file_is_an_empty_list(file: Path) -> None:
    """Json of a valid file is an empty list."""
    file.write_text(MINIMAL)
    status, out, err = run(file, "json", strict=True)
    assert (status, json.loads(out), err) == (0, [], "")


def test_an_unreadable_file_is_reported_on_standard_error_or_as_json(file: Path) -> None:
    """An unreadable file is reported on standard error or as JSON."""
    status, out, err = run(file)
    assert (status, out) == (2, "")
    assert err == f"{file}: missing file: 'corsproxy init' writes a starter file\n"
    status, out, err = run(file, "json")
    assert (status, err) == (2, "")
    assert [problem["reason"] for problem in json.loads(out)] == ["missing"]


def test_the_environment_is_the_one_that_is_given(file: Path) -> None:
    """The environment is the one that is given."""
    file.write_text(MINIMAL + "workers: ${WORKERS_OF_THIS_TEST}\n")
    out = io.StringIO()
    given = {"WORKERS_OF_THIS_TEST": "2"}
    assert check_command(CheckOptions(Options(config=str(file)), strict=True), environ=given, out=out, err=out) == 0
    assert run(file)[0] == 2


def test_the_starter_file_is_valid_and_has_nothing_to_warn_of(file: Path) -> None:
    """The starter file is valid and has nothing to warn of."""
    assert str(file) in init(str(file), Options())
    assert run(file, strict=True)[:2] == (0, f"{file}: valid: 1 upstream, 1 policy, 1 route\n")
    assert file.read_text().startswith("# yaml-language-server: $schema=corsproxy.schema.json\n")


def test_init_never_overwrites(file: Path) -> None:
    """Init never overwrites."""
    file.write_text("mine")
    with pytest.raises(UsageError, match="exists already; name another file"):
        init(str(file), Options())
    assert file.read_text() == "mine"


def test_init_says_why_it_cannot_write(file: Path) -> None:
    """A missing folder is a message, not a traceback."""
    with pytest.raises(UsageError, match="its directory is missing; create it first"):
        init(f"{file}/a.yaml", Options())
    file.write_text("mine")
    with pytest.raises(UsageError, match=r"cannot write .*: Not a directory"):
        init(f"{file}/a.yaml", Options())


def test_init_does_not_write_through_a_dangling_link(file: Path, tmp_path: Path) -> None:
    """Init does not write through a dangling link."""
    os.symlink(tmp_path / "elsewhere", file)
    with pytest.raises(UsageError, match="exists already; name another file"):
        init(str(file), Options())
    assert not (tmp_path / "elsewhere").exists()


QUICK = Options(
    upstream="http://localhost:8000",
    routes=("/api=https://10.0.0.2/x?a=$b",),
    allow_origins=("https://app.example.com", "http://192.168.1.3:3000"),
    allow_methods=("PUT",),
    max_age="5m",
    on_refused="reject",
    websockets="off",
    insecure=True,
    public_origins=("https://api.example.com",),
    trusted_proxies=("10.0.0.0/8",),
    listen="9000",
    inspect=True,
    workers=2,
    log_format="json",
)


def test_init_writes_the_file_of_the_options_of_quick_mode(file: Path) -> None:
    """The file does what the command line does; what has no option is a comment or a default."""
    assert "corsproxy check" in init(str(file), QUICK)
    assert run(file)[0] == 0
    written, quick = load_file(str(file), {}), load_quick(QUICK)
    assert written.specs["app"] == quick.specs["quick"]
    assert written.upstreams == quick.upstreams
    assert [route.path for route in written.settings.routes] == ["/", "/api"]
    app, own = written.policies["app"], quick.policies["quick"]
    assert (app.on_refused, app.websockets) == (own.on_refused, own.websockets) == ("reject", "off")
    assert written.settings.public_origins == ("https://api.example.com",)
    assert (str(written.settings.listen), str(written.settings.admin)) == ("127.0.0.1:9000", "127.0.0.1:8081")
    assert (written.settings.inspector, written.settings.workers, written.settings.log.format) == (True, 2, "json")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(allow_origins=("https://a.example",), names={"allow_origins": "--allow-origin"}), "--upstream"),
        (Options(config="x.yaml", names={"config": "--config"}), "name the one to write as FILE"),
    ],
)
def test_init_refuses_options_that_are_no_quick_mode(file: Path, options: Options, said: str) -> None:
    """Nothing is written then."""
    with pytest.raises(UsageError, match=said):
        init(str(file), options)
    assert not file.exists()


def test_init_takes_no_file_from_the_environment(file: Path) -> None:
    """The file that CORSPROXY_CONFIG names is another one; an option with a mistake writes nothing."""
    init(str(file), Options(config="x.yaml", names={"config": "CORSPROXY_CONFIG"}))
    with pytest.raises(ConfigError):
        init(str(file) + "2", Options(upstream="localhost"))
    assert not Path(f"{file}2").exists()


def test_init_names_what_a_file_cannot_express(file: Path) -> None:
    """The authority of this user has no key, and a Domain that browsers would refuse none that does the same."""
    quick = Options(upstream="http://localhost:8000")
    with pytest.raises(UsageError, match=r"--https has no key in a file: .*tls:"):
        init(str(file), replace(quick, https=True))
    assert not file.exists()
    init(str(file), quick)
    assert "    # cookies: {domain: remove}   # without a file" in file.read_text()
    file.write_text(file.read_text().replace("# cookies:", "cookies:"))
    assert run(file)[0] == 0


@pytest.mark.parametrize("options", [Options(), QUICK])
def test_init_gives_the_text_where_the_file_is_standard_output(
    options: Options, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `check -` and `learn -` read standard input."""
    monkeypatch.chdir(file.parent)
    text = init("-", options)
    assert not Path("-").exists()
    init(str(file), options)
    assert file.read_text() == text


def test_json_is_a_list_where_an_option_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """Who reads the list needs no other way to learn of a mistake."""
    options = Options(upstream="http://localhost:8000", listen="here")
    status = check_command(CheckOptions(options, "json"), environ={}, out=sys.stdout, err=sys.stderr)
    (problem,) = json.loads(capsys.readouterr().out)
    assert (status, problem["severity"], problem["reason"]) == (2, "error", "invalid")
    assert problem["message"].startswith("--listen: invalid address 'here'")
