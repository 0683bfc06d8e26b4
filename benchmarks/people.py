"""A sales team and its customers, put straight into a database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from bot.messages import Platform
from config.library import load_libraries, read_upload
from config.policy import change_policy, load_calendar, load_policy
from handlers import Handlers
from handlers.customers.customer_book import CustomerBook
from handlers.desk import Office, address_book
from handlers.libraries.libraries import LibraryShelf
from handlers.lights.alerts import Alerts
from handlers.policy.policies import PolicyBook
from handlers.understanding.reader import Reader
from storage.database import Database
from storage.tables import accounts, identities, opportunities, people

LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)


async def hire(database: Database, people_count: int, *, customers: int) -> None:
    """`people_count` reps on WeCom ("user0" …), and customers "客户00000有限公司" …, owned by
    the reps in turn."""
    async with database.begin() as tx:
        conn = tx.delivery._conn
        await conn.execute(
            insert(people),
            [
                {"id": n + 1, "name": f"销售{n}", "status": "active", "roles": ["rep"]}
                for n in range(people_count)
            ],
        )
        await conn.execute(
            insert(identities),
            [
                {"platform": "wecom", "user_id": f"user{n}", "person_id": n + 1, "titles": [],
                 "departments": [], "leaders": [], "status": "active"}
                for n in range(people_count)
            ],
        )  # fmt: skip
        for start in range(0, customers, 10_000):
            numbers = range(start, min(start + 10_000, customers))
            await conn.execute(
                insert(accounts),
                [
                    {"id": n + 1, "name": f"客户{n:05d}有限公司", "aliases": [], "industry": "",
                     "owner_id": n % people_count + 1, "created_at": LONG_AGO}
                    for n in numbers
                ],
            )  # fmt: skip
            await conn.execute(
                insert(opportunities),
                [
                    {"id": n + 1, "account_id": n + 1, "name": f"商机{n}",
                     "owner_id": n % people_count + 1, "stage": "first_contact",
                     "stage_since": LONG_AGO, "state": "open", "created_at": LONG_AGO,
                     "assigned_at": LONG_AGO, "last_valid_at": LONG_AGO, "light": "green",
                     "stuck": False, "light_due_at": None, "episode": 0}
                    for n in numbers
                ],
            )  # fmt: skip


async def handlers_for(database: Database) -> Handlers:
    """The real handlers with the shipped policy, all customers in memory."""
    return Handlers(await office_for(database))


async def office_for(database: Database) -> Office:
    """What the handlers work with: the shipped policy and libraries, all customers in memory."""
    policy = load_policy()
    policies = PolicyBook(policy, change_policy)
    shipped = load_libraries(Path("config/actions"))
    libraries = LibraryShelf(shipped, policy.actions_library)
    calendar = load_calendar(policy.calendar)
    addresses = address_book({Platform.WECOM: "sales"})
    book = CustomerBook()
    async with database.read() as tx:
        book.load(await tx.accounts.list_all())
    return Office(
        policies=policies,
        libraries=libraries,
        read_library=read_upload,
        calendar=calendar,
        reader=Reader(calendar),
        customers=book,
        lights=Alerts(
            policies=policies, libraries=libraries, calendar=calendar, address_of=addresses
        ),
        address_of=addresses,
    )
