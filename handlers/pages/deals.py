"""A deal in one line, as lists and heads of pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.lights import Lead
from bot.domain.opportunities import Light, Opportunity, OpportunityState
from handlers.desk import Office
from handlers.lights.light_cards import standing_of
from handlers.texts import customers as customer_texts
from handlers.texts.money import amount_words

ORDER = {str(Light.RED): 0, str(Light.YELLOW): 1, str(Light.GREEN): 2}


@dataclass(frozen=True, slots=True)
class DealLine:
    """light: green, yellow, red; "" where there is none any more. stage_days: whole days in
    the stage. gap_days: working days without a valid action."""

    id: int
    name: str
    customer_id: int
    customer: str
    stage: str
    stages: tuple[str, ...]
    stage_place: int
    stage_days: int
    amount: str
    open: bool
    state: str
    light: str
    light_words: str
    stuck: bool
    gap_days: int
    promised: str


def line(office: Office, lead: Lead, at: datetime) -> DealLine:
    deal = lead.opportunity
    library = office.libraries.of(deal.library)
    keys = [stage.key for stage in library.stages]
    stage = library.stage(deal.stage)
    standing = standing_of(office.watch, lead, at)
    is_open = deal.state is OpportunityState.OPEN
    words = customer_texts.light(standing.light, standing.gap_days, stuck=standing.stuck)
    return DealLine(
        id=deal.id,
        name=deal.name,
        customer_id=deal.account_id,
        customer=deal.account_name,
        stage=stage.label if stage else deal.stage,
        stages=tuple(one.label for one in library.stages),
        stage_place=keys.index(deal.stage) if deal.stage in keys else -1,
        stage_days=max(0, (at - deal.stage_since).days),
        amount=amount_words(deal.amount_fen) if deal.amount_fen is not None else "",
        open=is_open,
        state=customer_texts.STATES[deal.state],
        light=str(standing.light) if is_open else "",
        light_words=words if is_open else customer_texts.STATES[deal.state],
        stuck=standing.stuck and is_open,
        gap_days=standing.gap_days,
        promised=_promised(office, deal, at),
    )


def _promised(office: Office, deal: Opportunity, at: datetime) -> str:
    if deal.next_contact_at is None or deal.state is not OpportunityState.OPEN:
        return ""
    due = deal.next_contact_at.astimezone(office.zone)
    words, now = customer_texts.promised_words(due), at.astimezone(office.zone)
    is_past = due < now if customer_texts.has_hour(due) else due.date() < now.date()
    return f"{words}（已过）" if is_past else words


def worst_light(lines: list[DealLine]) -> str:
    lights = [one.light for one in lines if one.light]
    return min(lights, key=lambda light: ORDER[light], default="")
