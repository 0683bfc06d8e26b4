"""What a deal is worth: set by its confirmed quotes and its win, restored by their undoing."""

from __future__ import annotations

from dataclasses import replace

from bot.domain import drafting
from bot.domain.activities import Activity, Intent
from bot.domain.opportunities import Opportunity, OpportunityState
from handlers.conversation.judging import stream_of
from handlers.desk import Desk


def sets_amount(desk: Desk, entry: Activity, deal: Opportunity) -> bool:
    """A win does, and a quote on a deal that is not won yet."""
    amount = entry.slots.get("amount_fen")
    if not isinstance(amount, int) or amount <= 0:
        return False
    unit = desk.office.libraries.of(entry.library).unit(entry.unit)
    is_quote = unit is not None and unit.intent is Intent.LOG_QUOTE
    return entry.slots.get("intent") == Intent.LOG_WIN or (
        is_quote and deal.state is not OpportunityState.WON
    )


async def set_standing(desk: Desk, deal: Opportunity) -> Opportunity:
    """The deal (to be saved) with the amount that its stream tells."""
    amount = drafting.standing_amount(await stream_of(desk, deal.id))
    if amount == deal.amount_fen:
        return deal
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="set_amount",
        subject=f"opportunity:{deal.id}",
        before={"amount_fen": deal.amount_fen},
        after={"amount_fen": amount},
    )
    return replace(deal, amount_fen=amount)
