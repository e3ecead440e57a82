"""Where clients reach the process: listeners, their certificates, and the words about them at start."""
