"""User mistakes, wherever they are found: one line and an exit status, never a traceback."""


class UsageError(Exception):
    """A command that cannot be carried out as given; the message has the reason and the remedy."""

    status = 2
    """The exit status of the program."""


class ListenError(UsageError):
    """A listener cannot be opened now: its port is in use, or its address does not exist yet.

    It has its own status, so that a supervisor can retry, which is pointless with a bad configuration.
    """

    status = 3
