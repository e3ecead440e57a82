"""The messages between the parent and a worker.

Each message is a frozen value with plain fields, so that it goes over the channel as JSON and comes out as itself.
A question carries a number, and the answer carries the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corsproxy.config import Configuration, Kind, Options, Source
from corsproxy.server.inspector import Event
from corsproxy.server.observe.counters import Counts
from corsproxy.settings import TlsFiles


@dataclass(frozen=True, slots=True)
class ConfigurationText:
    """A configuration in a form from which another process builds the same."""

    options: Options
    file: str | None
    kind: Kind
    text: str
    tls: TlsFiles | None
    """From the parent, because files on disk may have changed since it read them."""

    @classmethod
    def of(cls, configuration: Configuration) -> ConfigurationText:
        """Write a configuration down."""
        source = configuration.source
        tls = configuration.settings.tls
        return cls(source.options, source.file, source.kind, configuration.loaded.text, tls)

    @property
    def source(self) -> Source:
        """Where the configuration came from."""
        return Source(self.options, self.file, kind=self.kind)


@dataclass(frozen=True, slots=True)
class Start:
    """The first message to a worker: what to serve."""

    configuration: ConfigurationText
    counts: bool
    """True if metrics are needed."""
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
    """Report the numbers now."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class AskEvents:
    """Return the events that the inspector's recorder kept."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class Ping:
    """Confirm that the worker responds."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what is in flight within `drain` seconds, and end."""

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
    """What has been counted since the last report, and what is there now; also sent unsolicited."""

    number: int = 0
    """0 if unsolicited."""
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
    """Events that were left out."""


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
