"""Configuration: a file or options of the command line, to compiled settings or a list of problems with their places.

The only package that uses PyYAML; it must not know sockets, aiohttp or click.
"""

from corsproxy.config.addresses import parse_listen
from corsproxy.config.configuration import (
    INSPECTOR_ADDRESS,
    Configuration,
    Kind,
    Source,
    find_admin,
    find_source,
    load,
    load_again,
    load_options,
)
from corsproxy.config.json_schema import json_schema
from corsproxy.config.load import Loaded, load_file, load_text
from corsproxy.config.options import Options
from corsproxy.config.problems import ConfigError, Place, Problem, RefusedError, Span, nearest, quote
from corsproxy.config.quick import QUICK_FILE, file_text, load_quick
from corsproxy.config.quick_problems import option_of
from corsproxy.config.quick_text import LOOPBACK_ORIGINS
from corsproxy.config.source import MAX_BYTES
from corsproxy.config.upstream_urls import parse_upstream_url
from corsproxy.config.validity import expiry

__all__ = [
    "INSPECTOR_ADDRESS",
    "LOOPBACK_ORIGINS",
    "MAX_BYTES",
    "QUICK_FILE",
    "ConfigError",
    "Configuration",
    "Kind",
    "Loaded",
    "Options",
    "Place",
    "Problem",
    "RefusedError",
    "Source",
    "Span",
    "expiry",
    "file_text",
    "find_admin",
    "find_source",
    "json_schema",
    "load",
    "load_again",
    "load_file",
    "load_options",
    "load_quick",
    "load_text",
    "nearest",
    "option_of",
    "parse_listen",
    "parse_upstream_url",
    "quote",
]
