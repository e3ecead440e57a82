"""The client side of a connection: heads read, content taken in, reading paused, deadlines kept, the end made gently.

`connection` is the asyncio protocol, `listener` makes one for each client; the other rooms know no transport or touch
only that.
Knows no route, no policy and no upstream.
"""
