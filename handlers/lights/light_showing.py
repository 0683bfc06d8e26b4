"""Lights that somebody asked for, on a card as it is pushed; `light_presses` takes its presses."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.lights import Lead
from bot.domain.notifying import Reason
from bot.messages import content_to_json
from handlers.desk import Desk
from handlers.lights import light_cards


async def show(desk: Desk, leads: Sequence[Lead], *, card_id: str, reason: Reason) -> None:
    watch = desk.office.watch
    views = await light_cards.view_leads(desk.tx, watch, leads, reader_id=desk.rep.id, at=desk.at)
    card = light_cards.push_card(watch, card_id, views, reason=reason, at=desk.at)
    data = {
        "opportunity_ids": [lead.opportunity.id for lead in leads],
        "card": content_to_json(card),
    }
    await desk.show(card, subject="lights", data=data)
