"""What ships around the program: image, deployment examples, dashboard, rules."""
