"""`tls.ciphers`: lists that would make the verification mean nothing name the suites that do."""

from __future__ import annotations

import re
import ssl

import pytest

from tests.config.files import problems, with_upstream


def of_nobody(ciphers: str) -> list[str]:
    """Return the suites of a list, as OpenSSL expands it, that do not authenticate or do not encrypt."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(ciphers)
    return [one["name"] for one in context.get_ciphers() if one["auth"] == "auth-null" or not one["strength_bits"]]


SOME = "AECDH-AES128-SHA:AECDH-AES256-SHA:ADH-AES128-SHA:ADH-AES256-SHA:ADH-AES128-SHA256:ADH-AES256-SHA256"


@pytest.mark.parametrize("ciphers", ["ALL@SECLEVEL=0", *(":".join(SOME.split(":")[:count]) for count in range(1, 7))])
def test_the_suites_are_named(ciphers: str) -> None:
    """The first of them, and how many more there are."""
    ciphers = ciphers if "@" in ciphers else f"{ciphers}@SECLEVEL=0"
    (problem,) = problems(with_upstream(f"url: https://x, tls: {{ciphers: '{ciphers}'}}"))
    said, all_of_them = problem.message.partition("': ")[2], of_nobody(ciphers)
    named = re.findall(r"[A-Z0-9]+(?:-[A-Z0-9]+)+", said)
    more = re.search(r" and (\d+) more", said)
    assert named == all_of_them[: len(named)]
    assert len(named) + (int(more[1]) if more else 0) == len(all_of_them)
    assert more is None or more[1] != "0"
    assert len(named) <= 5


def test_without_verification_there_is_nothing_to_defend() -> None:
    """Who turned it off has been warned of that."""
    (problem,) = problems(with_upstream("url: https://x, tls: {ciphers: 'ALL@SECLEVEL=0', verify: false}"))
    assert problem.path == "upstreams.api.tls.verify"
