"""A sales company put straight into a database: teams with their supervisors, customers, deals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert

from storage.database import Database
from storage.tables import departments, identities, people

REPS = 100
TEAMS = 12
DIRECTOR = REPS + TEAMS + 1
BATCH = 10_000


async def hire(database: Database, *, platform: str = "wecom") -> None:
    """REPS reps (ids from 1) in TEAMS departments, each led by a supervisor (ids after them),
    who all belong to the director."""
    folders: list[dict[str, Any]] = [
        {"platform": platform, "id": "root", "name": "销售部", "parent_id": None,
         "leaders": [f"user{DIRECTOR}"]},
        *({"platform": platform, "id": f"team{n}", "name": f"销售{n}组", "parent_id": "root",
           "leaders": [f"user{REPS + 1 + n}"]} for n in range(TEAMS)),
    ]  # fmt: skip
    await put(database, departments, iter(folders))
    await put(database, people, (
        {"id": n, "name": f"员工{n}", "status": "active", "roles": [_role(n)]}
        for n in range(1, DIRECTOR + 1)
    ))  # fmt: skip
    await put(database, identities, (
        {"platform": platform, "user_id": f"user{n}", "person_id": n, "titles": [],
         "departments": [_folder(n)], "main_department": _folder(n), "leaders": [],
         "status": "active"}
        for n in range(1, DIRECTOR + 1)
    ))  # fmt: skip


def customers(count: int, since: datetime) -> Iterator[dict[str, Any]]:
    """Rows of accounts, ids from 1, of all reps in turn."""
    return (
        {"id": n, "name": f"客户{n:07}有限公司", "aliases": [], "industry": "",
         "owner_id": owner_of(n), "created_at": since}
        for n in range(1, count + 1)
    )  # fmt: skip


def deals(count: int, since: datetime, **more: Any) -> Iterator[dict[str, Any]]:
    """Rows of opportunities, one for each customer; more: other columns."""
    return (
        {"id": n, "account_id": n, "name": f"商机{n}", "owner_id": owner_of(n),
         "stage": "first_contact", "stage_since": since, "state": "open", "created_at": since,
         "assigned_at": since, "last_valid_at": since, "light": "green", "stuck": False,
         "light_due_at": None, "episode": 0, **more}
        for n in range(1, count + 1)
    )  # fmt: skip


def owner_of(number: int) -> int:
    return number % REPS + 1


async def put(database: Database, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    """All of them, in transactions of BATCH."""
    while batch := [row for _, row in zip(range(BATCH), rows, strict=False)]:
        async with database.begin() as tx:
            await tx.delivery._conn.execute(insert(table), batch)


def _role(number: int) -> str:
    if number == DIRECTOR:
        return "sales_director"
    return "rep" if number <= REPS else "supervisor"


def _folder(number: int) -> str:
    if number == DIRECTOR:
        return "root"
    return f"team{(number - 1) % TEAMS if number <= REPS else number - REPS - 1}"
