"""Configuration: YAML text to shapes with their lines, to compiled settings, or to a list of problems.

The only user of PyYAML; must not know sockets, aiohttp or click.
"""

from corsproxy.config.addresses import parse_listen, parse_upstream_url
from corsproxy.config.json_schema import json_schema
from corsproxy.config.load import Loaded, load_file, load_text
from corsproxy.config.problems import ConfigError, Place, Problem, RefusedError, Span
from corsproxy.config.quick import LOOPBACK_ORIGINS, quick, quick_spec
from corsproxy.config.source import MAX_BYTES

__all__ = [
    "LOOPBACK_ORIGINS",
    "MAX_BYTES",
    "ConfigError",
    "Loaded",
    "Place",
    "Problem",
    "RefusedError",
    "Span",
    "json_schema",
    "load_file",
    "load_text",
    "parse_listen",
    "parse_upstream_url",
    "quick",
    "quick_spec",
]
