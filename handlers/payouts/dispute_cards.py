"""The cards of a dispute: the disputer's and the arbiter's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.payouts.disputes import DECIDED, State
from bot.domain.people import Person
from bot.messages import Button, Card, CardUpdate, OutboundMessage
from handlers.desk import Desk, Office
from handlers.texts import disputes as texts
from handlers.texts.dialog import shorten
from storage.payout_disputes import Dispute
from storage.unit_of_work import UnitOfWork

PREFIX = "dispute-"
SUBMIT, CANCEL, WITHDRAW, ANSWER, APPEAL = "submit", "cancel", "withdraw", "answer", "appeal"
UPHOLD, PARTLY, REJECT, ASK, GO_ON = "uphold", "partly", "reject", "ask", "go_on"
OUTCOMES = {UPHOLD: State.UPHELD, PARTLY: State.PARTLY_UPHELD, REJECT: State.REJECTED}
REASON_LIMIT = 120

_WITHDRAW = Button(WITHDRAW, texts.WITHDRAW)
_OF_REP: dict[State, tuple[Button, ...]] = {
    State.DRAFT: (
        Button(SUBMIT, texts.SUBMIT, style="primary"),
        Button(CANCEL, texts.CANCEL, style="danger"),
    ),
    State.SUBMITTED: (_WITHDRAW,),
    State.REPORTED: (_WITHDRAW,),
    State.IN_REVIEW: (_WITHDRAW,),
    State.ASKED: (Button(ANSWER, texts.ANSWER, style="primary"), _WITHDRAW),
}
_DECIDING = (
    Button(UPHOLD, texts.UPHOLD, style="primary"),
    Button(PARTLY, texts.PARTLY),
    Button(REJECT, texts.REJECT, style="danger"),
    Button(ASK, texts.ASK),
)
_OF_ARBITER: dict[State, tuple[Button, ...]] = {
    State.REPORTED: _DECIDING,
    State.IN_REVIEW: _DECIDING,
    State.ASKED: (Button(GO_ON, texts.GO_ON),),
}


async def card_for(tx: UnitOfWork, dispute: Dispute, person: Person) -> Card:
    line = await tx.payout_ledger.get(dispute.line_id)
    words = texts.line_words(line.number, line.kind, line.fen, line.month)
    reason = shorten(dispute.reason, REASON_LIMIT)
    is_rep = person.id == dispute.person_id
    if is_rep:
        lines = texts.rep_lines(words, reason, len(dispute.file_hashes))
        lines.append(texts.rep_hint(dispute.state))
        buttons = _OF_REP.get(dispute.state, ())
        if _may_appeal(dispute):
            buttons = (Button(APPEAL, texts.APPEAL),)
    else:
        rep = await tx.people.get(dispute.person_id)
        lines = [texts.for_arbiter(rep.name, words)]
        lines += texts.rep_lines(words, reason, len(dispute.file_hashes))[1:]
        buttons = _OF_ARBITER.get(dispute.state, ())
        if buttons:
            lines.append(texts.arbiter_hint(rep.name, line.month))
    return Card(
        card_id=f"{PREFIX}{dispute.id}-{person.id}",
        title=f"{texts.TITLE} #{dispute.id}",
        lines=tuple(one for one in lines if one),
        facts=(("状态", texts.STATES[dispute.state]),),
        buttons=buttons,
        closed="" if buttons else texts.STATES[dispute.state],
    )


async def put(
    tx: UnitOfWork, office: Office, dispute: Dispute, person: Person, at: datetime
) -> list[OutboundMessage]:
    """The person's card as it is now: changed where they have one, else sent."""
    to = office.address_of(person)
    if to is None:
        return []
    card = await card_for(tx, dispute, person)
    known = await tx.cards.get(card.card_id)
    if known is not None:
        card = replace(card, revision=known.revision + 1)
    await tx.cards.show(card, to.key, subject=subject_of(dispute), at=at)
    content = card if known is None else CardUpdate(card)
    key = f"{card.card_id}@{card.revision}"
    return [OutboundMessage(key, to, content, subject=subject_of(dispute))]


async def show(desk: Desk, dispute: Dispute) -> None:
    """The speaker's: in place where their card was pressed, else as a fresh one."""
    card = await card_for(desk.tx, dispute, desk.rep)
    action = desk.message.action
    if action is not None and action.card_id == card.card_id:
        await desk.change(card, subject=subject_of(dispute))
        return
    known = await desk.tx.cards.get(card.card_id)
    if known is not None:
        card = replace(card, revision=known.revision + 1)
    await desk.show_privately(card, subject=subject_of(dispute))


def subject_of(dispute: Dispute) -> str:
    return f"payout_dispute:{dispute.id}"


def _may_appeal(dispute: Dispute) -> bool:
    """Against a decision that did not give everything, once."""
    decided = dispute.state in DECIDED and dispute.state is not State.UPHELD
    return decided and dispute.appeal_of is None
