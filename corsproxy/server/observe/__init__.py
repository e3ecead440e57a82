"""The output of the process: access log, metrics, diagnostics, a developer's terminal."""
