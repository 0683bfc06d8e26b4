"""Writes that nobody reads back go to PostgreSQL together, and nobody can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from bot.messages import Address, OutboundMessage, Platform, Receipt, Text
from storage.cards import ShownCard
from storage.database import Database
from storage.engines import open_engine, to_url
from storage.postgres_connections import Direct, PostgresConnections
from storage.prepared import prepared
from storage.tables import cards, dialogs, people
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT

pytestmark = pytest.mark.postgres

_put = postgresql.insert(cards)
PUT = prepared(
    _put.on_conflict_do_update(
        index_elements=[cards.c.card_id], set_={"revision": _put.excluded.revision}
    ),
    unread=True,
)
CLOSE = prepared(
    update(cards).where(cards.c.card_id == bindparam("of")).values(state="closed"), unread=True
)
HIRE = prepared(insert(people), unread=True)
AWAIT = prepared(insert(dialogs))  # of somebody in people
GET = prepared(select(cards.c.revision, cards.c.state).where(cards.c.card_id == bindparam("of")))


def card(name: str, revision: int = 1) -> dict[str, Any]:
    return {"card_id": name, "revision": revision, "subject": "", "address": "", "state": "open",
            "data": {}, "updated_at": AT}  # fmt: skip


def person(number: int) -> dict[str, Any]:
    return {"id": number, "name": f"p{number}", "status": "active", "roles": []}


@pytest.fixture
async def connections(postgres_url: str) -> AsyncIterator[PostgresConnections]:
    engine = open_engine(to_url(postgres_url))
    opened = PostgresConnections(engine, most=1)
    yield opened
    await opened.close()
    await engine.dispose()


async def get(conn: Direct, name: str) -> tuple[int, str]:
    found: tuple[int, str] = tuple((await conn.execute(GET, {"of": name})).one())
    return found


async def test_all_are_there_at_the_end(connections: PostgresConnections) -> None:
    async with connections.transaction() as conn:
        await conn.execute(HIRE, person(1))
        await conn.execute(PUT, card("a"))
        await conn.execute(HIRE, [person(2), person(3)])
    async with connections.transaction() as conn:
        assert await get(conn, "a") == (1, "open")
        assert await conn.scalar(select(func.count()).select_from(people)) == 3


async def test_whoever_asks_finds_what_was_written_before(connections: PostgresConnections) -> None:
    async with connections.transaction() as conn:
        await conn.execute(PUT, card("a"))
        assert await get(conn, "a") == (1, "open")
        await conn.execute(PUT, card("a", 2))
        query = select(func.max(cards.c.revision))
        assert await conn.scalar(query) == 2, "also where SQLAlchemy asks"


async def test_a_row_that_is_written_again_ends_as_it_was_written_last(
    connections: PostgresConnections,
) -> None:
    async with connections.transaction() as conn:
        await conn.execute(PUT, card("a"))
        await conn.execute(PUT, card("a", 2))
        await conn.execute(CLOSE, {"of": "a"})
        await conn.execute(PUT, [card("b"), card("b", 5)])
    async with connections.transaction() as conn:
        assert await get(conn, "a") == (2, "closed")
        assert await get(conn, "b") == (5, "open")


async def test_what_a_key_leads_to_is_there_first(connections: PostgresConnections) -> None:
    awaited = {"conversation": "c", "person_id": 1, "state": {}, "updated_at": AT}
    async with connections.transaction() as conn:
        await conn.execute(HIRE, person(1))
        assert (await conn.execute(AWAIT, awaited)).rowcount == 1


async def test_what_is_refused_in_the_end_leaves_nothing(connections: PostgresConnections) -> None:
    async def refused() -> None:
        async with connections.transaction() as conn:
            await conn.execute(PUT, card("a"))
            await conn.execute(HIRE, person(1))
            await conn.execute(HIRE, person(1))

    with pytest.raises(IntegrityError):
        await refused()
    async with connections.transaction() as conn:
        assert (await conn.execute(GET, {"of": "a"})).all() == []


async def test_they_go_in_one_statement(connections: PostgresConnections) -> None:
    async with connections.transaction() as conn:
        await conn.execute(PUT, card("a"))
        await conn.execute(HIRE, person(1))
        seen = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'WITH w0 AS%'"
        assert await conn.scalar(text(seen)) == 1


async def attempt(tx: UnitOfWork, *, address: Any = "", fail: bool = False) -> None:
    async with tx.attempt():
        await put(tx, "within", address)
        if fail:
            raise KeyError


async def test_what_is_queued_in_one_transaction_leaves_in_that_order(postgres_url: str) -> None:
    database = await Database.open(postgres_url)
    to = Address(Platform.WECOM, "sales", user_id="zhang3")
    words = [OutboundMessage(str(number), to, Text(str(number))) for number in range(6)]
    async with database.begin() as tx:
        await put(tx, "card")
        await tx.delivery.queue(words[:1], at=AT)
        await tx.delivery.queue(words[1:3], at=AT)
        await tx.delivery.queue(words[3:4], at=AT)
        await tx.delivery.queue(words[4:], at=AT)
    for word in words:
        async with database.begin() as tx:
            (head,) = await tx.delivery.take_due(at=AT, limit=9)
            assert head.dedupe_key == word.dedupe_key
            await tx.delivery.mark_sent(head.id, Receipt(), at=AT)
    await database.close()


async def put(tx: UnitOfWork, name: str, address: Any = "") -> None:
    await tx.cards.put(ShownCard(name, 1, "", address, "open", {}, AT))


async def test_a_part_that_is_undone_takes_its_own_along_and_no_others(
    database: Database,
) -> None:
    """On SQLite nothing waits."""
    async with database.begin() as tx:
        await put(tx, "before")
        with pytest.raises(KeyError):
            await attempt(tx, fail=True)
        await put(tx, "after")
    async with database.read() as tx:
        found = [await tx.cards.get(name) for name in ("before", "within", "after")]
    assert [one is not None for one in found] == [True, False, True]


async def test_what_is_refused_in_a_part_is_refused_within_it(postgres_url: str) -> None:
    database = await Database.open(postgres_url)
    async with database.begin() as tx:
        await put(tx, "before")
        with pytest.raises(IntegrityError):
            await attempt(tx, address=None)
        await put(tx, "after")
    async with database.read() as tx:
        assert await tx.cards.get("before") is not None
        assert await tx.cards.get("within") is None
        assert await tx.cards.get("after") is not None
    await database.close()
