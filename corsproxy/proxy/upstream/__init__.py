"""The upstream side: an HTTP/1.1 client that forwards faithfully.

`reader` turns bytes into responses and knows no socket; `connection` is one connection, `dial` opens it, and `pool`
keeps it for the next request.
"""
