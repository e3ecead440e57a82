"""Old servers as programs of their own: each prints its address and then a line for every request it gets."""
