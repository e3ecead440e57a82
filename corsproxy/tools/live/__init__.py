"""What the tools that ask a live server share: the wire, origins that resemble an allowed one, caches by their marks.

`probe` and `verify` ask through this; nothing here judges an answer.
"""
