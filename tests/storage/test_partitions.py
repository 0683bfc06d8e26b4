"""The inbox by months on PostgreSQL: nothing twice over their borders, nothing lost with one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import create_async_engine

from bot.clock import WallClock
from storage import admin, schema
from storage.database import Database
from storage.engines import to_url
from storage.partitions import KEYS_MONTHS, month_after
from tests.storage.samples import AT, envelope

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(empty_postgres_url: str) -> str:
    return empty_postgres_url


@pytest.fixture
async def stored(url: str) -> AsyncIterator[Database]:
    await admin.upgrade(url)
    opened = await Database.open(url)
    yield opened
    await opened.close()


def received(day: datetime, number: str) -> dict[str, object]:
    return {"delivery_id": number, "received_at": day, "sent_at": day}


def middle_of(months: int) -> datetime:
    """Of the month so many after this one, by the database's clock and ours."""
    return month_after(WallClock().now(), months) + timedelta(days=14)


async def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = create_async_engine(to_url(url))
    async with engine.connect() as conn:
        found = [tuple(row) for row in await conn.execute(text(query))]
    await engine.dispose()
    return found


async def lies_in(url: str) -> dict[str, str]:
    """Delivery id -> its partition."""
    found = await rows(url, "SELECT delivery_id, tableoid::regclass::text FROM inbox")
    return {str(number): str(part) for number, part in found}


async def test_a_delivery_is_taken_in_once_whatever_month_it_comes_in(
    stored: Database, url: str
) -> None:
    first = await stored.append(envelope(**received(middle_of(0), "a")))
    assert first is not None
    assert await stored.append(envelope(**received(middle_of(2), "a"))) is None
    assert await stored.append(envelope(**received(middle_of(300), "a"))) is None
    other = envelope(**received(middle_of(2), "a"), channel="dingtalk:sales:robot")
    assert await stored.append(other) is not None
    assert len(await rows(url, "SELECT 1 FROM inbox")) == 2


async def test_of_two_processes_that_take_in_the_same_one_does(stored: Database, url: str) -> None:
    second = await Database.open(url)
    batch = [envelope(**received(middle_of(n % 3), str(n))) for n in range(40)]
    ids = await asyncio.gather(*(one.append(each) for each in batch for one in (stored, second)))
    await second.close()
    taken = [number for number in ids if number is not None]
    assert len(taken) == len(set(taken)) == 40


async def test_what_is_of_no_month_is_taken_in_all_the_same(stored: Database, url: str) -> None:
    numbers = {"long ago": -200, "now": 0, "in two": 2, "far ahead": 200}
    for name, months in numbers.items():
        await stored.append(envelope(**received(middle_of(months), name)))
    places = await lies_in(url)
    assert places["far ahead"] == "inbox_default"
    assert places["long ago"] == places["now"] == "inbox_before"
    assert places["in two"] == f"inbox_{middle_of(2):%Y_%m}"
    pending = await stored.unfinished()
    assert [one.envelope.delivery_id for one in pending] == [*numbers]
    async with stored.begin() as tx:
        for one in pending:
            received_at = one.envelope.received_at
            assert await tx.delivery.finish(one.id, at=middle_of(0), received_at=received_at)
    assert await stored.unfinished() == []


async def test_months_are_made_ahead_with_what_came_for_them_before(
    stored: Database, url: str
) -> None:
    await stored.append(envelope(**received(middle_of(7), "early")))
    assert (await lies_in(url))["early"] == "inbox_default"
    async with stored.begin() as tx:
        kept = await tx.partitions.keep(middle_of(5), ahead=3, months=0)
    assert kept.made == [f"inbox_{middle_of(n):%Y_%m}" for n in (5, 6, 7, 8)]
    assert kept.dropped == []
    assert (await lies_in(url))["early"] == f"inbox_{middle_of(7):%Y_%m}"
    assert await stored.append(envelope(**received(middle_of(7), "early"))) is None
    async with stored.begin() as tx:
        again = await tx.partitions.keep(middle_of(5), ahead=3, months=0)
    assert again.made == []


async def test_an_old_month_goes_but_not_what_can_still_be_replayed(
    stored: Database, url: str
) -> None:
    for name in ("done", "dead", "with a remark"):
        await stored.append(envelope(**received(middle_of(0), name)))
    await stored.append(envelope(**received(middle_of(1), "young")))
    at = middle_of(1)
    async with stored.begin() as tx:
        left = await tx.partitions.keep(middle_of(4), ahead=0, months=3)
        assert (left.left, left.dropped) == (["inbox_before"], [])
    async with stored.begin() as tx:
        for one in await stored.unfinished():
            name = one.envelope.delivery_id
            if name == "dead":
                await tx.delivery.bury(one.id, at=at, reason="broken")
            else:
                note = "a lost file" if name == "with a remark" else ""
                await tx.delivery.finish(one.id, at=at, note=note)
    async with stored.begin() as tx:
        assert (await tx.partitions.keep(middle_of(3), ahead=0, months=3)).dropped == []
    async with stored.begin() as tx:
        kept = await tx.partitions.keep(middle_of(4), ahead=0, months=3)
        assert kept.dropped == ["inbox_before"]
    assert await lies_in(url) == {
        "dead": "inbox_default",
        "with a remark": "inbox_default",
        "young": f"inbox_{middle_of(1):%Y_%m}",
    }
    assert await stored.append(envelope(**received(middle_of(4), "done"))) is None
    async with stored.begin() as tx:
        assert await tx.delivery.mark_for_replay(failed=True, since=None, ids=()) == 2
    again = [one.envelope.delivery_id for one in await stored.unfinished()]
    assert sorted(again) == ["dead", "with a remark"]


async def test_what_came_long_ago_and_is_gone_is_forgotten_but_nothing_that_is_there(
    stored: Database, url: str
) -> None:
    for name in ("done", "dead"):
        await stored.append(envelope(**received(middle_of(0), name)))
    await stored.append(envelope(**received(middle_of(1), "a month later")))
    async with stored.begin() as tx:
        for one in await stored.unfinished():
            if one.envelope.delivery_id == "dead":
                await tx.delivery.bury(one.id, at=middle_of(1), reason="broken")
            else:
                await tx.delivery.finish(one.id, at=middle_of(1))
    async with stored.begin() as tx:
        kept = await tx.partitions.keep(middle_of(KEYS_MONTHS), ahead=0, months=1)
        assert ("inbox_before" in kept.dropped, kept.forgotten) == (True, 0)
    assert await stored.append(envelope(**received(middle_of(KEYS_MONTHS), "done"))) is None
    async with stored.begin() as tx:
        kept = await tx.partitions.keep(middle_of(KEYS_MONTHS + 1), ahead=0, months=1)
        assert kept.forgotten == 1
    later = middle_of(KEYS_MONTHS + 1)
    assert await stored.append(envelope(**received(later, "dead"))) is None
    assert await stored.append(envelope(**received(later, "a month later"))) is None
    assert await stored.append(envelope(**received(later, "done"))) is not None


async def test_what_is_kept_for_ever_is_known_for_ever(stored: Database) -> None:
    number = await stored.append(envelope(**received(middle_of(0), "a")))
    assert number is not None
    async with stored.begin() as tx:
        await tx.delivery.finish(number, at=middle_of(0))
        kept = await tx.partitions.keep(middle_of(200), ahead=0, months=0)
    assert kept.forgotten == 0
    assert await stored.append(envelope(**received(middle_of(200), "a"))) is None


async def test_a_database_of_before_is_converted_with_what_it_holds(url: str) -> None:
    await _migrate(url, command.upgrade, "0031_every_index")
    engine = create_async_engine(to_url(url))
    async with engine.begin() as conn:
        await conn.execute(
            text(
                "INSERT INTO inbox (channel, delivery_id, conversation, sent_at, received_at, body,"
                " state, attempts, reason, replayed) SELECT 'wecom:sales:app', 'd' || g, 'c', at,"
                " at, '', CASE WHEN g % 10 = 0 THEN 'new' ELSE 'done' END, 0, '', false"
                " FROM (SELECT g, now() - g * interval '1 hour' AS at"
                " FROM generate_series(1, 3000) AS g) AS earlier"
            )
        )
    await engine.dispose()
    before = await rows(url, "SELECT * FROM inbox ORDER BY id")
    await admin.upgrade(url)
    assert await rows(url, "SELECT * FROM inbox ORDER BY id") == before
    database = await Database.open(url)
    try:
        assert len(await database.unfinished()) == 300
        assert await database.append(envelope("d17")) is None
        added = await database.append(envelope("d3001"))
        assert added is not None
        async with database.begin() as tx:
            assert await tx.mails.envelopes("wecom:sales:app", ["d5", "d3001", "x"]) == [5, added]
    finally:
        await database.close()
    assert await admin.verify(url) == []
    await _migrate(url, command.downgrade, "0031_every_index")
    back = await rows(url, "SELECT * FROM inbox ORDER BY id")
    assert back[:3000] == before
    assert len(back) == 3001


async def test_a_question_about_a_time_reads_its_months_alone(stored: Database, url: str) -> None:
    since, until = month_after(middle_of(1), 0), month_after(middle_of(2), 0)
    within = f"received_at >= '{since.isoformat()}' AND received_at < '{until.isoformat()}'"
    plan = await rows(url, f"EXPLAIN SELECT id FROM inbox WHERE {within}")  # noqa: S608
    told = "\n".join(str(line) for (line,) in plan)
    assert f"inbox_{since:%Y_%m}" in told
    for other in ("inbox_before", "inbox_default", f"inbox_{until:%Y_%m}"):
        assert other not in told


async def test_the_end_of_a_delivery_looks_in_its_month_alone(stored: Database, url: str) -> None:
    asked: list[str] = []

    def look(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE inbox"):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", look)
    try:
        came = envelope(**received(middle_of(2), "a"))
        number = await stored.append(came)
        assert number is not None
        async with stored.begin() as tx:
            assert await tx.delivery.finish(number, at=AT, received_at=came.received_at)
    finally:
        event.remove(Engine, "before_cursor_execute", look)
    (statement,) = asked
    months = [f"inbox_{middle_of(n):%Y_%m}" for n in (2, 3)]
    bound = await rows(url, _with_values(statement, number, came.received_at))
    told = "\n".join(str(line) for (line,) in bound)
    assert months[0] in told
    assert months[1] not in told
    assert "inbox_before" not in told


def _with_values(statement: str, number: int, received_at: datetime) -> str:
    """The statement explained, with what tells which row it is about written into it."""
    where = statement.index("WHERE")
    place = re.sub(r"inbox\.id = \$\d+::\w+", f"inbox.id = {number}", statement[where:])
    moment = f"inbox.received_at = '{received_at.isoformat()}'"
    place = re.sub(r"inbox\.received_at = \$\d+::[A-Z ]+", moment, place)
    return f"EXPLAIN UPDATE inbox SET reason = '' {place}"  # noqa: S608


async def _migrate(url: str, run: object, revision: str) -> None:
    def go(connection: Connection) -> None:
        assert callable(run)
        run(schema.alembic_config(connection), revision)

    engine = create_async_engine(to_url(url))
    async with engine.begin() as conn:
        await conn.run_sync(go)
    await engine.dispose()
