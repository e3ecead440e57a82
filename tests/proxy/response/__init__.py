"""Tests of the rooms of corsproxy/proxy/response, each of which imports its room alone."""
