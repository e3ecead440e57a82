"""The messages between the parent and a worker.

Each message is a frozen value with plain fields, so that it can be sent as JSON and read back.
A question has a number, and its answer has the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corsproxy.config import Configuration, Kind, Options, Source
from corsproxy.server.inspector import Event
from corsproxy.server.observe.counters import Counts
from corsproxy.settings import TlsFiles


@dataclass(frozen=True, slots=True)
class ConfigurationText:
    """A configuration as text, from which another process can build the same one."""

    options: Options
    file: str | None
    kind: Kind
    text: str
    tls: TlsFiles | None
    """The parent's value, which the text alone does not give: of `--https`, or kept by a reload."""

    @classmethod
    def of(cls, configuration: Configuration) -> ConfigurationText:
        """Return a configuration as text."""
        source = configuration.source
        tls = configuration.settings.tls
        return cls(source.options, source.file, source.kind, configuration.loaded.text, tls)

    @property
    def source(self) -> Source:
        """The source that the parent has loaded the configuration from."""
        return Source(self.options, self.file, kind=self.kind)


@dataclass(frozen=True, slots=True)
class Start:
    """What to serve: the first message to a worker."""

    configuration: ConfigurationText
    counts: bool
    """True if metrics are counted."""
    inspects: bool
    shows_fields: bool
    via_token: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """Prepare a configuration, without changing anything yet."""

    configuration: ConfigurationText
    number: int = 0


@dataclass(frozen=True, slots=True)
class Commit:
    """Put the last prepared configuration in force."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class AskReport:
    """Report the counts and gauges now."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class AskEvents:
    """Send the events that the inspector's recorder has kept."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class Ping:
    """Confirm that the worker responds."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish the requests in flight within `drain` seconds, and end."""

    drain: float


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker accepts connections."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The answer to `Prepare`."""

    number: int
    error: str | None
    """Why the configuration cannot be used; None if it can."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The answer to `Commit`."""

    number: int


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """The counts since the last report, and the current gauges; the answer to `AskReport`, and sent regularly."""

    number: int = 0
    """0 if nobody asked for it."""
    counts: Counts = field(default_factory=Counts)
    connections: int = 0
    in_flight: int = 0
    upstream_connections: tuple[tuple[str, str, int], ...] = ()
    """Upstream, state and count."""
    process: dict[str, float] = field(default_factory=dict)
    """What the operating system reports about the worker."""


@dataclass(frozen=True, slots=True)
class Events:
    """The answer to `AskEvents`."""

    number: int
    events: list[Event]
    skipped: int
    """The number of events that were left out."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to `Ping`."""


@dataclass(frozen=True, slots=True)
class Drained:
    """The worker has stopped serving."""

    in_time: bool
    """True if nothing had to be cut."""


Question = Prepare | Commit | AskReport | AskEvents
Answer = Prepared | Committed | WorkerReport | Events
FromParent = Start | Question | Ping | Stop
FromWorker = Ready | Answer | Pong | Drained
