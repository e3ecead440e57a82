"""What the recipes run against: the sites that a browser finds on loopback, and the old servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recipes.certificate import issue_certificate
from tests.recipes.sites import Sites, pages


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Serve the pages of the other sites, and keep the browsers that the tests start."""
    certificate = issue_certificate(tmp_path_factory.mktemp("certificates"))
    with pages(certificate) as port:
        sites = Sites(certificate, port)
        yield sites
        sites.close()
