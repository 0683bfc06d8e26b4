"""Mails of mailboxes: bookmarks, heads, and whose addresses are whose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.mails import Mail, MailPlace, domain_key, thread_of
from storage.dialects import by_no_index, fixed, in_chunks, insert_into
from storage.inbox import ids_of
from storage.tables import accounts, inbox, mail_addresses, mail_boxes, mails

OPEN, WAITING, ENTERED, DROPPED = "open", "waiting", "entered", "dropped"

_IS_OPEN = mails.c.state == fixed("open")


@dataclass(frozen=True, slots=True)
class MailRow:
    """A head on record. state: OPEN, nobody knows whose; WAITING, known, the whole of it is to be
    fetched; ENTERED, in its customer's stream; DROPPED, said to be nobody's. address: of the one
    outside, "" if several; domain: theirs, "@…", "" if public or several."""

    id: int
    box: str
    key: str
    state: str
    account_id: int | None
    direction: str
    sender: str
    sender_name: str
    address: str
    domain: str
    outsiders: Sequence[str]
    subject: str
    sent_at: datetime
    tries: int


_COLUMNS = [mails.c[field.name] for field in fields(MailRow)]


class Mails:
    """Repository of mails and of how far mailboxes were read, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def bookmark(self, box: str) -> tuple[MailPlace | None, datetime | None]:
        """Up to where it was read, and the moment before which all that came is here."""
        rows = await self._conn.execute(select(mail_boxes).where(mail_boxes.c.box == box))
        row = rows.one_or_none()
        if row is None:
            return None, None
        return MailPlace(row.validity, row.uid), row.known_until

    async def move_bookmark(
        self, box: str, place: MailPlace, *, known_until: datetime | None
    ) -> None:
        """known_until: None while there is more to read, of which the first reading knows
        nothing yet."""
        values = {"box": box, "validity": place.validity, "uid": place.uid}
        if known_until is None:
            await self._conn.execute(
                update(mail_boxes).where(mail_boxes.c.box == box).values(values)
            )
            return
        new = insert_into(self._conn, mail_boxes).values(**values, known_until=known_until)
        await self._conn.execute(
            new.on_conflict_do_update(
                index_elements=[mail_boxes.c.box], set_={**values, "known_until": known_until}
            )
        )

    async def find(self, box: str, key: str) -> MailRow | None:
        found = await self._list(mails.c.box == box, mails.c.key == key)
        return found[0] if found else None

    async def get(self, mail_id: int) -> MailRow | None:
        found = await self._list(mails.c.id == mail_id)
        return found[0] if found else None

    async def note(self, mail: Mail, at: datetime) -> MailRow:
        """On record as OPEN, unless it was before. Looked for first, since people say its number,
        and on PostgreSQL an INSERT that adds nothing takes one, too."""
        known = await self.find(mail.box, mail.key)
        if known is not None:
            return known
        address = mail.outsiders[0] if len(mail.outsiders) == 1 else ""
        values = {
            "box": mail.box, "key": mail.key, "state": OPEN,
            "thread": thread_of(mail.message_id) if mail.message_id else "",
            "direction": mail.direction, "sender": mail.sender, "sender_name": mail.sender_name,
            "address": address, "domain": (domain_key(address) or "")[:130],
            "outsiders": list(mail.outsiders), "subject": mail.subject,
            "sent_at": min(mail.sent_at or at, at), "heard_at": at, "tries": 0,
        }  # fmt: skip
        new = insert_into(self._conn, mails).values(values)
        await self._conn.execute(new.on_conflict_do_nothing(index_elements=["box", "key"]))
        return (await self._list(mails.c.box == mail.box, mails.c.key == mail.key))[0]

    async def wait(self, mail_id: int, account_id: int, *, tries: int) -> None:
        """Known whose it is; the whole of it is to be fetched."""
        await self._set(mail_id, state=WAITING, account_id=account_id, tries=tries)

    async def enter(self, mail_id: int, account_id: int) -> None:
        """It stands in a stream, so its words need not stand here."""
        await self._set(
            mail_id, state=ENTERED, account_id=account_id, sender="", sender_name="", address="",
            outsiders=[], subject="",
        )  # fmt: skip

    async def drop(self, mail_id: int) -> None:
        """It is nobody's: only that it was here stays."""
        await self._set(
            mail_id, state=DROPPED, thread="", sender="", sender_name="", address="", domain="",
            outsiders=[], subject="",
        )  # fmt: skip

    async def open_in(self, boxes: Collection[str], *, limit: int) -> list[MailRow]:
        """Mails that are no customer's yet, the newest first."""
        query = select(*_COLUMNS).where(_IS_OPEN, mails.c.box.in_(boxes))
        rows = await self._conn.execute(query.order_by(mails.c.id.desc()).limit(limit))
        return [MailRow(**row._asdict()) for row in rows]

    async def open_from(self, address: str, domain: str, *, limit: int) -> list[MailRow]:
        """Nobody's, with that address outside, or any of that domain ("" for none)."""
        whose = [mails.c.address == address] if address else []
        whose += [mails.c.domain == domain] if domain else []
        if not whose:
            return []
        newest_first = by_no_index(self._conn, mails.c.id).desc()
        query = select(*_COLUMNS).where(_IS_OPEN, or_(*whose)).order_by(newest_first)
        return [MailRow(**row._asdict()) for row in await self._conn.execute(query.limit(limit))]

    async def waiting_in(self, box: str) -> list[MailRow]:
        return await self._list(mails.c.box == box, mails.c.state == fixed("waiting"))

    async def outdated(self, box: str, before: datetime, *, limit: int) -> list[MailRow]:
        """Mails that were no customer's since before then, the oldest first."""
        query = select(*_COLUMNS).where(_IS_OPEN, mails.c.box == box, mails.c.heard_at < before)
        rows = await self._conn.execute(query.order_by(mails.c.id).limit(limit))
        return [MailRow(**row._asdict()) for row in rows]

    async def customers_in_thread(self, answers: Sequence[str]) -> list[int]:
        """Whose those mails are, in the order of `answers`."""
        query = select(mails.c.thread, mails.c.account_id).where(
            mails.c.thread.in_(answers),
            mails.c.thread != fixed(""),
            mails.c.account_id.is_not(None),
        )
        known = {row.thread: row.account_id for row in await self._conn.execute(query)}
        return [known[one] for one in answers if one in known]

    async def customers_of(self, names: Iterable[str]) -> dict[str, int | None]:
        """Address or "@domain" -> customer; None for a domain of several. Only what was learnt."""
        found: dict[str, int | None] = {}
        for some in in_chunks(names):
            query = select(mail_addresses.c.name, mail_addresses.c.account_id).where(
                mail_addresses.c.name.in_(some)
            )
            found |= {row.name: row.account_id for row in await self._conn.execute(query)}
        return found

    async def customers_at(self, domain: str) -> set[int]:
        """domain: "@…". Those of whom that domain, or an address under it, was learnt."""
        query = select(mail_addresses.c.account_id).where(
            mail_addresses.c.name.endswith(domain, autoescape=True),
            mail_addresses.c.account_id.is_not(None),
        )
        return set((await self._conn.execute(query)).scalars())

    async def customers_with_domain(self, domains: Iterable[str]) -> dict[str, list[int]]:
        """Domain -> the customers on whose cards it stands."""
        found: dict[str, list[int]] = {}
        for some in in_chunks(domains):
            query = select(accounts.c.domain, accounts.c.id).where(
                accounts.c.domain.in_(some),
                accounts.c.domain != fixed(""),
                accounts.c.merged_into_id.is_(None),
            )
            for row in await self._conn.execute(query):
                found.setdefault(row.domain, []).append(row.id)
        return found

    async def learn(self, name: str, account_id: int | None, *, by: int, at: datetime) -> None:
        """What was learnt before of that name is forgotten."""
        values = {"account_id": account_id, "learnt_by": by, "learnt_at": at}
        new = insert_into(self._conn, mail_addresses).values(name=name, **values)
        await self._conn.execute(
            new.on_conflict_do_update(index_elements=[mail_addresses.c.name], set_=values)
        )

    async def forget(self, name: str) -> None:
        await self._conn.execute(delete(mail_addresses).where(mail_addresses.c.name == name))

    async def envelopes(self, channel: str, keys: Iterable[str]) -> list[int]:
        """Ids of their envelopes in the inbox."""
        found: list[int] = []
        for some in in_chunks(keys):
            query = ids_of(self._conn, channel, some)
            found += (await self._conn.execute(query)).scalars()
        return found

    async def blank(self, channel: str, keys: Iterable[str]) -> None:
        """Their envelopes say nothing any more; that they came stays."""
        for some in in_chunks(await self.envelopes(channel, keys)):
            await self._conn.execute(
                update(inbox).where(inbox.c.id.in_(some), inbox.c.state != "new").values(body=b"")
            )

    async def _set(self, mail_id: int, **values: Any) -> None:
        await self._conn.execute(update(mails).where(mails.c.id == mail_id).values(values))

    async def _list(self, *which: Any) -> list[MailRow]:
        rows = await self._conn.execute(select(*_COLUMNS).where(*which).order_by(mails.c.id))
        return [MailRow(**row._asdict()) for row in rows]
