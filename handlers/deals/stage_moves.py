"""Moving a deal to another stage in chat: asked for in words, by a form card, or proposed after an
action; made only with the fields that the stage requires, and only from where it was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import drafting
from bot.domain.activities import Activity, Draft, Intent, Record
from bot.domain.library import SlotSpec, Stage
from bot.domain.opportunities import Account, Opportunity
from bot.domain.stages import (
    Move,
    MoveKind,
    MoveVerdict,
    Refusal,
    StageEvent,
    judge_move,
    moved,
    needed_fields,
    place_of,
    rank_noted,
)
from bot.errors import Refused
from bot.messages import Card
from handlers.conversation import own_fields
from handlers.conversation.judging import stream_of
from handlers.customers import customers
from handlers.deals import deal_changes, stage_words
from handlers.desk import Desk
from handlers.texts import stages as texts

PENDING = "stage_move"
MOST_REASON = 200

_TO_THE_BOT = frozenset(
    {
        Intent.CONFIRM, Intent.CANCEL, Intent.QUERY, Intent.CORRECT, Intent.SNOOZE,
        Intent.CREATE_CUSTOMER,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """A move that waits for its fields. Kept as JSON in the chat's dialog state."""

    deal_id: int
    move: Move
    card_id: str
    at: str

    def to_json(self) -> dict[str, object]:
        move = self.move
        told = {"seen": move.seen, "target": move.target, "reason": move.reason}
        return {"deal_id": self.deal_id, "card_id": self.card_id, "at": self.at, **told,
                "slots": dict(move.slots)}  # fmt: skip

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> _Asked:
        slots = raw["slots"]
        assert isinstance(slots, dict)
        move = Move(str(raw["seen"]), str(raw["target"]), slots, str(raw["reason"]))
        return cls(int(str(raw["deal_id"])), move, str(raw["card_id"]), str(raw["at"]))


async def begin(
    desk: Desk,
    account: Account,
    target: str,
    *,
    reason: str = "",
    text: str = "",
    until: datetime | None = None,
) -> None:
    """Somebody wants a deal at `target`, a key of a stage or a state (on hold `until`): made at
    once where nothing is missing, else asked for on a card.

    Raises NotAllowed for somebody else's customer, Refused with the words to say.
    """
    await customers.refuse_foreign(desk, account)
    deal = await the_deal(desk, account)
    library = desk.office.libraries.of(deal.library)
    fields = needed_fields(library, deal.stage, target)
    slots = {**await _known(desk, deal, fields), **own_fields.told(fields, text)}
    move = Move(place_of(deal), target, slots, reason.strip()[:MOST_REASON], until)
    verdict = judge_move(library, deal, move)
    if verdict.refusal is Refusal.MISSING_FIELDS:
        await _ask(desk, deal, move, verdict)
    else:
        await _make(desk, deal, move, verdict)


async def take(desk: Desk, text: str, record: Record, open_drafts: Sequence[Draft]) -> bool:
    """Whether the text answers what a waiting move asks for: a customer's name alone does not."""
    asked = await _waiting(desk, open_drafts)
    if asked is None or (record.intent in _TO_THE_BOT and record.intent is not Intent.CONFIRM):
        return False
    deal = await desk.tx.opportunities.get(asked.deal_id)
    verdict = judge_move(desk.office.libraries.of(deal.library), deal, asked.move)
    if record.intent is Intent.CONFIRM or not verdict.missing:
        await _go_on(desk, asked, {})
        return True
    if await customers.exactly(desk, text) is not None:
        return False
    reader, now = desk.office.reader, _said_at(desk)
    value = own_fields.read(verdict.missing[0], text, reader=reader, now=now)
    said = own_fields.told(verdict.missing, text)
    if value is not None:
        said[verdict.missing[0].key] = value
    if not said:
        return False
    await _go_on(desk, asked, said)
    return True


async def cancel(desk: Desk, open_drafts: Sequence[Draft]) -> bool:
    """«取消» while a move waits: whether there was one."""
    asked = await _waiting(desk, open_drafts)
    if asked is None:
        return False
    await _forget(desk)
    desk.say(texts.CANCELLED)
    return True


async def press(desk: Desk) -> None:
    """A button of a card about stages. Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    parts = action.card_id.split("-")
    deal = await desk.tx.opportunities.get(int(parts[1]))
    account = await desk.tx.accounts.get(deal.account_id)
    await customers.refuse_foreign(desk, account)
    if parts[2] == "propose":
        await _press_proposal(
            desk, deal, account, target=parts[3], yes=action.action == stage_words.BEGIN
        )
        return
    asked = await _asked(desk)
    if asked is None or asked.card_id != action.card_id:
        await _close(desk, action.card_id, texts.CARD_OLD)
        desk.say(texts.NOTHING_ASKED)
    elif action.action == stage_words.CANCEL:
        await _forget(desk)
        await _close(desk, action.card_id, texts.CARD_CANCELLED)
        desk.say(texts.CANCELLED)
    else:
        fields = needed_fields(
            desk.office.libraries.of(deal.library), deal.stage, asked.move.target
        )
        reader, now = desk.office.reader, _said_at(desk)
        given = own_fields.read_form(fields, action.values, reader=reader, now=now)
        await _go_on(desk, asked, given)


async def propose(desk: Desk, draft: Draft, account: Account) -> None:
    """After a confirmed action: the stage that is called like it, where that lies ahead. Only a
    question; nothing moves by itself."""
    library = desk.office.libraries.of(draft.library)
    unit = library.unit(draft.unit)
    open_ones = await desk.tx.opportunities.open_of_account(account.id)
    deal = next((one for one in open_ones if one.id == draft.opportunity_id), None)
    if unit is None or deal is None:
        return
    library = desk.office.libraries.of(deal.library)
    target = next(
        (one for one in library.stages if one.key == unit.key or one.label == unit.label), None
    )
    if target is not None:
        await propose_to(desk, deal, target, f"{draft.id}")


async def propose_to(desk: Desk, deal: Opportunity, target: Stage, occasion: str) -> None:
    """Asks on a card whether the deal moves to `target`, if that lies ahead. occasion: what tells
    this card from others about the same stage."""
    library = desk.office.libraries.of(deal.library)
    if library.path(deal.stage, target.key) is None:
        return
    card = stage_words.proposal(deal, target, f"stage-{deal.id}-propose-{target.key}-{occasion}")
    await desk.show(card, subject=_subject(deal))


async def the_deal(desk: Desk, account: Account) -> Opportunity:
    """The living deal that was last worked on, locked. Raises Refused if there is none."""
    living = await desk.tx.opportunities.open_of_account(account.id)
    if not living:
        raise Refused(texts.no_open_deal(account.name))
    last = max(living, key=lambda one: (one.last_valid_at or one.assigned_at, one.id))
    return await desk.tx.opportunities.get_for_update(last.id)


async def _press_proposal(
    desk: Desk, deal: Opportunity, account: Account, *, target: str, yes: bool
) -> None:
    assert desk.message.action is not None
    closed = texts.CARD_DONE if yes else texts.CARD_CANCELLED
    await _close(desk, desk.message.action.card_id, closed)
    if yes:
        await begin(desk, account, target)


async def _go_on(desk: Desk, asked: _Asked, given: Mapping[str, object]) -> None:
    """With the fields that came in: made, or asked for what is still missing."""
    deal = await desk.tx.opportunities.get_for_update(asked.deal_id)
    move = replace(asked.move, slots={**asked.move.slots, **given})
    verdict = judge_move(desk.office.libraries.of(deal.library), deal, move)
    if verdict.refusal is Refusal.MISSING_FIELDS:
        await _ask(desk, deal, move, verdict, before=asked)
        desk.say(texts.still_missing(verdict.missing))
        return
    await _forget(desk)
    closed = texts.CARD_DONE if verdict.refusal is None else texts.CARD_OLD
    await _close(desk, asked.card_id, closed)
    if verdict.refusal is None:
        await _make(desk, deal, move, verdict)
    else:
        desk.say(await stage_words.refusal(desk, deal, move, verdict))


async def _make(desk: Desk, deal: Opportunity, move: Move, verdict: MoveVerdict) -> None:
    """The move itself: deal, event, entry of the stream, light. Raises Refused."""
    if verdict.refusal is not None or verdict.kind is None:
        raise Refused(await stage_words.refusal(desk, deal, move, verdict))
    library = desk.office.libraries.of(deal.library)
    after = moved(library, deal, move, desk.at)
    amount = move.slots.get("amount_fen")
    asks_amount = any(spec.key == "amount_fen" for spec in verdict.fields)
    if asks_amount and isinstance(amount, int):
        after = replace(after, amount_fen=amount)
    await desk.tx.opportunities.save(after)
    desk.add(await deal_changes.follow(desk.tx, desk.office, deal, after, desk.at))
    event = StageEvent(
        opportunity_id=deal.id,
        account_id=deal.account_id,
        kind=verdict.kind,
        library=after.library,
        came_from=move.seen,
        went_to=place_of(after),
        at=desk.at,
        person_id=desk.rep.id,
        required_filled=verdict.required_filled,
        slots=dict(move.slots),
        reason=move.reason,
        rank=rank_noted(library, verdict.kind, place_of(after)),
    )
    event = replace(event, id=await desk.tx.stages.add(event, desk.office.calendar))
    await _enter(desk, deal, after, event, verdict.fields)
    desk.add(await desk.office.lights.on_state_changed(desk.tx, after, desk.at))
    desk.say(stage_words.told(desk, after, move, verdict))


async def _enter(
    desk: Desk, deal: Opportunity, after: Opportunity, event: StageEvent, fields: Sequence[SlotSpec]
) -> None:
    """The entry of the stream; a new amount remembers what it was before."""
    library = desk.office.libraries.of(after.library)
    facts = [
        f"{spec.label}：{own_fields.words(spec, event.slots[spec.key])}"
        for spec in fields
        if spec.key in event.slots
    ]
    places = [stage_words.words_of(library, one) for one in (event.came_from, event.went_to)]
    slots: dict[str, object] = {"stage_event": event.id}
    if after.amount_fen != deal.amount_fen:
        slots |= {"amount_fen": after.amount_fen, drafting.AMOUNT_BEFORE: deal.amount_fen}
    await desk.tx.activities.add(
        Activity(
            id=0,
            account_id=deal.account_id,
            opportunity_id=deal.id,
            actor_id=desk.rep.id,
            unit="",
            title=texts.TITLES[event.kind],
            text=texts.entry(places[0], places[1], facts, event.reason),
            occurred_at=desk.at,
            recorded_at=desk.at,
            source_id=f"stage:{event.id}",
            slots=slots,
            library=after.library,
        )
    )


async def _ask(
    desk: Desk, deal: Opportunity, move: Move, verdict: MoveVerdict, before: _Asked | None = None
) -> None:
    """The form card of what is missing; the same card again, where it was pressed."""
    action = desk.message.action
    pressed = before is not None and action is not None and action.card_id == before.card_id
    number = "".join(filter(str.isalnum, desk.message.message_id))[-16:]
    card_id = before.card_id if before is not None and pressed else f"stage-{deal.id}-{number}"
    card = stage_words.form(desk, deal, move, verdict, card_id)
    await _remember(desk, _Asked(deal.id, move, card_id, desk.at.isoformat()))
    if pressed:
        await desk.change(card, subject=_subject(deal))
        return
    if before is not None:
        await _close(desk, before.card_id, texts.CARD_OLD)
    await desk.show(card, subject=_subject(deal))


async def _known(desk: Desk, deal: Opportunity, fields: Sequence[SlotSpec]) -> dict[str, object]:
    """What earlier moves and records of the deal say of these fields; the newest holds."""
    known: dict[str, object] = {}
    for entry in await stream_of(desk, deal.id):
        known |= entry.slots
    for event in await desk.tx.stages.of_deal(deal.id):
        known |= event.slots
    if deal.amount_fen is not None:
        known["amount_fen"] = deal.amount_fen
    return {spec.key: known[spec.key] for spec in fields if known.get(spec.key) is not None}


async def _asked(desk: Desk) -> _Asked | None:
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    raw = state.get(PENDING)
    return _Asked.from_json(raw) if raw else None


async def _waiting(desk: Desk, open_drafts: Sequence[Draft]) -> _Asked | None:
    """The move that was asked about last: not before a draft was, and not yesterday."""
    asked = await _asked(desk)
    if asked is None:
        return None
    newer = [
        one for one in open_drafts if (one.touched_at or one.created_at).isoformat() > asked.at
    ]
    fresh = asked.at > (desk.at - desk.policy.drafts.ttl).isoformat()
    return asked if fresh and not newer else None


async def _remember(desk: Desk, asked: _Asked | None) -> None:
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    state = {key: value for key, value in state.items() if key != PENDING}
    if asked is not None:
        state[PENDING] = asked.to_json()
    await desk.tx.dialogs.put(desk.conversation, desk.rep.id, state, desk.at)


async def _forget(desk: Desk) -> None:
    await _remember(desk, None)


async def _close(desk: Desk, card_id: str, note: str) -> None:
    known = await desk.tx.cards.get(card_id)
    if known is None:
        return
    action = desk.message.action
    pressed = action is not None and action.card_id == card_id
    card = Card(card_id=card_id, title=texts.TITLES[MoveKind.FORWARD], closed=note)
    await desk.change(card, subject=known.subject, only_in_place=not pressed)


def _said_at(desk: Desk) -> datetime:
    return desk.message.sent_at.astimezone(desk.office.zone)


def _subject(deal: Opportunity) -> str:
    return f"stage:{deal.id}"
