"""What was measured: samples by scenario, subject and metric, and what could not be measured.

It must not know how a sample is taken or shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median, quantiles

UNITS = {
    "cpu": (1e6, "µs", "CPU per request"),
    "rate": (1, "/s", "requests per second, one core"),
    "p50": (1e3, "ms", "median latency"),
    "p99": (1e3, "ms", "99th percentile of latency"),
    "busy": (100, "%", "of its core used"),
    "cpu_per_mib": (1e6, "µs", "CPU per MiB"),
    "growth": (1 / 1024 / 1024, "MiB", "growth of resident memory"),
    "each": (1 / 1024, "KiB", "resident memory for each"),
    "memory": (1 / 1024 / 1024, "MiB", "resident memory"),
    "cpu_seconds": (1e3, "ms", "CPU"),
}
"""By metric: the factor from seconds, bytes or counts to the shown unit, the unit, and the meaning."""

_UNDISTURBED = 0.9
"""The part of its core that a proxy uses if nothing else limits it."""

Key = tuple[str, str]


@dataclass(slots=True)
class Results:
    """Samples of one whole run."""

    samples: dict[Key, dict[str, list[float]]] = field(default_factory=dict)
    """By (scenario, subject), then by metric."""
    gaps: list[str] = field(default_factory=list)
    """What could not be measured, and why."""

    def add(self, scenario: str, subject: str, **metrics: float) -> None:
        """Add one sample, in seconds, bytes and counts."""
        known = self.samples.setdefault((scenario, subject), {})
        for metric, value in metrics.items():
            known.setdefault(metric, []).append(value)

    def gap(self, text: str) -> None:
        """Record, once, what could not be measured."""
        if text not in self.gaps:
            self.gaps.append(text)

    def median(self, scenario: str, subject: str, metric: str) -> float | None:
        """Return the median of a metric, or None if it was not measured."""
        values = self.samples.get((scenario, subject), {}).get(metric)
        return median(values) if values else None

    def least(self, scenario: str, subject: str, metric: str) -> float | None:
        """Return the least of a metric, which other work on the machine has disturbed least."""
        return min(self.samples.get((scenario, subject), {}).get(metric, []), default=None)

    def scenarios(self) -> list[str]:
        """Return the names of the scenarios, in the order in which they were measured."""
        return list(dict.fromkeys(scenario for scenario, _ in self.samples))

    def subjects(self, scenario: str) -> list[str]:
        """Return the subjects of a scenario, in order."""
        return [subject for known, subject in self.samples if known == scenario]


def spread(values: list[float]) -> float:
    """Return half the distance between the quartiles, as a part of the median."""
    if len(values) < 2 or not median(values):
        return 0.0
    low, _, high = quantiles(values, n=4, method="inclusive")
    return abs((high - low) / 2 / median(values))


def disturbed(results: Results) -> list[str]:
    """Return the peers that could not use their core, by scenario; waiting makes a request more expensive."""
    said = []
    for scenario in results.scenarios():
        busy = {subject: results.median(scenario, subject, "busy") for subject in results.subjects(scenario)}
        low = [f"{subject} {part:.0%}" for subject, part in busy.items() if part is not None and part < _UNDISTURBED]
        if low:
            said.append(f"{scenario}: {', '.join(low)}")
    return said
