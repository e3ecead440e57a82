"""Writing responses for the client, the upstream's and the proxy's own: values in, bytes out, no socket."""
