"""What bonuses are computed from: contracts with their people, receipts, complaints; and the
snapshots of it that were computed with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.receivables import HOME_CURRENCY
from storage.dialects import AnyRow, among, in_chunks, insert_into
from storage.tables import (
    accounts,
    contracts,
    erp_receipts,
    payout_complaints,
    payout_deals,
    payout_shares,
    payout_snapshots,
)


@dataclass(frozen=True, slots=True)
class DealPeople:
    """Who earns with a contract. closer_id: None where nobody knows. shares: (person, weight)
    in the order named; empty: the closer alone."""

    contract_id: int
    kind: str
    closer_id: int | None
    original_seller_id: int | None = None
    lead_provider_id: int | None = None
    shares: tuple[tuple[int | None, int], ...] = ()

    @property
    def everybody(self) -> set[int]:
        named = {self.closer_id, self.original_seller_id, self.lead_provider_id}
        named |= {person_id for person_id, _ in self.shares}
        return {one for one in named if one is not None}


@dataclass(frozen=True, slots=True)
class Money:
    """A line of a receipt. fen: negative for a reversal. told_at: when the ERP first told us."""

    fen: int
    currency: str
    received_on: date
    told_at: datetime
    number: str


@dataclass(slots=True)
class DealFacts:
    """A contract with all that its bonuses hang on."""

    contract_id: int
    number: str
    account_id: int
    customer: str
    industry: str
    amount_fen: int
    signed_on: date
    people: DealPeople
    money: list[Money] = field(default_factory=list)
    complaints: list[datetime] = field(default_factory=list)


class PayoutFacts:
    """Repository of what bonuses are computed from, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def note_people(
        self, deals: Iterable[DealPeople], *, stale_at: datetime | None = None
    ) -> None:
        """Of contracts that are new here; those that are known stay as they are."""
        rows = [
            {
                "contract_id": deal.contract_id,
                "kind": deal.kind,
                "closer_id": deal.closer_id,
                "original_seller_id": deal.original_seller_id,
                "lead_provider_id": deal.lead_provider_id,
                "stale_at": stale_at,
            }
            for deal in deals
        ]
        if rows:
            await self._conn.execute(
                insert_into(self._conn, payout_deals).on_conflict_do_nothing(), rows
            )

    async def change_people(self, deal: DealPeople) -> None:
        await self._conn.execute(
            update(payout_deals)
            .where(payout_deals.c.contract_id == deal.contract_id)
            .values(
                kind=deal.kind,
                closer_id=deal.closer_id,
                original_seller_id=deal.original_seller_id,
                lead_provider_id=deal.lead_provider_id,
            )
        )
        await self._conn.execute(
            delete(payout_shares).where(payout_shares.c.contract_id == deal.contract_id)
        )
        shares = [
            {
                "contract_id": deal.contract_id,
                "position": position,
                "person_id": person_id,
                "weight": weight,
            }
            for position, (person_id, weight) in enumerate(deal.shares)
        ]
        if shares:
            await self._conn.execute(insert(payout_shares), shares)

    async def people_of(self, contract_ids: Iterable[int]) -> dict[int, DealPeople]:
        """By contract; those of which nothing was noted are left out."""
        ids = set(contract_ids)
        if not ids:
            return {}
        query = select(payout_deals).where(among(self._conn, payout_deals.c.contract_id, ids))
        return await self._with_shares((await self._conn.execute(query)).all())

    async def take_turn(
        self, contract_ids: Iterable[int]
    ) -> tuple[dict[int, DealPeople], set[int]]:
        """Whoever computes one of these contracts too waits for our commit, and then sees what we
        have seen; in one order, so that two never wait for each other. Gives their people, and
        those that waited to be computed."""
        ids = set(contract_ids)
        query = select(payout_deals).where(among(self._conn, payout_deals.c.contract_id, ids))
        rows = (
            await self._conn.execute(query.order_by(payout_deals.c.contract_id).with_for_update())
        ).all()
        noted = await self._with_shares(rows)
        for chunk in in_chunks(sorted(ids - noted.keys())):
            fresh = await self._without_people(contracts.c.id.in_(chunk))
            await self.note_people(fresh)
            noted |= {one.contract_id: one for one in fresh}
        return noted, {row.contract_id for row in rows if row.stale_at is not None}

    async def _with_shares(self, rows: Sequence[AnyRow]) -> dict[int, DealPeople]:
        shares: dict[int, list[tuple[int | None, int]]] = {}
        if rows:
            ids = [row.contract_id for row in rows]
            query = select(
                payout_shares.c.contract_id, payout_shares.c.person_id, payout_shares.c.weight
            ).where(among(self._conn, payout_shares.c.contract_id, ids))
            found = await self._conn.execute(query.order_by(payout_shares.c.position))
            for contract_id, person_id, weight in found:
                shares.setdefault(contract_id, []).append((person_id, weight))
        return {
            row.contract_id: DealPeople(
                row.contract_id,
                row.kind,
                row.closer_id,
                row.original_seller_id,
                row.lead_provider_id,
                tuple(shares.get(row.contract_id, ())),
            )
            for row in rows
        }

    async def closers_of(self, contract_ids: Iterable[int]) -> list[tuple[int, date]]:
        """(closer, day of signing) of contracts that have a closer."""
        found: list[tuple[int, date]] = []
        for chunk in in_chunks(contract_ids):
            query = (
                select(payout_deals.c.closer_id, contracts.c.signed_on)
                .join(contracts, contracts.c.id == payout_deals.c.contract_id)
                .where(contracts.c.id.in_(chunk), payout_deals.c.closer_id.is_not(None))
            )
            found += [(closer_id, day) for closer_id, day in await self._conn.execute(query)]
        return found

    async def closed_by(self, closer_id: int, since: date, until: date) -> set[int]:
        """Contracts of a closer that were signed in [since, until)."""
        query = (
            select(contracts.c.id)
            .join(payout_deals, payout_deals.c.contract_id == contracts.c.id)
            .where(
                payout_deals.c.closer_id == closer_id,
                contracts.c.signed_on >= since,
                contracts.c.signed_on < until,
                contracts.c.withdrawn_at.is_(None),
            )
        )
        return set((await self._conn.execute(query)).scalars())

    async def signed(self, since: date, until: date) -> list[int]:
        """Contracts signed in [since, until], those that were taken off the record left out."""
        query = select(contracts.c.id).where(
            contracts.c.signed_on >= since,
            contracts.c.signed_on <= until,
            contracts.c.withdrawn_at.is_(None),
        )
        return list((await self._conn.execute(query)).scalars())

    async def facts(
        self, contract_ids: Collection[int], *, noted: Mapping[int, DealPeople] | None = None
    ) -> list[DealFacts]:
        """In the order of signing; contracts that were taken off the record are left out. noted:
        their people, as `take_turn` gave them."""
        people = dict(noted) if noted is not None else await self.people_of(contract_ids)
        for chunk in in_chunks(set(contract_ids) - people.keys()):
            for one in await self._without_people(contracts.c.id.in_(chunk)):
                people[one.contract_id] = one
        if not people:
            return []
        rows = await self._conn.execute(
            select(
                contracts.c.id,
                contracts.c.number,
                contracts.c.account_id,
                contracts.c.amount_fen,
                contracts.c.signed_on,
                accounts.c.name.label("customer"),
                accounts.c.industry,
            )
            .join(accounts, accounts.c.id == contracts.c.account_id)
            .where(among(self._conn, contracts.c.id, people), contracts.c.withdrawn_at.is_(None))
        )
        found = {row.id: _to_facts(row, people[row.id]) for row in rows}
        await self._add_money(found)
        await self._add_complaints(found)
        return sorted(found.values(), key=lambda one: (one.signed_on, one.contract_id))

    async def _add_money(self, found: Mapping[int, DealFacts]) -> None:
        """What was matched with them, and money of other countries that names their numbers."""
        if not found:
            return
        by_number = {one.number: one for one in found.values()}
        matched = among(self._conn, erp_receipts.c.contract_id, found)
        foreign = and_(
            among(self._conn, erp_receipts.c.contract_number, by_number),
            erp_receipts.c.contract_id.is_(None),
            erp_receipts.c.currency != HOME_CURRENCY,
        )
        for row in await self._conn.execute(_receipts(or_(matched, foreign))):
            one = found.get(row.contract_id) or by_number[row.contract_number]
            one.money.append(_to_money(row))

    async def _add_complaints(self, found: Mapping[int, DealFacts]) -> None:
        if not found:
            return
        query = select(payout_complaints.c.contract_id, payout_complaints.c.upheld_at).where(
            among(self._conn, payout_complaints.c.contract_id, found)
        )
        for row in await self._conn.execute(query.order_by(payout_complaints.c.id)):
            found[row.contract_id].complaints.append(row.upheld_at)

    async def add_complaint(self, contract_id: int, text: str, *, by: int, at: datetime) -> None:
        await self._conn.execute(
            insert(payout_complaints).values(
                contract_id=contract_id, text=text, recorded_by=by, upheld_at=at
            )
        )

    async def keep_snapshots(
        self, documents: Mapping[int, tuple[dict[str, Any], str]], at: datetime
    ) -> None:
        """contract -> (facts, their digest). The same facts as last time are no new row."""
        last = await self._last_digests(documents)
        rows = [
            {"contract_id": number, "document": document, "digest": digest, "at": at}
            for number, (document, digest) in documents.items()
            if last.get(number) != digest
        ]
        if rows:
            await self._conn.execute(insert(payout_snapshots), rows)

    async def snapshots(
        self, contract_ids: Iterable[int], *, until: datetime
    ) -> dict[int, dict[str, Any]]:
        """The facts of contracts as they were computed with last before `until`."""
        found: dict[int, dict[str, Any]] = {}
        for chunk in in_chunks(contract_ids):
            query = select(payout_snapshots.c.contract_id, payout_snapshots.c.document).where(
                payout_snapshots.c.contract_id.in_(chunk), payout_snapshots.c.at <= until
            )
            for row in await self._conn.execute(query.order_by(payout_snapshots.c.id)):
                found[row.contract_id] = row.document
        return found

    async def _last_digests(self, contract_ids: Iterable[int]) -> dict[int, str]:
        query = select(payout_snapshots.c.contract_id, payout_snapshots.c.digest).where(
            among(self._conn, payout_snapshots.c.contract_id, contract_ids)
        )
        rows = await self._conn.execute(query.order_by(payout_snapshots.c.id))
        return {row.contract_id: row.digest for row in rows}

    async def make_stale(self, since: date, at: datetime) -> None:
        """Every contract signed from that day on waits to be computed anew."""
        signed = (contracts.c.signed_on >= since, contracts.c.withdrawn_at.is_(None))
        await self._conn.execute(
            update(payout_deals)
            .where(payout_deals.c.contract_id.in_(select(contracts.c.id).where(*signed)))
            .values(stale_at=at)
        )
        for chunk in in_chunks(await self._without_people(and_(*signed))):
            await self.note_people(chunk, stale_at=at)

    async def _without_people(self, which: Any) -> list[DealPeople]:
        """Contracts from before anybody asked for bonuses: who owns the customer now is taken for
        the closer, as nobody noted it then."""
        owner = (contracts.c.id, contracts.c.account_id, accounts.c.owner_id)
        rows = await self._conn.execute(
            select(*owner, accounts.c.in_pool_since)
            .join(accounts, accounts.c.id == contracts.c.account_id)
            .where(which, ~exists().where(payout_deals.c.contract_id == contracts.c.id))
            .order_by(contracts.c.signed_on, contracts.c.id)
        )
        found = rows.all()
        first = await self.first_of_accounts({row.account_id for row in found})
        return [
            DealPeople(
                row.id,
                "new" if first.get(row.account_id) == row.id else "upsell",
                None if row.in_pool_since is not None else row.owner_id,
                row.owner_id,
            )
            for row in found
        ]

    async def first_of_accounts(self, account_ids: Iterable[int]) -> dict[int, int]:
        """account -> its contract that was signed first."""
        found: dict[int, int] = {}
        for chunk in in_chunks(account_ids):
            query = select(contracts.c.account_id, contracts.c.id).where(
                contracts.c.account_id.in_(chunk), contracts.c.withdrawn_at.is_(None)
            )
            order = (contracts.c.signed_on.desc(), contracts.c.id.desc())
            rows = await self._conn.execute(query.order_by(*order))
            found |= {row.account_id: row.id for row in rows}
        return found

    async def stale(self, *, limit: int) -> list[int]:
        """Contracts that wait to be computed anew, the longest waiting first."""
        query = (
            select(payout_deals.c.contract_id)
            .where(payout_deals.c.stale_at.is_not(None))
            .order_by(payout_deals.c.stale_at, payout_deals.c.contract_id)
            .limit(limit)
        )
        return list((await self._conn.execute(query)).scalars())

    async def next_stale_at(self) -> datetime | None:
        query = select(payout_deals.c.stale_at).where(payout_deals.c.stale_at.is_not(None))
        moment: datetime | None = await self._conn.scalar(
            query.order_by(payout_deals.c.stale_at).limit(1)
        )
        return moment

    async def is_computed(self, contract_ids: Iterable[int]) -> None:
        for chunk in in_chunks(contract_ids):
            waiting = payout_deals.c.stale_at.is_not(None)
            await self._conn.execute(
                update(payout_deals)
                .where(payout_deals.c.contract_id.in_(chunk), waiting)
                .values(stale_at=None)
            )


def _receipts(which: Any) -> Any:
    return (
        select(
            erp_receipts.c.contract_id,
            erp_receipts.c.contract_number,
            erp_receipts.c.amount_fen,
            erp_receipts.c.currency,
            erp_receipts.c.received_on,
            erp_receipts.c.first_told_at,
            erp_receipts.c.system,
            erp_receipts.c.number,
            erp_receipts.c.line,
        )
        .where(which, erp_receipts.c.amount_fen != 0)
        .order_by(erp_receipts.c.received_on, erp_receipts.c.id)
    )


def _to_money(row: AnyRow) -> Money:
    return Money(
        row.amount_fen,
        row.currency,
        row.received_on,
        row.first_told_at,
        f"{row.system}:{row.number}:{row.line}",
    )


def _to_facts(row: AnyRow, noted: DealPeople) -> DealFacts:
    return DealFacts(
        contract_id=row.id,
        number=row.number,
        account_id=row.account_id,
        customer=row.customer,
        industry=row.industry,
        amount_fen=row.amount_fen,
        signed_on=row.signed_on,
        people=noted,
    )
