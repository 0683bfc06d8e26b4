"""A company may be larger than the number of parameters that a database takes in one statement:
32,766 on SQLite, 32,767 on PostgreSQL."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.domain.deadlines import Awaited
from bot.domain.external import ChatGroup
from bot.domain.people import Identity
from config.library import load_library
from storage import urgent_customers
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, customer, member, sale

MANY = 40_000
MOST = 32_766
NUMBERS = range(1_000_000, 1_000_000 + MANY)
IDENTITIES = [Identity("wecom", f"user-{number}") for number in NUMBERS]
LIBRARY = load_library(Path("config/actions/manufacturing.toml"))
LISTS: dict[str, Any] = {
    **dict.fromkeys(
        ("person_ids", "owner_ids", "actor_ids", "account_ids", "opportunity_ids", "contract_ids",
         "activity_ids", "forecast_ids", "line_ids", "notice_ids", "event_ids", "loose_ids",
         "inbox_ids", "ids", "only"),
        NUMBERS,
    ),
    **dict.fromkeys(("members", "owners"), IDENTITIES),
    "user_ids": [one.user_id for one in IDENTITIES],
}  # fmt: skip
"""Name of a parameter -> far too many of what it stands for."""

OTHERS: dict[str, Any] = {
    "account_id": 1, "after_id": 0, "among": None, "arbiter": 1, "at": AT, "box": "inbox",
    "awaited": Awaited.FIELDS, "by": AT, "contacts": (), "failed": False, "lock": False,
    "first": date(2026, 1, 1), "found": (), "kinds": ("view",), "last": date(2026, 1, 31),
    "library": LIBRARY, "limit": 10, "lines": (), "midnights": (AT, AT + timedelta(days=1)),
    "month": "2026-01", "name": "王总", "new": LIBRARY, "noted": None, "old": "old@1",
    "open_only": False, "platform": "wecom", "promised_before": AT, "quarter": "2026Q1",
    "refs": ("general@1",), "stages": {}, "system": "erp", "user_of": {}, "week": "2026-W05",
    "who_left": False, "worked_since": AT,
}  # fmt: skip
MOMENTS = {"since": AT, "until": AT + timedelta(days=30), "before": AT}


def parts() -> Iterator[tuple[str, str, inspect.Signature]]:
    """Every method of a unit of work that takes such a list."""
    for name, part in vars(UnitOfWork).items():
        kind = getattr(part, "_make", None)
        for method, function in inspect.getmembers(kind, inspect.isfunction):
            signature = inspect.signature(function)
            asked = [
                key
                for key, parameter in signature.parameters.items()
                if key in LISTS and "[" in str(parameter.annotation)
            ]
            if asked and not method.startswith("_"):
                yield name, method, signature


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[UnitOfWork]:
    async with database.begin() as opened:
        yield opened


async def test_whatever_is_asked_of_people_can_be_asked_of_forty_thousand(sqlite_url: str) -> None:
    """On the faster of the two: the statements are the same, but for lists in one parameter."""
    asked = 0
    database = await Database.open(sqlite_url)
    try:
        with few_parameters():
            async with database.begin() as tx:
                for name, method, signature in parts():
                    given = {
                        key: _value(key, str(parameter.annotation))
                        for key, parameter in signature.parameters.items()
                        if key != "self"
                    }
                    await getattr(getattr(tx, name), method)(**given)
                    asked += 1
    finally:
        await database.close()
    assert asked > 60


@contextmanager
def few_parameters() -> Iterator[None]:
    """As many as either database takes: SQLite may have been built to take more."""

    def look(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        assert isinstance(parameters, list) or len(parameters) <= MOST, statement[:200]

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", look)


def _value(name: str, annotation: str) -> Any:
    if name in LISTS:
        return LISTS[name]
    if name in MOMENTS and annotation != "int":
        moment = MOMENTS[name]
        return moment.date() if annotation.startswith("date ") or annotation == "date" else moment
    if name == "after":
        return {"str": "", "Place": urgent_customers.START}.get(annotation, ("", ""))
    if name == "before" and annotation == "int":
        return 0
    return OTHERS[name]


async def test_one_of_forty_thousand_owners_is_found(tx: UnitOfWork) -> None:
    rep = await member(tx, "chenjing", "陈静")
    account = await customer(tx, rep)
    deal = await sale(tx, account)
    everybody = [*NUMBERS, rep.id]
    counts = await tx.stages.funnel(LIBRARY, [deal.library], everybody)
    assert sum(counts.here.values()) == 1
    assert (await tx.stages.funnel(LIBRARY, [deal.library], NUMBERS)).here == {}
    (level,) = await tx.forecast_history.open_by_level(everybody)
    assert level.deals == 1


async def test_groups_of_one_of_forty_thousand_owners_are_found(tx: UnitOfWork) -> None:
    group = ChatGroup("wecom", "wr-1", "恒锐机电", owner="chenjing")
    await tx.chat_groups.save(group, at=AT)
    everybody = [*IDENTITIES, Identity("wecom", "chenjing")]
    assert [one.chat_id for one in await tx.chat_groups.of_owners(everybody)] == ["wr-1"]
    assert [one.chat_id for one in await tx.chat_groups.unbound(everybody, limit=5)] == ["wr-1"]
    assert await tx.chat_groups.of_owners([*IDENTITIES, Identity("dingtalk", "chenjing")]) == []
