"""What is read of a response and what the client is sent of it: bytes in, bytes out, no socket."""
