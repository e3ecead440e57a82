"""The project's targets for speed, as ratios between two figures of one run; never absolute times.

Memory is the exception: that of an idle connection does not depend on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.peers import PURE
from benchmarks.results import UNITS, Results
from benchmarks.traffic import ADVERSARIAL, NESTED

KIB = 1024


@dataclass(frozen=True, slots=True)
class Target:
    """One target: a figure, the figure to compare it with, and the limit."""

    scenario: str
    subject: str
    metric: str
    limit: float
    against: str | None = None
    """Another subject of the same scenario; None if `limit` is absolute."""
    plus: float = 0.0
    """Added to `limit` times the other figure."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one target."""

    target: Target
    text: str
    """The target in words."""
    measured: str = ""
    """The measured value; empty if there is none."""
    kept: bool | None = None
    """None if it could not be measured."""


TARGETS = (
    Target("GET 1 KiB", "corsproxy", "cpu", 0.55, "Envoy"),
    Target("GET 1 KiB", PURE, "cpu", 0.8, "Envoy"),
    Target("GET 1 KiB", "corsproxy", "cpu", 0.5, "http-proxy"),
    Target("GET 1 KiB", "corsproxy", "cpu", 0.5, "Caddy"),
    Target("GET 1 KiB", "corsproxy", "cpu", 1.65, "nginx"),
    Target("varied GET", "corsproxy", "cpu", 0.6, "Envoy"),
    Target("POST 1 KiB", "corsproxy", "cpu", 0.62, "Envoy"),
    Target("preflight", "corsproxy", "cpu", 0.65, "Envoy"),
    Target("preflight", PURE, "cpu", 0.85, "Envoy"),
    Target("preflight", "corsproxy", "cpu", 1.6, "nginx"),
    Target("access log", "JSON", "cpu", 1.15, "off"),
    Target("download 100 MiB", "corsproxy", "cpu_per_mib", 1.5, "nginx"),
    Target("upload 100 MiB", "corsproxy", "cpu_per_mib", 1.2, "nginx"),
    Target("download 100 MiB", "corsproxy", "growth", 8 * KIB * KIB),
    Target("upload 100 MiB", "corsproxy", "growth", 8 * KIB * KIB),
    Target("idle connections (10,000)", "corsproxy", "each", 20 * KIB),
    Target("idle WebSocket tunnels (2,000)", "corsproxy", "each", 60 * KIB),
    Target("configuration", "10,000 exact origins", "cpu", 1.2, "1 exact origin"),
    Target("configuration", "100,000 origins from a file", "cpu", 1.2, "1 exact origin"),
    Target("configuration", "1,000 policies", "cpu", 1.2, "1 policy"),
    Target("configuration", "1,000 routes with methods and hosts", "cpu", 1.2, "1 route with methods and hosts"),
    Target("configuration", "1,000 patterns", "cpu", 1.2, "1 pattern"),
    Target("configuration", "1,000 routes", "cpu", 1.2, "1 route"),
    *(Target("adversarial", subject, "cpu", 3.0, "normal GET") for subject in ADVERSARIAL),
    *(
        Target("adversarial", subject + NESTED, "cpu", 3.0, "normal GET")
        for subject in ADVERSARIAL
        if subject.startswith("path")
    ),
    Target("start-up", "corsproxy --version", "cpu_seconds", 2.0, "python -c pass", plus=0.060),
    Target("start-up", "corsproxy serve", "cpu_seconds", 0.2),
)


def judge(results: Results) -> list[Verdict]:
    """Compare every target with the medians of a run, for the form of the image."""
    return [_judge(results, target) for target in TARGETS]


def _judge(results: Results, target: Target) -> Verdict:
    factor, unit, name = UNITS[target.metric]
    what = f"{target.scenario}, {target.subject}"
    mine = results.median(target.scenario, target.subject, target.metric)
    if target.against is None:
        text = f"{what}: at most {target.limit * factor:g} {unit} {name}"
        if mine is None:
            return Verdict(target, text)
        return Verdict(target, text, f"{mine * factor:.1f} {unit}", mine <= target.limit)
    plus = f" plus {target.plus * factor:g} {unit}" if target.plus else ""
    text = f"{what}: at most {target.limit:g} of {target.against}{plus}"
    other = results.median(target.scenario, target.against, target.metric)
    if mine is None or not other:
        return Verdict(target, text)
    most = target.limit * other + target.plus
    measured = f"{mine * factor:.1f} of {most * factor:.1f} {unit}" if plus else _ratios(results, target)
    return Verdict(target, text, measured, mine <= most)


def _ratios(results: Results, target: Target) -> str:
    """Return the ratio of the medians and, for information, those of the minima and of the pure form."""
    against = target.against or ""
    ratios = [
        (label, mine / other)
        for label, subject, figure in (
            ("", target.subject, results.median),
            ("of the least ", target.subject, results.least),
            *([("pure Python ", PURE, results.median)] if target.subject != PURE else []),
        )
        if (mine := figure(target.scenario, subject, target.metric)) is not None
        and (other := figure(target.scenario, against, target.metric))
    ]
    (_, decides), *others = ratios
    beside = ", ".join(f"{label}{ratio:.2f}" for label, ratio in others)
    return f"{decides:.2f} ({beside})"
