"""`corsproxy init`: a commented starter file, or one that does what the options of quick mode do."""

from corsproxy.tools.init.command import InitOptions, init_command
from corsproxy.tools.init.starter import STARTER

__all__ = ["STARTER", "InitOptions", "init_command"]
