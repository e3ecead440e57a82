"""Every command line that a page shows is run: as it stands, with the addresses of the test in place of the page's.

The recipes of the desk have tests of their own (test_desk_recipes.py). `NOT_RUN` names what no test can run, and why.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recipes.test_desk_recipes import RECIPES_AT_THE_DESK, answering, runs
from tests.support.process import DEADLINE, Proxy, started
from tests.support.programs import launched, needs
from tests.support.upstream import OK, Upstream
from tests.test_docs import NAMES, blocks, text_of

ROOT = Path(__file__).resolve().parents[2]
API = "https://api.example.com"
APP = "https://app.example.com"

POLICY = """\
upstreams:
  api: {upstream}

policies:
  app:
    allow_origins: [https://app.example.com]
    allow_methods: [GET, PUT]
    allow_headers: [Content-Type]
    allow_credentials: true
    max_age: 10m

routes:
  - path: /
    upstream: api
    policy: app
"""
"""What the pages call corsproxy.yaml, where they show none."""

NOT_RUN = {
    "make": "tests/packaging/test_make_and_ci.py runs what ends soon; the rest takes minutes to hours",
    "docker": "needs a Docker daemon and the public base image; `make image-test` builds and runs the same image",
    "python -m benchmarks": "takes minutes; tests/test_benchmarks.py runs each part for a moment",
    "corsproxy serve": "by the recipe of its page, and below",
}
"""What no row below runs, by the words it begins with."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A command of a page, what of its output is asserted, and its exit status."""

    pages: tuple[str, ...]
    command: str
    says: str
    status: int = 0
    stdin: str = ""
    endless: bool = False
    """True if it goes on until the reader ends it."""


PROBE = "--origin https://app.example.com --method PUT --header Content-Type --credentials"
COPIED = f"curl '{API}/orders/7' -H 'Origin: {APP}'"
VERIFY = f"corsproxy verify {API} -c corsproxy.yaml"
SHOWN = [
    Shown(("docs/troubleshooting.md",), f"corsproxy explain /orders/7 {PROBE}", rf"PUT /orders/7 .*{APP}.*: allowed"),
    Shown(("docs/troubleshooting.md", "docs/probe.md"), f"corsproxy probe {API}/orders/7 {PROBE}", "allowed"),
    Shown(
        ("docs/troubleshooting.md", "docs/probe.md"), 'corsproxy probe --from-curl "$(cat)"', "allowed", stdin=COPIED
    ),
    Shown(
        ("docs/probe.md",),
        f"corsproxy probe --from-curl 'curl {API}/orders/7 -H \"Origin: {APP}\"'",
        "allowed",
    ),
    Shown(
        ("docs/troubleshooting.md",),
        f"curl -i -X OPTIONS {API}/orders/7 -H 'Origin: {APP}' -H 'Access-Control-Request-Method: PUT' "
        "-H 'Access-Control-Request-Headers: content-type'",
        r"(?s)HTTP/1\.1 204 No Content.*Access-Control-Allow-Origin: https://app\.example\.com",
    ),
    Shown(("docs/verify.md", "docs/recipes/nginx.md"), VERIFY, "no difference"),
    Shown(("docs/verify.md",), f"{VERIFY} --dry-run", r"\d+ requests at most"),
    Shown(
        ("docs/verify.md",),
        f"{VERIFY} --only /orders/7/invoice --send 'Authorization: Bearer ...'",
        "/orders/7/invoice",
    ),
    Shown(
        ("docs/verify.md",),
        "corsproxy verify http://10.0.0.7:8080 -c corsproxy.yaml --host api.example.com --format junit > cors.xml; "
        "cat cors.xml",
        "(?s)<testsuite.* failures=.0.",
    ),
    Shown(("docs/verify.md",), f"{VERIFY} --format junit > cors.xml", ""),
    Shown(("docs/verify.md",), f'CORSPROXY_SEND="Authorization: Bearer $TOKEN" {VERIFY}', "no difference"),
    Shown(("README.md",), "corsproxy check corsproxy.yaml", "valid: 1 upstream, 1 policy, 1 route"),
    Shown(("docs/operations.md",), "corsproxy learn access.log -c corsproxy.yaml > proposal.yaml", ""),
    Shown(("docs/inspector.md",), "curl -N http://127.0.0.1:8081/events", "event: hello", endless=True),
    Shown(
        ("docs/inspector.md",),
        f"curl 'http://127.0.0.1:8081/explain?path=/orders&origin={APP}&method=PUT'",
        '"allowed": true',
    ),
]


def command_lines() -> Iterator[tuple[str, str]]:
    """Yield page and line of every command that a page shows in a block, continued lines as one."""
    for name in NAMES:
        if name == "docs/cli.md":  # the program's own help, held to it by a test
            continue
        for block in blocks(text_of(name), "", "sh", "bash", "shell", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                command = re.sub(r"\s+#.*", "", line).strip()
                if re.match(r"(?:\w+=\S+ |\w+=\"[^\"]*\" )*(?:corsproxy|curl|make|docker|python|pip|pipx) ", command):
                    yield name, " ".join(command.split())


def test_no_command_is_left_out() -> None:
    """Each command of a page has a row here, or a recipe's test, or a reason why it is not run."""
    shown = {(page, one.command.partition(";")[0].strip()) for one in SHOWN for page in one.pages}
    recipes = {
        (recipe.page, " ".join(line.replace("\\\n", " ").split()))
        for recipe in RECIPES_AT_THE_DESK
        for run in runs(recipe.page)
        for line in (run.serve, run.curl)
    }
    found = set(command_lines())
    assert shown <= found, "the rows name commands that are there"
    left = {one for one in found - shown - recipes if not one[1].startswith(tuple(NOT_RUN))}
    assert left == set()


@pytest.fixture(scope="module")
def api() -> Iterator[Proxy]:
    """Run the deployment that the pages call api.example.com, with a log of one request."""
    with (
        Upstream(answering(OK)) as upstream,
        started(
            POLICY.format(upstream=upstream.url), "--inspect", admin=True, environ={"CORSPROXY_LOG_FORMAT": "json"}
        ) as proxy,
    ):
        yield proxy


@pytest.mark.parametrize("one", SHOWN, ids=lambda one: one.command[:60])
def test_a_shown_command_does_what_its_page_says(one: Shown, api: Proxy, tmp_path: Path) -> None:
    """It ends with its status, and says the words that the reader is promised."""
    if one.endless:
        words = shlex.split(addressed(one.command, api))
        with launched(needs(words[0], f"apt-get install {words[0]}"), "-q", "--noproxy", "*", *words[1:]) as stream:
            stream.wait_line(one.says)
        return
    (tmp_path / "corsproxy.yaml").write_text(api.config.read_text(encoding="utf-8"), encoding="utf-8")
    if "access.log" in one.command:
        api.ask_admin("/healthz")
        printed("curl -s -H 'Origin: https://other.example.com' https://api.example.com/learn", api, tmp_path, "")
        assert api.stdout is not None
        (tmp_path / "access.log").write_text(api.stdout.wait_line('"path": ?"/learn"').string + "\n", encoding="utf-8")
    status, output = printed(one.command, api, tmp_path, one.stdin)
    assert re.search(one.says, output), output
    assert status == one.status, output
    if "proposal.yaml" in one.command:
        assert "https://other.example.com" in (tmp_path / "proposal.yaml").read_text(encoding="utf-8")


def printed(command: str, proxy: Proxy, home: Path, stdin: str) -> tuple[int, str]:
    """Run a page's line in a shell whose `corsproxy` is this one; return its status and what it prints."""
    command, stdin = addressed(command, proxy), addressed(stdin, proxy)
    programs = home / "bin"
    programs.mkdir(exist_ok=True)
    curl = needs("curl", "apt-get install curl")
    for name, run in {
        "corsproxy": f'"{sys.executable}" -m corsproxy',
        "curl": f'"{curl}" -q --noproxy "*" -s --max-time {DEADLINE}',
    }.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {run} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CORSPROXY_")}
    environ |= {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "TOKEN": "t"}
    done = subprocess.run(
        ["sh", "-c", command],
        env=environ,
        cwd=home,
        input=stdin.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=4 * DEADLINE,
    )
    return done.returncode, done.stdout.decode()


def addressed(text: str, proxy: Proxy) -> str:
    """Return a page's text with the addresses of the test in it."""
    for address in (API, "http://10.0.0.7:8080"):
        text = text.replace(address, proxy.url)
    admin = "127.0.0.1:8081"
    return text.replace(admin, "{}:{}".format(*proxy.admin)) if admin in text else text


def test_a_reload_says_the_line_that_the_page_shows() -> None:
    """docs/operations.md shows the log line of a reload that adds, removes and changes."""
    [line] = [block.strip() for block in blocks(text_of("docs/operations.md"), "") if "reloaded" in block]
    old = POLICY.format(upstream="http://127.0.0.1:9") + "  - {path: /old, upstream: api, policy: app}\n"
    new = old.replace("/old", "/orders").replace("10m", "5m")
    with started(old) as proxy:
        proxy.reload(new)
        proxy.stderr.wait_line(re.escape(line) + "$")


def test_the_inspectors_first_lines() -> None:
    """The page shows what is said at the start; only the ports are another test's business."""
    shown = next(block for block in blocks(text_of("docs/inspector.md"), "text") if "inspector on" in block)
    with started(None, "--upstream", "http://127.0.0.1:9", "--inspect", admin=True) as proxy:
        proxy.stderr.wait_line("^inspector on")
        said = [line for line in proxy.stderr.lines if " on http://" in line]
    assert [ports_off(line) for line in said] == [ports_off(line) for line in shown.splitlines()]


def ports_off(text: str) -> str:
    """Return the text with every port as one."""
    return re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT", text)


# --- the first five minutes -----------------------------------------------------------------------------------------

MASKS = [
    (r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT"),
    (r"SimpleHTTP/\S+ Python/\S+", "SimpleHTTP"),
    (r"(Date|Last-Modified): .*", r"\1"),
    (r"corsproxy-[0-9a-f]{8}", "corsproxy-ID"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"request_id=\S+", "request_id=ID"),
    (r"\b\d+(\.\d+)?ms\b|upstream_ms=\S+", "MS"),
    (r" +", " "),
]
"""What differs from one run to the next."""


def masked(text: str) -> list[str]:
    """Return the lines of a transcript without what differs from run to run."""
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return [line.strip() for line in text.replace("\r", "").splitlines() if line.strip()]


def transcript() -> Iterator[tuple[str, str]]:
    """Yield each command of the recording with what it printed; what comes of itself has the command before it."""
    for block in blocks(text_of("docs/first-five-minutes.md"), "text"):
        parts = re.split(r"^\$ (.+)\n", block, flags=re.MULTILINE)
        if parts[0]:
            yield "", parts[0]
        yield from zip(parts[1::2], parts[2::2], strict=True)


def test_the_first_five_minutes_go_as_they_are_recorded(tmp_path: Path) -> None:
    """Every command is run again in order, and prints what it printed then but for times and numbers."""
    served = tmp_path / "api"
    served.mkdir()
    (served / "orders.json").write_text('{"orders": []}', encoding="utf-8")
    server = (sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(served))
    steps = list(transcript())
    assert steps[0][0].startswith("corsproxy serve ")
    with launched(*server) as output:
        port = output.wait_line(r"port (\d+)")[1]
        with started(None, "--upstream", f"http://127.0.0.1:{port}", directory=tmp_path) as proxy:
            proxy.stderr.wait_line("^add --inspect")
            expected = masked(steps[0][1])
            # In a container another line follows.
            assert masked(proxy.stderr.text)[: len(expected)] == expected
            for command, shown in steps[1:]:
                if not command:
                    expected = masked(shown)
                    came = proxy.stderr if "refused" in expected[0] else proxy.stdout
                    assert came is not None
                    came.wait_for(functools.partial(ends_in, expected))
                    continue
                if command.startswith("corsproxy serve"):
                    continue  # the file it has just written; `check` before it has said that it is valid
                here = command.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("http://127.0.0.1:8080", API)
                _, said = printed(here, proxy, tmp_path, "")
                assert_like(masked(said), masked(shown))
            proxy.signal(signal.SIGINT)
            assert proxy.wait() == 0


def ends_in(expected: list[str], lines: list[str]) -> bool:
    """Return whether the last lines are those expected."""
    return masked("\n".join(lines))[-len(expected) :] == expected


def assert_like(said: list[str], shown: list[str]) -> None:
    """Compare output with a page, in which a line of three dots matches any number of lines."""
    pattern = "\n".join(r"(?:.*\n)*?.*" if line == "..." else re.escape(line) for line in shown)
    assert re.fullmatch(pattern, "\n".join(said)), "\n".join(said)
