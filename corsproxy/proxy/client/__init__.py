"""The client side of a connection: reading heads and content, pausing, deadlines, and closing gently.

`connection` is the asyncio protocol, `listener` makes one for each client; the other rooms know no transport or touch
only that.
Knows nothing about routes, policies or upstreams.
"""

from corsproxy.proxy.client.aiohttp_import import import_aiohttp

import_aiohttp()
