"""The growth fund: consents, the book, the catalogue, redemptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.payouts.growth import Book, Kind, Posting, Quarter
from bot.domain.people import PersonStatus
from bot.errors import NotFound
from storage.dialects import AnyRow, insert_into
from storage.tables import (
    growth_consents,
    growth_items,
    growth_postings,
    growth_redemptions,
    payout_lines,
    people,
)

WAITING, APPROVED, REJECTED, WITHDRAWN = "waiting", "approved", "rejected", "withdrawn"
NO_REDEMPTION = "没有这次兑换。"
_POSTGRES_LOCK = 0x67726F77  # any number nobody else uses


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's consent to the growth fund."""

    share_bp: int
    words: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """Something that the growth fund pays for. kind: course, ticket, training."""

    id: int
    kind: str
    name: str
    price_fen: int
    note: str


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry of the book as stored."""

    id: int
    person_id: int
    posting: Posting
    quarter: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Redemption:
    """Somebody's wish to spend from the fund, and what became of it."""

    id: int
    person_id: int
    item: Item
    hold_id: int
    state: str
    asked_at: datetime
    decided_by: int | None
    decided_at: datetime | None


class GrowthFund:
    """Repository of the growth fund, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def take_turn(self) -> None:
        """Before a balance is read to be spent, so that nobody else spends it meanwhile; before
        the audit chain is written to. SQLite has one writer."""
        if self._conn.dialect.name == "postgresql":
            await self._conn.execute(select(func.pg_advisory_xact_lock(_POSTGRES_LOCK)))

    async def consents(self) -> dict[int, Consent]:
        """Those in force, by person."""
        query = select(growth_consents).where(growth_consents.c.ended_at.is_(None))
        rows = await self._conn.execute(query.order_by(growth_consents.c.id))
        return {row.person_id: _to_consent(row) for row in rows}

    async def consent_of(self, person_id: int) -> Consent | None:
        query = select(growth_consents).where(
            growth_consents.c.person_id == person_id, growth_consents.c.ended_at.is_(None)
        )
        row = (await self._conn.execute(query.order_by(growth_consents.c.id.desc()))).first()
        return None if row is None else _to_consent(row)

    async def give_consent(self, person_id: int, consent: Consent) -> None:
        """In place of an earlier one."""
        await self.end_consent(person_id, consent.given_at)
        await self._conn.execute(
            insert(growth_consents).values(
                person_id=person_id,
                share_bp=consent.share_bp,
                words=consent.words,
                given_at=consent.given_at,
            )
        )

    async def end_consent(self, person_id: int, at: datetime) -> None:
        await self._conn.execute(
            update(growth_consents)
            .where(growth_consents.c.person_id == person_id, growth_consents.c.ended_at.is_(None))
            .values(ended_at=at)
        )

    async def quarter(self, months: Sequence[str]) -> dict[int, Quarter]:
        """By person, of the lines in locked months."""
        unpaid = func.sum(payout_lines.c.fen).filter(payout_lines.c.paid_at.is_(None))
        query = (
            select(payout_lines.c.person_id, func.sum(payout_lines.c.fen), func.coalesce(unpaid, 0))
            .where(
                payout_lines.c.month.in_(months),
                payout_lines.c.run_id.is_not(None),
                payout_lines.c.person_id.is_not(None),
            )
            .group_by(payout_lines.c.person_id)
        )
        rows = await self._conn.execute(query)
        return {person_id: Quarter(int(total), int(open_)) for person_id, total, open_ in rows}

    async def post(
        self,
        key: str,
        person_id: int,
        posting: Posting,
        *,
        why: str,
        at: datetime,
        by: int | None = None,
        quarter: str = "",
    ) -> int | None:
        """Its number; None where the same cause was posted before."""
        added = await self._conn.execute(
            insert_into(self._conn, growth_postings)
            .values(
                key=key,
                person_id=person_id,
                kind=str(posting.kind),
                entries={str(book): fen for book, fen in posting.entries.items()},
                quarter=quarter,
                why=why,
                by_id=by,
                at=at,
            )
            .on_conflict_do_nothing(index_elements=[growth_postings.c.key])
            .returning(growth_postings.c.id)
        )
        number: int | None = added.scalar_one_or_none()
        return number

    async def of_person(self, person_id: int) -> list[Posted]:
        """All that was posted, the first first."""
        return await self._posted(growth_postings.c.person_id == person_id)

    async def saved_in(self, quarter: str, *, person_id: int | None = None) -> list[Posted]:
        """What was put aside in a quarter, by everybody or by one person."""
        mine = [growth_postings.c.person_id == person_id] if person_id is not None else []
        return await self._posted(
            growth_postings.c.quarter == quarter, growth_postings.c.kind == str(Kind.SAVED), *mine
        )

    async def posting(self, number: int) -> Posting:
        (found,) = await self._posted(growth_postings.c.id == number)
        return found.posting

    async def balances(self, person_id: int) -> dict[Book, int]:
        return balances_of(await self.of_person(person_id))

    async def left_with_money(self) -> dict[int, dict[Book, int]]:
        """Balances of those who have left and have any."""
        gone = select(people.c.id).where(people.c.status == str(PersonStatus.LEFT))
        by_person: dict[int, list[Posted]] = {}
        for one in await self._posted(growth_postings.c.person_id.in_(gone)):
            by_person.setdefault(one.person_id, []).append(one)
        found = {person: balances_of(posted) for person, posted in by_person.items()}
        open_books = (Book.OWN, Book.MATCH, Book.HELD)
        return {
            person: balances
            for person, balances in found.items()
            if any(balances.get(book) for book in open_books)
        }

    async def items(self) -> list[Item]:
        """What can be had now."""
        query = select(growth_items).where(growth_items.c.ended_at.is_(None))
        order = (growth_items.c.kind, growth_items.c.price_fen, growth_items.c.id)
        return [_to_item(row) for row in await self._conn.execute(query.order_by(*order))]

    async def put_item(
        self, item: Item, *, by: int, at: datetime
    ) -> Item:  # fmt: skip
        """In place of one with that name. item.id is not read."""
        await self.end_item(item.name, at)
        added = await self._conn.execute(
            insert(growth_items)
            .values(
                kind=item.kind,
                name=item.name,
                price_fen=item.price_fen,
                note=item.note,
                added_by=by,
                added_at=at,
            )
            .returning(growth_items)
        )
        return _to_item(added.one())

    async def end_item(self, name: str, at: datetime) -> bool:
        """Take it from the catalogue; False where none of that name stands there."""
        ended = await self._conn.execute(
            update(growth_items)
            .where(growth_items.c.name == name, growth_items.c.ended_at.is_(None))
            .values(ended_at=at)
            .returning(growth_items.c.id)
        )
        return ended.first() is not None

    async def ask(self, person_id: int, item: Item, *, hold_id: int, at: datetime) -> Redemption:
        added = await self._conn.execute(
            insert(growth_redemptions)
            .values(
                person_id=person_id, item_id=item.id, hold_id=hold_id, state=WAITING, asked_at=at
            )
            .returning(growth_redemptions.c.id)
        )
        return await self.redemption(int(added.scalar_one()))

    async def redemption(self, number: int) -> Redemption:
        """For whoever goes on to decide it. Raises NotFound."""
        found = await self._redemptions(growth_redemptions.c.id == number)
        if not found:
            raise NotFound(NO_REDEMPTION)
        return found[0]

    async def decide(
        self, redemption: Redemption, state: str, *, by: int | None, at: datetime
    ) -> Redemption:
        await self._conn.execute(
            update(growth_redemptions)
            .where(growth_redemptions.c.id == redemption.id)
            .values(state=state, decided_by=by, decided_at=at)
        )
        return await self.redemption(redemption.id)

    async def redemptions_of(self, person_id: int) -> list[Redemption]:
        """What somebody has asked for, the first first."""
        return await self._redemptions(growth_redemptions.c.person_id == person_id)

    async def waiting(self) -> list[Redemption]:
        return await self._redemptions(growth_redemptions.c.state == WAITING)

    async def _redemptions(self, *which: ColumnElement[bool]) -> list[Redemption]:
        items = growth_items
        rows = await self._conn.execute(
            select(growth_redemptions, items.c.kind, items.c.name, items.c.price_fen, items.c.note)
            .join(items, items.c.id == growth_redemptions.c.item_id)
            .where(*which)
            .order_by(growth_redemptions.c.id)
        )
        return [
            Redemption(
                id=row.id,
                person_id=row.person_id,
                item=Item(row.item_id, row.kind, row.name, row.price_fen, row.note),
                hold_id=row.hold_id,
                state=row.state,
                asked_at=row.asked_at,
                decided_by=row.decided_by,
                decided_at=row.decided_at,
            )
            for row in rows
        ]

    async def _posted(self, *which: ColumnElement[bool]) -> list[Posted]:
        query = select(growth_postings).where(*which).order_by(growth_postings.c.id)
        return [
            Posted(row.id, row.person_id, _to_posting(row), row.quarter, row.why, row.at)
            for row in await self._conn.execute(query)
        ]


def balances_of(posted: Sequence[Posted]) -> dict[Book, int]:
    found: Counter[Book] = Counter()
    for one in posted:
        found.update(one.posting.entries)
    return dict(found)


def _to_posting(row: AnyRow) -> Posting:
    entries: Mapping[str, int] = row.entries
    return Posting(Kind(row.kind), {Book(book): fen for book, fen in entries.items()})


def _to_consent(row: AnyRow) -> Consent:
    return Consent(row.share_bp, row.words, row.given_at)


def _to_item(row: AnyRow) -> Item:
    return Item(row.id, row.kind, row.name, row.price_fen, row.note)
