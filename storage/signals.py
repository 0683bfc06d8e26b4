"""Events of websites, who their visitors are, and the signals that rules found in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.signals import Arrived, Event, Signal
from bot.domain.websites import MaterialLink
from storage.dialects import AnyRow, among, fixed, in_chunks, insert_into, prepared_insert
from storage.merges import family
from storage.tables import (
    accounts,
    activities,
    customer_signals,
    signal_events,
    signal_links,
    signal_looks,
    signal_visitors,
)

_ARRIVE = prepared_insert(
    signal_events,
    lambda new: new.on_conflict_do_nothing(
        index_elements=[signal_events.c.site, signal_events.c.event_id]
    ),
)
_IS_NEW = signal_events.c.state == fixed("new")
_EVENT = (
    signal_events.c.id, signal_events.c.kind, signal_events.c.at, signal_events.c.page,
    signal_events.c.visitor, signal_events.c.seconds,
)  # fmt: skip
_LINK = [
    signal_links.c[name]
    for name in (
        "id", "site", "account_id", "contact", "title", "url", "person_id", "created_at",
        "expires_at",
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One that nobody has looked at."""

    event: Event
    site: str
    link_id: int | None
    consent: bool
    account_id: int | None


@dataclass(frozen=True, slots=True)
class VisitorRow:
    """A visitor of a website. due_at: when what they did is a finished visit."""

    id: int
    site: str
    visitor: str
    account_id: int | None
    contact: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundSignal:
    """A signal on record. id, task: of the row. account_id: whose it is."""

    id: int
    account_id: int
    signal: Signal
    task: str


class Signals:
    """Repository of websites' events, visitors and signals, inside one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    async def arrive(self, events: Sequence[Arrived]) -> None:
        """Keep them; those whose id is known are passed over."""
        if events:
            await self._conn.execute(_ARRIVE(self._conn), [_to_row(one) for one in events])

    async def new_events(self, until: datetime, *, limit: int) -> list[NewEvent]:
        """What came by then, in the order in which it came."""
        columns = (
            *_EVENT, signal_events.c.site, signal_events.c.link_id, signal_events.c.consent,
            signal_events.c.account_id,
        )  # fmt: skip
        query = (
            select(*columns)
            .where(_IS_NEW, signal_events.c.received_at <= until)
            .order_by(signal_events.c.id)
            .limit(limit)
        )
        return [
            NewEvent(_to_event(row), row.site, row.link_id, row.consent, row.account_id)
            for row in await self._conn.execute(query)
        ]

    async def oldest_new_at(self) -> datetime | None:
        """When the first came of those that nobody has looked at."""
        query = (
            select(signal_events.c.received_at).where(_IS_NEW).order_by(signal_events.c.id).limit(1)
        )
        found: datetime | None = await self._conn.scalar(query)
        return found

    async def seen(self, event_ids: Iterable[int], *, account_id: int | None) -> None:
        """They have been looked at, and belong to that customer."""
        for some in in_chunks(event_ids):
            await self._conn.execute(
                update(signal_events)
                .where(signal_events.c.id.in_(some))
                .values(state="seen", account_id=account_id)
            )

    async def written(self, event_ids: Iterable[int]) -> None:
        """They stand in a stream."""
        for some in in_chunks(event_ids):
            await self._conn.execute(
                update(signal_events).where(signal_events.c.id.in_(some)).values(state="written")
            )

    async def visitor(self, site: str, visitor: str) -> VisitorRow | None:
        query = select(signal_visitors).where(
            signal_visitors.c.site == site, signal_visitors.c.visitor == visitor
        )
        row = (await self._conn.execute(query)).one_or_none()
        return None if row is None else _to_visitor(row)

    async def note_visitor(self, site: str, visitor: str, *, last_at: datetime) -> VisitorRow:
        """Was here, perhaps for the first time."""
        statement = insert_into(self._conn, signal_visitors).values(
            site=site, visitor=visitor, contact="", last_at=last_at
        )
        await self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=[signal_visitors.c.site, signal_visitors.c.visitor],
                set_={"last_at": last_at},
            )
        )
        query = select(signal_visitors).where(
            signal_visitors.c.site == site, signal_visitors.c.visitor == visitor
        )
        return _to_visitor((await self._conn.execute(query)).one())

    async def identify(
        self, row: VisitorRow, *, account_id: int, contact: str, at: datetime
    ) -> None:
        """Who it is, from now on and for what was not known before."""
        await self._conn.execute(
            update(signal_visitors)
            .where(signal_visitors.c.id == row.id)
            .values(account_id=account_id, contact=contact, identified_at=at)
        )
        await self._conn.execute(
            update(signal_events)
            .where(
                signal_events.c.site == row.site,
                signal_events.c.visitor == row.visitor,
                signal_events.c.account_id.is_(None),
            )
            .values(account_id=account_id)
        )

    async def visit_due(self, visitor_id: int, due_at: datetime | None) -> None:
        await self._conn.execute(
            update(signal_visitors).where(signal_visitors.c.id == visitor_id).values(due_at=due_at)
        )

    async def due_visitors(self, at: datetime, *, limit: int) -> list[VisitorRow]:
        query = (
            select(signal_visitors)
            .where(signal_visitors.c.due_at <= at)
            .order_by(signal_visitors.c.due_at, signal_visitors.c.id)
            .limit(limit)
        )
        return [_to_visitor(row) for row in await self._conn.execute(query)]

    async def unwritten(self, row: VisitorRow) -> list[Event]:
        """What a known visitor did and no stream shows yet."""
        query = (
            select(*_EVENT)
            .where(
                signal_events.c.site == row.site,
                signal_events.c.visitor == row.visitor,
                signal_events.c.account_id.is_not(None),
                signal_events.c.state == "seen",
            )
            .order_by(signal_events.c.at, signal_events.c.id)
        )
        return [_to_event(one) for one in await self._conn.execute(query)]

    async def events_of(
        self, account_ids: Collection[int], *, since: datetime, kinds: Collection[str]
    ) -> list[Event]:
        query = (
            select(*_EVENT)
            .where(
                among(self._conn, signal_events.c.account_id, account_ids),
                signal_events.c.at >= since,
                signal_events.c.kind.in_(kinds),
            )
            .order_by(signal_events.c.at, signal_events.c.id)
        )
        return [_to_event(row) for row in await self._conn.execute(query)]

    async def touches(self, account_id: int, *, since: datetime) -> list[datetime]:
        """When somebody of us touched the customer, validly and not taken back, rising."""
        later = activities.alias()
        taken_back = select(later.c.id).where(later.c.retracts_id == activities.c.id).exists()
        query = (
            select(activities.c.occurred_at)
            .where(
                activities.c.account_id.in_(await family(self._conn, account_id)),
                activities.c.occurred_at >= since,
                activities.c.valid.is_(True),
                ~taken_back,
            )
            .order_by(activities.c.occurred_at)
        )
        return list((await self._conn.execute(query)).scalars())

    async def add(self, account_id: int, signal: Signal, *, task: str, at: datetime) -> int | None:
        """Append; its number, or None when it is there already."""
        statement = insert_into(self._conn, customer_signals).values(
            account_id=account_id, rule=signal.rule, key=signal.key, at=signal.at, found_at=at,
            events=list(signal.events), pages=list(signal.pages), task=task,
        )  # fmt: skip
        added = await self._conn.execute(
            statement.on_conflict_do_nothing(
                index_elements=[customer_signals.c.account_id, customer_signals.c.key]
            ).returning(customer_signals.c.id)
        )
        number: int | None = added.scalar_one_or_none()
        return number

    async def of_customers(
        self, account_ids: Collection[int], *, since: datetime
    ) -> list[FoundSignal]:
        """Their signals since then, the newest first."""
        found: list[FoundSignal] = []
        for some in in_chunks(account_ids):
            query = (
                select(customer_signals)
                .where(customer_signals.c.account_id.in_(some), customer_signals.c.at >= since)
                .order_by(customer_signals.c.at.desc(), customer_signals.c.id.desc())
            )
            found += [_to_signal(row) for row in await self._conn.execute(query)]
        return found

    async def get(self, signal_id: int) -> FoundSignal | None:
        query = select(customer_signals).where(customer_signals.c.id == signal_id)
        row = (await self._conn.execute(query)).one_or_none()
        return None if row is None else _to_signal(row)

    async def open_tasks(self, owner_ids: Collection[int]) -> list[tuple[FoundSignal, int, str]]:
        """(signal, owner, customer's name) of what somebody was asked to follow up and nobody
        did, the oldest first; not of customers in the pool."""
        touched = (
            select(activities.c.id)
            .where(
                activities.c.account_id == customer_signals.c.account_id,
                activities.c.occurred_at >= customer_signals.c.at,
                activities.c.valid.is_(True),
            )
            .exists()
        )
        query = (
            select(customer_signals, accounts.c.owner_id, accounts.c.name)
            .join(accounts, accounts.c.id == customer_signals.c.account_id)
            .where(
                customer_signals.c.task == fixed("open"),
                among(self._conn, accounts.c.owner_id, owner_ids),
                accounts.c.in_pool_since.is_(None),
                ~touched,
            )
            .order_by(customer_signals.c.at, customer_signals.c.id)
        )
        rows = (await self._conn.execute(query)).all()
        return [(_to_signal(row), row.owner_id, row.name) for row in rows]

    async def settle(self, signal_id: int) -> bool:
        done = await self._conn.execute(
            update(customer_signals)
            .where(customer_signals.c.id == signal_id, customer_signals.c.task == fixed("open"))
            .values(task="done")
        )
        return done.rowcount == 1

    async def look_at(self, account_id: int, due_at: datetime) -> None:
        """Ask the rules about this customer again by then; the earlier of two moments stays."""
        statement = insert_into(self._conn, signal_looks).values(
            account_id=account_id, due_at=due_at
        )
        await self._conn.execute(
            statement.on_conflict_do_update(
                index_elements=[signal_looks.c.account_id],
                set_={"due_at": due_at},
                where=signal_looks.c.due_at > due_at,
            )
        )

    async def take_looks(self, at: datetime, *, limit: int) -> list[int]:
        """Whom to ask about now; they are forgotten."""
        query = (
            select(signal_looks.c.account_id)
            .where(signal_looks.c.due_at <= at)
            .order_by(signal_looks.c.due_at)
            .limit(limit)
        )
        due = list((await self._conn.execute(query)).scalars())
        for some in in_chunks(due):
            await self._conn.execute(
                delete(signal_looks).where(
                    signal_looks.c.account_id.in_(some), signal_looks.c.due_at <= at
                )
            )
        return due

    async def next_due_at(self) -> datetime | None:
        """The next visit to write, or customer to ask about."""
        visit = await self._conn.scalar(select(func.min(signal_visitors.c.due_at)))
        look = await self._conn.scalar(select(func.min(signal_looks.c.due_at)))
        return min((one for one in (visit, look) if one is not None), default=None)

    async def purge(self, *, anonymous_before: datetime, known_before: datetime, limit: int) -> int:
        """Forget events that are too old, and visitors nobody knows; how many events."""
        old = and_(
            signal_events.c.received_at < anonymous_before,
            (signal_events.c.account_id.is_(None)) | (signal_events.c.received_at < known_before),
        )
        ids = select(signal_events.c.id).where(old).limit(limit)
        found = list((await self._conn.execute(ids)).scalars())
        for some in in_chunks(found):
            await self._conn.execute(delete(signal_events).where(signal_events.c.id.in_(some)))
        strangers = (
            select(signal_visitors.c.id)
            .where(
                signal_visitors.c.last_at < anonymous_before,
                (signal_visitors.c.account_id.is_(None))
                | (signal_visitors.c.last_at < known_before),
            )
            .limit(limit)
        )
        for some in in_chunks((await self._conn.execute(strangers)).scalars()):
            await self._conn.execute(delete(signal_visitors).where(signal_visitors.c.id.in_(some)))
        return len(found)

    async def add_link(self, link: MaterialLink) -> int:
        """Its number; `link.id` is not looked at."""
        values = {
            column.name: getattr(link, column.name) for column in _LINK if column.name != "id"
        }
        statement = signal_links.insert().values(values).returning(signal_links.c.id)
        number: int = (await self._conn.execute(statement)).scalar_one()
        return number

    async def link(self, link_id: int) -> MaterialLink | None:
        row = (await self._conn.execute(_LINK_BY_ID, {"link_id": link_id})).one_or_none()
        return None if row is None else MaterialLink(**row._mapping)


_LINK_BY_ID = select(*_LINK).where(signal_links.c.id == bindparam("link_id"))


def _to_row(event: Arrived) -> dict[str, Any]:
    return {
        "site": event.site, "event_id": event.event_id, "visitor": event.visitor,
        "kind": event.kind, "page": event.page, "seconds": event.seconds, "at": event.at,
        "received_at": event.received_at,
        "link_id": event.link_id, "consent": event.consent, "account_id": event.account_id,
        "state": "new",
    }  # fmt: skip


def _to_event(row: AnyRow) -> Event:
    return Event(row.id, row.kind, row.at, row.page, row.visitor, row.seconds)


def _to_visitor(row: AnyRow) -> VisitorRow:
    return VisitorRow(row.id, row.site, row.visitor, row.account_id, row.contact, row.due_at)


def _to_signal(row: AnyRow) -> FoundSignal:
    signal = Signal(row.rule, row.at, tuple(row.events), tuple(row.pages))
    return FoundSignal(row.id, row.account_id, signal, row.task)
