"""One WebSocket of Stream mode: read to its end, each push stored and answered on it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable

import aiohttp

from connectors.dingtalk.stream.frames import (
    DISCONNECT,
    PING,
    SYSTEM,
    Frame,
    answer,
    echo,
    read_frame,
)
from connectors.dingtalk.stream.intake import Intake

SILENT_S = 90.0
"""Without a frame of the platform for so long the connection is a dead one, though its socket
may answer pings for hours (protocol notes 2.4)."""

LINGER_S = 15.0  # the platform closes about 10 s after it has announced it
DRAIN_S = 0.2  # at our own end: what has arrived already is still taken
FINISH_S = 10.0  # at our own end: for what is being stored
AT_ONCE = 256  # pushes being stored; more are not read yet

log = logging.getLogger(__name__)


class Connection:
    """One WebSocket to DingTalk, read to its end. on_heard: a frame came. on_leaving: no push will
    come any more, though it may still be open; a replacement is wanted now. It may be called
    twice."""

    def __init__(
        self,
        ws: aiohttp.ClientWebSocketResponse,
        intake: Intake,
        *,
        on_heard: Callable[[], None],
        on_leaving: Callable[[], None],
    ) -> None:
        self._ws = ws
        self._intake = intake
        self._on_heard = on_heard
        self._on_leaving = on_leaving
        self._loop = asyncio.get_running_loop()
        self.begun_at = self._loop.time()
        self._over_at = self.begun_at + SILENT_S
        self._stopped_at = math.inf
        self._is_leaving = False
        self._waiting: asyncio.Timeout | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def lived_s(self) -> float:
        return self._loop.time() - self.begun_at

    async def read(self) -> str:
        """Until it is over, and all that it brought is stored; the reason in a word or two."""
        try:
            return await self._read()
        finally:
            self._on_leaving()
            await self._finish()

    def stop(self) -> None:
        """End soon: take what has arrived, then close."""
        self._stopped_at = self._loop.time() + DRAIN_S
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(self._stopped_at)

    async def _read(self) -> str:
        while (received := await self._receive()) is not None:
            if received.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                return f"closed ({self._ws.close_code})"
            await self._heard(received.data)
        if self._stopped_at < math.inf:
            return "stopped"
        return "left" if self._is_leaving else "silent"

    async def _receive(self) -> aiohttp.WSMessage | None:
        """None when nothing came until it was over."""
        try:
            async with asyncio.timeout_at(min(self._over_at, self._stopped_at)) as self._waiting:
                return await self._ws.receive()
        except TimeoutError:
            return None
        finally:
            self._waiting = None

    async def _heard(self, data: str | bytes) -> None:
        self._on_heard()
        if not self._is_leaving:
            self._over_at = self._loop.time() + SILENT_S
        frame = read_frame(data)
        if frame is None:
            log.warning("a push that is no frame", extra={"action": "stream"})
        elif frame.kind == SYSTEM:
            await self._system(frame)
        else:
            await self._slots.acquire()
            task = asyncio.create_task(self._take(frame), name="stream push")
            self._work.add(task)
            task.add_done_callback(self._done)

    async def _system(self, frame: Frame) -> None:
        """Other topics than these say what is known without them."""
        if frame.topic == PING:
            await self._say(echo(frame))
        elif frame.topic == DISCONNECT:
            await self._say(answer(frame, {}))
            if not self._is_leaving:
                self._is_leaving = True
                self._over_at = self._loop.time() + LINGER_S
                self._on_leaving()

    async def _take(self, frame: Frame) -> None:
        taken = await self._intake.take(frame)
        try:
            if taken.answer is not None:
                await self._say(taken.answer)
        finally:
            taken.release()

    async def _say(self, text: str) -> None:
        """On this connection or not at all: what another one is told means nothing."""
        try:
            await self._ws.send_str(text)
        except ConnectionError:
            # It is stored, and will be known when it comes again.
            log.info("nobody waited for an answer", extra={"action": "answer"})

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        self._slots.release()
        if not task.cancelled() and task.exception() is not None:
            log.error("a push was not taken", exc_info=task.exception(), extra={"action": "stream"})

    async def _finish(self) -> None:
        """What is not answered by then the platform may send again."""
        try:
            if self._work:
                stopped = self._stopped_at < math.inf
                await asyncio.wait(self._work, timeout=FINISH_S if stopped else None)
            await self._ws.close()
        finally:
            for task in self._work:
                task.cancel()
