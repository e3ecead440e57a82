"""What corsproxy does besides serving: explain, probe, learn, check, init, schema, demo."""
