"""`corsproxy learn`: from recorded traffic and the configuration in force, a whole new file with the smallest policies.

`traffic` counts the log, `suspects` says what looks like an attack, `grouping` makes patterns if they are safe,
`proposal` makes one policy for each route, `writing` puts them into the text in force; `command` is the front door.
What is written has been loaded: it passes `corsproxy check`.
"""

from corsproxy.tools.learn.command import LearnOptions, learn, learn_command

__all__ = ["LearnOptions", "learn", "learn_command"]
