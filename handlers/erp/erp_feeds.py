"""The ERPs are asked for customers and orders every ten minutes.

Each kind has a bookmark of its own, so a silent one keeps nothing from the others. A row that
cannot be understood keeps no other away: it is kept as a dead letter with its reason, and the
administrators hear of it once.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.domain.erp import Told, Unread
from bot.domain.notifying import first_allowed
from bot.errors import BotError
from bot.messages import Envelope, OutboundMessage, Platform
from bot.ports import Accept, ErpCustomers, ErpOrders
from bot.router import Begin, Job
from handlers.desk import Office
from handlers.erp import erp_customers, erp_orders
from handlers.erp.erp_polling import ONE_READ_A_DAY, TRY_AGAIN
from handlers.erp.erp_showing import SILENT_AFTER
from handlers.people import directory
from handlers.texts import erp as texts
from storage.erp import CUSTOMERS, ORDERS
from storage.unit_of_work import UnitOfWork

FIRST_READ = timedelta(days=400)
ALL_CUSTOMERS = datetime(2000, 1, 1, tzinfo=UTC)
"""Customers are read from the beginning; of orders only the last ones."""

MOST_TOLD = 5
"""Rows that could not be read, told in one message; the rest is counted."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Feed:
    """One kind of news of one ERP. begins: what is read at first, back from then."""

    system: str
    kind: str
    ask: Callable[[datetime], Awaitable[Told[Any]]]

    def begins(self, at: datetime) -> datetime:
        return ALL_CUSTOMERS if self.kind == CUSTOMERS else at - FIRST_READ


class ErpFeeds:
    """`job` for the timer. accept: keeps what cannot be read."""

    def __init__(
        self,
        office: Office,
        customers: Sequence[ErpCustomers],
        orders: Sequence[ErpOrders],
        *,
        accept: Accept,
        clock: Clock,
    ) -> None:
        self._office = office
        self._feeds = [
            *(Feed(one.name, CUSTOMERS, one.customers) for one in customers),
            *(Feed(one.name, ORDERS, one.orders) for one in orders),
        ]
        self._accept = accept
        self._clock = clock
        self._told: dict[tuple[str, str], Told[Any]] = {}
        self._troubles: dict[tuple[str, str], str] = {}
        self._asked_at = _LONG_AGO

    def job(self) -> Job[UnitOfWork]:
        return Job(
            "read ERP customers and orders",
            {"minute": "*/10"},
            self._store,
            next_due=self._next_due,
            prepare=self._read,
        )

    async def _read(self, begin: Begin[UnitOfWork], at: datetime) -> None:
        self._asked_at = at
        async with begin() as tx:
            known = {kind: await tx.erp.known_until(kind) for kind in (CUSTOMERS, ORDERS)}
        for feed in self._feeds:
            place = (feed.system, feed.kind)
            try:
                told = await feed.ask(known[feed.kind].get(feed.system, feed.begins(at)))
                for unread in told.unread:
                    await self._keep(feed, unread)
                self._told[place] = told
                self._troubles.pop(place, None)
            except BotError as error:
                if place not in self._troubles:
                    fields = {"action": f"read_erp_{feed.kind}", "channel": f"erp:{feed.system}"}
                    log.warning("ERP out of reach", extra={**fields, "error": str(error)})
                self._troubles[place] = str(error)

    async def _keep(self, feed: Feed, unread: Unread) -> None:
        """The same row with the same reason once."""
        now = self._clock.now()
        channel = f"{Platform.ERP}:{feed.system}:{feed.kind}"
        release = await self._accept(
            Envelope(
                channel=channel,
                delivery_id=_digest(unread),
                conversation=channel,
                sent_at=now,
                received_at=now,
                body=f"{unread.ref}: {unread.reason}\n{unread.raw}".encode(),  # no notice, ever
                unreadable=f"{unread.ref}: {unread.reason}",
            )
        )
        release()

    async def _store(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        """Customers first, since orders are matched by them."""
        told, self._told = self._told, {}
        messages: list[OutboundMessage] = []
        for kind in (CUSTOMERS, ORDERS):
            for (system, of_kind), news in told.items():
                if of_kind != kind:
                    continue
                if kind == CUSTOMERS:
                    await erp_customers.take(tx, system, news.rows, at)
                else:
                    messages += await erp_orders.take(tx, self._office, system, news.rows, at)
                messages += await self._tell_of_unread(tx, system, kind, news.unread, at)
                await tx.erp.move_bookmark(system, at, kind)
        return messages + await self._tell_of_silence(tx, at)

    async def _tell_of_unread(
        self, tx: UnitOfWork, system: str, kind: str, unread: Sequence[Unread], at: datetime
    ) -> list[OutboundMessage]:
        if not unread:
            return []
        digest = hashlib.sha256("".join(map(_digest, unread)).encode()).hexdigest()[:16]
        text = texts.unread(system, kind, unread[:MOST_TOLD], len(unread))
        return await self._tell(tx, text, at, key=f"erp-unread:{system}:{kind}:{digest}")

    async def _tell_of_silence(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Once for each outage; until when orders are known stands with them."""
        messages: list[OutboundMessage] = []
        for (system, kind), why in self._troubles.items():
            since = (await tx.erp.known_until(kind)).get(system)
            if since is None or at - since >= SILENT_AFTER:
                local = since and since.astimezone(self._office.zone)
                key = f"erp-silent:{system}:{kind}:{since.isoformat() if since else 'never'}"
                text = texts.silent(system, kind, local, why)
                messages += await self._tell(tx, text, at, key=key)
        return messages

    async def _tell(
        self, tx: UnitOfWork, text: str, at: datetime, *, key: str
    ) -> list[OutboundMessage]:
        office = self._office
        morning = first_allowed(at, policy=office.policy.pushes, calendar=office.calendar)
        told = await directory.tell_admins(tx, office, text, key=key)
        return [replace(one, not_before=morning) for one in told]

    async def _next_due(self, tx: UnitOfWork) -> datetime | None:
        moments = []
        for feed in self._feeds:
            known = await tx.erp.known_until(feed.kind)
            moments.append(known.get(feed.system, _LONG_AGO) + ONE_READ_A_DAY)
        due = min(moments, default=None)
        if due is None or not self._troubles:
            return due
        return max(due, self._asked_at + TRY_AGAIN)


def _digest(unread: Unread) -> str:
    return hashlib.sha256(f"{unread.ref}\n{unread.reason}\n{unread.raw}".encode()).hexdigest()
