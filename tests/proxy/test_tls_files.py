"""Certificates of an upstream that were right when the configuration was checked, and are not when they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from corsproxy.proxy.errors import PlanError
from corsproxy.proxy.upstream.tls import upstream_context
from corsproxy.settings import Upstream, UpstreamTls
from tests.support.certificates import self_signed


def upstream(tls: UpstreamTls) -> Upstream:
    """Return an upstream with these files."""
    return Upstream(name="billing", scheme="https", host="billing.internal", port=443, tls=tls)


def test_the_files_of_a_whole_pair_are_loaded(tmp_path: Path) -> None:
    """Certificate, key and authorities, as they are."""
    one = self_signed(tmp_path, "one")
    tls = UpstreamTls(ca=str(one.certificate), certificate=str(one.certificate), private_key=str(one.private_key))
    context = upstream_context(upstream(tls))
    assert context is not None
    assert [found["serialNumber"] for found in context.get_ca_certs()]


def test_another_certificates_key_is_named_with_the_remedy(tmp_path: Path) -> None:
    """The same words as at load: OpenSSL's own are `key values mismatch`."""
    one, other = self_signed(tmp_path, "one"), self_signed(tmp_path, "other")
    tls = UpstreamTls(certificate=str(one.certificate), private_key=str(other.private_key))
    with pytest.raises(PlanError, match=r"it is not the key of the first certificate in .*; name the two") as raised:
        upstream_context(upstream(tls))
    assert raised.value.path == "upstreams.billing.tls.certificate"


@pytest.mark.parametrize(("text", "said"), [("", "it is empty"), ("x", "it is not PEM"), (None, "No such file")])
def test_authorities_that_cannot_be_used(tmp_path: Path, text: str | None, said: str) -> None:
    """An empty file, another one, none."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text, encoding="ascii")
    with pytest.raises(PlanError, match=said) as raised:
        upstream_context(upstream(UpstreamTls(ca=str(file))))
    assert raised.value.path == "upstreams.billing.tls.ca"
