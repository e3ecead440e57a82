"""`corsproxy schema`: the JSON Schema of the configuration file, for editors."""

from corsproxy.tools.schema.command import schema_command

__all__ = ["schema_command"]
