"""Tests of the CORS core; none of them needs an event loop."""
