"""A dispute is decided: who decides, what they ask, the ruling and what is posted by it; and the
clock that reminds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.domain.payouts.days import local_day
from bot.domain.payouts.disputes import (
    DECIDED,
    State,
    Step,
    conflict_of,
    may_move,
)
from bot.domain.payouts.ledger import month_name, next_month
from bot.domain.payouts.lines import Kind
from bot.domain.people import Person, Role
from bot.errors import NotAllowed, Refused
from bot.messages import Button, Card, FileContent, OutboundMessage, Text
from bot.router import Job
from handlers.desk import Desk, Office
from handlers.payouts import awaiting, dispute_cards, rights
from handlers.people.leaders import leaders_of
from handlers.texts import disputes as texts
from handlers.understanding.amounts import find_amounts
from handlers.understanding.normal import normalise
from storage.payout_disputes import ANSWER, QUESTION, Dispute, Note
from storage.payout_ledger import DECISION, NewLine
from storage.unit_of_work import UnitOfWork

RULING = f"{dispute_cards.PREFIX}rule-"
CONFIRM, REWRITE = "confirm", "rewrite"
FIRST_ARBITERS = (Role.HRBP, Role.FINANCE, Role.SALES_DIRECTOR, Role.ADMIN)
HIGHER_ARBITERS = (Role.SALES_DIRECTOR, Role.ADMIN, Role.HRBP)
TEXT_LIMIT = 1000


async def find_arbiter(tx: UnitOfWork, dispute: Dispute, at: datetime) -> Person | None:
    """The first who is free of any conflict; a re-appeal goes higher and to somebody else."""
    roles = HIGHER_ARBITERS if dispute.appeal_of is not None else FIRST_ARBITERS
    for role in roles:
        for person in sorted(await rights.at_work(tx, role, at), key=lambda one: one.id):
            if await _conflict(tx, dispute, person) is None:
                return person
    return None


async def press(desk: Desk, dispute: Dispute) -> None:
    """A button of the arbiter's card. Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    await _refuse_others(desk, dispute)
    if action.action in dispute_cards.OUTCOMES:
        outcome = dispute_cards.OUTCOMES[action.action]
        _refuse_move(dispute, outcome)
        await awaiting.wait_for(desk, dispute.id, str(outcome))
        desk.say(texts.ask_ruling(outcome))
    elif action.action == dispute_cards.ASK:
        _refuse_move(dispute, State.ASKED)
        await awaiting.wait_for(desk, dispute.id, awaiting.QUESTION)
        desk.say(texts.ASK_QUESTION)
    elif action.action == dispute_cards.GO_ON:
        _refuse_move(dispute, State.IN_REVIEW)
        changed = await _go_on(desk, dispute)
        await dispute_cards.show(desk, changed)


async def ask(desk: Desk, dispute: Dispute, text: str) -> None:
    """The arbiter's question; the clock stands still until it is answered."""
    await _refuse_others(desk, dispute)
    _refuse_move(dispute, State.ASKED)
    note = Note(desk.rep.id, QUESTION, text[:TEXT_LIMIT], (), desk.at)
    await desk.tx.payout_disputes.add_note(dispute, note)
    changed = await desk.tx.payout_disputes.change(
        dispute,
        clock=dispute.clock.stopped(desk.at, desk.office.calendar),
        state=str(State.ASKED),
        next_at=None,
    )
    rep = await desk.tx.people.get(dispute.person_id)
    words = texts.question(desk.rep.name, dispute.id, text[:TEXT_LIMIT])
    desk.add(_message(desk, rep, words, f"dispute:{dispute.id}:asked"))
    desk.add(await dispute_cards.put(desk.tx, desk.office, changed, rep, desk.at))
    await dispute_cards.show(desk, changed)
    desk.say(texts.ASKED)


async def answer(desk: Desk, dispute: Dispute, text: str, hashes: Sequence[str]) -> None:
    """What the disputer adds; the clock goes on."""
    if dispute.state is not State.ASKED or dispute.person_id != desk.rep.id:
        raise Refused(texts.OVER)
    note = Note(desk.rep.id, ANSWER, text[:TEXT_LIMIT], tuple(hashes), desk.at)
    await desk.tx.payout_disputes.add_note(dispute, note)
    changed = await _go_on(desk, dispute)
    words = texts.answer(desk.rep.name, dispute.id, text[:TEXT_LIMIT], len(hashes))
    desk.add(await tell_arbiter(desk, changed, words))
    desk.add(await hand_over(desk, changed, hashes))
    await dispute_cards.show(desk, changed)
    desk.say(texts.ANSWERED)


async def rule(desk: Desk, dispute: Dispute, outcome: State, text: str) -> None:
    """The ruling in words, with the amount where there is one: shown once more before it counts."""
    await _refuse_others(desk, dispute)
    _refuse_move(dispute, outcome)
    fen = 0
    if outcome is not State.REJECTED:
        said = find_amounts(normalise(text), bare=True)
        if not said:
            await awaiting.wait_for(desk, dispute.id, str(outcome))
            desk.say(texts.AMOUNT_MISSING)
            return
        fen = said[0].value
    number = "".join(filter(str.isalnum, desk.message.message_id))[-20:]
    card = Card(
        card_id=f"{RULING}{dispute.id}-{number}",
        title=f"{texts.TITLE} #{dispute.id}",
        lines=tuple(texts.confirm_ruling(outcome, fen, text[:TEXT_LIMIT])),
        buttons=(Button(CONFIRM, texts.CONFIRM, style="primary"), Button(REWRITE, texts.REWRITE)),
    )
    data = {"outcome": str(outcome), "fen": fen, "ruling": text[:TEXT_LIMIT]}
    await desk.show_privately(card, subject=dispute_cards.subject_of(dispute), data=data)


async def confirm(desk: Desk) -> None:
    """«确认裁定». Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    dispute = await desk.tx.payout_disputes.get(int(action.card_id.split("-")[2]))
    known = await desk.tx.cards.get(action.card_id)
    await _refuse_others(desk, dispute)
    if known is None or known.state == "closed":
        raise Refused(texts.OVER)
    outcome = State(known.data["outcome"])
    _refuse_move(dispute, outcome)
    closed = texts.STATES[outcome]
    if action.action == REWRITE:
        await awaiting.wait_for(desk, dispute.id, str(outcome))
        desk.say(texts.ask_ruling(outcome))
        closed = texts.REWRITE
    else:
        await decide(desk, dispute, outcome, int(known.data["fen"]), str(known.data["ruling"]))
    lines = tuple(texts.confirm_ruling(outcome, known.data["fen"], known.data["ruling"]))
    card = Card(action.card_id, f"{texts.TITLE} #{dispute.id}", lines=lines[:2], closed=closed)
    await desk.change(card, subject=known.subject)


async def take_over(desk: Desk, words: str) -> None:
    """«接手申诉 12»: where nobody was free to decide. Raises NotAllowed, Refused."""
    if not desk.rep.roles & {*FIRST_ARBITERS}:
        raise NotAllowed(texts.NOT_YOURS)
    number = words.strip().removeprefix("#")
    if not number.isdecimal():
        raise Refused(texts.WHICH_TO_TAKE)
    dispute = await desk.tx.payout_disputes.get(int(number))
    why = await _conflict(desk.tx, dispute, desk.rep)
    if why is not None:
        raise NotAllowed(texts.conflict(why))
    if dispute.arbiter_id is not None or dispute.state is not State.REPORTED:
        raise Refused(texts.OVER)
    changed = await desk.tx.payout_disputes.change(dispute, arbiter_id=desk.rep.id)
    await audit(desk, changed, "take_dispute", before=dispute.state)
    desk.say_privately(texts.REPORT_TITLE, changed.report)
    await dispute_cards.show(desk, changed)
    desk.add(await hand_over(desk, changed, changed.file_hashes))
    desk.say(texts.taken(changed.id))


async def close(desk: Desk, dispute: Dispute, state: State, **values: Any) -> Dispute:
    """Raises Refused where it has ended."""
    _refuse_move(dispute, state)
    changed = await desk.tx.payout_disputes.change(
        dispute,
        clock=dispute.clock.stopped(desk.at, desk.office.calendar),
        state=str(state),
        step=str(Step.NOTHING),
        next_at=None,
        closed_at=desk.at,
        **values,
    )
    await audit(desk, changed, "close_dispute", before=dispute.state)
    return changed


async def tell_arbiter(desk: Desk, dispute: Dispute, words: str) -> list[OutboundMessage]:
    """In words and on their card."""
    if dispute.arbiter_id is None:
        return []
    arbiter = await desk.tx.people.get(dispute.arbiter_id)
    key = f"dispute:{dispute.id}:{desk.incoming.source_id}"
    told = _message(desk, arbiter, words, key)
    return [*told, *await dispute_cards.put(desk.tx, desk.office, dispute, arbiter, desk.at)]


async def hand_over(desk: Desk, dispute: Dispute, hashes: Sequence[str]) -> list[OutboundMessage]:
    """Files to the arbiter, each as what it is."""
    if dispute.arbiter_id is None or not hashes:
        return []
    to = desk.office.address_of(await desk.tx.people.get(dispute.arbiter_id))
    known = await desk.tx.files.list_some(hashes)
    if to is None:
        return []
    return [
        OutboundMessage(
            f"dispute:{dispute.id}:file:{file.sha256}",
            to,
            FileContent(
                "image" if file.media_type.startswith("image/") else "file", file.sha256, file.name
            ),
        )
        for file in known.values()
    ]


async def audit(desk: Desk, dispute: Dispute, action: str, *, before: State) -> None:
    after = {"state": str(dispute.state), "awarded_fen": dispute.awarded_fen}
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject=dispute_cards.subject_of(dispute),
        before={"state": str(before)},
        after=after,
    )


def jobs(office: Office) -> tuple[Job[UnitOfWork], ...]:
    """Who takes long is reminded, then whoever stands above hears of it."""

    async def tick(tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        found = await tx.payout_disputes.due(at)
        return [message for one in found for message in await _remind(tx, office, one, at)]

    def next_due(tx: UnitOfWork) -> Any:
        return tx.payout_disputes.next_due_at()

    return (Job("disputes that wait", {"minute": "*"}, tick, next_due=next_due),)


async def _remind(
    tx: UnitOfWork, office: Office, dispute: Dispute, at: datetime
) -> list[OutboundMessage]:
    alerting = dispute.step is Step.ALERT
    after = Step.ESCALATE if alerting else Step.NOTHING
    next_at = dispute.clock.due_at(after, office.calendar)
    await tx.payout_disputes.change(dispute, step=str(after), next_at=next_at)
    rep = await tx.people.get(dispute.person_id)
    worked = dispute.clock.ran(at, office.calendar)
    told = await _who_is_told(tx, dispute, at, alerting=alerting)
    arbiter = await tx.people.get(dispute.arbiter_id) if dispute.arbiter_id is not None else None
    words = (
        texts.alert(dispute.id, rep.name, worked)
        if alerting
        else texts.escalated(dispute.id, rep.name, arbiter.name if arbiter else "", worked)
    )
    messages = []
    for person in told:
        to = office.address_of(person)
        if to is not None:
            key = f"dispute:{dispute.id}:{dispute.step}:{person.id}"
            messages.append(OutboundMessage(key, to, Text(words)))
    return messages


async def _who_is_told(
    tx: UnitOfWork, dispute: Dispute, at: datetime, *, alerting: bool
) -> list[Person]:
    if dispute.arbiter_id is None:
        return list(await tx.people.list_by_role(Role.ADMIN))
    if alerting:
        return [await tx.people.get(dispute.arbiter_id)]
    above = list(await tx.people.list_by_role(Role.SALES_DIRECTOR))
    above += await leaders_of(tx, dispute.arbiter_id, at)
    return list({one.id: one for one in above if one.id != dispute.person_id}.values())


async def decide(desk: Desk, dispute: Dispute, outcome: State, fen: int, ruling: str) -> None:
    """By the arbiter: what is awarded is one line of its own in the open month; the disputed line
    stays. Raises NotAllowed, Refused."""
    await _refuse_others(desk, dispute)
    _refuse_move(dispute, outcome)
    why = await _conflict(desk.tx, dispute, desk.rep)
    if why is not None:
        raise NotAllowed(texts.conflict(why))
    line = await desk.tx.payout_ledger.get(dispute.line_id)
    month, posted = "", None
    if fen:
        await desk.tx.payout_ledger.take_turn()
        month = await _open_month(desk)
        new = NewLine(
            contract_id=dispute.contract_id,
            person_id=dispute.person_id,
            month=month,
            kind=str(Kind.ADJUSTMENT),
            fen=fen,
            rule_id=line.rule_id,
            rule_version=line.rule_version,
            why=texts.posted_why(dispute.id, outcome, desk.rep.name, ruling),
            origin=DECISION,
        )
        posted = await desk.tx.payout_ledger.post(new, desk.at)
    changed = await close(
        desk,
        dispute,
        outcome,
        ruling=ruling,
        awarded_fen=fen,
        posted_line_id=posted,
        decided_by=desk.rep.id,
        decided_at=desk.at,
    )
    await _release(desk, line.run_id, line.id)
    await _tell_everybody(desk, changed, month)


async def _release(desk: Desk, run_id: int | None, line_id: int) -> None:
    """What was held back while it was disputed counts as paid with the rest of its month."""
    run = await desk.tx.payout_ledger.get_run(run_id) if run_id is not None else None
    if run is not None and run.paid_at is not None:
        await desk.tx.payout_disputes.release_line(line_id, paid_at=desk.at)


async def _tell_everybody(desk: Desk, dispute: Dispute, month: str) -> None:
    rep = await desk.tx.people.get(dispute.person_id)
    fen = dispute.awarded_fen or 0
    may_appeal = dispute.appeal_of is None and dispute.state is not State.UPHELD
    words = texts.told_rep(
        dispute.id,
        dispute.state,
        fen=fen,
        by=desk.rep.name,
        ruling=dispute.ruling,
        month=month,
        may_appeal=may_appeal,
    )
    desk.add(_message(desk, rep, words, f"dispute:{dispute.id}:decided"))
    desk.add(await dispute_cards.put(desk.tx, desk.office, dispute, rep, desk.at))
    line = await desk.tx.payout_ledger.get(dispute.line_id)
    about = texts.line_words(line.number, line.kind, line.fen, line.month)
    told = texts.told_others(
        dispute.id, rep.name, dispute.state, line=about, fen=fen, by=desk.rep.name
    )
    desk.say(told)
    others = [*await leaders_of(desk.tx, rep.id, desk.at)]
    others += await desk.tx.people.list_by_role(Role.FINANCE)
    for person in {one.id: one for one in others if one.id not in (rep.id, desk.rep.id)}.values():
        desk.add(_message(desk, person, told, f"dispute:{dispute.id}:decided"))
    desk.add(await dispute_cards.put(desk.tx, desk.office, dispute, desk.rep, desk.at))


async def _go_on(desk: Desk, dispute: Dispute) -> Dispute:
    clock = dispute.clock.started(desk.at)
    return await desk.tx.payout_disputes.change(
        dispute,
        clock=clock,
        state=str(State.IN_REVIEW),
        next_at=clock.due_at(dispute.step, desk.office.calendar),
    )


async def _open_month(desk: Desk) -> str:
    closed = await desk.tx.payout_ledger.closed()
    this_month = month_name(local_day(desk.at))
    return max(this_month, next_month(closed[-1].month)) if closed else this_month


async def _conflict(tx: UnitOfWork, dispute: Dispute, person: Person) -> Any:
    line = await tx.payout_ledger.get(dispute.line_id)
    authors = await tx.payout_rules.authors_of(line.rule_id, line.rule_version)
    sharing: set[int] = set()
    if dispute.contract_id is not None:
        lines = await tx.payout_ledger.of_contract(dispute.contract_id)
        sharing = {one.person_id for one in lines if one.person_id is not None}
    earlier = await tx.payout_disputes.earlier_of(dispute.line_id)
    decided = {one.arbiter_id for _, one in earlier if one.state in DECIDED}
    return conflict_of(
        person.id,
        disputer_id=dispute.person_id,
        author_ids=authors,
        sharing_ids=sharing,
        decided_ids={one for one in decided if one is not None},
    )


async def _refuse_others(desk: Desk, dispute: Dispute) -> None:
    if dispute.arbiter_id != desk.rep.id:
        raise NotAllowed(texts.NOT_YOURS)


def _refuse_move(dispute: Dispute, state: State) -> None:
    if not may_move(dispute.state, state):
        raise Refused(texts.OVER)


def _message(desk: Desk, person: Person, words: str, key: str) -> list[OutboundMessage]:
    to = desk.office.address_of(person)
    name = f"{key}:{desk.incoming.source_id}:{person.id}"
    return [OutboundMessage(name, to, Text(words))] if to is not None else []
