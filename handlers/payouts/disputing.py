"""«有异议» on a statement, or «HT-2026-018 的提成少发了800»: from the line to the arbiter.

The next words or recording after «有异议» are the reason, and files sent meanwhile its proofs.
Deciding is handlers/payouts/arbitrating.py's.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.activities import Record
from bot.domain.payouts.disputes import State, Step, Unfit, refusal_to_dispute
from bot.errors import NotAllowed, Refused
from bot.messages import Button, Card, Fetched, Field, Markdown, Option, OutboundMessage
from handlers.customers import customers
from handlers.desk import Desk
from handlers.payouts import arbitrating, awaiting, dispute_cards, fact_report, statements
from handlers.people import directory
from handlers.texts import disputes as texts
from handlers.texts.customers import when
from handlers.understanding.contracts import contract_number
from storage.payout_disputes import Dispute
from storage.payout_ledger import StoredLine

LINE, NEXT = "line", "next"
MOST_OFFERED = 10
MONTHS_BACK = 2
REASON_LIMIT = 2000
_PICK = f"{dispute_cards.PREFIX}pick-"


async def begin(desk: Desk) -> None:
    """«有异议» on a statement."""
    action = desk.message.action
    assert action is not None
    person_id, month = statements.of_card(action.card_id)
    if person_id != desk.rep.id:
        raise NotAllowed(texts.unfit(Unfit.NOT_OWN))
    await _offer(desk, await desk.tx.payout_ledger.of_person(person_id, month), reason="")


async def by_words(desk: Desk, record: Record, text: str) -> None:
    """What somebody says of a wrong bonus: the line is found by contract or customer."""
    lines = await _recent(desk)
    number = contract_number(text)
    if number is not None:
        lines = [one for one in lines if one.number == number]
    elif record.customer is not None:
        account = await desk.tx.accounts.find_by_name(record.customer)
        lines = [one for one in lines if account is not None and one.account_id == account.id]
    await _offer(desk, lines, reason=text)


async def press(desk: Desk) -> None:
    """Raises NotAllowed, NotFound, Refused."""
    action = desk.message.action
    assert action is not None
    if action.card_id.startswith(_PICK):
        await _picked(desk)
        return
    if action.card_id.startswith(arbitrating.RULING):
        await arbitrating.confirm(desk)
        return
    dispute = await desk.tx.payout_disputes.get(int(action.card_id.split("-")[1]))
    if desk.rep.id != dispute.person_id:
        await arbitrating.press(desk, dispute)
        return
    match action.action:
        case dispute_cards.SUBMIT:
            await _submit(desk, dispute)
        case dispute_cards.CANCEL | dispute_cards.WITHDRAW:
            await _withdraw(desk, dispute)
        case dispute_cards.ANSWER:
            _refuse_unless(dispute, State.ASKED)
            await awaiting.wait_for(desk, dispute.id, awaiting.ANSWER)
            desk.say(texts.ASK_ANSWER)
        case dispute_cards.APPEAL:
            await _start(desk, await desk.tx.payout_ledger.get(dispute.line_id), reason="")


async def take(desk: Desk, text: str) -> bool:
    """Whether the words were awaited: the reason, an answer, the arbiter's question or ruling."""
    waiting = await awaiting.awaited(desk)
    if waiting is None:
        return False
    await awaiting.forget(desk)
    dispute = await desk.tx.payout_disputes.get(int(waiting["id"]))
    hashes = await _attached(desk)
    match waiting["what"]:
        case awaiting.REASON:
            await _reasoned(desk, dispute, text, hashes)
        case awaiting.ANSWER:
            await arbitrating.answer(desk, dispute, text, hashes)
        case awaiting.QUESTION:
            await arbitrating.ask(desk, dispute, text)
        case what:
            await arbitrating.rule(desk, dispute, State(what), text)
    return True


async def take_files(desk: Desk, stored: Sequence[Fetched]) -> bool:
    """Whether files without words belong to a dispute whose reason is awaited, or is written."""
    waiting = await awaiting.awaited(desk)
    if waiting is None or waiting["what"] != awaiting.REASON:
        return False
    dispute = await desk.tx.payout_disputes.get(int(waiting["id"]))
    hashes = [one.stored.sha256 for one in stored if one.stored is not None]
    kept = list(dict.fromkeys([*dispute.file_hashes, *hashes]))
    await desk.tx.payout_disputes.change(dispute, file_hashes=kept)
    desk.say(texts.files_kept(len(kept)))
    return True


async def drop(desk: Desk) -> bool:
    """«取消»: whether words for a dispute were awaited; they are not any more."""
    if await awaiting.awaited(desk) is None:
        return False
    await awaiting.forget(desk)
    desk.say(texts.DROPPED)
    return True


async def list_own(desk: Desk, _: str) -> None:
    """«我的申诉»."""
    found = await desk.tx.payout_disputes.of_person(desk.rep.id, limit=MOST_OFFERED)
    if not found:
        desk.say(texts.NO_DISPUTES)
        return
    names = await desk.tx.people.names(one.arbiter_id for one in found if one.arbiter_id)
    lines = []
    for one in found:
        line = await desk.tx.payout_ledger.get(one.line_id)
        words = texts.line_words(line.number, line.kind, line.fen, line.month)
        submitted = when((one.submitted_at or one.drafted_at).astimezone(desk.office.zone))
        arbiter = names.get(one.arbiter_id or 0, "")
        lines.append(texts.status(one.id, one.state, words, submitted, arbiter))
    customers.tell_alone(desk, "我的申诉", texts.status_list(lines))


async def _offer(desk: Desk, lines: Sequence[StoredLine], *, reason: str) -> None:
    """One line is meant, or the card asks which."""
    locked = [one for one in lines if one.run_id is not None]
    if not locked:
        raise Refused(texts.NOTHING_TO_DISPUTE)
    if len(locked) == 1:
        await _start(desk, locked[0], reason=reason)
        return
    options = tuple(
        Option(str(one.id), texts.option(one.number, one.kind, one.fen))
        for one in locked[:MOST_OFFERED]
    )
    number = "".join(filter(str.isalnum, desk.message.message_id))[-24:]
    card = Card(
        card_id=f"{_PICK}{desk.rep.id}-{number}",
        title=texts.PICK_TITLE,
        lines=(texts.CHOOSE_LINE,),
        fields=(Field(LINE, texts.WHICH, options=options),),
        buttons=(Button(NEXT, texts.NEXT, style="primary"),),
    )
    data = {"lines": [one.id for one in locked[:MOST_OFFERED]], "reason": reason}
    await desk.show_privately(card, subject=f"payout_dispute:pick:{desk.rep.id}", data=data)


async def _picked(desk: Desk) -> None:
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    chosen = action.values.get(LINE, "")
    if known is None or chosen not in {str(one) for one in known.data.get("lines", [])}:
        raise Refused(texts.CHOOSE_LINE)
    line = await desk.tx.payout_ledger.get(int(chosen))
    await _start(desk, line, reason=str(known.data.get("reason", "")))
    words = texts.line_words(line.number, line.kind, line.fen, line.month)
    closed = Card(action.card_id, texts.PICK_TITLE, lines=(words,), closed="已选")
    await desk.change(closed, subject=known.subject)


async def _start(desk: Desk, line: StoredLine, *, reason: str) -> None:
    """A draft, where the line can be disputed now. Raises Refused."""
    earlier = await desk.tx.payout_disputes.earlier_of(line.id)
    run = await desk.tx.payout_ledger.get_run(line.run_id) if line.run_id is not None else None
    why = refusal_to_dispute(
        is_own=line.person_id == desk.rep.id,
        locked_at=run.locked_at if run is not None else None,
        has_open=await desk.tx.payout_disputes.open_of(line.id) is not None,
        earlier=[one for _, one in earlier],
        at=desk.at,
        calendar=desk.office.calendar,
    )
    if why is not None:
        raise Refused(texts.unfit(why))
    decided = [number for number, one in earlier if one.decided_at is not None]
    dispute = await desk.tx.payout_disputes.draft(
        line_id=line.id,
        contract_id=line.contract_id,
        person_id=desk.rep.id,
        appeal_of=decided[-1] if decided else None,
        at=desk.at,
    )
    if reason:
        await _reasoned(desk, dispute, reason, [])
        return
    await awaiting.wait_for(desk, dispute.id, awaiting.REASON)
    desk.say(texts.ask_reason(texts.line_words(line.number, line.kind, line.fen, line.month)))


async def _reasoned(desk: Desk, dispute: Dispute, text: str, hashes: Sequence[str]) -> None:
    kept = list(dict.fromkeys([*dispute.file_hashes, *hashes]))
    changed = await desk.tx.payout_disputes.change(
        dispute, reason=text[:REASON_LIMIT], file_hashes=kept
    )
    await dispute_cards.show(desk, changed)


async def _submit(desk: Desk, dispute: Dispute) -> None:
    """The fact report is written at once, so the arbiter begins with the facts."""
    _refuse_unless(dispute, State.DRAFT)
    if not dispute.reason:
        raise Refused(texts.REASON_MISSING)
    arbiter = await arbitrating.find_arbiter(desk.tx, dispute, desk.at)
    clock = dispute.clock.started(desk.at)
    report = await fact_report.write(desk.tx, desk.office, dispute, desk.at)
    changed = await desk.tx.payout_disputes.change(
        dispute,
        clock=clock,
        state=str(State.REPORTED),
        submitted_at=desk.at,
        arbiter_id=arbiter.id if arbiter is not None else None,
        report=report,
        step=str(Step.ALERT),
        next_at=clock.due_at(Step.ALERT, desk.office.calendar),
    )
    await arbitrating.audit(desk, changed, "submit_dispute", before=State.DRAFT)
    await dispute_cards.show(desk, changed)
    desk.say_privately(texts.REPORT_TITLE, report)
    if arbiter is None:
        told = texts.no_arbiter(changed.id, desk.rep.name)
        key = f"dispute:{changed.id}:nobody"
        desk.add(await directory.tell_admins(desk.tx, desk.office, told, key=key))
        desk.say(texts.NO_ARBITER)
        return
    to = desk.office.address_of(arbiter)
    if to is not None:
        key = f"dispute:{changed.id}:report:{arbiter.id}"
        desk.add([OutboundMessage(key, to, Markdown(texts.REPORT_TITLE, report))])
    desk.add(await dispute_cards.put(desk.tx, desk.office, changed, arbiter, desk.at))
    desk.add(await arbitrating.hand_over(desk, changed, changed.file_hashes))
    desk.say(texts.filed(changed.id, arbiter.name))


async def _withdraw(desk: Desk, dispute: Dispute) -> None:
    was = dispute.state
    changed = await arbitrating.close(desk, dispute, State.WITHDRAWN)
    await dispute_cards.show(desk, changed)
    if was is State.DRAFT:
        desk.say(texts.DROPPED)
        return
    words = texts.told_withdrawn(desk.rep.name, dispute.id)
    desk.add(await arbitrating.tell_arbiter(desk, changed, words))


async def _recent(desk: Desk) -> list[StoredLine]:
    """The speaker's locked lines of the last months."""
    runs = await desk.tx.payout_ledger.runs(limit=MONTHS_BACK)
    found: list[StoredLine] = []
    for run in runs:
        found += await desk.tx.payout_ledger.of_person(desk.rep.id, run.month)
    return [one for one in found if one.run_id is not None]


async def _attached(desk: Desk) -> list[str]:
    """Files that came with the words; they wait for no customer any more. A recording is its
    words."""
    hashes = {
        one.stored.sha256
        for one in desk.incoming.files
        if one.stored is not None and not one.transcript
    }
    if hashes:
        loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
        ids = [one.id for one in loose if one.sha256 in hashes]
        await desk.tx.drafts.settle_loose(ids, desk.at)
    return sorted(hashes)


def _refuse_unless(dispute: Dispute, state: State) -> None:
    if dispute.state is not state:
        raise Refused(texts.OVER)
