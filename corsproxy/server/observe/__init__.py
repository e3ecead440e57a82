"""What the process tells: access log, metrics, diagnostics, a developer's terminal."""
