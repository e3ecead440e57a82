"""Options as the user wrote them, and the command line that says the same."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from corsproxy.config import Options
from corsproxy.config.options import FLAGS
from corsproxy.errors import UsageError


def test_an_argument_is_an_option_without_its_flag() -> None:
    """It beats a variable, and with the option it is one file too many."""
    assert Options().with_argument("a.yaml") == Options(config="a.yaml", names={"config": "FILE"})
    given = Options(config="b.yaml", workers=2, names={"config": "CORSPROXY_CONFIG", "workers": "-w"})
    beaten = given.with_argument("a.yaml")
    assert (beaten.config, beaten.workers) == ("a.yaml", 2)
    assert [beaten.name("config"), beaten.name("workers")] == ["FILE", "-w"]
    for names in ({"config": "-c"}, {}):
        with pytest.raises(UsageError) as refused:
            Options(config="b.yaml", names=names).with_argument("a.yaml")
        assert str(refused.value) == f"FILE and {names.get('config', '--config')} both name a file: leave one out"


def test_an_option_is_named_as_it_was_written() -> None:
    """By its flag if it was not given."""
    options = Options(listen="1", names={"listen": "CORSPROXY_LISTEN"})
    assert [options.name("listen"), options.name("admin"), options.name("routes")] == [
        "CORSPROXY_LISTEN",
        "--admin",
        "--route",
    ]
    assert options.is_from_environment("listen")
    assert not options.is_from_environment("admin")
    assert not Options(names={"listen": "--listen"}).is_from_environment("listen")


LINES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"config": "a b.yaml"}, "--config 'a b.yaml'"),
    ({"config_text": "a: b"}, ""),
    ({"upstream": "http://a", "listen": "80"}, "--upstream http://a --listen 80"),
    ({"routes": ("/a=http://a", "/b=http://b")}, "--route /a=http://a --route /b=http://b"),
    ({"allow_origins": ("*",), "allow_methods": ("PUT",)}, "--allow-origin '*' --allow-method PUT"),
    ({"allow_headers": ("X-A",), "expose_headers": ("X-B",)}, "--allow-header X-A --expose-header X-B"),
    ({"allow_credentials": True}, "--allow-credentials"),
    ({"allow_credentials": False}, "--no-allow-credentials"),
    ({"insecure": True, "https": True, "inspect": True, "watch": True}, "--insecure --https --inspect --watch"),
    ({"insecure": False, "inspect": False, "watch": False}, ""),
    ({"workers": 2, "max_age": "0"}, "--max-age 0 --workers 2"),
    ({"send_host": "client", "send_origin": "remove"}, "--send-host client --send-origin remove"),
    ({"trusted_proxies": ("::1",), "public_origins": ("https://a",)}, "--trusted-proxy ::1 --public-origin https://a"),
    ({"log_format": "json", "log_level": "debug"}, "--log-format json --log-level debug"),
    ({"on_refused": "reject", "websockets": "off", "admin": "81"}, "--on-refused reject --websockets off --admin 81"),
]


@pytest.mark.parametrize(("options", "line"), LINES)
def test_the_equivalent_command_line(options: dict[str, Any], line: str) -> None:
    """Every option that was given, quoted for a shell, and no other."""
    said = Options(**options).command_line()
    assert said == f"corsproxy serve {line}".rstrip()
    assert all(word in FLAGS.values() or word.startswith("--no-") for word in shlex.split(said) if word[:2] == "--")
