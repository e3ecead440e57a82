"""The demo's legacy API: it works, knows nothing about preflights, and gets CORS wrong in a different way on each path.

Every mistake here is one that real servers make; `calls.py` explains what a browser does with it.
This module must not know that there is a proxy.
"""

from __future__ import annotations

import json

from aiohttp import web

VISITS = "legacy_visits"
"""The cookie in which the API counts visits; SameSite=Lax is its only protection."""

_ORDERS = {
    7: {"id": 7, "item": "typewriter ribbon", "quantity": 2},
    8: {"id": 8, "item": "carbon paper", "quantity": 500},
    9: {"id": 9, "item": "punch cards", "quantity": 80},
}


def legacy_api() -> web.Application:
    """Return the API; it answers 405 to every OPTIONS, like servers that were written without preflights in mind."""
    application = web.Application()
    application.router.add_get("/orders", _list_orders)
    application.router.add_put("/orders/{number:[0-9]{1,9}}", _change_order)
    application.router.add_get("/account", _show_account)
    application.router.add_get("/reports/2019", _fail)
    return application


async def _list_orders(_request: web.Request) -> web.Response:
    """Answer with two lines for one field, in odd letter case, both with a wrong origin."""
    fields = [
        ("X-Total-Count", str(len(_ORDERS))),
        ("access-control-ALLOW-origin", "http://legacy.invalid"),
        ("Access-Control-Allow-Origin", "http://legacy.invalid"),
    ]
    return _json(list(_ORDERS.values()), fields=fields)


async def _change_order(request: web.Request) -> web.Response:
    """Answer with a star, which is too late: without a granted preflight no browser sends this request."""
    number = int(request.match_info["number"])
    if number not in _ORDERS:
        return _json({"error": "no such order"}, status=404)
    try:
        wanted = json.loads(await request.read())
        quantity = int(wanted["quantity"])
    except (ValueError, TypeError, KeyError):
        return _json({"error": 'send {"quantity": number} as JSON'}, status=400)
    changed = {**_ORDERS[number], "quantity": quantity}
    return _json({"saved": changed}, fields=[("Access-Control-Allow-Origin", "*")])


async def _show_account(request: web.Request) -> web.Response:
    """Answer with a star and credentials, a combination that browsers refuse."""
    seen = request.cookies.get(VISITS, "0")
    visits = int(seen) + 1 if seen.isdecimal() and len(seen) < 10 else 1
    fields = [("ACCESS-CONTROL-ALLOW-ORIGIN", "*"), ("Access-Control-Allow-Credentials", "true")]
    response = _json({"customer": "Ada", "visits": visits}, fields=fields)
    response.set_cookie(VISITS, str(visits), path="/", httponly=True, samesite="Lax")
    return response


async def _fail(_request: web.Request) -> web.Response:
    """Answer an error without CORS, like a server that adds it only in the code path of success."""
    fields = [("X-Error-Reference", "R-2019-17")]
    return _json({"error": "the report for 2019 was never finished"}, status=500, fields=fields)


def _json(content: object, *, status: int = 200, fields: list[tuple[str, str]] | None = None) -> web.Response:
    response = web.Response(text=json.dumps(content), content_type="application/json", status=status)
    for name, value in (("Server", "LegacyDesk/1.3"), *(fields or [])):
        response.headers.add(name, value)
    return response
