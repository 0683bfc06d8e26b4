"""The ERPs are asked for customers and orders every ten minutes.

Each kind has a bookmark of its own, so a silent one keeps nothing from the others. A row that
cannot be understood keeps no other away: it is kept as a dead letter with its reason, and the
administrators hear of it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.clock import Clock
from bot.domain.erp import ErpAnswer, Unread
from bot.messages import Envelope, OutboundMessage, Platform
from bot.ports import Accept, ErpCustomers, ErpOrders
from bot.router import Job
from handlers.desk import Office
from handlers.erp import erp_customers, erp_orders
from handlers.erp.erp_asking import SILENT_AFTER, Asking, Feed
from handlers.people import directory
from handlers.texts import erp as texts
from storage.erp import CUSTOMERS, ORDERS
from storage.unit_of_work import UnitOfWork

MOST_TOLD = 5
"""Rows that could not be read, told in one message; the rest is counted."""


class ErpFeeds:
    """Has customers and orders of the ERPs kept by the clock. `job` for the timer. accept: keeps
    what cannot be read."""

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
        self._asking: Asking[ErpAnswer[Any]] = Asking(
            [
                *(self._feed(one.name, CUSTOMERS, one.customers) for one in customers),
                *(self._feed(one.name, ORDERS, one.orders) for one in orders),
            ]
        )
        self._accept = accept
        self._clock = clock

    def job(self) -> Job[UnitOfWork]:
        return Job(
            "read ERP customers and orders",
            {"minute": "*/10"},
            self._store,
            next_due=self._asking.next_due,
            prepare=self._asking.ask,
        )

    def _feed(
        self, system: str, kind: str, ask: Callable[[datetime], Awaitable[ErpAnswer[Any]]]
    ) -> Feed[ErpAnswer[Any]]:
        return Feed(system, kind, partial(self._read, f"{Platform.ERP}:{system}:{kind}", ask))

    async def _read(
        self, channel: str, ask: Callable[[datetime], Awaitable[ErpAnswer[Any]]], since: datetime
    ) -> ErpAnswer[Any]:
        """What cannot be understood is kept before what can is stored."""
        told = await ask(since)
        for unread in told.unread:
            await self._keep(channel, unread)
        return told

    async def _keep(self, channel: str, unread: Unread) -> None:
        """The same row with the same reason once."""
        now = self._clock.now()
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
        messages: list[OutboundMessage] = []
        for kind in (CUSTOMERS, ORDERS):
            for system, news in self._asking.told(kind):
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
        for feed, why in self._asking.troubles.items():
            system, kind = feed.system, feed.kind
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
        morning = office.first_allowed(at)
        told = await directory.tell_admins(tx, office, text, key=key)
        return [replace(one, not_before=morning) for one in told]


def _digest(unread: Unread) -> str:
    return hashlib.sha256(f"{unread.ref}\n{unread.reason}\n{unread.raw}".encode()).hexdigest()
