"""A user's mistake, wherever it is found: told in one line, exit status 2, never a traceback."""


class UsageError(Exception):
    """What was asked for cannot be done as asked; the message says why and what to do instead."""
