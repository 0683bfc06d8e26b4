"""Events of websites come by the thousand: those that arrive together are committed together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from bot.domain.signals import Arrived
from bot.router import Begin
from storage.unit_of_work import UnitOfWork

MAX_BATCH = 500
MAX_WAITING = 20_000  # events; more are refused, and their senders try again

Waiting = tuple[Sequence[Arrived], asyncio.Future[None]]


class Crowded(Exception):
    """More events wait than can be kept up with."""


class SignalIntake:
    """A batch is whatever arrived while the one before was being committed."""

    def __init__(self, begin: Begin[UnitOfWork]) -> None:
        self._begin = begin
        self._waiting: deque[Waiting] = deque()
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    async def accept(self, events: Sequence[Arrived]) -> None:
        """Durable when it returns. Raises Crowded, and what the database said."""
        if self._count >= MAX_WAITING:
            raise Crowded
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        self._count += len(events)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write(), name="signals")
        await done

    async def close(self) -> None:
        """Until what waits is written."""
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # let those on the way join
            batch = self._take()
            try:
                await self._store([event for events, _ in batch for event in events])
            except Exception as error:  # noqa: BLE001 - each door that waits gets it
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    async def _store(self, events: Sequence[Arrived]) -> None:
        async with self._begin() as tx:
            await tx.signals.arrive(events)

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._waiting and size < MAX_BATCH:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0])
        self._count -= size
        return batch
