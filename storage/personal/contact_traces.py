"""What leads to one of a customer's people: rows of their own, and what is said of them.

Within the customer's own rows somebody is found by whatever they are called there, 王总 too; in
chats and in the audit only by what is nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bindings import ChatKind
from bot.domain.privacy import is_called, tells_apart
from bot.errors import NotFound, Refused
from storage.dialects import AnyRow, among, holds, pairs_among
from storage.personal import customer_traces
from storage.personal.customer_columns import GOES_WHOLE, PERSONAL
from storage.personal.customer_traces import Traces, ids_in
from storage.personal.told import AFTER, BEFORE, Told, plain
from storage.tables import (
    accounts,
    activities,
    archive_chats,
    archive_files,
    archive_messages,
    chat_bindings,
    chat_members,
    contacts,
    customer_signals,
    drafts,
    external_contacts,
    external_follows,
    external_keys,
    external_reads,
    mail_addresses,
    mails,
    people,
    signal_events,
    signal_links,
    signal_visitors,
)

Pair = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class ContactTraces(Told):
    """customer: whose contact it is. called: all that they are called there.

    external: (platform, id) of theirs. own: tables with rows that are nothing but theirs, by their
    keys. named: rows of the customer that tell of them, by table and key. alone: archived chats
    in which nobody else from outside is.
    """

    customer: Traces
    called: list[str]
    external: list[Pair] = field(default_factory=list)
    own: dict[Table, list[Any]] = field(default_factory=dict)
    named: dict[Table, list[Any]] = field(default_factory=dict)
    alone: list[int] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Without a name, which would stay in the audit."""
        number = next(iter(self.own.get(contacts, ())), None)
        return self.customer.subject if number is None else f"contact:{number}"

    def subjects(self) -> set[str]:
        kinds = (("contact", contacts, self.own), ("draft", drafts, self.named),
                 ("activity", activities, self.named))  # fmt: skip
        return {f"{kind}:{key}" for kind, table, of in kinds for key in of.get(table, ())}


async def trace(conn: AsyncConnection, account_id: int, who: str) -> ContactTraces:
    """Raises NotFound, and Refused where `who` says it of several."""
    customer = await customer_traces.trace(conn, account_id)
    found = ContactTraces(customer=customer, called=[who])
    await _identify(conn, found, who)
    found.words = await _only_theirs(conn, found)
    await _find_chats(conn, found)
    await _find_mails(conn, found)
    await _find_signals(conn, found)
    if not await _is_somebody(conn, found, who):
        raise NotFound(
            f"客户 {account_id} 没有联系人「{who}」(no such contact)："
            "请写全名、手机号、邮箱或平台上的编号。"
        )
    await _find_named(conn, found)
    await _find_talks(conn, found)
    return found


async def rows_of(conn: AsyncConnection, traces: ContactTraces) -> list[tuple[Table, Any]]:
    """By table, the condition for the rows that are theirs or tell of them."""
    rows = [(table, having(conn, table, keys)) for table, keys in traces.own.items()]
    rows += [(table, having(conn, table, keys)) for table, keys in traces.named.items()]
    chats = among(conn, archive_chats.c.id, traces.alone)
    return [*rows, (archive_chats, chats), *external_rows(conn, traces)]


def external_rows(conn: AsyncConnection, traces: ContactTraces) -> list[tuple[Table, Any]]:
    """What is kept of them under their ids on platforms."""
    rows: list[tuple[Table, Any]] = []
    for table in (external_contacts, external_follows, external_keys):
        place = (table.c.platform, table.c.external_id)
        rows.append((table, pairs_among(conn, place, traces.external)))
    waiting = (external_reads.c.platform, external_reads.c.key)
    rows.append((external_reads, pairs_among(conn, waiting, traces.external)))
    bound = (chat_bindings.c.platform, chat_bindings.c.chat_key)
    theirs = chat_bindings.c.kind == str(ChatKind.CONTACT)
    rows.append((chat_bindings, and_(theirs, pairs_among(conn, bound, traces.external))))
    member = (chat_members.c.platform, chat_members.c.member_id)
    outside = chat_members.c.is_staff.is_(False)
    rows.append((chat_members, and_(outside, pairs_among(conn, member, traces.external))))
    return rows


def having(conn: AsyncConnection, table: Table, keys: Sequence[Any]) -> ColumnElement[bool]:
    """Rows by their keys, as `own` and `named` have them."""
    columns = list(table.primary_key.columns)
    return among(conn, columns[0], keys) if len(columns) == 1 else tuple_(*columns).in_(keys)


async def file_hashes(conn: AsyncConnection, traces: ContactTraces) -> list[str]:
    """Of the files that came with what tells of them, sorted."""
    found: set[str] = set()
    for table in (activities, drafts):
        chosen = among(conn, table.c.id, traces.named.get(table, ()))
        for hashes in (await conn.execute(select(table.c.file_hashes).where(chosen))).scalars():
            found.update(hashes)
    sent = among(conn, archive_files.c.message_id, traces.own.get(archive_messages, ()))
    rows = await conn.execute(select(archive_files.c.sha256).where(sent))
    return sorted(found | {one for one in rows.scalars() if one is not None})


async def _identify(conn: AsyncConnection, found: ContactTraces, who: str) -> None:
    """Whoever is called so, and then what else they are called."""
    of = found.customer.ids[accounts]
    cards = list(await conn.execute(select(contacts).where(among(conn, contacts.c.account_id, of))))
    known = [who, *(word for one in cards for word in ids_in(one.external_id))]
    outside = await _outside(conn, found.customer, known)
    mine, theirs = _whose(cards, outside, who)
    if len({one.mobile for one in mine if one.mobile}) > 1 or _several(theirs):
        raise Refused(f"客户 {of[0]} 有几位「{who}」，分不清是谁：请写手机号或平台上的编号。")
    for _ in range(2):  # a platform's contact brings a mobile, which brings a contact of ours
        mine += [one for one in cards if one not in mine and _is_them(one, mine, theirs)]
        theirs += [one for one in outside if one not in theirs and _is_them(one, mine, theirs)]
    rows = [*mine, *theirs]
    words = (word for one in rows for word in (one.name, one.mobile, *ids_in(one.external_id)))
    found.called = _distinct([who, *words])
    found.own[contacts] = [one.id for one in mine]
    found.external = [(one.platform, one.external_id) for one in theirs]


async def _outside(conn: AsyncConnection, customer: Traces, ids: Sequence[str]) -> list[AnyRow]:
    """The platforms' contacts bound to the customer, and those with these ids."""
    place = (external_contacts.c.platform, external_contacts.c.external_id)
    named = among(conn, external_contacts.c.external_id, filter(None, ids))
    query = select(external_contacts).where(or_(pairs_among(conn, place, customer.external), named))
    return list(await conn.execute(query.order_by(*place)))


def _whose(
    cards: Iterable[AnyRow], outside: Iterable[AnyRow], who: str
) -> tuple[list[AnyRow], list[AnyRow]]:
    """Ours and the platforms' that are called so."""
    return [one for one in cards if _bears(one, who)], [one for one in outside if _bears(one, who)]


def _bears(one: AnyRow, who: str) -> bool:
    return is_called(one.name, who) or who in (one.mobile, *ids_in(one.external_id))


def _is_them(one: AnyRow, mine: Sequence[AnyRow], theirs: Sequence[AnyRow]) -> bool:
    """Whether another row is the same human being: by mobile or id, or by name where neither of
    these says otherwise. On one platform nobody is twice."""
    rows = [*mine, *theirs]
    mobiles, ids = (
        {row.mobile for row in rows} - {"", None},
        {row.external_id for row in rows} - {""},
    )
    platform = one._mapping.get("platform")
    if ids & set(ids_in(one.external_id)):
        return True
    if platform is not None and platform in {row.platform for row in theirs}:
        return False
    if one.mobile and mobiles:
        return one.mobile in mobiles
    apart = platform is None and one.external_id and ids
    return not apart and one.name in {row.name for row in rows}


def _several(outside: Sequence[AnyRow]) -> bool:
    """Whether one platform has two of them."""
    return len({one.platform for one in outside}) < len(outside)


async def _only_theirs(conn: AsyncConnection, found: ContactTraces) -> list[str]:
    """Of what they are called, that which is nobody else's, nor a part of it."""
    others = contacts.c.id.not_in(found.own[contacts])
    place = tuple_(external_contacts.c.platform, external_contacts.c.external_id)
    bearers: tuple[tuple[Column[str], list[ColumnElement[bool]]], ...] = (
        (contacts.c.name, [others]),
        (external_contacts.c.name, [place.not_in(found.external)]),
        (people.c.name, []),
    )
    words = [word for word in found.called if tells_apart(word)]
    for word in words:
        for name, which in bearers:
            one = await conn.execute(select(name).where(holds(name, word), *which).limit(1))
            if one.first() is not None and word not in found.shared_names:
                found.shared_names.append(word)
    return [word for word in words if word not in found.shared_names]


async def _find_chats(conn: AsyncConnection, found: ContactTraces) -> None:
    """What they said in the customer's archived chats, and what tells of them there."""
    ids = {external_id for _, external_id in found.external} | set(found.called)
    chats = among(conn, archive_chats.c.id, found.customer.ids[archive_chats])
    for chat in (await conn.execute(select(archive_chats).where(chats))).all():
        if chat.outsiders and set(chat.outsiders) <= ids:
            found.alone.append(chat.id)
    messages = among(conn, archive_messages.c.chat_id, found.customer.ids[archive_chats])
    said = [
        one.id
        for one in await conn.execute(select(archive_messages).where(messages))
        if one.chat_id in found.alone or one.sender in ids or _tells(one.text, found.called)
    ]
    sent = among(conn, archive_files.c.message_id, said)
    files = (await conn.execute(select(archive_files.c.id).where(sent))).scalars()
    found.own |= {archive_files: list(files), archive_messages: said}


async def _find_mails(conn: AsyncConnection, found: ContactTraces) -> None:
    """From them and to them, also those that are no customer's so far."""
    theirs = among(conn, mails.c.account_id, found.customer.ids[accounts])
    named = among(conn, mails.c.sender_name, found.called)
    senders = select(mails.c.sender).distinct().where(theirs, named, mails.c.direction == "in")
    known = {name for name in found.called if "@" in name}
    known |= set((await conn.execute(senders)).scalars())
    at_them = [among(conn, mails.c[name], known) for name in ("sender", "address")]
    rows = (await conn.execute(select(mails).where(or_(theirs, *at_them)))).all()
    mine = [row for row in rows if known & {row.sender, row.address, *row.outsiders}]
    found.called = _distinct([*found.called, *sorted(known)])
    found.words = _distinct([*found.words, *sorted(known)])
    found.mails = {row.key for row in mine}
    found.own[mails] = [row.id for row in mine]
    found.own[mail_addresses] = sorted(known)


async def _find_signals(conn: AsyncConnection, found: ContactTraces) -> None:
    """What they looked at, and the links that were made for them."""
    of = found.customer.ids[accounts]
    for table in (signal_links, signal_visitors):
        theirs = (among(conn, table.c.account_id, of), among(conn, table.c.contact, found.called))
        found.own[table] = list((await conn.execute(select(table.c.id).where(*theirs))).scalars())
    chosen = among(conn, signal_visitors.c.id, found.own[signal_visitors])
    browsers = (await conn.execute(select(signal_visitors).where(chosen))).all()
    seen = pairs_among(
        conn,
        (signal_events.c.site, signal_events.c.visitor),
        [(one.site, one.visitor) for one in browsers],
    )
    events = list((await conn.execute(select(signal_events.c.id).where(seen))).scalars())
    found.own[signal_events] = events
    signals = select(customer_signals.c.id, customer_signals.c.events).where(
        among(conn, customer_signals.c.account_id, of)
    )
    found.own[customer_signals] = [
        row.id for row in await conn.execute(signals) if set(events) & set(row.events)
    ]


async def _is_somebody(conn: AsyncConnection, found: ContactTraces, who: str) -> bool:
    """Or a word that stands in many entries would be looked for in all of them."""
    theirs = (contacts, mails, signal_links, signal_visitors)
    if found.external or found.alone or any(found.own[table] for table in theirs):
        return True
    of = found.customer.ids[accounts]
    for table in (activities, drafts):
        rows = await conn.execute(select(table.c.slots).where(among(conn, table.c.account_id, of)))
        if any(is_called(str(slots.get("contact") or ""), who) for slots in rows.scalars()):
            return True
    return False


async def _find_named(conn: AsyncConnection, found: ContactTraces) -> None:
    """Rows that would lose something: the customer's by whatever they are called there, and others
    by what is theirs alone."""
    sources = await _sources(conn, found)
    of = among(conn, accounts.c.id, found.customer.ids[accounts])
    for table, chosen in [(accounts, of), *customer_traces.naming_rows(conn, found.customer)]:
        personal = [column for column in table.c if column in PERSONAL]
        if not personal or table in GOES_WHOLE:
            continue
        anywhere = [holds(column, word) for column in personal for word in found.words]
        for row in (await conn.execute(select(table).where(or_(chosen, *anywhere)))).all():
            told = _tells(plain([row._mapping[column.name] for column in personal]), found.called)
            if told or (table is activities and _from(row.source_id, sources)):
                key = [row._mapping[column.name] for column in table.primary_key.columns]
                found.named.setdefault(table, []).append(key[0] if len(key) == 1 else tuple(key))


async def _sources(conn: AsyncConnection, found: ContactTraces) -> set[str]:
    """Of the entries that archived messages and mails have made in the stream."""
    said = among(conn, archive_messages.c.id, found.own[archive_messages])
    query = select(archive_messages.c.corp, archive_messages.c.msgid).where(said)
    archived = {f"archive:{row.corp}:{row.msgid}" for row in await conn.execute(query)}
    return archived | {f"mail:{key}" for key in found.mails}


def _from(source_id: str, sources: set[str]) -> bool:
    """The entry of a message, of a file that came after it, or of its recall."""
    return bool(sources) and any(
        source_id == one or source_id.startswith(f"{one}:") for one in sources
    )


async def _find_talks(conn: AsyncConnection, found: ContactTraces) -> None:
    chosen = among(conn, drafts.c.id, found.named.get(drafts, ()))
    columns = (drafts.c.conversation, drafts.c.created_at, drafts.c.touched_at)
    for row in await conn.execute(select(*columns).where(chosen)):
        found.talks.append((row.conversation, row.created_at - BEFORE, row.touched_at + AFTER))


def _tells(text: str, called: Iterable[str]) -> bool:
    return any(len(word) > 1 and word in text for word in called)


def _distinct(words: Iterable[str | None]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word]
