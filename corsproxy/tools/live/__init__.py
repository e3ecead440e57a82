"""Shared parts of the tools that send requests to a live server, `probe` and `verify`.

The wire, origins that resemble an allowed one, and marks of caches; nothing here judges an answer.
"""
