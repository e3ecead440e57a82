"""The documentation says what is there: commands, options, links, paths, make targets and examples."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import click
import pytest

from corsproxy import __version__
from corsproxy.cli import cli
from tests.support.certificates import self_signed
from tests.support.command import invoked

ROOT = Path(__file__).resolve().parent.parent
# Written for people, by hand or by a make target; what a tool leaves behind is not.
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
# CORSPROXY_INSECURE is about the upstream of `serve`, not about the server that these ask.
WITHOUT_A_TWIN = {("probe", "--insecure"), ("verify", "--insecure")}
FOLDERS = "benchmarks|corsproxy|deploy|docs|requirements|scripts|tests"


def text_of(name: str) -> str:
    """Read a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Take the fenced blocks out of a page, those within lists too."""
    return re.sub(r"^ *```.*?^ *```\n", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, *languages: str) -> list[str]:
    """Find the fenced blocks of some languages, those within lists too."""
    found = re.findall(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", text, flags=re.MULTILINE | re.DOTALL)
    return [dedent(block) for language, block in found if language in languages]


def slug(heading: str) -> str:
    """Turn a heading into the anchor that repository browsers give it."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """List the anchors of a page."""
    headings = re.findall(r"^#{1,6} (.+)$", prose(text), flags=re.MULTILINE)
    return {slug(heading) for heading in headings} | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def options_of(name: str) -> set[str]:
    """List the spellings of a command's options."""
    parameters = [*cli.commands[name].params, *cli.params] if name in cli.commands else cli.params
    return {spelling for parameter in parameters for spelling in parameter.opts} | {"--help", "-h", "--version"}


def test_pages_are_found() -> None:
    """The main pages are found."""
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/README.md", "docs/cli.md"} <= set(NAMES)


def test_the_command_line_reference_is_the_programs_own_help() -> None:
    """docs/cli.md is what `make docs` writes from the program at hand."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/cli_reference.py")],
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert text_of("docs/cli.md") == done.stdout, "run `make docs`"


@pytest.mark.parametrize("name", cli.commands)
def test_a_command_explains_itself(name: str) -> None:
    """A command has one line of help and an example, each option its help and its environment twin."""
    command = cli.commands[name]
    assert command.help
    assert f"corsproxy {name}" in command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            longest = max(parameter.opts, key=len)
            assert parameter.help, longest
            if (name, longest) in WITHOUT_A_TWIN:
                assert parameter.envvar is None
                continue
            assert parameter.envvar == "CORSPROXY_" + longest.lstrip("-").replace("-", "_").upper()


def test_no_summary_is_cut_in_a_terminal_of_80_columns() -> None:
    """`corsproxy --help` shows the whole first sentence of every command, on one line."""
    with click.Context(cli, info_name="corsproxy", terminal_width=80, max_content_width=80) as context:
        lines = [line.split(maxsplit=1) for line in cli.get_help(context).splitlines()]
    shown = {line[0]: line[1] for line in lines if len(line) == 2}
    for name, command in cli.commands.items():
        assert shown[name] == (command.help or "").partition("\n")[0]


@pytest.mark.parametrize("name", NAMES)
def test_links_resolve(name: str) -> None:
    """A link to another page, to a heading or to a file of the repository leads somewhere."""
    page = ROOT / name
    text = text_of(name)
    targets = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"", prose(text))
    for target in (first or second for first, second in targets):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("name", NAMES)
def test_named_paths_exist(name: str) -> None:
    """A path of the repository in backticks is there."""
    for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", prose(text_of(name))):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", [*NAMES, "Dockerfile", ".ci/run", "deploy/compose/compose.yaml"])
def test_named_make_targets_exist(name: str) -> None:
    """A make target that a page, a comment or CI names is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.MULTILINE))
    named = re.findall(r"(?:`|^[#\s]*\$? ?|&& )make (?:--[a-z-]+ )*([a-z-]+)", text_of(name), flags=re.MULTILINE)
    assert set(named) <= targets


def test_make_says_what_it_can_make() -> None:
    """Every phony target has its line of help."""
    makefile = text_of("Makefile")
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)
    explained = re.findall(r"^([a-z-]+):.* ## \S", makefile, flags=re.MULTILINE)
    assert {target for line in phony for target in line.split()} == set(explained)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "docs/cli.md"])
def test_shown_commands_and_options_exist(name: str) -> None:
    """A command line in an example, or in a sentence, names a command and options that the program has."""
    inline = re.findall(r"`(corsproxy [^`]+)`", prose(text_of(name)))
    for block in [*blocks(text_of(name), "", "sh", "bash", "shell", "console"), *inline]:
        for line in block.replace("\\\n", " ").splitlines():
            match = re.match(r"(?:\$ )?(?:sudo )?(?:\.venv/bin/)?corsproxy (.*)$", line.strip())
            if match is None:
                continue
            words = [word.split("=")[0] for word in shlex.split(match[1], comments=True)]
            words = words[: next((place for place, word in enumerate(words) if word in {"|", ">", "&&", "&"}), None)]
            if words and not words[0].startswith("-"):
                assert words[0] in cli.commands, line
            used = {word for word in words if re.match(r"--?[a-z]", word)}
            assert used <= options_of(words[0]), line


def configurations() -> list[object]:
    """Find every configuration file shown in the documentation: each YAML block is a whole one."""
    return [
        pytest.param(block, id=f"{name} {place}")
        for name in NAMES
        for place, block in enumerate(blocks(text_of(name), "yaml", "yml"), 1)
    ]


@pytest.mark.parametrize("block", configurations())
def test_shown_configurations_are_valid(block: str, tmp_path: Path) -> None:
    """A configuration that a page shows passes `corsproxy check --strict`, once the files it names are there."""
    file = tmp_path / "corsproxy.yaml"
    file.write_text(block.replace("/etc/corsproxy/", f"{tmp_path}/"), encoding="utf-8")
    made = self_signed(tmp_path, "made")
    for named in re.findall(r"/etc/corsproxy/([\w.-]+)", block):
        (tmp_path / named).write_bytes(made.certificate.read_bytes() + made.private_key.read_bytes())
    status, output, errors = invoked("check", "--strict", str(file), directory=tmp_path)
    assert status == 0, output + errors


def test_the_index_lists_every_page() -> None:
    """docs/README.md leads to every page under docs/."""
    index = text_of("docs/README.md")
    for page in (ROOT / "docs").rglob("*.md"):
        if page.name != "README.md":
            assert f"({page.relative_to(ROOT / 'docs')}" in index, page.name


def test_the_changelog_begins_with_this_version() -> None:
    """The newest released heading is the package's version, and each release puts Security first."""
    text = text_of("CHANGELOG.md")
    assert re.findall(r"^## \[?(\d[^\]\s]*)", text, flags=re.MULTILINE)[0] == __version__
    order = ["Security", "Removed", "Deprecated", "Added", "Changed", "Fixed"]
    for release in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (\w+)", release, flags=re.MULTILINE)
        assert kinds == sorted(kinds, key=order.index)


def test_every_dependency_has_its_reason() -> None:
    """CONTRIBUTING.md names each runtime dependency with the reason it is there."""
    declared = tomllib.loads(text_of("pyproject.toml"))["project"]["dependencies"]
    text = text_of("CONTRIBUTING.md")
    for name in (re.split(r"[^A-Za-z-]", requirement)[0] for requirement in declared):
        assert re.search(rf"^\| `{name}` \| \S", text, flags=re.MULTILINE | re.IGNORECASE), name
