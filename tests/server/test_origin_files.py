"""Files of origins while the proxy runs: read again when they change, and a bad line changes nothing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.server.setup import APP, OTHER, ask, config
from tests.support.process import Proxy, started
from tests.support.upstream import Upstream


def granted(proxy: Proxy, origin: str) -> bool:
    """Return whether an origin is granted now."""
    return ask(proxy.address, Origin=origin).cors.get("access-control-allow-origin") == origin


@pytest.mark.parametrize("options", [("--watch",), ()], ids=["watched", "on SIGHUP"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_changed_file_of_origins_is_in_force(tmp_path: Path, options: tuple[str, ...], workers: int) -> None:
    """The configuration itself is untouched; every worker takes the new list, and none takes one with a bad line."""
    origins = tmp_path / "origins.txt"
    origins.write_text(f"{APP}\n")

    def change(proxy: Proxy, text: str) -> None:
        replacement = tmp_path / "new"
        replacement.write_text(text)
        replacement.replace(origins)
        if not options:
            proxy.signal(signal.SIGHUP)

    policy = f"allow_origins: [{{file: {origins}}}]"
    with Upstream() as upstream, started(config(upstream, f"workers: {workers}", policy), *options) as proxy:
        assert granted(proxy, APP)
        change(proxy, f"# moved\n{OTHER}\n")
        proxy.stderr.wait_line("configuration reloaded: policies: changed app")
        for _ in range(10):
            assert granted(proxy, OTHER)
            assert not granted(proxy, APP)
        change(proxy, f"{APP}\n\n{APP}/path\n")
        proxy.stderr.wait_line(r"origins\.txt:3:1: policies\.app\.allow_origins\[0\]\.file: invalid origin ")
        proxy.stderr.wait_line("configuration not reloaded")
        assert granted(proxy, OTHER)
        change(proxy, f"{APP}\n")
        proxy.stderr.wait_for(lambda lines: sum("reloaded: policies: changed app" in line for line in lines) == 2)
        assert granted(proxy, APP)


def test_quick_mode_names_its_options_where_a_page_is_refused() -> None:
    """Whoever has no file reads of `--allow-origin` and `--public-origin`, not of keys."""
    with Upstream() as upstream:
        command = ("--upstream", upstream.url, "--on-refused", "reject", "--allow-origin", APP)
        with started(None, *command) as proxy:
            assert b"--public-origin" in ask(proxy.address, Origin=OTHER).body
            said = ask(
                proxy.address,
                Origin=OTHER,
                Connection="Upgrade",
                Upgrade="websocket",
                Sec_WebSocket_Version="13",
                Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
            )
            assert (said.status, b"--allow-origin ORIGIN" in said.body) == (403, True)
