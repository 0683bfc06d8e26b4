"""What must happen, in the same transaction, when a deal's amount or state has changed."""

from __future__ import annotations

from datetime import datetime

from bot.domain.opportunities import Opportunity
from bot.messages import OutboundMessage
from handlers.desk import Office
from handlers.erp import erp_forecasts
from handlers.supply import notices
from storage.unit_of_work import UnitOfWork


async def follow(
    tx: UnitOfWork, office: Office, before: Opportunity, after: Opportunity, at: datetime
) -> list[OutboundMessage]:
    """The deal, locked, has been saved otherwise than it was: warehouse, planning and the ERPs.
    Costs nothing where neither changed."""
    messages = await notices.on_deal(tx, office, before, after, at)
    return messages + await erp_forecasts.on_deal(tx, office, before, after, at)
