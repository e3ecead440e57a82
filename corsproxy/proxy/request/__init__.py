"""Reading client requests: head, target, expectation, and content collected in advance. No module knows a socket."""
