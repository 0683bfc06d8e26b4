"""Keeps a robot's long connection, through all that the platform does.

There is one for each robot: who subscribes evicts whoever was there. So a bot that was evicted
does not fight for it, and asks first whether the database is still its own. Source:
developer.work.weixin.qq.com/document/path/101463.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import Counter, Gauge
from yarl import URL

from bot.clock import Clock, wait_for
from bot.errors import AuthFailed, RateLimited, Unavailable
from bot.messages import Platform
from connectors.http import Http
from connectors.pace import Pace
from connectors.reach import Reach
from connectors.wecom.aibot_frames import NOT_SUBSCRIBED, SUBSCRIBE, Frame
from connectors.wecom.aibot_session import FINISH_S, OnPush, Session
from connectors.wecom.errors import to_error
from connectors.wecom.settings import Aibot

QUIET_S, LONGEST_QUIET_S = 900.0, 7200.0
"""Without a push for so long the subscription is made anew: a connection that answers pings may
have been forgotten. Nights are quiet, so it is asked for less and less often."""

REST_S, LONGEST_REST_S = 600.0, 3600.0
"""After an eviction: whoever took over may be another bot that should not run."""

RESUBSCRIBED_WITHIN_S = 15.0
AT_ONCE = 256  # pushes being stored
DRAIN_S = 0.2  # at our own end: what has arrived already is still taken
_FRAME_BYTES = 4 * 1024 * 1024

_UP = Gauge("gendan_wecom_aibot_up", "Whether the robot's connection stands.", ["app"])
_HEARD = Gauge(
    "gendan_wecom_aibot_heard_timestamp_seconds", "When the robot was last told something.", ["app"]
)
_OPENINGS = Counter(
    "gendan_wecom_aibot_openings_total",
    "Connections asked for, by what became of it: subscribed, failed, refused.",
    ["app", "outcome"],
)
_EVICTIONS = Counter(
    "gendan_wecom_aibot_evictions_total", "How often another connection took over.", ["app"]
)

log = logging.getLogger(__name__)


async def _always() -> bool:
    return True


async def _nowhere(_: Session, __: Frame) -> None:
    raise LookupError("nobody stores what is pushed")


class AibotLink:
    """The long connection of one robot. `run` keeps the connection, until `stop`. may_open: whether
    this process is still the one that serves its database; asked before each opening."""

    def __init__(
        self,
        robot: Aibot,
        http: Http,
        clock: Clock,
        *,
        may_open: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._robot = robot
        self._http = http
        self._clock = clock
        self._may_open = may_open or _always
        self._pace = Pace(random.Random())  # noqa: S311 - spreads the load, hides nothing
        self._on_push: OnPush = _nowhere
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._session: Session | None = None
        self._reading: dict[Session, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._quiet_s = QUIET_S
        self._rest_s = REST_S
        self._rest_until = 0.0
        self._reach = Reach(
            self._pace, clock, count=self._count_opening, log=log, fields=self._fields()
        )

    @property
    def platform(self) -> str:
        return Platform.WECOM

    @property
    def app(self) -> str:
        return self._robot.name

    @property
    def refusal(self) -> str:
        """Why we may not connect; "" while nobody says so."""
        return self._reach.refusal

    @property
    def down_since(self) -> datetime | None:
        return self._reach.down_since

    @property
    def trouble(self) -> str:
        """Why no push can come; "" while one can."""
        return self._reach.trouble

    @property
    def session(self) -> Session | None:
        """The one that stands, by which the answers to its own callbacks must go."""
        return self._session

    def attach(self, on_push: OnPush) -> None:
        """Who stores what is pushed; before `run`."""
        self._on_push = on_push

    async def run(self) -> None:
        """Until `stop`; then what is being stored is waited for. May be run again
        after that."""
        self._stopping.clear()
        self._reach.begin()
        while not self._stopping.is_set():
            left_s = self._quiet_left_s()
            if left_s > 0:
                self._changed.clear()
                await wait_for(self._changed, left_s)
            else:
                await self._open_one()
        await asyncio.sleep(DRAIN_S)
        for session in list(self._reading):
            await session.close("stopped")
        if self._reading:
            await asyncio.wait(self._reading.values(), timeout=FINISH_S + 5.0)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping.set()
        self._changed.set()

    async def up(self) -> None:
        """Wait until pushes can come."""
        await self._reach.up.wait()

    async def request(
        self, cmd: str, body: Mapping[str, Any] | None, *, req_id: str = ""
    ) -> Mapping[str, Any]:
        """The body of the acknowledgement. Raises TransientError or PermanentError.

        Where the platform has forgotten the subscription, it is made anew and the same is
        asked once more: taken for final, that answer lost replies.
        """
        ack = await self._ask(cmd, body, req_id)
        if ack.errcode == NOT_SUBSCRIBED:
            await wait_for(self._reach.up, RESUBSCRIBED_WITHIN_S)
            ack = await self._ask(cmd, body, req_id)
        if ack.errcode:
            error = to_error(f"wecom:{cmd}", 200, ack.errcode, ack.errmsg)
            raise Unavailable(str(error)) if ack.errcode == NOT_SUBSCRIBED else error
        return ack.body

    async def _ask(self, cmd: str, body: Mapping[str, Any] | None, req_id: str) -> Frame:
        session = self._session
        if session is None:
            raise Unavailable(f"wecom:{cmd}: {self.trouble}")
        ack = await session.request(cmd, body, req_id=req_id)
        if ack.errcode == NOT_SUBSCRIBED:
            self._lose(session, "the platform forgot the subscription")
            await session.close("unsubscribed")
        return ack

    def _quiet_left_s(self) -> float:
        """How long the present connection may go on without a push; 0 when there is none."""
        session = self._session
        if session is None:
            return 0.0
        if session.heard_at > session.begun_at:
            self._quiet_s = QUIET_S
        return session.heard_at + self._quiet_s - self._now()

    async def _open_one(self) -> None:
        """Wait for its time, then try once."""
        while (wait_s := self._wait_s()) > 0 and not self._stopping.is_set():
            await wait_for(self._stopping, wait_s)
        if self._stopping.is_set():
            return
        if self._session is not None:
            self._quiet_s = min(2 * self._quiet_s, LONGEST_QUIET_S)
        with self._reach.opening():
            await self._subscribe()

    def _wait_s(self) -> float:
        return max(self._pace.wait_s(self._now()), self._rest_until - self._now())

    async def _subscribe(self) -> None:
        """A new connection beside the one that stands, if one does: the platform closes that
        one, and no push falls between the two. Raises TransientError or PermanentError."""
        if not await self._may_open():
            raise AuthFailed("数据库已由另一个进程接管，这里不再连接（请停掉这个进程）")
        url, what = URL(self._robot.ws_url), "wecom:aibot"
        ws = await self._http.websocket(url, heartbeat_s=None, limit_bytes=_FRAME_BYTES, what=what)
        session, before = Session(ws, self._push, self._slots), self._session
        if before is not None:
            before.is_retiring = True
        self._reading[session] = asyncio.create_task(self._keep(session), name="aibot")
        try:
            body = {"bot_id": self._robot.bot_id, "secret": self._robot.secret}
            ack = await session.request(SUBSCRIBE, body)
            if ack.errcode:
                error = to_error("wecom:aibot_subscribe", 200, ack.errcode, ack.errmsg)
                if isinstance(error, Unavailable | RateLimited):
                    raise error
                raise AuthFailed(f"{error}（请核对 BotID 和 Secret）")
        except BaseException:
            if before is not None:
                before.is_retiring = False
            await session.close("not subscribed")
            raise
        self._take_over(session, before)

    def _take_over(self, session: Session, before: Session | None) -> None:
        self._count_opening("subscribed")
        self._session = session
        if before is not None:
            before.leave("renewed")
        _UP.labels(self.app).set(1)
        self._reach.gained()

    async def _push(self, session: Session, frame: Frame) -> None:
        _HEARD.labels(self.app).set(self._clock.now().timestamp())
        self._rest_s = REST_S
        await self._on_push(session, frame)

    async def _keep(self, session: Session) -> None:
        why = "failed"
        try:
            why = await session.read()
        except Exception:
            log.exception("a connection broke", extra=self._fields())
        finally:
            del self._reading[session]
            fields = {**self._fields(), "reason": why, "lived_s": round(session.lived_s)}
            log.info("a connection is over", extra=fields)
            self._lose(session, f"连接断开：{why}")

    def _lose(self, session: Session, why: str) -> None:
        """It brings no push any more."""
        if session is not self._session:
            return
        self._session = None
        self._reach.lost()
        _UP.labels(self.app).set(0)
        self._reach.failure = why
        self._pace.ended(self._now(), lived_s=session.lived_s)
        if session.is_evicted and not session.is_retiring:
            self._rest()
        elif not self._stopping.is_set():
            log.warning("the connection is lost", extra={**self._fields(), "reason": why})
        self._changed.set()

    def _rest(self) -> None:
        """Longer after each eviction without a push in between."""
        _EVICTIONS.labels(self.app).inc()
        self._rest_until = self._now() + self._rest_s
        self._reach.refusal = (
            f"别处用同一个 BotID 连上了，这里让出 {self._rest_s / 60:.0f} 分钟后再连"
            "（请停掉另一处，同一个机器人只能有一个连接）"
        )
        self._rest_s = min(2 * self._rest_s, LONGEST_REST_S)
        log.error("another connection took over", extra=self._fields())

    def _count_opening(self, outcome: str) -> None:
        _OPENINGS.labels(self.app, outcome).inc()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _fields(self) -> dict[str, object]:
        return {"action": "aibot", "channel": self._robot.channel}
