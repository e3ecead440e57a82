"""The proposed file: the current text with new policies, and each route with its own.

Everything else stays byte for byte; comments say what was seen and what was left out.
Strangers' text is escaped, so that it cannot end a comment.
"""

from __future__ import annotations

from collections.abc import Iterator

from corsproxy.config import Loaded
from corsproxy.cors import OriginSpec, PolicySpec
from corsproxy.escape import escaped
from corsproxy.settings import PolicySettings
from corsproxy.tools.learn.proposal import Proposal
from corsproxy.tools.learn.traffic import Traffic
from corsproxy.tools.patch import Edit, Editor, Value, apply, scalar

_SHOWN = 360
"""Characters of one text in a comment."""
_MOST_LEFT_OUT = 20
"""The most comments on what was left out, for each route."""

Named = dict[str, tuple[PolicySettings | None, Proposal, str]]
"""Proposed policies by name: the current settings, the proposal, the route's path."""


def write(
    loaded: Loaded,
    traffic: Traffic,
    named: Named,
    assigned: dict[int, str],
    kept: list[str],
    empty: dict[str, Proposal],
) -> str:
    """Return the text of the file.

    `assigned` are the policies of routes by index, `kept` the policies that stay as they are, `empty` the proposals
    that grant nothing, by the route's path.
    """
    editor = Editor(loaded)
    edits = [editor.set(f"routes[{index}]", "policy", name) for index, name in assigned.items()]
    header = list(_header(loaded, traffic))
    if editor.is_flow:
        policies: dict[str, Value] = {name: _flow(*named[name][:2]) for name in named}
        policies |= {name: _flow_kept(name, loaded) for name in kept}
        edits.append(editor.set("", "policies", policies))
        header += [f"# {line}" for name in named for line in _all_comments(name, named[name])]
    else:
        lines = ["policies:"]
        for name, (settings, proposal, path) in named.items():
            lines += _block(name, settings, proposal, path, traffic)
        for name in kept:
            lines += [f"  # {name}: nothing to learn was recorded; left as it is", *_kept(name, loaded)]
        edits.append(editor.section("policies", "routes", lines if len(lines) > 1 else ["policies: {}"]))
    header += [f"# {_clean(path)}: {line}" for path, proposal in empty.items() for line in _left_out(proposal)]
    header += [f"# {line}" for line in _unrouted(traffic)]
    return apply(loaded.text, [Edit(0, 0, "".join(f"{line}{editor.newline}" for line in header)), *edits])


def _header(loaded: Loaded, traffic: Traffic) -> Iterator[str]:
    yield f"# Proposed by 'corsproxy learn' from {_clean(str(traffic.seen))}, and {_clean(loaded.file)}."
    yield "# Read it before you use it: recorded traffic is not always intended, and no log has credentials."
    yield "#"


def _block(
    name: str, settings: PolicySettings | None, proposal: Proposal, path: str, traffic: Traffic
) -> Iterator[str]:
    """Yield the lines of a policy, with a comment at each item."""
    spec = proposal.spec
    yield f"  {scalar(name)}:"
    yield f"    # {_clean(path)}: {_clean(str(traffic.routes[path].seen))}"
    if traffic.routes[path].dropped:
        yield f"    # {traffic.routes[path].dropped} requests of further origins are not counted"
    if settings is None:
        yield "    # no log shows credentials: set allow_credentials: true if pages send cookies"
    for line in _left_out(proposal):
        yield f"    # {line}"
    if spec is None:
        return
    if proposal.on_one_request:
        yield f"    # on one request only, so look at them first: {_clean(', '.join(proposal.on_one_request))}"
    yield "    allow_origins:"
    for origin in spec.allow_origins:
        yield f"      - {_origin(origin)}   # {_clean(proposal.origins.get(origin, ''))}"
    if any(method in proposal.methods for method in spec.allow_methods):
        yield "    allow_methods:"
        for method in spec.allow_methods:
            yield f"      - {scalar(method)}   # {_clean(proposal.methods.get(method, ''))}"
    if spec.allow_headers:
        yield "    allow_headers:"
        for header in spec.allow_headers:
            yield f"      - {scalar(header)}   # {_clean(proposal.headers.get(header, ''))}"
    for key, value in _rest(spec, settings):
        yield f"    {key}: {value}"


def _kept(name: str, loaded: Loaded) -> Iterator[str]:
    """Yield the lines of an unchanged policy; comments of the old text are not kept."""
    settings = loaded.policies[name]
    spec = settings.cors.spec
    yield f"  {scalar(name)}:"
    yield "    allow_origins:"
    for item in _kept_items(name, loaded):
        yield f"      - {f'file: {scalar(item)}' if isinstance(item, str) else _origin(item)}"
    for key, names in _lists(spec):
        yield f"    {key}: {_list(names)}"
    for key, value in _rest(spec, settings):
        yield f"    {key}: {value}"


def _kept_items(name: str, loaded: Loaded) -> Iterator[OriginSpec | str]:
    """Yield the origins of a policy, and the name of each file of origins in place of its lines."""
    files = dict(loaded.rules[name].files())
    for rule, origin in enumerate(loaded.policies[name].cors.spec.allow_origins):
        if not origin.in_file:
            yield origin
        elif rule in files:
            yield files[rule]


def _lists(spec: PolicySpec) -> Iterator[tuple[str, tuple[str, ...]]]:
    if spec.allow_methods != PolicySpec(()).allow_methods:
        yield "allow_methods", spec.allow_methods
    if spec.allow_headers:
        yield "allow_headers", spec.allow_headers


def _rest(spec: PolicySpec, settings: PolicySettings | None) -> Iterator[tuple[str, str]]:
    """Yield the keys that are not learnt, if they differ from the default."""
    default = PolicySpec(())
    if spec.expose_headers:
        yield "expose_headers", _list(spec.expose_headers)
    if spec.allow_credentials:
        yield "allow_credentials", "true"
    if spec.max_age != default.max_age:
        yield "max_age", str(spec.max_age)
    if spec.timing:
        yield "timing", "true" if isinstance(spec.timing, bool) else _list(spec.timing)
    if spec.diagnostics:
        yield "diagnostics", "true"
    if spec.dangerously_allow:
        yield "dangerously_allow", _list(tuple(spec.dangerously_allow))
    if settings is None:
        return
    plain = PolicySettings(settings.name, settings.cors)
    for key in ("on_refused", "websockets", "mode", "preflight_status"):
        value = getattr(settings, key)
        if value != getattr(plain, key):
            yield key, str(value)


def _flow(settings: PolicySettings | None, proposal: Proposal) -> Value:
    """Return a proposed policy as a value, for a file that is one `{...}` and so has no comments at items."""
    return _flow_spec(proposal.spec or PolicySpec(()), settings)


def _flow_kept(name: str, loaded: Loaded) -> Value:
    settings = loaded.policies[name]
    items: list[Value] = [
        {"file": item} if isinstance(item, str) else {"regex": item.text} if item.is_regex else item.text
        for item in _kept_items(name, loaded)
    ]
    flow = _flow_spec(settings.cors.spec, settings)
    return {**flow, "allow_origins": items} if isinstance(flow, dict) else flow


def _flow_spec(spec: PolicySpec, settings: PolicySettings | None) -> Value:
    origins: list[Value] = [{"regex": one.text} if one.is_regex else one.text for one in spec.allow_origins]
    values: dict[str, Value] = {"allow_origins": origins}
    values |= {key: list(names) for key, names in _lists(spec)}
    if spec.expose_headers:
        values["expose_headers"] = list(spec.expose_headers)
    if spec.dangerously_allow:
        values["dangerously_allow"] = list(spec.dangerously_allow)
    if isinstance(spec.timing, tuple) and spec.timing:
        values["timing"] = list(spec.timing)
    return values | {key: value for key, value in _rest(spec, settings) if key not in values}


def _all_comments(name: str, entry: tuple[PolicySettings | None, Proposal, str]) -> Iterator[str]:
    _, proposal, path = entry
    yield f"{_clean(name)}, for {_clean(path)}:"
    comments = (
        {_text(origin): comment for origin, comment in proposal.origins.items()} | proposal.methods | proposal.headers
    )
    for item, comment in comments.items():
        yield f"  {_clean(item)}: {_clean(comment)}"
    if proposal.on_one_request:
        yield f"  on one request only, so look at them first: {_clean(', '.join(proposal.on_one_request))}"
    for line in _left_out(proposal):
        yield f"  {line}"


def _text(origin: OriginSpec) -> str:
    return origin.text


def _left_out(proposal: Proposal) -> Iterator[str]:
    for one in proposal.left_out[:_MOST_LEFT_OUT]:
        yield f"left out: {_clean(one.what)}: {_clean(one.why)} ({_clean(str(one.seen))})"
    if (more := len(proposal.left_out) - _MOST_LEFT_OUT) > 0:
        yield f"left out: {more} more"


def _unrouted(traffic: Traffic) -> Iterator[str]:
    """Yield notes on requests without a route, which no policy can help."""
    found = traffic.routes.get(None)
    if found is not None:
        yield f"No route: {_clean(str(found.seen))}; 'corsproxy explain PATH' shows what is missing."


def _origin(origin: OriginSpec) -> str:
    return f"regex: {scalar(origin.text)}" if origin.is_regex else scalar(origin.text)


def _list(names: tuple[str, ...]) -> str:
    return f"[{', '.join(scalar(name, flow=True) for name in names)}]"


def _clean(text: str) -> str:
    """Return a text as one line of printable ASCII, truncated if long."""
    shown = "".join(sign if " " <= sign <= "~" else escaped(sign) for sign in text)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
