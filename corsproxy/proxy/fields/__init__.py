"""One module for each field that is more than forwarded: its meaning, and its form for the other side."""
