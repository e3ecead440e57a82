"""The upstream side: an HTTP/1.1 client that forwards faithfully.

`reader` turns bytes into one response and knows no socket; `connection` is one connection, `dial` makes it, `pool`
keeps it.
"""
