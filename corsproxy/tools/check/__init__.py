"""`corsproxy check`: all problems of a file, as lines for people or as JSON for tools."""

from corsproxy.tools.check.command import CheckOptions, Format, check_command

__all__ = ["CheckOptions", "Format", "check_command"]
