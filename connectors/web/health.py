"""Liveness, readiness and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Checks = Callable[[], Awaitable[Mapping[str, str]]]
"""Name of a part -> "" when it is well, else what is wrong."""


def routes(ready: Checks) -> list[web.RouteDef]:
    """GET /healthz, /readyz and /metrics."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        found = await ready()
        troubles = {part: trouble for part, trouble in found.items() if trouble}
        body = {"ready": not troubles, "parts": dict(found), "troubles": troubles}
        return web.json_response(body, status=503 if troubles else 200)

    async def metrics(_: web.Request) -> web.Response:
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=generate_latest(), headers=headers)

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
    ]
