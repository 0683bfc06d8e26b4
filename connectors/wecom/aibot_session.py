"""One WebSocket of a robot: its frames sent and acknowledged, its pushes handed on.

Source: developer.work.weixin.qq.com/document/path/101463; time limits as in the platform's own
client. An open socket says little: the platform may have forgotten the subscription, and a
write may hang for ever.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import aiohttp

from bot.errors import TimedOut, Unavailable
from connectors.http import NotSent
from connectors.wecom.aibot_frames import EVENT, MESSAGE, PING, Frame, read_frame, write_frame

ACK_WITHIN_S = 5.0
SENT_WITHIN_S = 5.0
PING_EVERY_S = 30.0
MOST_UNANSWERED_PINGS = 2
LINGER_S = 5.0  # what has been pushed before the end is still read
FINISH_S = 10.0  # at our own end: for what is being stored

log = logging.getLogger(__name__)

OnPush = Callable[["Session", Frame], Coroutine[Any, Any, None]]


class Session:
    """One WebSocket of a robot, from its subscription to its end. on_push: stores a push and
    returns when it is stored; it is called beside the reading. slots: how many pushes may be stored
    at once; more are not read yet.

    is_evicted: another connection has taken over. is_retiring: so it has, and it is ours.
    """

    def __init__(
        self, ws: aiohttp.ClientWebSocketResponse, on_push: OnPush, slots: asyncio.Semaphore
    ) -> None:
        self._ws = ws
        self._on_push = on_push
        self._loop = asyncio.get_running_loop()
        self._waiting: defaultdict[str, deque[asyncio.Future[Frame]]] = defaultdict(deque)
        self._work: set[asyncio.Task[None]] = set()
        self._slots = slots
        self._leaving: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._why = ""
        self.begun_at = self._loop.time()
        self.heard_at = self.begun_at
        self.is_evicted = False
        self.is_retiring = False

    @property
    def lived_s(self) -> float:
        return self._loop.time() - self.begun_at

    async def read(self) -> str:
        """Until it is over and all that it brought is stored; why, in a word or two."""
        pinging = asyncio.create_task(self._ping(), name="aibot ping")
        try:
            async for received in self._ws:
                if received.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    await self._hear(received.data)
        finally:
            pinging.cancel()
            self._give_up_waiting()
            await self._finish()
        return self._why or f"closed ({self._ws.close_code})"

    async def request(self, cmd: str, body: Mapping[str, Any] | None, *, req_id: str = "") -> Frame:
        """The acknowledgement, whatever it says. req_id: of the callback that is answered.

        Raises NotSent when it certainly went nowhere, TimedOut when it may have arrived.
        """
        name = req_id or secrets.token_hex(12)
        waiting: asyncio.Future[Frame] = self._loop.create_future()
        await self._write(write_frame(cmd, name, body), waiting, name)
        try:
            async with asyncio.timeout(ACK_WITHIN_S):
                return await waiting
        except TimeoutError:
            raise TimedOut(f"wecom:{cmd}: not acknowledged in {ACK_WITHIN_S:g} s") from None
        finally:
            self._forget(name, waiting)

    async def close(self, why: str) -> None:
        """End it; `read` comes to its end."""
        self._why = self._why or why
        try:
            async with asyncio.timeout(SENT_WITHIN_S):
                await self._ws.close()
        except TimeoutError:
            log.info("the other end does not say goodbye", extra={"action": "aibot"})

    def leave(self, why: str) -> None:
        """Close it in a while, when what is on its way has come."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._close_later(why), name="aibot leaving")

    async def _close_later(self, why: str) -> None:
        await asyncio.sleep(LINGER_S)
        await self.close(why)

    async def _write(self, text: str, waiting: asyncio.Future[Frame], name: str) -> None:
        """In the order of asking. A write that hangs is the end of the connection."""
        if self._ws.closed:
            raise NotSent("wecom:aibot: the connection is over")
        try:
            async with asyncio.timeout(SENT_WITHIN_S), self._writing:
                self._waiting[name].append(waiting)
                await self._ws.send_str(text)
        except TimeoutError:
            self._forget(name, waiting)
            await self.close("a write hung")
            raise Unavailable("wecom:aibot: the connection took nothing") from None
        except ConnectionError:
            self._forget(name, waiting)
            raise NotSent("wecom:aibot: the connection is over") from None

    def _forget(self, name: str, waiting: asyncio.Future[Frame]) -> None:
        if waiting in self._waiting[name]:
            self._waiting[name].remove(waiting)
        if not self._waiting[name]:
            del self._waiting[name]

    async def _ping(self) -> None:
        unanswered = 0
        while True:
            await asyncio.sleep(PING_EVERY_S)
            try:
                await self.request(PING, None)
                unanswered = 0
            except TimedOut:
                unanswered += 1
            except Unavailable:
                return
            if unanswered >= MOST_UNANSWERED_PINGS:
                await self.close("dead")
                return

    async def _hear(self, raw: str | bytes) -> None:
        frame = read_frame(raw)
        if frame is None:
            log.warning("a frame that is none", extra={"action": "aibot"})
        elif not frame.cmd:
            waiting = self._waiting.get(frame.req_id)
            if waiting and not waiting[0].done():
                waiting.popleft().set_result(frame)
        elif frame.cmd == EVENT and frame.is_eviction:
            self.is_evicted = True
            self.leave("evicted")
        elif frame.cmd in (MESSAGE, EVENT):
            self.heard_at = self._loop.time()
            await self._slots.acquire()
            task = asyncio.create_task(self._on_push(self, frame), name="aibot push")
            self._work.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        self._slots.release()
        if not task.cancelled() and task.exception() is not None:
            log.error("a push was not taken", exc_info=task.exception(), extra={"action": "aibot"})

    def _give_up_waiting(self) -> None:
        error = TimedOut("wecom:aibot: the connection ended before the acknowledgement")
        for waiting in self._waiting.values():
            for one in waiting:
                if not one.done():
                    one.set_exception(error)

    async def _finish(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        if self._work:
            await asyncio.wait(self._work, timeout=FINISH_S)
        await self._ws.close()
