"""A run as text for people, as JSON for programs, and as a picture.

It must not know how anything was measured.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.peers import CORSPROXY, PURE
from benchmarks.results import UNITS, Results, spread
from benchmarks.targets import TARGETS, judge

_BAR_HEIGHT, _LABEL_WIDTH, _BAR_WIDTH, _TITLE_HEIGHT = 18, 200, 420, 34
"""The size of the picture, in pixels."""

_PICTURED = {
    "GET 1 KiB": "cpu",
    "varied GET": "cpu",
    "POST 1 KiB": "cpu",
    "preflight": "cpu",
    "download 100 MiB": "cpu_per_mib",
    "upload 100 MiB": "cpu_per_mib",
}
"""The metric to draw, by scenario."""

_WITH_LEAST = {"cpu", "cpu_per_mib", "cpu_seconds"}
"""Metrics whose minimum is shown too, because disturbances can only increase them."""

_COLOURS = {CORSPROXY: "#2563eb", PURE: "#93b4f5"}
_OTHER = "#94a3b8"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The machine and the programs of a run."""

    machine: Mapping[str, str]
    python: str
    """The interpreter of corsproxy, and how it was built."""
    optimized: bool | None
    """True if it was built with profile-guided optimization; None if unknown."""
    compiled: bool
    """True if the subject `corsproxy` is the compiled form, as in the image."""
    versions: Mapping[str, str]
    """By subject."""

    def label(self, subject: str) -> str:
        """Return the name under which a subject is shown."""
        return subject if subject != CORSPROXY or self.compiled else f"{CORSPROXY} (not compiled)"


def machine() -> dict[str, str]:
    """Return the lines that name the machine."""
    names = [line.partition(":")[2].strip() for line in _cpu_info() if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
    }


def as_text(results: Results, under: Circumstances) -> str:
    """Return tables with medians, spreads and minima, the targets, and the gaps."""
    lines = [
        ", ".join(under.machine.values()),
        under.python,
        "; ".join(f"{name} {version}" for name, version in under.versions.items()),
    ]
    for scenario in results.scenarios():
        lines += ["", *_table(results, scenario, under)]
    lines += ["", f"Targets of {under.label(CORSPROXY)}", *_targets(results)]
    if results.gaps:
        lines += ["", "Not measured, or not as it should be", *(f"  {gap}" for gap in results.gaps)]
    return "\n".join(lines) + "\n"


def _targets(results: Results) -> list[str]:
    measured = set(results.scenarios())
    verdicts = [verdict for verdict in judge(results) if verdict.target.scenario in measured]
    marks = {True: "met    ", False: "MISSED ", None: "        "}
    lines = [f"  {marks[verdict.kept]} {verdict.text}: {verdict.measured or 'not measured'}" for verdict in verdicts]
    if others := len(TARGETS) - len(verdicts):
        lines.append(f"  {others} are of scenarios that were not run")
    return lines


def _table(results: Results, scenario: str, under: Circumstances) -> list[str]:
    subjects = results.subjects(scenario)
    metrics = [metric for metric in UNITS if any(metric in results.samples[scenario, subject] for subject in subjects)]
    width = max(len(under.label(subject)) for subject in subjects)
    heads = [f"{UNITS[metric][2]} ({UNITS[metric][1]})" for metric in metrics]
    least = ", (the least)" if _WITH_LEAST.intersection(metrics) else ""
    lines = [f"{scenario}: {', '.join(heads)}; median, ± half the distance between the quartiles{least}"]
    for subject in subjects:
        cells = [_cell(results, scenario, subject, metric) for metric in metrics]
        lines.append(f"  {under.label(subject):{width}} {' '.join(cells)}")
    return lines


def _cell(results: Results, scenario: str, subject: str, metric: str) -> str:
    factor = UNITS[metric][0]
    middle, least = results.median(scenario, subject, metric), results.least(scenario, subject, metric)
    shown = ""
    if middle is not None and least is not None:
        values = results.samples[scenario, subject][metric]
        shown = f"{middle * factor:.1f} ±{spread(values):4.0%}"
        if metric in _WITH_LEAST:
            shown += f" {f'({least * factor:.1f})':>8}"
    return f"{shown:>{26 if metric in _WITH_LEAST else 17}}"


def as_json(results: Results, under: Circumstances) -> str:
    """Write every sample, in seconds, bytes and counts."""
    whole = {
        **asdict(under),
        "samples": [
            {"scenario": scenario, "subject": subject, "metric": metric, "values": values}
            for (scenario, subject), metrics in results.samples.items()
            for metric, values in metrics.items()
        ],
        "targets": [
            {"target": verdict.text, "measured": verdict.measured, "kept": verdict.kept} for verdict in judge(results)
        ],
        "gaps": results.gaps,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def as_svg(results: Results, under: Circumstances) -> str:
    """Draw CPU per request and per MiB as bars, the cheapest first."""
    parts: list[str] = []
    y = 8
    for scenario, metric in _PICTURED.items():
        found = [
            (value, subject)
            for subject in results.subjects(scenario)
            if (value := results.median(scenario, subject, metric)) is not None
        ]
        if found:
            bars = [(value, under.label(subject), _COLOURS.get(subject, _OTHER)) for value, subject in sorted(found)]
            y = _draw_bars(parts, y, f"{scenario}: {UNITS[metric][2]}", bars, UNITS[metric])
    form = f"{CORSPROXY} {under.versions.get(CORSPROXY, '')} on {under.python}"
    for text in (form, ", ".join(under.machine.values())):
        y += _BAR_HEIGHT
        parts.append(f'<text x="8" y="{y - 5}" font-size="11" fill="#475569">{escape(text)}</text>\n')
    width = _LABEL_WIDTH + _BAR_WIDTH + 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 4}" width="{width}" height="{y + 4}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "".join(parts)
        + "</svg>\n"
    )


def _draw_bars(
    parts: list[str], y: int, title: str, bars: list[tuple[float, str, str]], unit: tuple[float, str, str]
) -> int:
    parts.append(f'<text x="8" y="{y + 18}" font-weight="bold">{escape(title)}</text>\n')
    y += _TITLE_HEIGHT - 6
    highest = max(value for value, _, _ in bars)
    for value, label, colour in bars:
        length = _BAR_WIDTH * value / highest
        middle = y + _BAR_HEIGHT - 5
        parts.append(f'<text x="{_LABEL_WIDTH - 8}" y="{middle}" text-anchor="end">{escape(label)}</text>')
        parts.append(
            f'<rect x="{_LABEL_WIDTH}" y="{y + 2}" width="{length:.0f}" height="{_BAR_HEIGHT - 4}" fill="{colour}"/>'
        )
        shown = f"{value * unit[0]:.1f} {unit[1]}"
        parts.append(f'<text x="{_LABEL_WIDTH + length + 6:.0f}" y="{middle}">{escape(shown)}</text>\n')
        y += _BAR_HEIGHT
    return y + 8


def _cpu_info() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
