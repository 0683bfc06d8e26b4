"""A customer's data, out and gone: what names it, and what of that is personal (semantics B17).

Erased are the people of a customer: contacts, free text, files, the chats it was told in. What
proves contracts, receipts and wages stays, without them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Table, and_, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bindings import ChatKind
from bot.domain.privacy import impersonal, tells_apart
from bot.errors import NotFound
from bot.messages import Text as Content
from bot.messages import content_to_json
from storage.audit import ERASURE, Audit
from storage.dialects import AnyRow, among, in_chunks, not_among, pairs_among
from storage.merges import family
from storage.tables import (
    account_merges,
    accounts,
    activities,
    approvals,
    archive_chats,
    archive_files,
    archive_messages,
    attendance_facts,
    audit,
    cards,
    chat_bindings,
    chat_members,
    clause_reviews,
    collisions,
    contacts,
    contracts,
    customer_signals,
    deal_outlooks,
    dialogs,
    drafts,
    erp_customers,
    evidence,
    external_contacts,
    external_follows,
    external_keys,
    file_uses,
    files,
    forecast_lines,
    group_words,
    inbox,
    level_changes,
    light_episodes,
    mail_addresses,
    mails,
    metadata,
    opportunities,
    outbox,
    payout_complaints,
    payout_dispute_notes,
    payout_disputes,
    signal_events,
    signal_links,
    signal_visitors,
    stage_events,
    supply_notices,
)

PAGE = 1_000
BEFORE, AFTER = timedelta(minutes=1), timedelta(minutes=10)
"""Around a draft, how long its chat is taken to be about it."""

NOTHING = content_to_json(Content(""))

Change = Callable[[Any], Any]


def _gone(_: Any) -> str:
    return ""


def _nothing_left(_: Any) -> list[Any]:
    return []


def _no_fields(_: Any) -> dict[str, str]:
    return {}


def _without_phone(value: Any) -> Any:
    """Of what was entered of a customer, or moved with it."""
    if isinstance(value, dict):
        return {key: "" if key == "phone" else _without_phone(part) for key, part in value.items()}
    return value


PERSONAL: Mapping[Column[Any], Change] = {
    accounts.c.phone: _gone,
    account_merges.c.moved: _without_phone,
    activities.c.text: _gone,
    activities.c.slots: impersonal,
    approvals.c.title: _gone,
    approvals.c.controls: _nothing_left,
    approvals.c.nodes: _nothing_left,
    attendance_facts.c.place: _gone,
    attendance_facts.c.note: _gone,
    clause_reviews.c.note: _gone,
    collisions.c.asked: _without_phone,
    collisions.c.reason: _gone,
    deal_outlooks.c.risk: _gone,
    drafts.c.text: _gone,
    drafts.c.slots: impersonal,
    erp_customers.c.phone: _gone,
    evidence.c.fields: _no_fields,
    evidence.c.withdrawal_reason: _gone,
    forecast_lines.c.risk: _gone,
    level_changes.c.reason: _gone,
    supply_notices.c.reason: _gone,
    light_episodes.c.snooze_reason: _gone,
    payout_complaints.c.text: _gone,
    payout_dispute_notes.c.text: _gone,
    payout_disputes.c.reason: _gone,
    payout_disputes.c.report: _gone,
    stage_events.c.slots: impersonal,
    stage_events.c.reason: _gone,
}
"""Columns of rows that name a customer, and what takes the place of their values. A test wants
every other column of text of such a table, but for GOES_WHOLE, to be listed as harmless."""

_OF_CUSTOMER = (
    contacts, chat_bindings, customer_signals, signal_events, signal_visitors, signal_links,
    mails, mail_addresses,
)  # fmt: skip

GOES_WHOLE = (*_OF_CUSTOMER, archive_files, archive_messages, archive_chats)
"""Tables whose rows are nothing but personal: people, where one talks with them, what they said,
and what they looked at. A conversation that is archived again after that is a new one, and
nobody's. Who agreed to the archive stays: it proves that it was lawful."""


@dataclass(slots=True)
class Traces:
    """Everything that leads to one customer.

    ids: of the customer with those merged into it, of its deals and contracts, by the table.
    words: names and numbers that are one person's. talks: chats and when they were about it.
    external: (platform, id) of its external contacts, groups: of the groups bound to it.
    mails: delivery ids of its mails.
    """

    ids: dict[Table, list[int]]
    words: list[str] = field(default_factory=list)
    talks: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    draft_ids: list[int] = field(default_factory=list)
    activity_ids: list[int] = field(default_factory=list)
    external: list[tuple[str, str]] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)
    mails: set[str] = field(default_factory=set)

    def in_talk(self, conversation: str, at: datetime) -> bool:
        return any(chat == conversation and a <= at <= b for chat, a, b in self.talks)

    def told_in(self, text: str) -> bool:
        return any(word in text for word in self.words)

    def subjects(self) -> set[str]:
        """As audit entries and cards name them."""
        named = [("account", self.ids[accounts]), ("opportunity", self.ids[opportunities])]
        named += [("contract", self.ids[contracts]), ("draft", self.draft_ids)]
        named += [("activity", self.activity_ids)]
        return {f"{kind}:{number}" for kind, ids in named for number in ids}


class PersonalData:
    """Inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def trace(self, account_id: int) -> Traces:
        """Raises NotFound."""
        exists = await self._conn.scalar(select(accounts.c.id).where(accounts.c.id == account_id))
        if exists is None:
            raise NotFound(f"没有编号 {account_id} 的客户 (no such customer)。")
        of = await family(self._conn, account_id)
        found = Traces({accounts: of})
        for table in (opportunities, contracts, archive_chats):
            found.ids[table] = await self._ids(table, among(self._conn, table.c.account_id, of))
        found.activity_ids = await self._ids(
            activities, among(self._conn, activities.c.account_id, of)
        )
        found.external = await self._bound(of, ChatKind.CONTACT)
        found.groups = await self._bound(of, ChatKind.GROUP)
        found.words = [*await self._words(of), *await self._words_of_external(found.external)]
        found.words += await self._addresses(of)
        keys = await self._conn.execute(
            select(mails.c.key).where(among(self._conn, mails.c.account_id, of))
        )
        found.mails = set(keys.scalars())
        columns = (drafts.c.id, drafts.c.conversation, drafts.c.created_at, drafts.c.touched_at)
        for row in await self._conn.execute(
            select(*columns).where(among(self._conn, drafts.c.account_id, of))
        ):
            found.draft_ids.append(row.id)
            found.talks.append((row.conversation, row.created_at - BEFORE, row.touched_at + AFTER))
        return found

    async def rows(self, traces: Traces) -> dict[str, list[dict[str, Any]]]:
        """Every row that names the customer, its deals or its contracts, by its table."""
        found = {
            "accounts": await self._dump(
                accounts, among(self._conn, accounts.c.id, traces.ids[accounts])
            ),
        }
        for table, chosen in _rows_of(self._conn, traces):
            found[str(table.name)] = await self._dump(table, chosen)
        for table, chosen in _external_rows(self._conn, traces):
            found[str(table.name)] = await self._dump(table, chosen)
        hashes = await self._file_hashes(traces)
        found["files"] = await self._dump(files, among(self._conn, files.c.sha256, hashes))
        found["inbox"] = [
            {"id": row.id, "at": row.sent_at, "body": bytes(row.body).decode(errors="replace")}
            async for row in self._chat(traces)
        ]
        return {name: rows for name, rows in found.items() if rows}

    async def erase(self, traces: Traces, at: datetime) -> tuple[dict[str, int], list[str]]:
        """How many rows of each table lost something, and the hashes of the files that nobody
        else uses: their bytes are the caller's to delete, once this is committed."""
        if self._conn.dialect.name == "sqlite":
            await self._conn.execute(text("PRAGMA secure_delete = ON"))  # not in free pages either
        hashes, chat = await self._own_files(traces), [row.id async for row in self._chat(traces)]
        entries = [row.seq async for row in self._audit_of(traces)]
        counts = {
            "accounts": await self._change(
                accounts, among(self._conn, accounts.c.id, traces.ids[accounts])
            ),
        }
        for table, chosen in _external_rows(self._conn, traces):
            erased = await self._conn.execute(delete(table).where(chosen))
            counts[str(table.name)] = erased.rowcount
        for table in _OF_CUSTOMER:
            gone = await self._delete(table.c.account_id, traces.ids[accounts])
            counts[str(table.name)] = gone
        chats = traces.ids[archive_chats]
        for column in (archive_files.c.chat_id, archive_messages.c.chat_id, archive_chats.c.id):
            counts[str(column.table.name)] = await self._delete(column, chats)
        for table, chosen in _rows_of(self._conn, traces):
            if table not in GOES_WHOLE:
                counts[str(table.name)] = await self._change(table, chosen)
        for some in in_chunks(chat):
            await self._conn.execute(update(inbox).where(inbox.c.id.in_(some)).values(body=b""))
        counts |= await self._erase_what_was_shown(traces)
        counts["files"] = await self._let_go(hashes, at)
        counts |= {"inbox": len(chat), "audit": len(entries)}
        await self._tell(traces, counts, entries, at)
        return counts, hashes

    async def _tell(
        self, traces: Traces, counts: dict[str, int], entries: Sequence[int], at: datetime
    ) -> None:
        chain = Audit(self._conn)
        await chain.erase(entries)
        await chain.append(
            at=at,
            actor="admin:cli",
            action=ERASURE,
            subject=f"account:{traces.ids[accounts][0]}",
            before=None,
            after={"audit_entries": list(entries), "rows": counts},
        )
        await chain.seal()

    async def _words(self, of: Sequence[int]) -> list[str]:
        rows = await self._conn.execute(
            select(contacts).where(among(self._conn, contacts.c.account_id, of))
        )
        words = []
        for row in rows:
            words += [row.name] if tells_apart(row.name) else []
            words += [row.mobile or "", row.external_id]
        return [word for word in dict.fromkeys(words) if word]

    async def _addresses(self, of: Sequence[int]) -> list[str]:
        """Of its people's mailboxes."""
        rows = await self._conn.execute(
            select(mail_addresses.c.name).where(
                among(self._conn, mail_addresses.c.account_id, of),
                mail_addresses.c.name.not_like("@%"),
            )
        )
        return list(rows.scalars())

    async def _bound(self, of: Sequence[int], kind: ChatKind) -> list[tuple[str, str]]:
        rows = await self._conn.execute(
            select(chat_bindings.c.platform, chat_bindings.c.chat_key)
            .distinct()
            .where(
                among(self._conn, chat_bindings.c.account_id, of),
                chat_bindings.c.kind == str(kind),
                chat_bindings.c.ended_at.is_(None),
            )
        )
        return [(row.platform, row.chat_key) for row in rows]

    async def _words_of_external(self, external: Sequence[tuple[str, str]]) -> list[str]:
        place = external_contacts.c.platform, external_contacts.c.external_id
        words: list[str] = []
        for row in await self._conn.execute(
            select(external_contacts).where(pairs_among(self._conn, place, external))
        ):
            words += [row.name] if tells_apart(row.name) else []
            words += [row.mobile, row.external_id]
        return [word for word in dict.fromkeys(words) if word]

    async def _change(self, table: Table, chosen: Any) -> int:
        """Row by row, since JSON is rewritten here and not in the database."""
        changes = {column.name: PERSONAL[column] for column in table.c if column in PERSONAL}
        if not changes:
            return 0
        key = list(table.primary_key.columns)
        columns = [*key, *(table.c[name] for name in changes if table.c[name] not in key)]
        rows = (await self._conn.execute(select(*columns).where(chosen))).all()
        count = 0
        for row in rows:
            was = row._asdict()
            now = {name: change(was[name]) for name, change in changes.items()}
            if any(now[name] != was[name] for name in now):
                here = [column == was[column.name] for column in key]
                await self._conn.execute(update(table).where(*here).values(now))
                count += 1
        return count

    async def _erase_what_was_shown(self, traces: Traces) -> dict[str, int]:
        """What the bot said, what cards show, what groups and dialogs remember."""
        subjects = traces.subjects()
        said = [
            row.id
            async for row in self._pages(outbox, outbox.c.id)
            if traces.in_talk(row.address, row.queued_at) or traces.told_in(row.content)
        ]
        for some in in_chunks(said):
            ours = outbox.c.id.in_(some)
            waiting = update(outbox).where(ours, outbox.c.state == "queued")
            await self._conn.execute(waiting.values(state="dropped", reason="erased"))
            await self._conn.execute(update(outbox).where(ours).values(content=NOTHING))
        shown = [
            row.card_id
            async for row in self._pages(cards, cards.c.card_id)
            if row.subject in subjects or traces.told_in(_plain(row.data))
        ]
        heard = [
            row.id
            async for row in self._pages(group_words, group_words.c.id)
            if traces.in_talk(row.conversation, row.said_at) or traces.told_in(row.text)
        ]
        chats = [chat for chat, _, _ in traces.talks]
        return {
            "outbox": len(said),
            "cards": await self._delete(cards.c.card_id, shown),
            "group_words": await self._delete(group_words.c.id, heard),
            "dialogs": await self._delete(dialogs.c.conversation, chats),
        }

    async def _delete(self, column: Column[Any], values: Sequence[Any]) -> int:
        count = 0
        for some in in_chunks(values):
            gone = delete(column.table).where(column.in_(some))
            count += (await self._conn.execute(gone)).rowcount
        return count

    async def _chat(self, traces: Traces) -> AsyncIterator[AnyRow]:
        """Handled deliveries of the chats it was told in, or with its people's names."""
        async for row in self._pages(inbox, inbox.c.id):
            if row.state == "new" or not row.body:
                continue
            body = bytes(row.body).decode(errors="replace")
            is_mail = row.channel.startswith("mail:") and row.delivery_id in traces.mails
            if is_mail or traces.in_talk(row.conversation, row.sent_at) or traces.told_in(body):
                yield row

    async def _audit_of(self, traces: Traces) -> AsyncIterator[AnyRow]:
        subjects = traces.subjects()
        async for row in self._pages(audit, audit.c.seq):
            told = traces.told_in(row.before) or traces.told_in(row.after)
            if row.salt and row.action != ERASURE and (row.subject in subjects or told):
                yield row

    async def _file_hashes(self, traces: Traces) -> list[str]:
        of = traces.ids[accounts]
        used = select(file_uses.c.sha256).where(among(self._conn, file_uses.c.account_id, of))
        found = set((await self._conn.execute(used)).scalars())
        for table in (activities, drafts):
            rows = select(table.c.file_hashes).where(among(self._conn, table.c.account_id, of))
            for hashes in (await self._conn.execute(rows)).scalars():
                found.update(hashes)
        return sorted(found)

    async def _own_files(self, traces: Traces) -> list[str]:
        """Those that no other customer has, and no other conversation."""
        hashes = await self._file_hashes(traces)
        used = select(file_uses.c.sha256).where(
            among(self._conn, file_uses.c.sha256, hashes),
            not_among(self._conn, file_uses.c.account_id, traces.ids[accounts]),
        )
        elsewhere = set((await self._conn.execute(used)).scalars())
        sent = select(archive_files.c.sha256).where(
            among(self._conn, archive_files.c.sha256, hashes),
            not_among(self._conn, archive_files.c.chat_id, traces.ids[archive_chats]),
        )
        elsewhere |= set((await self._conn.execute(sent)).scalars())
        return [one for one in hashes if one not in elsewhere]

    async def _let_go(self, hashes: Sequence[str], at: datetime) -> int:
        count = 0
        for some in in_chunks(hashes):
            there = (files.c.sha256.in_(some), files.c.erased_at.is_(None))
            gone = update(files).where(*there).values(name="", erased_at=at)
            count += (await self._conn.execute(gone)).rowcount
        return count

    async def _ids(self, table: Table, chosen: Any) -> list[int]:
        return list((await self._conn.execute(select(table.c.id).where(chosen))).scalars())

    async def _dump(self, table: Table, chosen: Any) -> list[dict[str, Any]]:
        rows = await self._conn.execute(
            select(table).where(chosen).order_by(*table.primary_key.columns)
        )
        return [{str(name): value for name, value in row._asdict().items()} for row in rows]

    async def _pages(self, table: Table, key: Column[Any]) -> AsyncIterator[AnyRow]:
        """All of a table, a thousand rows in memory at a time."""
        last = None
        while True:
            query = select(table).order_by(key).limit(PAGE)
            if last is not None:
                query = query.where(key > last)
            page = (await self._conn.execute(query)).all()
            for row in page:
                yield row
            if len(page) < PAGE:
                return
            last = getattr(page[-1], key.name)


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


def _rows_of(conn: AsyncConnection, traces: Traces) -> Iterator[tuple[Table, Any]]:
    for table, columns in naming(traces.ids):
        yield table, or_(*(among(conn, column, traces.ids[target]) for column, target in columns))


def _external_rows(conn: AsyncConnection, traces: Traces) -> Iterator[tuple[Table, Any]]:
    """What is kept of people outside, who are named by their platform's ids."""
    for table in (external_contacts, external_follows, external_keys):
        place = (table.c.platform, table.c.external_id)
        yield table, pairs_among(conn, place, traces.external)
    group = (chat_members.c.platform, chat_members.c.chat_id)
    theirs = pairs_among(conn, group, traces.groups)
    yield chat_members, and_(theirs, chat_members.c.is_staff.is_(False))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
