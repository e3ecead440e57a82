"""Listening sockets, their certificates, and the start-up lines."""
