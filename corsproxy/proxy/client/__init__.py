"""The server side towards clients: reading heads and content, flow control, deadlines, and closing gently.

`connection` is the asyncio protocol, and `listener` creates one for each client. The other modules know no transport,
or only that.
Knows nothing about routes, policies or upstreams.
"""

from corsproxy.proxy.client.aiohttp_import import import_aiohttp

import_aiohttp()
