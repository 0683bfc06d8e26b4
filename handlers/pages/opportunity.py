"""`/opportunities/{id}`: one deal, how it came to where it is, and what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.people import Person
from bot.domain.stages import MoveKind, StageEvent
from bot.errors import NotFound
from handlers.binding import opening
from handlers.binding.opening import ChatWay
from handlers.customers import customers
from handlers.desk import Office
from handlers.levels import showing
from handlers.levels.showing import LevelMove
from handlers.lights import light_heat
from handlers.pages import deals, lights, signals, stream
from handlers.pages.deals import DealLine
from handlers.pages.lights import HeatTable, LightHistory
from handlers.pages.people import Names
from handlers.pages.signals import Behaviour
from handlers.pages.stream import Stream
from handlers.texts import customers as customer_texts
from handlers.texts import pages as texts
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Move:
    """One change of stage or state. stayed: how long it had been where it was."""

    label: str
    way: str
    when: str
    who: str
    reason: str
    stayed: str
    back: bool


@dataclass(frozen=True, slots=True)
class OpportunityPage:
    """moves, levels: the newest first. level: "" for none."""

    deal: DealLine
    owner: str
    began: str
    customer_id: int
    customer: str
    moves: tuple[Move, ...]
    level: str
    levels: tuple[LevelMove, ...]
    evidence: tuple[str, ...]
    history: LightHistory
    heat: HeatTable
    chats: tuple[ChatWay, ...]
    behaviour: Behaviour
    stream: Stream


async def visible(
    tx: UnitOfWork, person: Person, deal_id: int, at: datetime
) -> tuple[Opportunity, Account]:
    """Who may see the customer may see its deals. Raises NotFound also for what is there and
    not theirs."""
    try:
        deal = await tx.opportunities.get(deal_id)
    except NotFound:
        raise NotFound(texts.NO_SUCH_DEAL) from None
    account = await tx.accounts.get(deal.account_id)
    if not await customers.may_show(tx, person, account, at):
        raise NotFound(texts.NO_SUCH_DEAL)
    return deal, account


async def page(
    tx: UnitOfWork, office: Office, person: Person, deal_id: int, *, kind: str, at: datetime
) -> OpportunityPage:
    """Raises NotFound, and InvalidInput for a kind that is none."""
    deal, account = await visible(tx, person, deal_id, at)
    names, today = Names(tx), office.calendar.day_of(at)
    level, level_moves, evidence = await showing.of_deal(tx, office, deal.id, at)
    (lead,) = await tx.lights.list_leads([deal.id], lock=False)
    heat = await light_heat.heat_map(tx, office.watch, [deal.id], at)
    return OpportunityPage(
        deal=deals.line(office, lead, at),
        owner=await names.of(deal.owner_id),
        began=texts.day(office.calendar.day_of(deal.created_at), today),
        customer_id=account.id,
        customer=account.name,
        moves=await _moves(office, await tx.stages.of_deal(deal.id), names, at),
        level=level,
        levels=level_moves,
        evidence=evidence,
        history=await lights.history(tx, office, deal, names, at),
        heat=lights.heat_table(heat),
        chats=tuple(await opening.ways_to(tx, account.id, person)),
        behaviour=await signals.behaviour(tx, office, deal, at),
        stream=await stream.read(
            tx, office, account.id, kind=kind, before=None, at=at, deal_id=deal.id
        ),
    )


async def more(
    tx: UnitOfWork,
    office: Office,
    person: Person,
    deal_id: int,
    *,
    kind: str,
    before: str | None,
    at: datetime,
) -> Stream:
    """A further page of what was done. Raises NotFound, InvalidInput."""
    deal, account = await visible(tx, person, deal_id, at)
    return await stream.read(
        tx, office, account.id, kind=kind, before=before, at=at, deal_id=deal.id
    )


async def _moves(
    office: Office, events: Sequence[StageEvent], names: Names, at: datetime
) -> tuple[Move, ...]:
    today, found = office.calendar.day_of(at), []
    before: StageEvent | None = None
    await names.learn(event.person_id for event in events)
    for event in events:
        came, went = _place(office, event, event.came_from), _place(office, event, event.went_to)
        found.append(
            Move(
                label=texts.MOVES[event.kind],
                way=f"{came} → {went}" if came else went,
                when=texts.moment(event.at.astimezone(office.zone), today),
                who=await names.of(event.person_id),
                reason=event.reason,
                stayed=texts.lasted((event.at - before.at).days) if before else "",
                back=event.kind is MoveKind.BACK,
            )
        )
        before = event
    return tuple(reversed(found))


def _place(office: Office, event: StageEvent, key: str) -> str:
    """A stage by its name, a state in words."""
    if key in set(OpportunityState):
        return customer_texts.STATES[OpportunityState(key)]
    stage = office.libraries.of(event.library).stage(key)
    return stage.label if stage else key
