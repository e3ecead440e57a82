"""What the recipes run against: the sites that a browser finds on loopback, and the old servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recipes.certificate import Certificate, issue_certificate
from tests.recipes.sites import Sites, pages


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate that only these tests trust."""
    return issue_certificate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def sites(certificate: Certificate) -> Iterator[Sites]:
    """Serve the pages of the other sites, and keep the browsers that the tests start."""
    with pages(certificate) as port:
        sites = Sites(certificate, port)
        yield sites
        sites.close()
