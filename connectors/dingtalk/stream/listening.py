"""Stream mode: keeps the connections of one application, through all that the platform does."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import datetime

import aiohttp
from prometheus_client import Counter, Gauge

from bot.clock import Clock, WallClock, wait_for
from bot.errors import PermanentError, TransientError
from bot.messages import Platform
from bot.ports import Accept
from bot.tasks import cancel_all
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.connection import FINISH_S, Connection
from connectors.dingtalk.stream.gateway import Gateway
from connectors.dingtalk.stream.intake import Intake
from connectors.http import Http
from connectors.pace import Pace

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
        self._clock = clock
        self._gateway = Gateway(app, http)
        self._intake = Intake(app, accept, clock)
        self._pace = Pace(random.Random())  # noqa: S311 - spreads the load, hides nothing
        self._standing: set[Connection] = set()
        self._open: dict[Connection, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._can_hear = asyncio.Event()
        self._stopping = asyncio.Event()
        self._opening: asyncio.Task[aiohttp.ClientWebSocketResponse] | None = None
        self._wall = WallClock()
        self._refusal = ""
        self._failure = "还没有连上"
        self._down_since: datetime | None = clock.now()

    @property
    def platform(self) -> str:
        return Platform.DINGTALK

    @property
    def app(self) -> str:
        return self._app.name

    @property
    def refusal(self) -> str:
        """Why the platform lets us open none; "" while it does not say so."""
        return self._refusal

    @property
    def down_since(self) -> datetime | None:
        """Since when no push can come; None while one can."""
        return self._down_since

    @property
    def trouble(self) -> str:
        """Why no push can come; "" while one can."""
        if self._down_since is None:
            return ""
        return self._refusal or self._failure

    async def run(self) -> None:
        """Until `stop`; then read no more, wait for what is being stored and answered, and
        close cleanly: pushes that go to a dead socket are lost. May be run
        again after that."""
        self._stopping.clear()
        self._down_since = self._clock.now() if self._down_since else None
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
        await self._can_hear.wait()

    async def _open_one(self) -> None:
        """Wait for its time, then try once."""
        while (wait_s := self._pace.wait_s(self._now())) > 0 and not self._stopping.is_set():
            await wait_for(self._stopping, wait_s)
        if self._stopping.is_set():
            return
        self._pace.began(self._now())
        self._opening = asyncio.create_task(self._gateway.connect(), name="stream opening")
        try:
            ws = await self._opening
        except asyncio.CancelledError:
            self._opening.cancel()
            if not self._stopping.is_set():
                raise
        except PermanentError as error:
            self._pace.refused(self._now())
            self._failed(str(error), "refused")
        except TransientError as error:
            self._pace.failed(self._now(), retry_after_s=error.retry_after_s)
            self._failed(str(error), "failed")
        except Exception as error:
            log.exception("a connection could not be opened", extra=self._fields())
            self._pace.failed(self._now())
            self._failed(type(error).__name__, "failed")
        else:
            self._begin(ws)

    def _begin(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        _OPENINGS.labels(self.app, "opened").inc()
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
            self._failure = f"连接断开：{why}"

    def _lost(self, connection: Connection) -> None:
        """No push will come over it any more."""
        if connection in self._standing:
            self._standing.discard(connection)
            self._pace.ended(self._now(), lived_s=connection.lived_s)
            self._note_standing()

    def _failed(self, why: str, outcome: str) -> None:
        """One line when it begins to fail; the rest is in the counter."""
        _OPENINGS.labels(self.app, outcome).inc()
        if not self._refusal and outcome == "refused":
            log.error("no connection is allowed", extra={**self._fields(), "error": why})
        self._refusal = why if outcome == "refused" else ""
        self._failure = why

    def _note_standing(self) -> None:
        """Platform lost: one line. Platform back: one line."""
        _STANDING.labels(self.app).set(len(self._standing))
        self._changed.set()
        if self._standing:
            self._refusal = ""
            self._can_hear.set()
            if self._down_since is not None:
                log.info("listening", extra=self._fields())
            self._down_since = None
        elif self._down_since is None:
            self._can_hear.clear()
            self._down_since = self._clock.now()
            if not self._stopping.is_set():
                log.warning("no connection is left", extra=self._fields())

    def _note_heard(self) -> None:
        _HEARD.labels(self.app).set(self._wall.now().timestamp())

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _fields(self) -> dict[str, object]:
        return {"action": "stream", "channel": f"{self.platform}:{self.app}:stream"}
