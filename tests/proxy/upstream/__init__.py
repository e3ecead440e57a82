"""Tests of the rooms of corsproxy/proxy/upstream, each of which imports its room alone."""
