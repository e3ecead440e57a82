"""WsgiDAV, a WebDAV server, with its own CORS middleware on; the folder to serve is the one argument.

Its command takes no port 0, which is all that this file is for.
"""

import sys

from cheroot.wsgi import Server
from wsgidav.wsgidav_app import WsgiDAVApp  # type: ignore[import-untyped]  # it has no stubs

application = WsgiDAVApp(
    {
        "provider_mapping": {"/": sys.argv[1]},
        "simple_dc": {"user_mapping": {"*": True}},
        "cors": {"allow_origin": "*", "allow_methods": ["*"], "allow_headers": ["*"], "allow_credentials": True},
        "verbose": 1,
        "logging": {"enable": False},
    }
)
server = Server(("127.0.0.1", 0), application)
server.prepare()
print(f"listening on http://127.0.0.1:{server.bind_addr[1]}", flush=True)
server.serve()
