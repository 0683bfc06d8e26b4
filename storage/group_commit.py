"""Group commit: many doors append, one task writes all that waits in one transaction."""

from __future__ import annotations

import asyncio
from collections import deque

from sqlalchemy.exc import OperationalError

from bot.messages import Envelope
from storage.trouble import worth_another_try
from storage.writers import Writer

MAX_BATCH = 500
ROUNDS = 3  # of the loop, from a socket to here
HANDLED_S = 60e-6  # from a socket to here, for each

Waiting = tuple[Envelope, asyncio.Future[int | None]]


class GroupCommit:
    """No timer: a batch is whatever arrived while the one before was being committed, and
    what else comes without a pause, until it is worth a commit."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._worth = MAX_BATCH
        self._time = asyncio.get_running_loop().time
        self._task = asyncio.create_task(self._run(), name="group commit")

    async def append(self, envelope: Envelope) -> int | None:
        """The id, once it is durable; None if the delivery was known. Raises what the
        database said against this envelope."""
        if self._closing:
            raise RuntimeError("the database is closed")
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((envelope, answer))
        self._arrived.set()
        return await answer

    async def close(self) -> None:
        """Write what still waits, then end."""
        self._closing = True
        self._arrived.set()
        await self._task

    async def _run(self) -> None:
        while not (self._closing and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                await self._let_join()
                async with self._writer.turn:
                    await self._commit(self._take())

    async def _let_join(self) -> None:
        """Whoever is on the way comes with this batch."""
        quiet = 0
        while quiet < ROUNDS and len(self._waiting) < self._worth:
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = 0 if len(self._waiting) > before else quiet + 1

    def _take(self) -> list[Waiting]:
        size = min(len(self._waiting), self._worth)
        return [self._waiting.popleft() for _ in range(size)]

    def _learn(self, answered: int, took_s: float) -> None:
        """Where others commit, half of those who come and go travel while the other half is being
        committed, and neither side waits for the other. Unless that takes longer than handling all
        of them: then they had better come together."""
        seen = answered + len(self._waiting)
        halves = self._writer.commits_elsewhere and took_s < seen * HANDLED_S
        self._worth = min((seen + 1) // 2, MAX_BATCH) if halves else MAX_BATCH

    async def _commit(self, batch: list[Waiting]) -> None:
        began = self._time()
        try:
            ids = await self._writer.append([envelope for envelope, _ in batch])
        except Exception as error:  # noqa: BLE001 - each door that waits gets it
            if len(batch) == 1 or _hits_everyone(error):
                _refuse(batch, error)
                return
            for one in batch:  # only the guilty one shall fail
                await self._commit([one])
            return
        for (_, answer), inbox_id in zip(batch, ids, strict=True):
            if not answer.done():
                answer.set_result(inbox_id)
        self._learn(len(batch), self._time() - began)


def _hits_everyone(error: Exception) -> bool:
    """Disk full, locked, connection gone, too slow: trying one by one would only take longer."""
    return worth_another_try(error) is not None or isinstance(error, OperationalError | OSError)


def _refuse(batch: list[Waiting], error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)
