"""The front door: a configuration file, or its text, to settings or to a list of all its problems.

There are three steps: YAML to a tree, the tree to values, the values to settings.
Settings are made only if there is no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corsproxy.config import tree
from corsproxy.config.declaration import FILE, FileValues, LimitValues, ListenerTls
from corsproxy.config.doubts import warn_of_doubts
from corsproxy.config.files import Files
from corsproxy.config.names import Names
from corsproxy.config.policies import CompiledPolicies, RulePlaces, compile_policies
from corsproxy.config.problems import ConfigError, Place, Problem, Report, Span
from corsproxy.config.reader import Reader
from corsproxy.config.routes import check_routes, compile_routes
from corsproxy.config.secrets import masked
from corsproxy.config.shape import BAD
from corsproxy.config.source import read_source
from corsproxy.config.upstreams import compile_upstreams
from corsproxy.cors import PolicySpec
from corsproxy.settings import Limits, Log, PolicySettings, Settings, Shutdown, TlsFiles, UnixAddress, Upstream


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration, and what is known about the text from which it was read."""

    settings: Settings
    warnings: tuple[Problem, ...]
    places: Mapping[str, Place]
    """The place of each key and list item, by key path: of its value, or of the key if the value is on another line."""
    spans: Mapping[str, Span]
    """Where the value of each key and list item begins and ends, for tools that change the text."""
    text: str
    secrets: tuple[Span, ...]
    """Where the text has values that may be credentials."""
    file: str
    upstreams: Mapping[str, Upstream]
    """By name, unused ones included."""
    policies: Mapping[str, PolicySettings]
    """By name, unused ones included."""
    specs: Mapping[str, PolicySpec]
    """The policies as written, by name."""
    watched: tuple[str, ...]
    """The files that the configuration names, whether or not they exist; a change to one of them is a reload."""
    rules: Mapping[str, RulePlaces]
    """By policy: where each rule of its origins is written, in the configuration or in a file of origins."""
    homes: Mapping[str, Mapping[str, str]]
    """By policy and key, if it is written: the policy in which it is, the same or one that it extends."""

    @property
    def is_quick(self) -> bool:
        """True if the text was generated from the options of quick mode."""
        return self.settings.by_options

    @property
    def shown_text(self) -> str:
        """The text with its possible credentials masked; line numbers do not change."""
        return masked(self.text, self.secrets)


def load_file(path: str, environ: Mapping[str, str], *, tries_certificates: bool = False) -> Loaded:
    """Load a configuration file; raises `ConfigError` with all its problems, also if it cannot be read.

    With `tries_certificates`, certificates and keys are loaded to see whether they can be used; otherwise they need
    only be readable.
    """
    return load_text(read_source(path), path, environ, tries_certificates=tries_certificates)


def load_text(text: str, file: str, environ: Mapping[str, str], *, tries_certificates: bool = False) -> Loaded:
    """Load a configuration from its text, like `load_file`; the files that it names are looked for beside `file`."""
    report = Report(file)
    values = _read(text, report, environ)
    if values is None:
        raise ConfigError(report.problems())
    files = Files(file, report, tries_certificates=tries_certificates)
    upstreams = compile_upstreams(values.upstreams or {}, report, files)
    policies = compile_policies(values.policies or {}, report, files)
    tls = _listener_tls(values.tls, files)
    _check(values, policies, report)
    if report.has_errors:
        raise ConfigError(report.problems(), files.named)
    compiled = {name: policy.settings for name, policy in policies.by_name.items()}
    settings = Settings(
        compile_routes(values.routes or (), upstreams, compiled),
        listen=values.listen,
        tls=tls,
        admin=values.admin,
        admin_hosts=tuple(host for _, host in values.admin_hosts),
        inspector=values.inspector,
        workers=values.workers,
        trusted_proxies=tuple(network for _, network in values.trusted_proxies),
        public_origins=tuple(dict.fromkeys(origin for _, origin in values.public_origins)),
        limits=_limits(values.limits),
        shutdown=Shutdown(values.shutdown.delay, values.shutdown.drain),
        log=Log(values.log.format, values.log.level, values.log.access),
    )
    warn_of_doubts(settings, upstreams, report)
    specs = {name: policy.spec for name, policy in policies.by_name.items()}
    return Loaded(
        settings,
        report.problems(),
        report.places,
        report.spans,
        text,
        tuple(report.secrets),
        file,
        upstreams,
        compiled,
        specs,
        tuple(files.named),
        {name: policy.rules for name, policy in policies.by_name.items()},
        {name: policy.homes for name, policy in policies.by_name.items()},
    )


def _read(text: str, report: Report, environ: Mapping[str, str]) -> FileValues | None:
    """Return the values of the whole file, or None after a report if it is not a mapping."""
    try:
        root = tree.parse(text)
    except tree.SyntaxProblem as problem:
        report.error("", problem.reason, problem.message, problem.place)
        return None
    if root is None or (isinstance(root, tree.Scalar) and not root.text):
        report.error("", "missing", "missing configuration: the file is empty; 'corsproxy init' writes a starter file")
        return None
    values = Reader(report, environ, FILE).read_record(root, FILE)
    return None if values is BAD else values


def _listener_tls(values: ListenerTls | None, files: Files) -> TlsFiles | None:
    if values is None:
        return None
    certificate, private_key = files.find_pair("tls", values.certificate, values.private_key)
    return TlsFiles(certificate or "", private_key or "")


def _limits(values: LimitValues) -> Limits:
    return Limits(
        max_body=values.max_body,
        max_header_bytes=values.max_header_bytes,
        max_header_lines=values.max_header_lines,
        header_timeout=values.header_timeout,
        body_timeout=values.body_timeout,
        min_rate=values.min_rate,
        idle_timeout=values.idle_timeout,
        max_connections=values.max_connections,
    )


def _check(values: FileValues, compiled: CompiledPolicies, report: Report) -> None:
    """Check sections against each other."""
    listen, admin = values.listen, values.admin
    if admin == listen and (isinstance(admin, UnixAddress) or admin.port):
        report.error("admin", "duplicate", f"duplicate address {admin}: the proxy listens there; choose another port")
    for index, network in values.trusted_proxies:
        if network.prefixlen == 0:
            report.warning(
                f"trusted_proxies[{index}]",
                "prohibited",
                "every peer is trusted, so any client can claim any address; list only the proxies in front",
            )
    upstreams = Names("upstream", "upstreams", values.upstreams)
    policies_are_unread = not values.policies and report.has_errors_in("policies")
    policies = Names("policy", "policies", None if policies_are_unread else values.policies)
    policies.used |= compiled.bases
    check_routes(values.routes or (), upstreams, policies, compiled, report)
    if values.routes is not None:
        upstreams.report_unused(report)
        policies.report_unused(report)
