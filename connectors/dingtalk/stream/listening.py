"""Stream mode: keeps the connections of one application, through all that the platform does."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import datetime

import aiohttp
from prometheus_client import Counter, Gauge

from bot.clock import Clock, WallClock, wait_for
from bot.messages import Platform
from bot.ports import Accept
from bot.tasks import cancel_all
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.connection import FINISH_S, Connection
from connectors.dingtalk.stream.gateway import Gateway
from connectors.dingtalk.stream.intake import Intake
from connectors.http import Http
from connectors.pace import Pace
from connectors.reach import Reach

_STANDING = Gauge(
    "gendan_dingtalk_stream_connections", "Connections that pushes come over.", ["app"]
)
_HEARD = Gauge(
    "gendan_dingtalk_stream_heard_timestamp_seconds", "When the platform was last heard.", ["app"]
)
_OPENINGS = Counter(
    "gendan_dingtalk_stream_openings_total",
    "Connections asked for, by what became of it: opened, failed, refused.",
    ["app", "outcome"],
)

log = logging.getLogger(__name__)


class Stream:
    """One application's connections: `run` keeps them, until `stop`.

    One task opens, so there is never more than one opening under way. A connection that the
    platform is about to close is replaced first and read to its end.
    """

    def __init__(self, app: DingtalkApp, http: Http, accept: Accept, clock: Clock) -> None:
        self._app = app
        self._gateway = Gateway(app, http)
        self._intake = Intake(app, accept, clock)
        self._pace = Pace(random.Random())  # noqa: S311 - spreads the load, hides nothing
        self._standing: set[Connection] = set()
        self._open: dict[Connection, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._opening: asyncio.Task[aiohttp.ClientWebSocketResponse] | None = None
        self._wall = WallClock()
        self._reach = Reach(
            self._pace, clock, count=self._count_opening, log=log, fields=self._fields()
        )

    @property
    def platform(self) -> str:
        return Platform.DINGTALK

    @property
    def app(self) -> str:
        return self._app.name

    @property
    def refusal(self) -> str:
        """Why the platform lets us open none; "" while it does not say so."""
        return self._reach.refusal

    @property
    def down_since(self) -> datetime | None:
        """Since when no push can come; None while one can."""
        return self._reach.down_since

    @property
    def trouble(self) -> str:
        """Why no push can come; "" while one can."""
        return self._reach.trouble

    async def run(self) -> None:
        """Until `stop`; then read no more, wait for what is being stored and answered, and
        close cleanly: pushes that go to a dead socket are lost. May be run
        again after that."""
        self._stopping.clear()
        self._reach.begin()
        while not self._stopping.is_set():
            if len(self._standing) >= self._app.connections:
                self._changed.clear()
                await self._changed.wait()
            else:
                await self._open_one()
        tasks = list(self._open.values())
        for connection in self._open:
            connection.stop()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=FINISH_S + 5.0)
            await cancel_all(late)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping.set()
        self._changed.set()
        if self._opening is not None:
            self._opening.cancel()

    async def up(self) -> None:
        """Wait until pushes can come."""
        await self._reach.up.wait()

    async def _open_one(self) -> None:
        """Wait for its time, then try once."""
        while (wait_s := self._pace.wait_s(self._now())) > 0 and not self._stopping.is_set():
            await wait_for(self._stopping, wait_s)
        if self._stopping.is_set():
            return
        with self._reach.opening():
            self._opening = asyncio.create_task(self._gateway.connect(), name="stream opening")
            try:
                self._begin(await self._opening)
            except asyncio.CancelledError:
                self._opening.cancel()
                if not self._stopping.is_set():
                    raise

    def _begin(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._count_opening("opened")
        connection = Connection(
            ws,
            self._intake,
            on_heard=self._note_heard,
            on_leaving=lambda: self._lost(connection),
        )
        self._standing.add(connection)
        self._open[connection] = asyncio.create_task(self._keep(connection), name="stream")
        self._note_standing()

    async def _keep(self, connection: Connection) -> None:
        why = "failed"
        try:
            why = await connection.read()
        except Exception:
            log.exception("a connection broke", extra=self._fields())
        finally:
            fields = {**self._fields(), "reason": why, "lived_s": round(connection.lived_s)}
            log.info("a connection is over", extra=fields)
            del self._open[connection]
            self._reach.failure = f"连接断开：{why}"

    def _lost(self, connection: Connection) -> None:
        """No push will come over it any more."""
        if connection in self._standing:
            self._standing.discard(connection)
            self._pace.ended(self._now(), lived_s=connection.lived_s)
            self._note_standing()

    def _count_opening(self, outcome: str) -> None:
        _OPENINGS.labels(self.app, outcome).inc()

    def _note_standing(self) -> None:
        """Platform lost: one line. Platform back: one line."""
        _STANDING.labels(self.app).set(len(self._standing))
        self._changed.set()
        if self._standing:
            self._reach.gained()
        elif self._reach.down_since is None:
            self._reach.lost()
            if not self._stopping.is_set():
                log.warning("no connection is left", extra=self._fields())

    def _note_heard(self) -> None:
        _HEARD.labels(self.app).set(self._wall.now().timestamp())

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _fields(self) -> dict[str, object]:
        return {"action": "stream", "channel": f"{self.platform}:{self.app}:stream"}
