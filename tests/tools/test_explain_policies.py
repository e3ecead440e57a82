"""`explain` about several policies, texts and files for lists, policies that extend others, methods and own pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corsproxy.config import load_text
from tests.tools.explained import explained, text_of

STAFF, PARTNER, EVIL, OWN = (
    "https://staff.example.com",
    "https://partner.example.org",
    "https://evil.example",
    "https://api.example.com",
)
FILE = f"""\
public_origins: {OWN}
upstreams: {{api: http://127.0.0.1:8001}}
policies:
  base:
    allow_origins: {STAFF}
    allow_headers: [X-A]
  staff: {{extends: base, allow_credentials: true}}
  files:
    allow_origins:
      - {STAFF}
      - file: origins.txt
  public: {{allow_origins: "*"}}
  strict: {{allow_origins: '${{PARTNERS}}', on_refused: reject}}
routes:
  - {{path: /both, upstream: api, policy: [staff, public]}}
  - {{path: /staff, upstream: api, policy: staff}}
  - {{path: /files, upstream: api, policy: files}}
  - {{path: /strict, upstream: api, policy: strict}}
  - {{path: /by, methods: [GET], upstream: api, policy: public}}
"""


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    (tmp_path / "origins.txt").write_text(f"# partners\n\n{PARTNER}\n")
    file = tmp_path / "corsproxy.yaml"
    file.write_text(FILE.replace("${PARTNERS}", PARTNER))
    return file


@pytest.mark.parametrize(
    ("path", "origin", "policy", "line", "text"),
    [
        ("/both", STAFF, "staff", 5, f"allow_origins: {STAFF}"),
        ("/both", EVIL, "public", 12, 'public: {allow_origins: "*"}'),
        ("/files", STAFF, "files", 10, f"- {STAFF}"),
        ("/files", PARTNER, "files", 3, PARTNER),
    ],
)
def test_the_rule_that_decided_is_named_with_its_line(
    file: Path, path: str, origin: str, policy: str, line: int, text: str
) -> None:
    """Of whichever list: a text, an inherited one, a file of origins."""
    status, found = explained(file, path, origin=origin)
    assert (status, found["policy"]) == (0, policy)
    assert (found["decided_by"]["line"], found["decided_by"]["text"]) == (line, text)
    assert found["decided_by"]["file"].endswith("origins.txt" if text == PARTNER else "corsproxy.yaml")


def changed(file: Path, path: str, **question: Any) -> tuple[dict[str, Any], str]:
    """Return what would allow a request, and the file with it."""
    status, found = explained(file, path, **question)
    assert status == 1
    change: dict[str, Any] = found["change"]
    lines = [
        line for line in change["patch"].splitlines() if line.startswith(("+", "-")) and line[:3] not in ("+++", "---")
    ]
    removed, added = [line[1:] for line in lines if line[0] == "-"], [line[1:] for line in lines if line[0] == "+"]
    text = file.read_text()
    for old, new in zip(removed, added, strict=False):
        text = text.replace(old, new, 1)
    if len(added) > len(removed):
        return change, ""
    load_text(text, str(file), {})
    file.write_text(text)
    assert explained(file, path, **question)[0] == 0
    return change, text


def test_an_origin_is_put_into_the_text_that_stands_for_the_list(file: Path) -> None:
    """After the last word, in the policy that has the list, with a warning about others that inherit it."""
    change, text = changed(file, "/staff", origin=EVIL)
    assert f"allow_origins: {STAFF} {EVIL}\n" in text
    assert "base" in change["warning"]
    _, text = changed(file, "/strict", origin=EVIL)
    assert f"'{PARTNER} {EVIL}'" in text


def test_a_star_in_a_text_gives_way_to_the_origin(file: Path) -> None:
    """Credentials and the star cannot both be."""
    file.write_text(file.read_text().replace("[staff, public]", "public"))
    _, text = changed(file, "/both", origin=EVIL, credentials=True)
    assert '"*"' not in text


def test_an_own_page_passes_without_a_grant(file: Path) -> None:
    """The proxy lets it through where strangers get 403; the key is named to those."""
    _, own = explained(file, "/strict", origin=OWN)
    assert (own["response"]["status"], own["response"]["headers"]) == (200, [["Vary", "Origin"]])
    _, stranger = explained(file, "/strict", origin=EVIL)
    assert stranger["response"]["status"] == 403
    assert "public_origins" in text_of(file, "/strict", origin=EVIL)


def test_a_method_that_no_route_takes_is_answered_405(file: Path) -> None:
    """With the methods that the path has."""
    status, found = explained(file, "/by", origin=EVIL, method="PUT")
    assert (status, found["reason"], found["response"]["status"]) == (1, "no_route", 405)
    assert "only GET, HEAD" in found["verdict"]["why"]
    assert found["near_routes"][0] == {"route": "/by", "why": "it takes GET only"}
    assert "none: the proxy answers 405" in text_of(file, "/by", origin=EVIL, method="PUT")
    assert explained(file, "/by", origin=EVIL)[0] == 0


def test_a_remark_says_that_a_star_allows_no_websocket(file: Path) -> None:
    """The page of a route for everyone explains the key."""
    assert "websockets: any" in text_of(file, "/both", origin=EVIL)
