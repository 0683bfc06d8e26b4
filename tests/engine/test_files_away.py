"""The store of files refuses, hangs or is away: a message with a file waits in the inbox, however
long, and everybody else's words go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.handling import MAX_ATTEMPTS, Handling, Wording
from bot.messages import Incoming, OutboundMessage
from storage.database import Database
from storage.kept_files import open_files
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, envelope, until
from tests.object_store import Misbehaving, ObjectStore


@pytest.mark.parametrize(
    "fails",
    [lambda weak: weak.refuses(403, "AccessDenied"), Misbehaving.hangs, Misbehaving.hangs_up],
    ids=["refuses", "hangs", "away"],
)
async def test_a_message_with_a_file_waits_until_it_can_be_kept(
    sqlite_url: str,
    object_store: ObjectStore,
    fails: Callable[[Misbehaving], None],
    request: pytest.FixtureRequest,
) -> None:
    database = await Database.open(sqlite_url)
    handled: list[str] = []

    async def handle(_: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        sizes = [file.stored.size if file.stored else -1 for file in incoming.files]
        handled.append(f"{incoming.message.text} {sizes}")
        return []

    async with Misbehaving(object_store).running() as weak:
        dispatcher = Dispatcher(
            Handling(
                store=database,
                connectors={("wecom", "sales"): Peer()},
                files=open_files(weak.bucket(request.node.callspec.id, timeout_s=0.2)),
                handle=handle,
                clock=FixedClock(START),
                wording=Wording(apology=str),
                backoff_s=0.01,
            ),
        )
        fails(weak)
        (await dispatcher.accept(envelope("file", by="zhang3", number=1)))()
        await until(lambda: weak.asked > 3 * MAX_ATTEMPTS)
        (await dispatcher.accept(envelope("words", by="li4", number=2)))()
        await until(lambda: handled)
        assert handled == ["words []"]
        (waiting,) = await database.unfinished()
        assert (waiting.envelope.body, waiting.attempts) == (b"file", 0)
        weak.recovers()
        async with asyncio.timeout(20):
            await dispatcher.drained()
        assert handled == ["words []", "file [8]"]
        assert await database.unfinished() == []
    await dispatcher.stop()
    await database.close()
