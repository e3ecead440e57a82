"""The recipes as files: what the page shows is the file, and the program finds nothing to say against it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.recipes import RECIPES
from tests.support.certificates import self_signed
from tests.support.command import invoked

NAMES = sorted(path.stem for path in RECIPES.glob("*.yaml"))


def test_there_are_recipes() -> None:
    """The two that the documentation promises are found."""
    assert {"refusing-server", "session-login"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_the_file(name: str) -> None:
    """The first YAML block of the page is the file, to the byte."""
    page = (RECIPES / f"{name}.md").read_text(encoding="utf-8")
    block = re.search(r"^```yaml\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    assert block is not None
    assert block[1] == (RECIPES / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_check_finds_neither_problem_nor_warning(name: str, tmp_path: Path) -> None:
    """`corsproxy check --strict` accepts the file once its certificate is there."""
    certificate = self_signed(tmp_path, "localhost")
    environ = {"TLS_CERTIFICATE": str(certificate.certificate), "TLS_PRIVATE_KEY": str(certificate.private_key)}
    status, stdout, stderr = invoked("check", "--strict", str(RECIPES / f"{name}.yaml"), environ=environ)
    assert status == 0, "\n".join([*stdout, *stderr])
