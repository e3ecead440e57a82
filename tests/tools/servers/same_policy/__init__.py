"""Servers that nobody here wrote, each with the same policy, configured as its own documentation says."""
