"""What names a customer: rows, chats, words, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bindings import ChatKind
from bot.domain.privacy import tells_apart
from bot.errors import NotFound
from storage.dialects import among, pairs_among
from storage.merges import family
from storage.personal.told import AFTER, BEFORE, Told
from storage.tables import (
    accounts,
    activities,
    archive_chats,
    chat_bindings,
    chat_members,
    contacts,
    contracts,
    drafts,
    external_contacts,
    external_follows,
    external_keys,
    external_reads,
    file_uses,
    forecast_lines,
    mail_addresses,
    mails,
    metadata,
    opportunities,
)


@dataclass(slots=True, kw_only=True)
class Traces(Told):
    """Everything that leads to one customer.

    ids: of the customer with those merged into it, of its deals, their lines in forecasts, its
    contracts and archived chats, by the table.
    external: (platform, id) of its external contacts, groups: of the groups bound to it.
    """

    ids: dict[Table, list[int]]
    draft_ids: list[int] = field(default_factory=list)
    activity_ids: list[int] = field(default_factory=list)
    external: list[tuple[str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return f"account:{self.ids[accounts][0]}"

    def subjects(self) -> set[str]:
        """As audit entries and cards name them."""
        named = [("account", self.ids[accounts]), ("opportunity", self.ids[opportunities])]
        named += [("contract", self.ids[contracts]), ("draft", self.draft_ids)]
        named += [("activity", self.activity_ids)]
        return {f"{kind}:{number}" for kind, ids in named for number in ids}


async def trace(conn: AsyncConnection, account_id: int) -> Traces:
    """Raises NotFound."""
    exists = await conn.scalar(select(accounts.c.id).where(accounts.c.id == account_id))
    if exists is None:
        raise NotFound(f"没有编号 {account_id} 的客户 (no such customer)。")
    of = await family(conn, account_id)
    found = Traces(ids={accounts: of})
    for table in (opportunities, contracts, archive_chats):
        found.ids[table] = await _ids(conn, table, among(conn, table.c.account_id, of))
    deals = among(conn, forecast_lines.c.opportunity_id, found.ids[opportunities])
    found.ids[forecast_lines] = await _ids(conn, forecast_lines, deals)
    found.activity_ids = await _ids(conn, activities, among(conn, activities.c.account_id, of))
    found.external = await _bound(conn, of, ChatKind.CONTACT)
    found.groups = await _bound(conn, of, ChatKind.GROUP)
    found.words = [*await _words(conn, of), *await _words_of_external(conn, found.external)]
    found.words += await _addresses(conn, of)
    keys = await conn.execute(select(mails.c.key).where(among(conn, mails.c.account_id, of)))
    found.mails = set(keys.scalars())
    columns = (drafts.c.id, drafts.c.conversation, drafts.c.created_at, drafts.c.touched_at)
    for row in await conn.execute(select(*columns).where(among(conn, drafts.c.account_id, of))):
        found.draft_ids.append(row.id)
        found.talks.append((row.conversation, row.created_at - BEFORE, row.touched_at + AFTER))
    return found


def naming(
    targets: Mapping[Table, object],
) -> Iterator[tuple[Table, list[tuple[Column[Any], Table]]]]:
    """The tables with a reference to one of `targets`, and by which columns."""
    for table in metadata.sorted_tables:
        columns = [
            (column, target)
            for column in table.columns
            for target in targets
            if column.references(target.c.id)
        ]
        if columns and table is not accounts:
            yield table, columns


async def rows_of(conn: AsyncConnection, traces: Traces) -> list[tuple[Table, Any]]:
    """By table, the condition for the rows that are the customer's."""
    itself = among(conn, accounts.c.id, traces.ids[accounts])
    others = naming_rows(conn, traces)
    return [(accounts, itself), *others, *external_rows(conn, traces)]


def naming_rows(conn: AsyncConnection, traces: Traces) -> Iterator[tuple[Table, Any]]:
    """The same of the rows that name the customer, its deals or its contracts."""
    for table, columns in naming(traces.ids):
        yield table, or_(*(among(conn, column, traces.ids[target]) for column, target in columns))


def external_rows(conn: AsyncConnection, traces: Traces) -> Iterator[tuple[Table, Any]]:
    """What is kept of people outside, who are named by their platform's ids."""
    for table in (external_contacts, external_follows, external_keys):
        place = (table.c.platform, table.c.external_id)
        yield table, pairs_among(conn, place, traces.external)
    waiting = (external_reads.c.platform, external_reads.c.key)
    yield external_reads, pairs_among(conn, waiting, traces.external)
    group = (chat_members.c.platform, chat_members.c.chat_id)
    theirs = pairs_among(conn, group, traces.groups)
    yield chat_members, and_(theirs, chat_members.c.is_staff.is_(False))


async def file_hashes(conn: AsyncConnection, traces: Traces) -> list[str]:
    """Of the files that were sent for the customer, sorted."""
    of = traces.ids[accounts]
    used = select(file_uses.c.sha256).where(among(conn, file_uses.c.account_id, of))
    found = set((await conn.execute(used)).scalars())
    for table in (activities, drafts):
        rows = select(table.c.file_hashes).where(among(conn, table.c.account_id, of))
        for hashes in (await conn.execute(rows)).scalars():
            found.update(hashes)
    return sorted(found)


async def _words(conn: AsyncConnection, of: Sequence[int]) -> list[str]:
    rows = await conn.execute(select(contacts).where(among(conn, contacts.c.account_id, of)))
    words = []
    for row in rows:
        words += [row.name] if tells_apart(row.name) else []
        words += [row.mobile or "", *ids_in(row.external_id)]
    return [word for word in dict.fromkeys(words) if word]


def ids_in(external_id: str) -> list[str]:
    """A contact's id as it may stand somewhere: with its platform, wecom:wm…, and without."""
    platform, _, alone = external_id.partition(":")
    return [word for word in dict.fromkeys((external_id, alone or platform)) if word]


async def _addresses(conn: AsyncConnection, of: Sequence[int]) -> list[str]:
    """Of its people's mailboxes."""
    rows = await conn.execute(
        select(mail_addresses.c.name).where(
            among(conn, mail_addresses.c.account_id, of),
            mail_addresses.c.name.not_like("@%"),
        )
    )
    return list(rows.scalars())


async def _bound(conn: AsyncConnection, of: Sequence[int], kind: ChatKind) -> list[tuple[str, str]]:
    rows = await conn.execute(
        select(chat_bindings.c.platform, chat_bindings.c.chat_key)
        .distinct()
        .where(
            among(conn, chat_bindings.c.account_id, of),
            chat_bindings.c.kind == str(kind),
            chat_bindings.c.ended_at.is_(None),
        )
    )
    return [(row.platform, row.chat_key) for row in rows]


async def _words_of_external(
    conn: AsyncConnection, external: Sequence[tuple[str, str]]
) -> list[str]:
    place = external_contacts.c.platform, external_contacts.c.external_id
    words: list[str] = []
    for row in await conn.execute(
        select(external_contacts).where(pairs_among(conn, place, external))
    ):
        words += [row.name] if tells_apart(row.name) else []
        words += [row.mobile, row.external_id]
    return [word for word in dict.fromkeys(words) if word]


async def _ids(conn: AsyncConnection, table: Table, chosen: Any) -> list[int]:
    return list((await conn.execute(select(table.c.id).where(chosen))).scalars())
