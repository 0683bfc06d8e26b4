"""The ERPs are asked for receipts every ten minutes, and contracts that fell due are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain.receivables import Receipt
from bot.messages import ErpNews, OutboundMessage
from bot.ports import Erp
from bot.router import Job
from handlers.desk import Office
from handlers.erp.erp_asking import SILENT_AFTER, Asking, Feed
from handlers.people import directory
from handlers.receivables import clause_reviews, receivables
from handlers.texts import receivables as texts
from storage.erp import RECEIPTS
from storage.unit_of_work import UnitOfWork

PUSH_SILENT_AFTER = timedelta(hours=26)  # they are to say once a day that all was told


class ErpPolling:
    """Has receipts of the ERPs kept by the clock. `job` for the timer. erps: those that can be
    asked; others tell by themselves."""

    def __init__(self, office: Office, erps: Sequence[Erp]) -> None:
        self._office = office
        self._asked = {erp.name for erp in erps}
        self._asking: Asking[Sequence[Receipt]] = Asking(
            [Feed(erp.name, RECEIPTS, erp.receipts) for erp in erps]
        )

    def job(self) -> Job[UnitOfWork]:
        return Job(
            "read ERPs",
            {"minute": "*/10"},
            self._store,
            next_due=self._next_due,
            prepare=self._asking.ask,
        )

    async def _store(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        messages: list[OutboundMessage] = []
        for name, receipts in self._asking.told(RECEIPTS):
            news = ErpNews(tuple(receipts), complete_until=at)
            messages += await receivables.take(tx, self._office, name, news, at)
        messages += await receivables.check_due(tx, self._office, at)
        messages += await clause_reviews.remind(tx, self._office, at)
        return messages + await self._tell_of_silence(tx, at)

    async def _tell_of_silence(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Administrators hear once of each outage."""
        known: Mapping[str, datetime] = await tx.erp.known_until()
        silent = {
            name: texts.PUSHES_NOTHING for name in self._office.erps if name not in self._asked
        }
        silent |= {feed.system: why for feed, why in self._asking.troubles.items()}
        messages: list[OutboundMessage] = []
        for name, why in silent.items():
            since = known.get(name)
            patience = SILENT_AFTER if name in self._asked else PUSH_SILENT_AFTER
            if since is None or at - since >= patience:
                local = since and since.astimezone(self._office.zone)
                text = texts.erp_silent(name, local, why)
                key = f"erp-silent:{name}:{since.isoformat() if since else 'never'}"
                messages += await directory.tell_admins(tx, self._office, text, key=key)
        return messages

    async def _next_due(self, tx: UnitOfWork) -> datetime | None:
        return await self._asking.next_due(
            tx, await tx.contracts.next_check_at(), await tx.clause_reviews.next_remind_at()
        )
