"""Liveness, readiness and metrics."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

_STORED = Gauge(
    "gendan_stored_messages",
    "Messages that wait (inbox, outbox) or were given up (inbox_dead, outbox_dead).",
    ["box"],
)

_OVERDUE = Gauge(
    "gendan_overdue_seconds",
    "How long the oldest delivery in the inbox has waited, how late the outbox is.",
    ["box"],
)

_ARCHIVE = Gauge(
    "gendan_archive",
    "The chat archive: lag_seconds, seq, undecryptable, broken, files_waiting, files_lost.",
    ["app", "what"],
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """Each maps the name of a part to "" when it is well, else to what is wrong.

    parts: without one of them nothing can be taken in. others: what we depend on and can
    wait for, such as a platform that is away.
    """

    parts: Mapping[str, str]
    others: Mapping[str, str] = field(default_factory=dict)


def routes(
    examine: Callable[[], Awaitable[Health]],
    count: Callable[[], Awaitable[Mapping[str, int]]],
    archives: Callable[[], Awaitable[Mapping[str, Mapping[str, float]]]] | None = None,
    *,
    waits: Callable[[], Awaitable[Mapping[str, float]]] | None = None,
) -> list[web.RouteDef]:
    """GET /healthz, /readyz and /metrics. count: stored messages by box. archives: figures of the
    chat archives by application. waits: seconds by box."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        """A platform that is away makes nobody unready: its messages still come in."""
        health = await examine()
        ready = not any(health.parts.values())
        parts = {**health.parts, **health.others}
        troubles = {part: trouble for part, trouble in parts.items() if trouble}
        body = {"ready": ready, "parts": parts, "troubles": troubles}
        return web.json_response(body, status=200 if ready else 503)

    async def metrics(_: web.Request) -> web.Response:
        try:
            for box, messages in (await count()).items():
                _STORED.labels(box).set(messages)
            for box, seconds in (await waits() if waits else {}).items():
                _OVERDUE.labels(box).set(seconds)
            for app, figures in (await archives() if archives else {}).items():
                for what, figure in figures.items():
                    _ARCHIVE.labels(app, what).set(figure)
        except Exception:
            # The other figures are wanted most when the database is away.
            log.exception("stored messages could not be counted", extra={"action": "metrics"})
            _STORED.clear()
            _OVERDUE.clear()
            _ARCHIVE.clear()
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=generate_latest(), headers=headers)

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
    ]
