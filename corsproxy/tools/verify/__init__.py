"""`corsproxy verify`: check a live deployment, of any server, against a policy file.

`plan` derives the requests from the file, `asking` sends them, `judging` compares what a browser would do with what the
file says, `report` formats the result; `command` is the front door.
"""

from corsproxy.tools.verify.command import VerifyOptions, verify_command

__all__ = ["VerifyOptions", "verify_command"]
