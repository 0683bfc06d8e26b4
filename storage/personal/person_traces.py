"""What leads to one of ours: rows that refer to them, their accounts, their chats, their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.people import Identity
from bot.domain.privacy import Called, pseudonym_of, tells_apart
from bot.errors import NotFound, Refused
from storage.dialects import AnyRow, among, holds, pairs_among
from storage.directory import plain_mobile
from storage.personal.customer_traces import naming
from storage.personal.person_columns import GOES_WHOLE, OF_ACCOUNT
from storage.personal.told import Told
from storage.tables import (
    activities,
    archive_files,
    archive_messages,
    audit,
    contacts,
    dialogs,
    drafts,
    external_contacts,
    files,
    identities,
    loose_files,
    people,
)

_STANDS_OUT = re.compile(r"\w*[\dA-Z_]\w*|\w{6,}", re.ASCII)
"""Accounts that are no word of a protocol: `text` may be one, and stands in every message."""


@dataclass(slots=True, kw_only=True)
class PersonTraces(Told):
    """status: in the directory. accounts: theirs on platforms, also former ones."""

    person_id: int
    status: str
    called: Called
    accounts: Sequence[Identity]

    @property
    def subject(self) -> str:
        return f"person:{self.person_id}"

    @property
    def named(self) -> str:
        """As they are called, or were."""
        return self.called.names[0] if self.called.names else pseudonym_of(self.person_id)

    def in_talk(self, conversation: str, at: datetime) -> bool:
        """Their own chats, whenever."""
        return any(
            conversation.startswith(f"{one.platform}:")
            and conversation.endswith(f":u:{one.user_id}")
            for one in self.accounts
        )

    def told_in_body(self, body: str) -> bool:
        """Also what they said in groups, where only their account stands."""
        return self.told_in(body) or self._speaks().told_in(body)

    def _speaks(self) -> Called:
        ids = (one.user_id for one in self.accounts)
        return Called(accounts=tuple(one for one in ids if _STANDS_OUT.fullmatch(one)))


async def trace(conn: AsyncConnection, who: str) -> PersonTraces:
    """Raises NotFound, and Refused where `who` says it of several."""
    found = await _somebody(conn, who)
    rows = await conn.execute(
        select(identities.c.platform, identities.c.user_id)
        .where(identities.c.person_id == found.id)
        .order_by(identities.c.platform, identities.c.user_id)
    )
    accounts = [Identity(row.platform, row.user_id) for row in rows]
    name = "" if found.name == pseudonym_of(found.id) else found.name
    shared = bool(name) and await _is_shared(conn, found.id, name)
    words = [found.mobile, "" if shared or not tells_apart(name) else name]
    return PersonTraces(
        person_id=found.id,
        status=found.status,
        called=Called(
            names=tuple(word for word in (name, found.mobile) if word),
            accounts=tuple(one.user_id for one in accounts),
        ),
        accounts=accounts,
        shared_names=[name] if shared else [],
        words=[word for word in words if word],
    )


async def rows_of(conn: AsyncConnection, traces: PersonTraces) -> list[tuple[Table, Any]]:
    """By table, the condition for the rows that are theirs, or that say they did something."""
    rows: list[tuple[Table, Any]] = [(people, people.c.id == traces.person_id)]
    rows += referring(traces.person_id)
    rows.append((dialogs, GOES_WHOLE[dialogs] == traces.person_id))
    rows += of_accounts(conn, traces)
    rows.append((archive_messages, archive_messages.c.id.in_(_sent(traces))))
    return [*rows, (audit, or_(audit.c.actor == traces.subject, audit.c.subject == traces.subject))]


def referring(person_id: int) -> list[tuple[Table, Any]]:
    return [
        (table, or_(*(column == person_id for column, _ in columns)))
        for table, columns in naming({people: None})
        if table is not people
    ]


def of_accounts(conn: AsyncConnection, traces: PersonTraces) -> list[tuple[Table, Any]]:
    pairs = [(one.platform, one.user_id) for one in traces.accounts]
    return [
        (table, pairs_among(conn, (table.c.platform, column), pairs))
        for table, column in OF_ACCOUNT.items()
    ]


async def file_hashes(conn: AsyncConnection, traces: PersonTraces) -> list[str]:
    """Of the files that they sent, sorted."""
    records = await recorded_hashes(conn, traces)
    return sorted({*records, *await loose_hashes(conn, traces), *await _archived(conn, traces)})


async def recordings(conn: AsyncConnection, traces: PersonTraces) -> list[str]:
    """Their voice, sorted."""
    spoken = await recorded_hashes(conn, traces), await _archived(conn, traces)
    sounds = files.c.media_type.like("audio/%")
    sent = among(conn, files.c.sha256, {one for hashes in spoken for one in hashes})
    return sorted((await conn.execute(select(files.c.sha256).where(sent, sounds))).scalars())


async def recorded_hashes(conn: AsyncConnection, traces: PersonTraces) -> set[str]:
    """In drafts and in the streams of customers."""
    found: set[str] = set()
    for column in (drafts.c.person_id, activities.c.actor_id):
        query = select(column.table.c.file_hashes).where(column == traces.person_id)
        for hashes in (await conn.execute(query)).scalars():
            found.update(hashes)
    return found


async def loose_hashes(conn: AsyncConnection, traces: PersonTraces) -> set[str]:
    """Sent without saying for whom."""
    query = select(loose_files.c.sha256).where(loose_files.c.person_id == traces.person_id)
    return set((await conn.execute(query)).scalars())


async def _archived(conn: AsyncConnection, traces: PersonTraces) -> set[str]:
    query = select(archive_files.c.sha256).where(
        archive_files.c.message_id.in_(_sent(traces)), archive_files.c.sha256.is_not(None)
    )
    return set((await conn.execute(query)).scalars())


def _sent(traces: PersonTraces) -> Any:
    """Ids of archived messages; the archive is WeCom's."""
    mine = [one.user_id for one in traces.accounts if one.platform == "wecom"]
    return select(archive_messages.c.id).where(archive_messages.c.sender.in_(mine))


async def _somebody(conn: AsyncConnection, who: str) -> AnyRow:
    platform, _, user_id = who.partition(":")
    mobile = plain_mobile(who)
    account = select(identities.c.person_id).where(
        identities.c.platform == platform,
        identities.c.user_id == (user_id.lower() if platform == "wecom" else user_id),
    )
    ways = [people.c.name == who, people.c.id.in_(account)]
    ways += [people.c.mobile == mobile] if mobile is not None else []
    if re.fullmatch(r"\d{1,9}", who):
        ways = [people.c.id == int(who)]
    found = (await conn.execute(select(people).where(or_(*ways)).order_by(people.c.id))).all()
    if not found:
        raise NotFound(
            f"没有这位员工「{who}」(no such person)：请写编号、全名、手机号，或 wecom:账号。"
        )
    if len(found) > 1:
        numbers = "、".join(str(one.id) for one in found)
        raise Refused(f"有 {len(found)} 位员工叫「{who}」，请写编号：{numbers}。")
    return found[0]


async def _is_shared(conn: AsyncConnection, person_id: int, name: str) -> bool:
    """Whether others bear the name, or one that it is a part of."""
    queries = (
        select(people.c.id).where(holds(people.c.name, name), people.c.id != person_id),
        select(contacts.c.id).where(holds(contacts.c.name, name)),
        select(external_contacts.c.name).where(holds(external_contacts.c.name, name)),
    )
    return any([(await conn.execute(query.limit(1))).first() is not None for query in queries])
