"""The ERPs are asked every ten minutes, and contracts that fell due are looked at.

What was read is stored in the tick's transaction together with the moment up to which it is
complete, so a crash between the two reads it again, and a silent ERP moves nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.domain.receivables import Receipt
from bot.errors import BotError
from bot.messages import ErpNews, OutboundMessage
from bot.ports import Erp
from bot.router import Begin, Job
from handlers.desk import Office
from handlers.people import directory
from handlers.receivables import clause_reviews, receivables
from handlers.texts import receivables as texts
from storage.unit_of_work import UnitOfWork

FIRST_READ = timedelta(days=400)
ONE_READ_A_DAY = timedelta(days=1)
"""Is enough while the sandbox's clock jumps over days on which nothing falls due."""

TRY_AGAIN = timedelta(hours=1)
"""So often a silent ERP is asked while the clock jumps."""

SILENT_AFTER = timedelta(hours=2)
PUSH_SILENT_AFTER = timedelta(hours=26)  # they are to say once a day that all was told

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


class ErpPolling:
    """`job` for the timer. erps: those that can be asked; others tell by themselves."""

    def __init__(self, office: Office, erps: Sequence[Erp]) -> None:
        self._office = office
        self._erps = erps
        self._told: dict[str, Sequence[Receipt]] = {}
        self._troubles: dict[str, str] = {}
        self._asked_at = _LONG_AGO

    def job(self) -> Job[UnitOfWork]:
        return Job(
            "read ERPs",
            {"minute": "*/10"},
            self._store,
            next_due=self._next_due,
            prepare=self._read,
        )

    async def _read(self, begin: Begin[UnitOfWork], at: datetime) -> None:
        """One ERP that is away keeps nothing from the others."""
        self._asked_at = at
        async with begin() as tx:
            known = await tx.erp.known_until()
        for erp in self._erps:
            try:
                since = known.get(erp.name, at - FIRST_READ)
                self._told[erp.name] = await erp.receipts(since)
                self._troubles.pop(erp.name, None)
            except BotError as error:
                if erp.name not in self._troubles:
                    fields = {"action": "read_erp", "channel": f"erp:{erp.name}"}
                    log.warning("ERP out of reach", extra={**fields, "error": str(error)})
                self._troubles[erp.name] = str(error)

    async def _store(self, tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        told, self._told = self._told, {}
        messages: list[OutboundMessage] = []
        for name, receipts in told.items():
            news = ErpNews(tuple(receipts), complete_until=at)
            messages += await receivables.take(tx, self._office, name, news, at)
        messages += await receivables.check_due(tx, self._office, at)
        messages += await clause_reviews.remind(tx, self._office, at)
        return messages + await self._tell_of_silence(tx, at)

    async def _tell_of_silence(self, tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        """Administrators hear once of each outage."""
        known: Mapping[str, datetime] = await tx.erp.known_until()
        asked = {erp.name for erp in self._erps}
        pushing = {name: texts.PUSHES_NOTHING for name in self._office.erps if name not in asked}
        messages: list[OutboundMessage] = []
        for name, why in {**pushing, **self._troubles}.items():
            since = known.get(name)
            patience = SILENT_AFTER if name in asked else PUSH_SILENT_AFTER
            if since is None or at - since >= patience:
                local = since and since.astimezone(self._office.zone)
                text = texts.erp_silent(name, local, why)
                key = f"erp-silent:{name}:{since.isoformat() if since else 'never'}"
                messages += await directory.tell_admins(tx, self._office, text, key=key)
        return messages

    async def _next_due(self, tx: UnitOfWork) -> datetime | None:
        known = await tx.erp.known_until()
        moments = [
            await tx.contracts.next_check_at(),
            await tx.clause_reviews.next_remind_at(),
            *(known.get(erp.name, _LONG_AGO) + ONE_READ_A_DAY for erp in self._erps),
        ]
        due = min((one for one in moments if one is not None), default=None)
        if due is None or not self._troubles:
            return due
        return max(due, self._asked_at + TRY_AGAIN)
