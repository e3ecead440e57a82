"""What is read of a request and what an upstream is sent of it: bytes in, values and bytes out, no socket."""
