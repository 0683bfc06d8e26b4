"""Connections that are kept, and what the driver says on them told as SQLAlchemy tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import Engine, bindparam, event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from storage.engines import open_engine, to_url
from storage.postgres_connections import Direct, PostgresConnections
from storage.prepared import prepared
from storage.tables import settings_rows
from tests.storage.samples import AT

pytestmark = pytest.mark.postgres

ADD = prepared(insert(settings_rows))
GET = prepared(select(settings_rows.c.value).where(settings_rows.c.name == bindparam("wanted")))
PID = text("SELECT pg_backend_pid()")
MOST = 2


def row(key: str) -> dict[str, object]:
    return {"name": key, "value": {"说": [1, None]}, "updated_at": AT}


@pytest.fixture
async def connections(postgres_url: str) -> AsyncIterator[PostgresConnections]:
    engine = open_engine(to_url(postgres_url))
    opened = PostgresConnections(engine, most=MOST)
    yield opened
    await opened.close()
    await engine.dispose()


async def is_there(connections: PostgresConnections, key: str) -> bool:
    async with connections.one() as conn:
        return await conn.scalar(GET, {"wanted": key}) is not None


async def test_what_the_driver_executes_and_what_sqlalchemy_does_are_one_transaction(
    connections: PostgresConnections,
) -> None:
    async with connections.transaction() as conn:
        assert (await conn.execute(ADD, row("a"))).rowcount == 1
        await conn.execute(insert(settings_rows), row("b"))
        assert await conn.scalar(GET, {"wanted": "a"}) == {"说": [1, None]}
        assert await conn.scalar(GET, {"wanted": "b"}) == {"说": [1, None]}
        assert not await is_there(connections, "a")
    assert await is_there(connections, "a")
    assert await is_there(connections, "b")


@pytest.mark.parametrize("statement", [ADD, insert(settings_rows)])
async def test_what_is_refused_is_told_alike_and_leaves_nothing(
    connections: PostgresConnections, statement: object
) -> None:
    async def twice() -> None:
        async with connections.transaction() as conn:
            await conn.execute(statement, row("王总"))
            await conn.execute(statement, row("王总"))

    with pytest.raises(IntegrityError) as refused:
        await twice()
    assert refused.value.orig.sqlstate == "23505"  # type: ignore[union-attr]
    assert "王总" not in str(refused.value), "errors are logged"
    assert not await is_there(connections, "王总")


async def test_an_error_that_was_passed_over_is_not_taken_for_a_commit(
    connections: PostgresConnections,
) -> None:
    async def pass_over() -> None:
        async with connections.transaction() as conn:
            await conn.execute(ADD, row("a"))
            with pytest.raises(IntegrityError):
                await conn.execute(ADD, row("a"))

    with pytest.raises(OperationalError):
        await pass_over()


async def test_each_statement_is_seen_by_whoever_looks(connections: PostgresConnections) -> None:
    seen: list[str] = []

    def look(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement.split(maxsplit=1)[0])

    event.listen(Engine, "before_cursor_execute", look)
    try:
        async with connections.transaction() as conn:
            await conn.execute(ADD, [row("a"), row("b")])
            await conn.execute(GET, {"wanted": "a"})
    finally:
        event.remove(Engine, "before_cursor_execute", look)
    assert seen == ["INSERT", "SELECT"]


async def pid_of(conn: Direct) -> int:
    return int(await conn.scalar(PID))


async def test_one_that_the_server_closed_is_replaced(connections: PostgresConnections) -> None:
    async with connections.one() as conn:
        lost = await pid_of(conn)
    async with connections.one(), connections.one() as other:
        await other.execute(text(f"SELECT pg_terminate_backend({lost})"))
    await asyncio.sleep(0.05)  # until the driver has heard of it
    async with connections.one() as one, connections.one() as two:
        assert lost not in {await pid_of(one), await pid_of(two)}


async def test_one_that_is_lost_at_work_is_told_as_lost(connections: PostgresConnections) -> None:
    async def lose() -> None:
        async with connections.transaction() as conn:
            await conn.execute(ADD, row("a"))
            await conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            await conn.execute(GET, {"wanted": "a"})

    with pytest.raises(DBAPIError):
        await lose()
    async with connections.transaction() as conn:
        await conn.execute(ADD, row("a"))
    assert await is_there(connections, "a")


async def test_after_a_column_has_another_type_the_next_try_works(
    connections: PostgresConnections,
) -> None:
    """As when an upgrade changes it while others serve."""

    async def store(name: str) -> None:
        async with connections.transaction() as conn:
            await conn.execute(ADD, row(name))
            await conn.scalar(GET, {"wanted": name})

    await store("a")
    async with connections.one() as conn:
        await conn.execute(text("ALTER TABLE settings ALTER value TYPE json"))
    with suppress(DBAPIError):
        await store("b")
    await store("c")
    assert await is_there(connections, "c")
    async with connections.one() as conn:
        await conn.execute(text("ALTER TABLE settings ALTER value TYPE jsonb"))


async def test_whoever_is_cancelled_leaves_nothing_begun(connections: PostgresConnections) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with connections.transaction() as conn:
            await conn.execute(ADD, row("a"))
            begun.set()
            await conn.execute(text("SELECT pg_sleep(60)"))

    for _ in range(2 * MOST):
        hanging = asyncio.create_task(hang())
        await begun.wait()
        begun.clear()
        await asyncio.sleep(0)
        hanging.cancel()
        assert isinstance((await asyncio.gather(hanging, return_exceptions=True))[0], BaseException)
    async with connections.transaction() as conn:
        await conn.execute(ADD, row("a"))


async def test_no_more_are_opened_and_whoever_waits_gets_the_next(
    connections: PostgresConnections,
) -> None:
    async def note() -> int:
        async with connections.one() as conn:
            await asyncio.sleep(0)
            return await pid_of(conn)

    assert len(set(await asyncio.gather(*(note() for _ in range(12))))) == MOST
    assert connections.idle == MOST
