"""A bot's engine behind the stream, of which the tests say what lies around it."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from benchmarks.nats_server import find_server
from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.domain.sharing import Division
from bot.handling import Handling, Wording
from bot.messages import Incoming, OutboundMessage
from bot.ports import Accept
from connectors.queue.access import Access
from connectors.queue.inbox import StreamInbox
from connectors.queue.session import Session, session
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf


def need_server() -> None:
    """For who starts servers of their own: in CI a missing one fails instead of skipping."""
    if find_server() is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("no nats-server on this machine")


DIVISION = Division(senders=frozenset())


@asynccontextmanager
async def stream(url: str, *, max_mb: int = 16) -> AsyncIterator[Access]:
    """One of this test's own."""
    access = Access(url, stream=f"TEST_{secrets.token_hex(6).upper()}", max_mb=max_mb)
    yield access
    async with session(access, url) as opened:
        await opened.jetstream.delete_stream(access.stream)


@asynccontextmanager
async def beside(access: Access) -> AsyncIterator[Session]:
    """A connection of somebody who looks on."""
    async with session(access, access.url) as opened:
        yield opened


@asynccontextmanager
async def queue(
    access: Access, into: Accept, *, holds: Callable[[str], bool] = lambda _: True
) -> AsyncIterator[StreamInbox]:
    made = StreamInbox(access, DIVISION, FixedClock(START), holds=holds)
    made.into(into)
    async with made.running():
        yield made


class Engine:
    """A dispatcher on a database. did: what took effect, in order."""

    def __init__(self, database: Database) -> None:
        self.did: list[str] = []
        self.dispatcher: Dispatcher[UnitOfWork] = Dispatcher(
            Handling(
                store=database,
                connectors={("wecom", "sales"): Peer()},
                files=Shelf(),
                handle=self._handle,
                clock=FixedClock(START),
                wording=Wording(apology=str),
                backoff_s=0.001,
            ),
        )

    async def _handle(self, tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        text = incoming.message.text
        if text == "boom":
            raise RuntimeError("a bug")
        tx.once_committed(lambda: self.did.append(text))
        return []


@asynccontextmanager
async def engine(database: Database) -> AsyncIterator[Engine]:
    made = Engine(database)
    yield made
    await made.dispatcher.stop()
