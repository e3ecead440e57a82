"""The tools besides `serve`: explain, probe, verify, learn, check, init, schema, demo."""
