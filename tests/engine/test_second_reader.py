"""A second reader is asked before the transaction, and holds up only its own conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.domain.activities import Intent, Record
from bot.handling import Handling, Wording
from bot.messages import Incoming, OutboundMessage
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf, envelope


class Bench:
    """A dispatcher with a second reader that waits as long as it is told to."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.suggested: dict[str, Record | None] = {}
        self.looked_up: list[object] = []
        self.waits: dict[str, asyncio.Event] = {}
        self.wrote_meanwhile = False
        self.dispatcher: Dispatcher[UnitOfWork] = Dispatcher(
            Handling(
                store=database,
                connectors={("wecom", "sales"): Peer()},
                files=Shelf(),
                handle=self._handle,
                clock=FixedClock(START),
                wording=Wording(apology=lambda reference: reference),
                second_reader=self,
                preparations=[self],
            ),
        )

    async def suggest(self, incoming: Incoming) -> Record | None:
        text = incoming.message.text
        if text in self.waits:
            await self.waits[text].wait()
        async with self.database.begin() as tx:  # would wait for ever inside another one
            await tx.settings.put("meanwhile", text, incoming.at)
        self.wrote_meanwhile = True
        return Record(Intent.LOG_CALL, contact=text)

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        async with self.database.begin() as tx:  # as above
            found = await tx.settings.get("meanwhile") or incoming.message.text
        return replace(incoming, looked_up=found)

    async def _handle(self, _: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        self.suggested[incoming.message.text] = incoming.suggested
        self.looked_up.append(incoming.looked_up)
        return []

    async def take(self, *envelopes: Any) -> None:
        for one in envelopes:
            (await self.dispatcher.accept(one))()


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


async def test_what_it_suggests_reaches_the_handler(bench: Bench) -> None:
    await bench.take(envelope("hi"))
    async with asyncio.timeout(20):
        await bench.dispatcher.drained()
    assert bench.suggested == {"hi": Record(Intent.LOG_CALL, contact="hi")}


async def test_no_transaction_is_open_meanwhile(bench: Bench) -> None:
    await bench.take(envelope("hi"))
    async with asyncio.timeout(20):
        await bench.dispatcher.drained()
    assert bench.wrote_meanwhile


async def test_other_conversations_go_on_while_it_thinks(bench: Bench) -> None:
    bench.waits["slow"] = asyncio.Event()
    await bench.take(
        envelope("slow", by="zhang3"),
        envelope("next", by="zhang3", number=2, seconds=1),
        *[envelope(f"quick {number}", by=f"li{number}") for number in range(50)],
    )
    async with asyncio.timeout(20):
        while len(bench.suggested) < 50:  # noqa: ASYNC110 - the last of them has no event
            await asyncio.sleep(0.001)
    assert "slow" not in bench.suggested
    assert "next" not in bench.suggested
    bench.waits["slow"].set()
    async with asyncio.timeout(20):
        await bench.dispatcher.drained()
    assert list(bench.suggested)[-2:] == ["slow", "next"]


async def test_what_the_handler_wants_to_know_is_read_before_its_transaction(bench: Bench) -> None:
    await bench.take(envelope("漏斗"))
    await bench.dispatcher.drained()
    assert bench.looked_up == ["漏斗"]
