"""Tables to take away as CSV: written while it is read, so that a million rows need no memory.

A cell that a spreadsheet would take for a formula gets an apostrophe before it: words of a customer
would be run there by whoever opens the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime

from bot.domain.people import Person
from bot.errors import NotFound
from handlers.desk import Office
from handlers.pages.people import Names
from handlers.texts import admin as texts
from handlers.texts import pages as page_texts
from handlers.texts.binding import PLATFORMS
from storage.audit_search import Wanted
from storage.unit_of_work import UnitOfWork

BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # or a spreadsheet reads Chinese as Latin
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Read = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
Rows = AsyncGenerator[Sequence[Sequence[object]], None]
Table = Callable[[UnitOfWork, Office], Rows]


def cell(value: object) -> str:
    """As it stands in the file."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def lines(rows: Iterable[Iterable[object]]) -> bytes:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return written.getvalue().encode()


async def written(read: Read, office: Office, table: Table) -> AsyncGenerator[bytes, None]:
    """The file, some rows at a time, all in one snapshot."""
    yield BYTE_ORDER_MARK
    async with read() as tx, aclosing(table(tx, office)) as parts:
        async for rows in parts:
            yield lines(rows)


async def people(tx: UnitOfWork, office: Office) -> Rows:
    yield [
        ("编号", "姓名", "状态", "角色", "手机", "企业微信", "钉钉", "指定的主管", "最近登录网页")
    ]
    names = Names(tx)
    async for ids in tx.people_lists.everybody():
        persons = await tx.people.list_some(ids)
        signed_in = await tx.people_lists.last_sign_ins(ids)
        await names.learn(one.supervisor_override_id for one in persons.values())
        yield [
            await _person(office, persons[number], names, signed_in.get(number)) for number in ids
        ]


async def audit(tx: UnitOfWork, office: Office) -> Rows:
    yield [("序号", "时间", "谁", "动作", "对象", "之前", "之后", "校验值完好")]
    async for entries in tx.audit_search.everything(Wanted()):
        yield [
            (one.seq, _local(office, one.at), one.actor, one.action, one.subject, one.before,
             one.after, "是" if one.holds else "否")
            for one in entries
        ]  # fmt: skip


async def activities(tx: UnitOfWork, office: Office) -> Rows:
    yield [
        ("编号", "发生时间", "记录时间", "客户", "商机编号", "谁", "动作", "内容", "算有效",
         "不算的原因", "补录", "附件数", "撤回了哪条")
    ]  # fmt: skip
    names = Names(tx)
    async for entries in tx.activities.everything():
        accounts = await tx.accounts.list_some(sorted({one.account_id for one in entries}))
        await names.learn(one.actor_id for one in entries)
        yield [
            (
                one.id,
                _local(office, one.occurred_at),
                _local(office, one.recorded_at),
                accounts[one.account_id].name if one.account_id in accounts else one.account_id,
                one.opportunity_id,
                await names.of(one.actor_id),
                one.title,
                one.text,
                "是" if one.valid else "否",
                one.invalid_reason,
                "是" if one.late else "",
                len(one.file_hashes) or "",
                one.retracts_id,
            )
            for one in entries
        ]


TABLES: dict[str, tuple[str, str, Table]] = {
    "people": ("人员", "姓名、状态、角色、两个平台的账号、主管、最近登录", people),
    "activities": (
        "跟进动态",
        "每一条动态：什么时间、哪家客户、谁、做了什么、算不算有效",
        activities,
    ),
    "audit": ("审计", "整条审计链：谁、何时、从什么改成什么", audit),
}
"""key -> what it is called, what is in it, and the rows."""


def table(key: str) -> tuple[str, Table]:
    """Raises NotFound."""
    if key not in TABLES:
        raise NotFound(texts.NO_PAGE)
    return TABLES[key][0], TABLES[key][2]


async def _person(
    office: Office, person: Person, names: Names, signed_in: datetime | None
) -> Sequence[object]:
    on = {one.platform: one.user_id for one in person.identities}
    roles = [label for role, label in page_texts.ROLES.items() if role in person.roles]
    return (
        person.id,
        person.name,
        texts.STATUSES[person.status],
        "、".join(roles),
        person.mobile,
        *(on.get(platform, "") for platform in PLATFORMS),
        await names.of(person.supervisor_override_id),
        _local(office, signed_in) if signed_in else "",
    )


def _local(office: Office, at: datetime) -> str:
    return f"{at.astimezone(office.zone):%Y-%m-%d %H:%M:%S}"
