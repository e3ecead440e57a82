"""Tests of the rooms of corsproxy/proxy/request, each of which imports its room alone."""
