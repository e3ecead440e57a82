"""One text for a list, policies that extend others, files of origins."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.config import Loaded, Problem, files
from corsproxy.cors import OriginSpec, PolicySpec
from tests.config.files import load, problems, with_policy, with_routes

SUFFIXES = [
    "com",
    "net",
    "org",
    "de",
    "uk",
    "fr",
    "it",
    "es",
    "nl",
    "be",
    "at",
    "ch",
    "pl",
    "cz",
    "se",
    "no",
    "fi",
    "dk",
    "pt",
    "gr",
    "ie",
    "hu",
]
APP, NET = "https://app.example.com", "https://app.example.net"
ROUTE = "upstreams: {api: http://localhost:8000}\nroutes: [{path: /, upstream: api, policy: app}]\n"


def texts(loaded: Loaded, name: str = "app") -> list[str]:
    """Return the origins of a policy."""
    return [origin.text for origin in loaded.specs[name].allow_origins]


def placed(found: tuple[Problem, ...]) -> list[tuple[int, str, str]]:
    """Return where problems are, and how bad."""
    return [(problem.line, problem.path, problem.severity) for problem in found]


# --- one text for a list ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "environ"),
    [
        (f"{APP},{NET}", {}),
        (f'" {APP} ,\t{NET}, "', {}),
        ("${ORIGINS}", {"ORIGINS": f"{APP}\n{NET}"}),
        ("${ORIGINS}", {"ORIGINS": f"{APP}, {NET}"}),
        (f"${{ORIGINS:-{APP} {NET}}}", {}),
        (f"[{APP}, '${{ORIGINS}}']", {"ORIGINS": NET}),
        ("['${ORIGINS}']", {"ORIGINS": f"{APP} {NET}"}),
        (f"[{APP}, '${{NONE:-}}', {NET}]", {}),
    ],
)
def test_one_text_may_stand_for_a_list(written: str, environ: dict[str, str]) -> None:
    """It is split at commas and white space, as is an item that is one variable alone."""
    assert texts(load(with_policy(f"allow_origins: {written}"), environ)) == [APP, NET]


def test_every_list_of_words_may_be_a_text() -> None:
    """Methods, headers, names of policies, networks."""
    loaded = load(
        f"trusted_proxies: 10.0.0.0/8, ::1\npublic_origins: {APP} {NET}\n"
        + with_policy(f'allow_origins: {APP}\nallow_methods: "*"\nallow_headers: X-A X-B')
    )
    assert loaded.settings.public_origins == (APP, NET)
    assert len(loaded.settings.trusted_proxies) == 2
    assert loaded.specs["app"].allow_methods == ("*",)
    assert loaded.specs["app"].allow_headers == ("X-A", "X-B")


@pytest.mark.parametrize(
    ("written", "environ", "said"),
    [
        (f"{APP}, HTTPS://B.example", {}, "'HTTPS://B.example'"),
        ("${ORIGINS}", {"ORIGINS": f"{APP} {NET}/"}, f"'{NET}/'"),
        ("${ORIGINS}", {"ORIGINS": "  ,"}, "the text is empty (from '${ORIGINS}')"),
        ("${ORIGINS}", {}, "missing environment variable ORIGINS"),
    ],
)
def test_a_mistake_in_a_text_names_its_piece(written: str, environ: dict[str, str], said: str) -> None:
    """The line is the text's, the message has the piece alone."""
    [problem] = problems(with_policy(f"allow_origins: {written}"), environ)
    assert (problem.line, problem.path) == (3, "policies.app.allow_origins")
    assert said in problem.message


# --- extends --------------------------------------------------------------------------------------------------------


def test_a_policy_inherits_the_keys_that_it_does_not_write() -> None:
    """Lists are replaced, not joined; `dangerously_allow` is not taken."""
    text = (
        f"policies:\n  base: {{allow_headers: [X-A, X-B], max_age: 5, mode: shadow}}\n"
        f"  middle: {{extends: base, allow_origins: [{APP}], dangerously_allow: [null_origin]}}\n"
        f"  app: {{extends: middle, allow_headers: [X-C], allow_credentials: true}}\n{ROUTE}"
    )
    loaded = load(text)
    assert loaded.specs["app"] == PolicySpec(
        (OriginSpec(APP),), allow_headers=("X-C",), allow_credentials=True, max_age=5
    )
    assert loaded.policies["app"].mode == "shadow"
    assert loaded.warnings == ()
    assert "base" not in loaded.policies
    assert loaded.places["policies.app.allow_origins[0]"].line == 3
    assert loaded.homes["middle"] == {
        **dict.fromkeys(("allow_headers", "max_age", "mode"), "base"),
        **dict.fromkeys(("extends", "allow_origins", "dangerously_allow"), "middle"),
    }
    assert loaded.homes["app"] == {
        **dict.fromkeys(("max_age", "mode"), "base"),
        "allow_origins": "middle",
        **dict.fromkeys(("extends", "allow_headers", "allow_credentials"), "app"),
    }


_VALUES: dict[str, list[object]] = {
    "allow_origins": [[APP], [APP, NET], ['"*"']],
    "allow_methods": [["GET"], ["PUT", "POST"]],
    "allow_headers": [["X-A"], []],
    "max_age": ["0", "5m"],
    "on_refused": ["reject", "forward"],
    "websockets": ["any", "off"],
    "timing": ["true", "false", '"*"', [APP]],
    "preflight_status": ["200"],
    "diagnostics": ["true"],
}
_POLICIES = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in _VALUES.items()})


def _written(values: dict[str, object]) -> str:
    return ", ".join(f"{key}: {str(value).replace(chr(39), '')}" for key, value in values.items())


@given(_POLICIES, _POLICIES, _POLICIES)
def test_extends_equals_the_policy_written_out(
    base: dict[str, object], middle: dict[str, object], child: dict[str, object]
) -> None:
    """A chain of policies compiles to the same as one policy with all its keys."""
    base = {"allow_origins": [APP]} | base
    whole = load(f"policies:\n  app: {{{_written(base | middle | child)}}}\n{ROUTE}")
    chain = load(
        f"policies:\n  base: {{{_written(base)}}}\n  middle: {{{_written({'extends': 'base'} | middle)}}}\n"
        f"  app: {{{_written({'extends': 'middle'} | child)}}}\n{ROUTE}"
    )
    assert chain.specs["app"] == whole.specs["app"]
    assert chain.policies["app"] == whole.policies["app"]


@pytest.mark.parametrize(
    ("policies", "line", "path", "said"),
    [
        ("  app: {extends: app}", 2, "app.extends", "invalid cycle: 'app' extends 'app'"),
        (
            "  app: {extends: b}\n  b: {extends: c}\n  c: {extends: app}",
            2,
            "app.extends",
            "'app' extends 'b' extends 'c' extends 'app'",
        ),
        (f"  base: {{}}\n  app: {{extends: bsae, allow_origins: [{APP}]}}", 3, "app.extends", "did you mean 'base'?"),
        ("  base: {}\n  app: {extends: base}", 3, "app.allow_origins", "missing key 'allow_origins'"),
        *(
            (f"  base: {{{bad}}}\n  app: {{extends: base, {good}, allow_origins: [{APP}]}}", 2, f"base.{path}", said)
            for bad, good, path, said in (
                ("allow_methods: [PUT, a b]", "allow_methods: [PUT]", "allow_methods[1]", "invalid method"),
                ("allow_headers: [Cookie]", "allow_headers: [X-A]", "allow_headers[0]", "forbidden header name"),
                ("max_age: 25h", "max_age: 1h", "max_age", "24h"),
            )
        ),
    ],
)
def test_mistakes_in_extends(policies: str, line: int, path: str, said: str) -> None:
    """A cycle is shown, an undefined name gets the nearest one, and one policy must name the origins."""
    found = [problem for problem in problems(f"policies:\n{policies}\n{ROUTE}") if problem.severity == "error"]
    assert placed(tuple(found)) == [(line, f"policies.{path}", "error")]
    assert said in found[0].message


def test_a_route_cannot_have_a_base_without_origins() -> None:
    """It exists for others to extend."""
    text = f"policies:\n  base: {{}}\n  app: {{extends: base, allow_origins: [{APP}]}}\n" + ROUTE.replace(
        "app}", "base}"
    )
    found = [problem for problem in problems(text) if problem.severity == "error"]
    assert [problem.path for problem in found] == ["routes[0].policy"]
    assert "name a policy that extends it" in found[0].message


def test_a_problem_with_an_inherited_key_is_reported_where_it_is_written() -> None:
    """Once for the base, and for the policy that makes it wrong with that one's name."""
    text = (
        'policies:\n  base:\n    allow_origins: ["*"]\n    allow_headers: [Host]\n'
        f"  app: {{extends: base, allow_credentials: true}}\n{ROUTE}"
    )
    found = problems(text)
    assert placed(found) == [
        (3, "policies.base.allow_origins[0]", "error"),
        (4, "policies.base.allow_headers[0]", "error"),
    ]
    assert "(in app, which extends base)" in found[0].message
    assert "extends" not in found[1].message


# --- files of origins -----------------------------------------------------------------------------------------------


def with_file(tmp_path: Path, content: str | bytes, keys: str = "") -> tuple[str, str]:
    """Return a configuration with a file of origins beside it, and its name."""
    (tmp_path / "origins.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    return with_policy(f"allow_origins:\n- file: origins.txt\n{keys}"), str(tmp_path / "c.yaml")


def test_a_file_has_one_origin_per_line(tmp_path: Path) -> None:
    """Comments, white space, a byte-order mark and line ends of any kind are no part of them."""
    content = f"\ufeff# customers\r\n{APP} # the first\r\n\r\n  https://*.example.org\t#x\n{NET}"
    text, file = with_file(tmp_path, content)
    loaded = load(text, file=file)
    assert texts(loaded) == [APP, "https://*.example.org", NET]
    assert loaded.watched == (str(tmp_path / "origins.txt"),)
    assert loaded.policies["app"].cors.origins.exact.keys() == {APP.encode(), NET.encode()}
    rule = loaded.rules["app"].of(1)
    assert (rule.path, rule.file) == ("policies.app.allow_origins[0]", str(tmp_path / "origins.txt"))
    assert rule.place is not None
    assert (rule.place.line, rule.place.column) == (4, 3)


@given(st.lists(st.sampled_from([APP, NET, "https://*.example.org", "http://localhost:*", "https://x-*.b.example"])))
def test_a_file_of_origins_equals_the_list(tmp_path_factory: pytest.TempPathFactory, origins: list[str]) -> None:
    """Whoever passes by the one passes by the other, and by the same rule."""
    origins = [NET, *origins]
    text, file = with_file(tmp_path_factory.mktemp("f"), "\n".join(origins))
    as_file = load(text, file=file).policies["app"].cors
    as_list = load(with_policy(f"allow_origins: [{', '.join(map(repr, origins))}]")).policies["app"].cors
    assert as_file.origins == as_list.origins


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{NET}/", "trailing slash"),
        ("*", "write '*' in allow_origins itself"),
        ("null", "write null in allow_origins itself"),
        ("regex: https://a", "no regular expressions"),
        ("app.example.com", "https://app.example.com"),
        (f"{APP} {NET}", "a separate item"),
        ("https://*.github.io", "public_suffix_origins"),
        ("http://a.example", "insecure_origins"),
    ],
)
def test_a_mistake_in_a_file_is_reported_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    """The file's name and line, and the key path of the item that names it."""
    text, file = with_file(tmp_path, f"{APP}\n\n  {line}\n", "allow_credentials: true")
    [problem] = problems(text, file=file)
    assert (problem.file, problem.line, problem.column) == (str(tmp_path / "origins.txt"), 3, 3)
    assert problem.path == "policies.app.allow_origins[0].file"
    reason = "invalid" if line in (f"{NET}/", "app.example.com", f"{APP} {NET}") else "prohibited"
    assert (problem.severity, problem.reason) == ("error", reason)
    assert said in problem.message


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("*", "prohibited origin '*': a file names origins one by one; write '*' in allow_origins itself"),
        ("null", "prohibited origin 'null': a file lists origins of known owners; write null in allow_origins itself"),
        (
            "regex:a",
            "prohibited origin 'regex:a': a file holds no regular expressions; write it in allow_origins itself",
        ),
    ],
)
def test_items_that_a_file_may_not_have(tmp_path: Path, line: str, message: str) -> None:
    """Without credentials too, and for each policy that names the file once."""
    text, file = with_file(tmp_path, f"{line}\n{APP}\n{line}\n")
    found = problems(text, file=file)
    assert [(problem.line, problem.column, problem.severity, problem.message) for problem in found] == [
        (1, 1, "error", message),
        (3, 1, "error", message),
    ]


def test_a_file_of_several_policies_is_reported_once(tmp_path: Path) -> None:
    """Named twice by one policy, by one that extends it and by another."""
    (tmp_path / "origins.txt").write_text(f"{APP}/\n", encoding="utf-8")
    text = (
        "policies:\n  base: {allow_origins: [file: origins.txt, file: origins.txt]}\n"
        f"  app: {{extends: base}}\n  other: {{allow_origins: [file: origins.txt]}}\n{ROUTE}"
        "- {path: /b, upstream: api, policy: base}\n- {path: /o, upstream: api, policy: other}\n"
    ).replace("routes: [{path: /, upstream: api, policy: app}]", "routes:\n- {path: /, upstream: api, policy: app}")
    found = problems(text, file=str(tmp_path / "c.yaml"))
    assert [(problem.line, problem.path) for problem in found] == [(1, "policies.base.allow_origins[0].file")]


@pytest.mark.parametrize(("extra", "size_said"), [(0, False), (1, True)])
def test_a_file_of_origins_has_a_largest_size(
    tmp_path: Path, extra: int, size_said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One byte more is refused unread."""
    monkeypatch.setattr(files, "MAX_BYTES", 100)
    text, file = with_file(tmp_path, f"{APP}\n".ljust(99 + extra, "#") + "\n")
    path = tmp_path / "origins.txt"
    said = [(problem.path, problem.reason, problem.message) for problem in problems(text, file=file)]
    message = f"invalid size of '{path}': more than 100 bytes"
    assert said == [("policies.app.allow_origins[0].file", "invalid", message)] * size_said


def test_a_file_without_an_origin_allows_no_page(tmp_path: Path) -> None:
    """It is a warning and no error: customers may come later."""
    text, file = with_file(tmp_path, "# nobody yet\n")
    loaded = load(text, file=file)
    [warning] = loaded.warnings
    assert (warning.line, warning.path) == (4, "policies.app.allow_origins[0].file")
    assert (warning.severity, warning.reason) == ("warning", "missing")
    assert warning.message == "missing origins: the file lists none, so it allows no page"
    assert texts(loaded) == []


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("file: none.txt", "missing file"),
        ("{}", "write an origin, or one of"),
        ("{file: a, regex: b}", "write an origin, or one of"),
        ("file: ''", "missing file"),
    ],
)
def test_mistakes_in_the_item(tmp_path: Path, item: str, said: str) -> None:
    """A missing file, neither file nor regex, both."""
    [problem] = problems(with_policy(f"allow_origins:\n- {item}"), file=str(tmp_path / "c.yaml"))
    assert problem.line == 4
    assert said in problem.message


def test_a_file_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    """With the line of the byte."""
    text, file = with_file(tmp_path, APP.encode() + b"\n\xff\n")
    [problem] = problems(text, file=file)
    assert (problem.line, problem.path) == (4, "policies.app.allow_origins[0].file")
    assert (problem.severity, problem.reason) == ("error", "invalid")
    assert problem.message == "invalid byte in line 2: the file is not UTF-8; save it as UTF-8"
    text, file = with_file(tmp_path, b"\xff\n\n")
    assert "invalid byte in line 1:" in problems(text, file=file)[0].message
    text, file = with_file(tmp_path, b"\n\xff\n")
    assert "invalid byte in line 2:" in problems(text, file=file)[0].message


def test_only_the_first_of_many_mistakes_in_a_file_are_reported(tmp_path: Path) -> None:
    """The rest is counted."""
    text, file = with_file(tmp_path, "\n".join(f"bad{number}/x" for number in range(100)))
    found = problems(text, file=file)
    assert [problem.line for problem in found] == [*range(1, 21), 21]
    assert (found[-1].severity, found[-1].reason) == ("error", "invalid")
    assert found[-1].message == "80 more problems from this line on"


@pytest.mark.parametrize(
    ("lines", "said"),
    [(20, []), (21, ["1 more warning from this line on"]), (22, ["2 more warnings from this line on"])],
)
def test_only_the_first_of_many_warnings_in_a_file_are_reported(tmp_path: Path, lines: int, said: list[str]) -> None:
    """They do not keep the file from being used."""
    text, file = with_file(tmp_path, "\n".join(f"https://*.{name}" for name in SUFFIXES[:lines]))
    found = load(text, file=file).warnings
    assert {problem.severity for problem in found} == {"warning"}
    assert [problem.message for problem in found[20:]] == said


# --- routes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "line", "path", "severity", "said"),
    [
        (["path: /a, methods: [GET, HEAD]", "path: /a, methods: [POST, HEAD]"], 4, "[1].methods", "error", "HEAD"),
        (["path: /a, methods: [GET]", "path: /a/, methods: [GET]"], 4, "[1].methods", "error", "duplicate GET"),
        (["path: /a, methods: [PROPFND]"], 3, "[0].methods[0]", "error", "'PROPFIND'?"),
        (["path: /a, methods: [get]"], 3, "[0].methods[0]", "error", "write GET"),
        (['path: /a, methods: ["*"]'], 3, "[0].methods[0]", "error", "omit the key"),
        (["path: /a, methods: []"], 3, "[0].methods", "error", "at least one"),
        (["path: /a, host: '*'"], 3, "[0].host", "error", "'*.example.com'"),
        (["path: /a, host: 'a.*.example'"], 3, "[0].host", "error", "'*.example.com'"),
        (["path: /a, methods: GET", "path: /"], 3, "[0].methods", "warning", "go to routes[1] in line 4, '/'"),
        (["path: '/{x}/b', methods: GET", "path: '/{y}'"], 3, "[0].methods", "warning", "routes[1]"),
        (["path: /a/b/c, methods: GET", "path: '/{y}/b'"], 3, "[0].methods", "warning", "routes[1]"),
        (
            ["path: /a, methods: GET, host: x.y.example", "path: /, host: '*.example'"],
            3,
            "[0].methods",
            "warning",
            "[1]",
        ),
        (["path: /a, methods: GET", "path: /, methods: [GET, PUT]"], 3, "[0].methods", "warning", "routes[1]"),
    ],
)
def test_routes_with_methods_and_hosts(routes: list[str], line: int, path: str, severity: str, said: str) -> None:
    """Overlaps are errors; requests that land on a shorter route are a warning."""
    [problem] = problems(with_routes(*routes))
    assert (problem.line, problem.path, problem.severity) == (line, f"routes{path}", severity)
    assert said in problem.message


@pytest.mark.parametrize(
    "routes",
    [
        ["path: /a, methods: GET", "path: /a, methods: HEAD", "path: /a"],
        ["path: /a, methods: GET", "path: /b"],
        ["path: /a, methods: [GET, PUT]", "path: /, methods: GET"],
        ["path: /a, methods: GET, host: a.example", "path: /, host: b.example"],
        ["path: /, host: '*.example'", "path: /, host: '*.a.example'", "path: /, host: a.example", "path: /"],
        ["path: /a, methods: GET", "path: /a/b, methods: [GET, PUT]"],
    ],
)
def test_routes_with_different_methods_or_hosts_are_fine(routes: list[str]) -> None:
    """They have no warning."""
    assert problems(with_routes(*routes)) == ()


@pytest.mark.parametrize(
    ("policy", "path", "severity", "reason"),
    [
        ("[all, app]", "[1]", "warning", "unreachable"),
        ("all, app", "", "warning", "unreachable"),
        ("[app, shadow]", "[1]", "error", "invalid"),
        ("[app, app]", "[1]", "error", "duplicate"),
        ("[app, none]", "[1]", "error", "undefined"),
        ("[]", "", "error", "missing"),
    ],
)
def test_mistakes_in_a_list_of_policies(policy: str, path: str, severity: str, reason: str) -> None:
    """A policy after one for everyone, one with another mode, a duplicate, and an undefined one are reported."""
    text = (
        f"policies:\n  app: {{allow_origins: {APP}}}\n  all: {{allow_origins: '*'}}\n"
        f"  shadow: {{allow_origins: {APP}, mode: shadow}}\n"
        f"upstreams: {{api: http://localhost:8000}}\nroutes:\n- path: /\n  upstream: api\n  policy: {policy}\n"
        "- {path: /x, upstream: api, policy: [app, all]}\n- {path: /y, upstream: api, policy: shadow}\n"
    )
    [problem] = problems(text)
    assert (problem.path, problem.severity, problem.reason) == (f"routes[0].policy{path}", severity, reason)
