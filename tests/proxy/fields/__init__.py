"""Tests of the rooms of corsproxy/proxy/fields, each of which imports its room alone."""
