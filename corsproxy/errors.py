"""A user's mistake, wherever it is found: told in one line and by an exit status, never by a traceback."""


class UsageError(Exception):
    """What was asked for cannot be done as asked; the message says why and what to do instead."""

    status = 2
    """The exit status it ends with."""


class ListenError(UsageError):
    """A listener cannot be opened now: its port is taken, or its address is not there yet.

    A status of its own, so that a supervisor may try again where it gives up over a bad configuration.
    """

    status = 3
