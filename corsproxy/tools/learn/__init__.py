"""`corsproxy learn`: from recorded traffic and the current configuration, a new file with the smallest policies.

`traffic` counts the log, `suspects` finds origins that look like an attack, `grouping` makes safe patterns, `proposal`
makes a policy for each route, `writing` writes them into the current text; `command` is the front door.
The proposed file is loaded before it is printed, so it passes `corsproxy check`.
"""

from corsproxy.tools.learn.command import LearnOptions, learn, learn_command

__all__ = ["LearnOptions", "learn", "learn_command"]
