"""Tests of what ships with the program: image, deployment examples, dashboard, rules."""
