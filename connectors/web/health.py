"""Liveness, readiness and metrics."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import nan

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

_OUTBOX_OVERDUE = Gauge(
    "gendan_outbox_overdue_seconds",
    "By how long the first message that waits for an application is late.",
    ["platform", "app"],
)
_LIGHTS = Gauge("gendan_lights_open", "Lights that are on.", ["colour"])
_DISPUTES = Gauge("gendan_disputes_open", "Disputes about bonuses that nobody has decided.")
_DISPUTE_AGE = Gauge(
    "gendan_dispute_oldest_age_seconds",
    "Since when the one that has been open longest was submitted; 0 for none.",
)
_CONNECTIONS = Gauge(
    "gendan_database_connections", "Connections of the pool: used now, or idle.", ["state"]
)
_ARCHIVE_LAG = Gauge(
    "gendan_archive_lag_seconds", "How far the chat archive has been read.", ["app"]
)
_ARCHIVE_SEQ = Gauge("gendan_archive_seq", "The last message read of the chat archive.", ["app"])
_ARCHIVE_OPEN = Gauge(
    "gendan_archive_unread",
    "Of the chat archive: messages that are undecryptable or broken, files_waiting, files_lost.",
    ["app", "kind"],
)

_IN_THE_DATABASE = (
    _STORED, _OVERDUE, _OUTBOX_OVERDUE, _LIGHTS, _ARCHIVE_LAG, _ARCHIVE_SEQ, _ARCHIVE_OPEN,
)  # fmt: skip

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """Each maps the name of a part to "" when it is well, else to what is wrong.

    parts: without one of them nothing can be taken in. others: what we depend on and can
    wait for, such as a platform that is away.
    """

    parts: Mapping[str, str]
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatabaseFigures:
    """What the database says, for the metrics of the same names. stored, overdue_s: by box.
    outbox_overdue_s: by (platform, application). lights: by colour. archives: figures of the
    chat archives by application."""

    stored: Mapping[str, int]
    overdue_s: Mapping[str, float] = field(default_factory=dict)
    outbox_overdue_s: Mapping[tuple[str, str], float] = field(default_factory=dict)
    lights: Mapping[str, int] = field(default_factory=dict)
    disputes: int = 0
    dispute_oldest_s: float = 0.0
    archives: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def routes(
    examine: Callable[[], Awaitable[Health]],
    measure: Callable[[], Awaitable[DatabaseFigures]],
    connections: Callable[[], Mapping[str, int]] = dict,
) -> list[web.RouteDef]:
    """GET /healthz, /readyz and /metrics. connections: of the database's pool, by state."""

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
            _show(await measure())
        except Exception:
            # The other figures are wanted most when the database is away.
            log.exception("stored messages could not be counted", extra={"action": "metrics"})
            for gauge in _IN_THE_DATABASE:
                gauge.clear()
            _DISPUTES.set(nan)
            _DISPUTE_AGE.set(nan)
        for state, count in connections().items():
            _CONNECTIONS.labels(state).set(count)
        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=generate_latest(), headers=headers)

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
    ]


def _show(now: DatabaseFigures) -> None:
    for box, messages in now.stored.items():
        _STORED.labels(box).set(messages)
    for box, seconds in now.overdue_s.items():
        _OVERDUE.labels(box).set(seconds)
    for app, seconds in now.outbox_overdue_s.items():
        _OUTBOX_OVERDUE.labels(*app).set(seconds)
    for colour, lights in now.lights.items():
        _LIGHTS.labels(colour).set(lights)
    _DISPUTES.set(now.disputes)
    _DISPUTE_AGE.set(now.dispute_oldest_s)
    for name, figures in now.archives.items():
        for kind, figure in figures.items():
            match kind:
                case "lag_seconds":
                    _ARCHIVE_LAG.labels(name).set(figure)
                case "seq":
                    _ARCHIVE_SEQ.labels(name).set(figure)
                case _:
                    _ARCHIVE_OPEN.labels(name, kind).set(figure)
