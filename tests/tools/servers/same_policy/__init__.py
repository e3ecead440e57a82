"""Third-party servers, each with the same policy, configured as its own documentation says."""
