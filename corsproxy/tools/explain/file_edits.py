"""For each reason of a refusal, the edit of the file that removes it, with its dangers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from corsproxy.config import ConfigError, Loaded, load_text
from corsproxy.cors import OriginSpec, PolicySpec, parse_origin
from corsproxy.tools.browser import kept_headers, names, urls
from corsproxy.tools.explain.dangers import DANGEROUS, needed_dangers
from corsproxy.tools.explain.judgement import Judgement, judge
from corsproxy.tools.explain.question import Question
from corsproxy.tools.own_answers import FORWARDED_METHODS
from corsproxy.tools.patch import Edit, Editor, Value, apply


class NoChangeError(Exception):
    """No change of the file helps; the text has the remedy."""


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One edit of the file."""

    edits: list[Edit]
    summary: str
    warnings: list[str] = field(default_factory=list)


_MakeEdit = Callable[[Loaded, Judgement, Mapping[str, str]], FileEdit]


def loaded_with(loaded: Loaded, edit: FileEdit, environ: Mapping[str, str]) -> Loaded:
    """Load the text after an edit; raises `NoChangeError` if the file's style made the edit invalid."""
    try:
        return load_text(apply(loaded.text, edit.edits), loaded.file, environ)
    except ConfigError as error:
        detail = error.problems[0].message if error.problems else "it cannot be loaded"
        raise NoChangeError(f"{edit.summary}, by hand: this file cannot be edited line by line ({detail})") from None


def _origin_malformed(_loaded: Loaded, judgement: Judgement, _environ: Mapping[str, str]) -> FileEdit:
    origin = judgement.question.origin or ""
    right = urls.origin_of(origin)
    hint = f": a browser sends {right}; ask with --origin {right}" if right and right != origin else ""
    raise NoChangeError(f"{origin!r} is not what any browser sends, and no configuration lets it in{hint}")


def _origin(loaded: Loaded, judgement: Judgement, _environ: Mapping[str, str]) -> FileEdit:
    name, spec = _policy_of(loaded, judgement)
    origin = judgement.question.origin or ""
    wanted = replace(spec, allow_origins=(*spec.allow_origins, OriginSpec(origin)))
    editor = Editor(loaded)
    home = loaded.homes[name].get("allow_origins", name)
    edits = editor.append(f"policies.{home}.allow_origins", [origin])
    more, warnings = _dangers(editor, name, spec, wanted)
    if home != name:
        warnings.append(f"Every policy that takes its origins from {home} then allows it, too.")
    return FileEdit([*edits, *more], f"allow the origin {origin} in policy {_shown(loaded, judgement)}", warnings)


def _method(loaded: Loaded, judgement: Judgement, _environ: Mapping[str, str]) -> FileEdit:
    name, spec = _policy_of(loaded, judgement)
    method = names.normalized(judgement.question.method)
    if method not in FORWARDED_METHODS:
        hint = f": have the page write {method.upper()!r}" if method.upper() in FORWARDED_METHODS else ""
        raise NoChangeError(f"the proxy answers 501 to the method {method!r}, whatever is allowed{hint}")
    edits = _add_names(Editor(loaded), name, "allow_methods", [method], [*spec.allow_methods, method])
    return FileEdit(edits, f"allow the method {method} in policy {_shown(loaded, judgement)}")


def _headers(loaded: Loaded, judgement: Judgement, _environ: Mapping[str, str]) -> FileEdit:
    name, spec = _policy_of(loaded, judgement)
    missing = missing_headers(judgement, spec.allow_headers)
    edits = _add_names(Editor(loaded), name, "allow_headers", missing, [*spec.allow_headers, *missing])
    return FileEdit(edits, f"allow {_headers_noun(missing)} in policy {_shown(loaded, judgement)}")


def missing_headers(judgement: Judgement, allowed_names: Sequence[str]) -> list[str]:
    """Return the header names that need permission and are not allowed, as the page writes them."""
    allowed = {header.lower() for header in allowed_names}
    kept = kept_headers(judgement.question.page_request(include=False))
    written = {header.lower(): header for header, _ in kept}
    return [
        written[low]
        for low in names.unsafe_names(kept, judgement.question.browser)
        if low not in allowed and ("*" not in allowed or low in names.NON_WILDCARD_NAMES)
    ]


def _headers_noun(missing: list[str]) -> str:
    return f"the header{'s' if len(missing) > 1 else ''} {', '.join(missing)}"


def _credentials(loaded: Loaded, judgement: Judgement, _environ: Mapping[str, str]) -> FileEdit:
    """Return the edit that allows credentials in the whole policy.

    A star has no effect with them, so the requesting origin replaces it.
    """
    name, spec = _policy_of(loaded, judgement)
    editor, path = Editor(loaded), f"policies.{name}"
    origin = judgement.question.origin or ""
    edits = [editor.set(path, "allow_credentials", "true")]
    warnings = []
    summary = f"allow credentials in policy {_shown(loaded, judgement)}"
    origins = spec.allow_origins
    stars = [index for index, one in enumerate(origins) if one == OriginSpec("*")]
    if stars:
        places = [loaded.rules[name].of(index).path for index in stars]
        if all(place.endswith("]") and editor.has(place) for place in places):
            edits += [editor.replace(place, origin) for place in places]
        else:  # one text for the list, or the list of another policy
            texts = dict.fromkeys(origin if one == OriginSpec("*") else one.text for one in origins if not one.is_regex)
            edits.append(editor.set(path, "allow_origins", list(texts)))
        origins = tuple(OriginSpec(origin) if one == OriginSpec("*") else one for one in origins)
        summary += f", and {origin} in place of *"
        warnings.append(f"Every origin but {origin} loses its access: name those that need it, too.")
    else:
        warnings.append(f"Every origin of policy {name} may then act as the signed-in user, not {origin} alone.")
    more, dangerous = _dangers(editor, name, spec, replace(spec, allow_origins=origins, allow_credentials=True))
    return FileEdit([*edits, *more], summary, [*warnings, *dangerous])


def _no_policy(loaded: Loaded, judgement: Judgement, environ: Mapping[str, str]) -> FileEdit:
    """Return the edit that sets an existing policy which allows the request, or a new one that allows nothing more."""
    editor, path = Editor(loaded), f"routes[{judgement.choice.index}]"
    route = judgement.route.path if judgement.route else ""
    for name in loaded.policies:
        edit = FileEdit([editor.set(path, "policy", name)], f"give the route {route} the policy {name}")
        if _is_allowed(loaded, edit, judgement.question, environ):
            return edit
    name, policy, warnings = _new_policy(loaded, judgement.question)
    edits = [_add_policy(editor, name, policy), editor.set(path, "policy", name)]
    return FileEdit(edits, f"give the route {route} a new policy {name}", warnings)


def _no_route(loaded: Loaded, judgement: Judgement, environ: Mapping[str, str]) -> FileEdit:
    """Return the edit that adds a route to the upstream of the nearest route."""
    question = judgement.question
    if judgement.choice.is_ambiguous:
        raise NoChangeError(
            "the path has two readings that lead to different routes; the page must ask for a plain one"
        )
    near = judgement.choice.near[0].route if judgement.choice.near else loaded.settings.routes[0]
    upstream = near.upstream.name
    warnings = []
    if len(loaded.upstreams) > 1:
        warnings.append(
            f"The upstream {upstream} is a guess: it may have to be another of {', '.join(loaded.upstreams)}."
        )
    editor = Editor(loaded)
    summary = f"add a route {question.path} to the upstream {upstream}"
    for name in (*loaded.policies, None):
        route: dict[str, Value] = {"path": question.path, "upstream": upstream}
        if name is not None:
            route["policy"] = name
        edit = FileEdit(
            editor.append("routes", [route]), summary + (f" with the policy {name}" if name else ""), warnings
        )
        if name is None or _is_allowed(loaded, edit, question, environ):
            return edit
    raise AssertionError("the last candidate is always taken")


def _is_allowed(loaded: Loaded, edit: FileEdit, question: Question, environ: Mapping[str, str]) -> bool:
    try:
        return judge(loaded_with(loaded, edit, environ), question).is_allowed
    except NoChangeError:
        return False


def _new_policy(loaded: Loaded, question: Question) -> tuple[str, dict[str, Value], list[str]]:
    """Return the name, keys and dangers of the smallest policy that allows one request."""
    origin = question.origin or ""
    if origin != "null" and parse_origin(origin.encode("latin-1", "replace")) is None:
        raise NoChangeError(f"{origin!r} is not what any browser sends, and no policy lets it in")
    name = next(name for name in _new_names() if name not in loaded.policies)
    method = names.normalized(question.method)
    kept = kept_headers(question.page_request(include=False))
    unsafe = names.unsafe_names(kept, question.browser)
    headers = list({header.lower(): header for header, _ in kept if header.lower() in unsafe}.values())
    spec = PolicySpec((OriginSpec(origin),), (method,), tuple(headers), allow_credentials=question.credentials)
    policy: dict[str, Value] = {"allow_origins": [origin]}
    if method not in names.SAFELISTED_METHODS:
        policy["allow_methods"] = [method]
    if headers:
        policy["allow_headers"] = headers
    if question.credentials:
        policy["allow_credentials"] = "true"
    needed = needed_dangers(spec)
    if needed:
        policy["dangerously_allow"] = list(needed)
    return name, policy, [DANGEROUS[danger] for danger in needed]


def _new_names() -> Iterator[str]:
    yield "app"
    number = 2
    while True:
        yield f"app{number}"
        number += 1


def _add_policy(editor: Editor, name: str, policy: dict[str, Value]) -> Edit:
    if editor.has("policies"):
        return editor.set("policies", name, policy)
    return editor.set_above("routes", "policies", {name: policy})


def _policy_of(loaded: Loaded, judgement: Judgement) -> tuple[str, PolicySpec]:
    if judgement.policy is None:
        raise NoChangeError("the route has no policy")
    return judgement.policy.name, loaded.specs[judgement.policy.name]


def _shown(loaded: Loaded, judgement: Judgement) -> str:
    """Return the policy's name, and the other routes that have it."""
    name, _ = _policy_of(loaded, judgement)
    others = [
        route.path
        for index, route in enumerate(loaded.settings.routes)
        if route.policy and route.policy.name == name and index != judgement.choice.index
    ]
    return f"{name} (the policy of {', '.join(others)} too)" if others else name


def _add_names(editor: Editor, policy: str, key: str, missing: list[str], all_names: list[str]) -> list[Edit]:
    """Return the edits that add names to a list of a policy, written with its default if it has none."""
    path = f"policies.{policy}.{key}"
    if editor.has(path):
        return editor.append(path, missing)
    return [editor.set(f"policies.{policy}", key, all_names)]


def _dangers(editor: Editor, policy: str, old: PolicySpec, wanted: PolicySpec) -> tuple[list[Edit], list[str]]:
    """Return edits and warnings for the dangers that the wanted policy needs to be allowed."""
    needed = [danger for danger in needed_dangers(wanted) if danger not in old.dangerously_allow]
    if not needed:
        return [], []
    edits = _add_names(editor, policy, "dangerously_allow", needed, [*old.dangerously_allow, *needed])
    return edits, [DANGEROUS[danger] for danger in needed]


FILE_EDITS: dict[str, _MakeEdit] = {
    "no_route": _no_route,
    "no_policy": _no_policy,
    "origin_not_allowed": _origin,
    "origin_malformed": _origin_malformed,
    "method_not_allowed": _method,
    "headers_not_allowed": _headers,
    "credentials_not_allowed": _credentials,
}
"""The edit for each reason."""
