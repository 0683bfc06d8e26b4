"""Long work that a message asks for is done before its transaction, and again after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.errors import Unavailable
from bot.handling import MAX_ATTEMPTS, Handling, Wording
from bot.messages import Incoming, OutboundMessage, Paper
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf, envelope


class Scribe:
    """Fails as often as it is told to. tries: what it was told of each."""

    def __init__(self, database: Database, *, failures: int = 0) -> None:
        self.database = database
        self.failures = failures
        self.tries: list[bool] = []
        self.handled: list[Paper | None] = []

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        self.tries.append(last_try)
        async with self.database.begin() as tx:  # would wait for ever inside another one
            await tx.settings.put("meanwhile", len(self.tries), incoming.at)
        if len(self.tries) <= self.failures and not last_try:
            raise Unavailable("not now")
        return replace(incoming, paper=Paper("sha", incoming.message.text))

    async def handle(self, _: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        self.handled.append(incoming.paper)
        return []


async def handled_by(scribe: Scribe) -> list[Paper | None]:
    dispatcher: Dispatcher[UnitOfWork] = Dispatcher(
        Handling(
            store=scribe.database,
            connectors={("wecom", "sales"): Peer()},
            files=Shelf(),
            handle=scribe.handle,
            clock=FixedClock(START),
            wording=Wording(apology=lambda reference: reference),
            preparations=[scribe],
            backoff_s=0.0,
        ),
    )
    (await dispatcher.accept(envelope("合同")))()
    async with asyncio.timeout(20):
        await dispatcher.drained()
    return scribe.handled


async def test_what_came_of_it_reaches_the_handler(database: Database) -> None:
    assert await handled_by(Scribe(database)) == [Paper("sha", "合同")]


async def test_it_is_tried_again_and_told_when_that_is_the_last_time(database: Database) -> None:
    scribe = Scribe(database, failures=99)
    assert await handled_by(scribe) == [Paper("sha", "合同")]
    assert scribe.tries == [*[False] * (MAX_ATTEMPTS - 1), True]
