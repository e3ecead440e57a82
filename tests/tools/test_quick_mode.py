"""The tools in quick mode: what `serve` would run is what they speak about, and advice is accepted when followed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.support.command import invoked
from tests.tools.verify_servers import Site, served

UPSTREAM = ("--upstream", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        pytest.param((), ("--origin", "http://192.168.1.20:5173", "--credentials"), id="a page of the own network"),
        pytest.param((), ("--origin", "https://a.example", "--method", "PUT", "--header", "X-A"), id="an origin"),
        pytest.param(
            ("--allow-origin", "*"), ("--origin", "https://a.example", "--credentials"), id="credentials behind a star"
        ),
        pytest.param(
            ("--allow-origin", "https://a.example", "--allow-method", "GET", "--allow-header", "X-B",
             "--no-allow-credentials"),
            ("--origin", "https://b.example", "--method", "PUT", "--header", "X-A", "--credentials"),
            id="everything at once",
        ),
        pytest.param(("--route", "/api=http://127.0.0.1:2"), ("--origin", "http://localhost:1"), id="no route"),
    ],
)  # fmt: skip
def test_advice_is_accepted_when_followed(options: tuple[str, ...], asked: tuple[str, ...]) -> None:
    """The command line that explain proposes allows the request, and serve would start with it."""
    upstream = () if "--route" in options else UPSTREAM
    status, out, err = invoked("explain", "/x", *upstream, *options, *asked, "--format", "json")
    explained = json.loads("\n".join(out))
    assert status == 1, err
    proposed = shlex.split(explained["change"]["command"])
    assert proposed[:2] == ["corsproxy", "serve"]
    assert invoked("explain", "/x", *proposed[2:], *asked)[0] == 0
    assert invoked("check", *proposed[2:])[0] == 0


def test_an_option_is_named_as_what_decided() -> None:
    """There is no file that a line could be of."""
    options = ("--allow-method", "PUT", "--origin", "http://localhost:1", "--method", "PATCH")
    status, out, _ = invoked("explain", "/x", *UPSTREAM, *options)
    assert status == 1
    assert "decided   --allow-method" in out
    _, out, _ = invoked("explain", "/x", *UPSTREAM, "--origin", "https://a.example")
    assert "decided   no --allow-origin: pages served from this machine" in out


def test_the_environment_counts(tmp_path: Path) -> None:
    """A sidecar that is configured by variables alone is explained by them."""
    environ = {
        "CORSPROXY_UPSTREAM": "http://127.0.0.1:1",
        "CORSPROXY_ALLOW_ORIGIN": "https://a.example,https://b.example",
    }
    for origin, status in (("https://a.example", 0), ("https://b.example", 0), ("https://c.example", 1)):
        assert invoked("explain", "/x", "--origin", origin, environ=environ, directory=tmp_path)[0] == status


def test_verify_knows_quick_mode() -> None:
    """A deployment without a file is verified by the options that it was started with."""
    options = ("--upstream", "http://127.0.0.1:1", "--allow-origin", "https://app.example.com", "--allow-origin",
               "https://www.example.org", "--allow-method", "PUT", "--allow-header", "Content-Type", "--allow-header",
               "Authorization", "--expose-header", "ETag")  # fmt: skip
    with served(Site()) as server:
        status, out, _ = invoked("verify", server.url, *options)
    assert status == 0, out
    with served(Site(max_age="60")) as server:
        status, out, _ = invoked("verify", server.url, *options)
    assert status == 1
    assert "    the file   --max-age" in out


def test_learn_knows_quick_mode(tmp_path: Path) -> None:
    """Traffic of a proxy without a file is learnt from, and a whole file proposed."""
    line = {
        "time": "2026-01-01T00:00:00Z",
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/x",
        "status": 200,
        "route": "/",
        "origin": "https://a.example",
        "cors": "refused",
        "reason": "origin_not_allowed",
    }
    log = tmp_path / "access.log"
    log.write_text(json.dumps(line) + "\n", encoding="utf-8")
    status, out, err = invoked("learn", str(log), *UPSTREAM)
    assert status == 0, err
    assert any("https://a.example" in one for one in out)
