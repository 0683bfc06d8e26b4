"""Cards and sentences about the stages of a deal."""

from __future__ import annotations

from bot.domain.library import ActionLibrary, Stage
from bot.domain.opportunities import Opportunity
from bot.domain.stages import Move, MoveKind, MoveVerdict, Refusal, place_of
from bot.messages import Button, Card
from handlers.conversation import own_fields
from handlers.desk import Desk
from handlers.texts import customers as customer_texts
from handlers.texts import stages as texts

MOVE, CANCEL, BEGIN = "move", "cancel", "begin"


def words_of(library: ActionLibrary, place: str) -> str:
    """A place as people call it."""
    stage = library.stage(place)
    if stage is not None:
        return stage.label
    return next((said for state, said in customer_texts.STATES.items() if state == place), place)


def proposal(deal: Opportunity, target: Stage, card_id: str) -> Card:
    return Card(
        card_id=card_id,
        title=texts.card_title(deal.account_name, target.label),
        lines=(texts.propose(deal.account_name, target.label),),
        buttons=(
            Button(BEGIN, texts.PROPOSED, style="primary"),
            Button(CANCEL, texts.NOT_NOW),
        ),
    )


def form(desk: Desk, deal: Opportunity, move: Move, verdict: MoveVerdict, card_id: str) -> Card:
    """What is missing, to be filled in."""
    library = desk.office.libraries.of(deal.library)
    places = words_of(library, move.seen), words_of(library, move.target)
    filled = [spec for spec in verdict.fields if spec.key in move.slots]
    lines = [texts.missing(*places, verdict.missing), verdict.missing[0].question]
    told = [f"{spec.label}：{own_fields.words(spec, move.slots[spec.key])}" for spec in filled]
    return Card(
        card_id=card_id,
        title=texts.card_title(deal.account_name, places[1]),
        lines=(*lines, *told),
        fields=tuple(own_fields.form_field(spec) for spec in verdict.missing),
        buttons=(
            Button(MOVE, texts.MOVE, style="primary"),
            Button(CANCEL, texts.CANCEL, style="danger"),
        ),
    )


async def refusal(desk: Desk, deal: Opportunity, move: Move, verdict: MoveVerdict) -> str:
    """Why the deal did not move, and what happened meanwhile where it stands elsewhere."""
    library = desk.office.libraries.of(deal.library)
    name, place = deal.account_name, words_of(library, place_of(deal))
    match verdict.refusal:
        case Refusal.STALE:
            events = await desk.tx.stages.of_deal(deal.id)
            last = events[-1] if events else None
            by = last.person_id if last is not None else None
            who = (await desk.tx.people.get(by)).name if by is not None else ""
            at = last.at.astimezone(desk.office.zone) if last is not None else None
            when = customer_texts.when(at) if at is not None else ""
            return texts.stale(name, words_of(library, move.seen), place, who, when)
        case Refusal.SAME:
            return texts.same(name, place)
        case Refusal.NO_REASON:
            kind = verdict.kind or MoveKind.BACK
            target = words_of(library, move.target)
            return texts.needs_reason(name, kind, place=place, target=target)
        case _:
            return texts.closed(name, place)


def told(desk: Desk, after: Opportunity, move: Move, verdict: MoveVerdict) -> str:
    """What the move came to."""
    library = desk.office.libraries.of(after.library)
    name = after.account_name
    places = words_of(library, move.seen), words_of(library, place_of(after))
    if verdict.kind is MoveKind.FORWARD:
        return texts.moved(name, *places, verdict.required_filled)
    if verdict.kind is MoveKind.BACK:
        return texts.went_back(name, *places, move.reason)
    return texts.changed_state(name, places[1], move.reason)
