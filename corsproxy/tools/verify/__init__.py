"""`corsproxy verify`: check a live deployment, of any server, against a policy file.

`plan` derives from the file what to ask, `asking` asks it, `judging` compares what a browser would get with what the
file says, `report` writes it down; `command` is the front door.
"""

from corsproxy.tools.verify.command import VerifyOptions, verify_command

__all__ = ["VerifyOptions", "verify_command"]
