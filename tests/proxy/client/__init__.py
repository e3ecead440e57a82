"""Tests of the rooms of corsproxy/proxy/client, each of which imports its room alone."""
