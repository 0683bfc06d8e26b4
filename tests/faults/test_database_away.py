"""PostgreSQL at the end of a line that is disturbed, while messages are taken in and while they
are handled: whatever breaks, each of them acts once, in order, and is answered once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from sqlalchemy import make_url, select

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.handling import Handling, Wording
from bot.messages import Envelope, Incoming, OutboundMessage, Text
from storage.database import Database
from storage.tables import inbox, outbox, settings_rows
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf, envelope, until
from tests.faults.line import Line, Trouble, line_to

pytestmark = pytest.mark.postgres

WORDS = ("one", "two", "three")
MOMENTS = ("taken in", "handled", "committed")
CELLS = [(trouble, moment) for moment in MOMENTS for trouble in Trouble]
PATIENCE_S = 1.0  # of the server with a statement; the bot waits twice as long for its answer
SLOW = {Trouble.HANGS, Trouble.DRIPS}


@dataclass
class Office:
    """A dispatcher whose handler notes each word in the transaction that answers it. direct: a
    way to the database that nothing disturbs. ahead: what breaks while the next word is handled,
    from its first statement on or from its commit."""

    line: Line
    database: Database
    direct: Database
    said: int = 0
    ahead: tuple[Trouble, str] | None = None
    dispatcher: Dispatcher[UnitOfWork] = field(init=False)

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(
            Handling(
                store=self.database,
                connectors={("wecom", "sales"): Peer()},
                files=Shelf(),
                handle=self._handle,
                clock=FixedClock(START),
                wording=Wording(apology=str),
                backoff_s=0.5,
            ),
        )

    async def _handle(self, tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        said = incoming.message.text
        if self.ahead is not None:
            (trouble, moment), self.ahead = self.ahead, None
            self.line.disturb(trouble, upon=b"COMMIT" if moment == "committed" else b"")
        did = await tx.settings.get("did") or []
        await tx.settings.put("did", [*did, said], incoming.at)
        answer = Text(f"re {said}")
        return [OutboundMessage(f"{incoming.source_id}:0", incoming.message.origin, answer)]

    async def say(self, *words: str) -> None:
        for word in words:
            self.said += 1
            await self._deliver(envelope(word, number=self.said, seconds=self.said))

    async def _deliver(self, sent: Envelope) -> None:
        """As a platform does: again, until it is taken."""
        async with asyncio.timeout(60):
            while True:
                with suppress(Exception):
                    release = await self.dispatcher.accept(sent)
                    release()
                    return
                await asyncio.sleep(0.1)

    async def found(self) -> tuple[list[str], list[str], set[str]]:
        """What was done, what was answered, and the states of what came in."""
        async with self.direct.read() as tx:
            conn = tx.delivery._conn
            did = await conn.scalar(
                select(settings_rows.c.value).where(settings_rows.c.name == "did")
            )
            answers = await conn.scalars(select(outbox.c.content).order_by(outbox.c.id))
            states = await conn.scalars(select(inbox.c.state))
            return list(did or []), [json.loads(one)["text"] for one in answers], set(states)


@pytest.fixture
async def office(postgres_url: str) -> AsyncIterator[Office]:
    url = make_url(postgres_url)
    async with line_to(url.host or "127.0.0.1", url.port or 5432) as (line, port):
        through = url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        database = await Database.open(through, statement_timeout_s=PATIENCE_S)
        direct = await Database.open(postgres_url)
        yield Office(line, database, direct)
        line.mend()
        await database.close()
        await direct.close()


@pytest.mark.parametrize(("trouble", "moment"), CELLS)
async def test_whatever_breaks_each_word_acts_once_and_in_order(
    office: Office, trouble: Trouble, moment: str
) -> None:
    await office.say("zero")
    async with asyncio.timeout(10):
        await office.dispatcher.drained()
    if moment == "taken in":
        office.line.disturb(trouble)
    else:
        office.ahead = trouble, moment
    saying = asyncio.create_task(office.say(*WORDS))
    await until(lambda: office.line.struck)
    await asyncio.sleep(2.5 * PATIENCE_S if trouble in SLOW else 0.5)
    office.line.mend()
    async with asyncio.timeout(60):
        await saying
        await office.dispatcher.drained()
    did, answers, states = await office.found()
    assert did == ["zero", *WORDS]
    assert answers == [f"re {word}" for word in did]
    assert states == {"done"}
