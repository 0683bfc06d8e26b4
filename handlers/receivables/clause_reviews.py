"""合同条款复核: one shared task of legal and the rep for a contract that was not paid.

Every reviewer has a card of their own, on their platform; all show the same state. The first
decision stands, and whoever comes second is told of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.domain.people import Person, Role
from bot.domain.receivables import Contract, Outcome
from bot.errors import NotAllowed, NotFound, Refused
from bot.messages import (
    OutboundMessage,
    Text,
)
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.people import directory
from handlers.people.leaders import leaders_of
from handlers.receivables import clause_review_cards as cards
from handlers.receivables import receivable_entries as entries
from handlers.receivables.clause_review_cards import ASK_FINANCE, TICK, UNTIL
from handlers.texts import receivables as texts
from storage.clause_reviews import ClauseReview
from storage.unit_of_work import UnitOfWork


async def open_for(
    tx: UnitOfWork, office: Office, contract: Contract, received_fen: int, at: datetime
) -> list[OutboundMessage]:
    """Nothing while one is open; the next round of one that was closed."""
    account = await tx.accounts.get(contract.account_id)
    legal = await _at_work(tx, Role.LEGAL, at)
    reviewers = {one.id: one for one in [*legal, await tx.people.get(account.owner_id)]}
    if not legal:
        reviewers |= {one.id: one for one in await leaders_of(tx, account.owner_id, at)}
    calendar, policy = office.calendar, office.policy.receivables
    last_day = calendar.add_workdays(calendar.day_of(at), policy.review_workdays)
    review = await tx.clause_reviews.open(
        contract.id,
        reviewers=list(reviewers),
        items=policy.checklist,
        at=at,
        deadline_at=calendar.moment(last_day, calendar.closes),
    )
    if review is None:
        return []
    facts: dict[str, object] = {"received_fen": received_fen, "round": review.round}
    await _audit(tx, review, "open_clause_review", facts, at=at)
    key = f"{review.id}:{review.round}:opened"
    await entries.enter_review(tx, contract, texts.REVIEW_OPENED, at, key=key)
    messages = await cards.send(tx, office, review, at)
    if not legal:
        key = f"no-legal:{review.id}:{review.round}"
        told = texts.no_legal(contract.terms.number)
        messages += await directory.tell_admins(tx, office, told, key=key)
    return messages


async def close_as_paid(
    tx: UnitOfWork, office: Office, contract: Contract, received_fen: int, at: datetime
) -> list[OutboundMessage]:
    """The payment came; whatever was decided before stays as it was decided."""
    told = texts.paid_after_all(contract.terms.number, received_fen)
    return await _close(tx, office, contract, Outcome.PAID, told, at=at)


async def close_as_amended(desk: Desk, contract: Contract) -> None:
    """The terms were changed in the chat, which decides an open review."""
    told = texts.amended_meanwhile(contract.terms.number, desk.rep.name)
    desk.add(
        await _close(
            desk.tx, desk.office, contract, Outcome.AMEND, told, at=desk.at, by=desk.rep.id
        )
    )


async def _close(
    tx: UnitOfWork,
    office: Office,
    contract: Contract,
    outcome: Outcome,
    told: str,
    *,
    at: datetime,
    by: int | None = None,
) -> list[OutboundMessage]:
    """What ended it lies outside its cards; nothing where none is open."""
    review = await tx.clause_reviews.of_contract(contract.id)
    if review is None or review.outcome is not None:
        return []
    closed = await tx.clause_reviews.close(review.id, outcome, note="", decided_by=by, at=at)
    if closed is None:
        return []
    actor = "system" if by is None else f"person:{by}"
    facts: dict[str, object] = {"outcome": str(outcome)}
    await _audit(tx, closed, "close_clause_review", facts, actor=actor, at=at)
    key = f"{review.id}:{review.round}:closed"
    await entries.enter_review(tx, contract, told, at, key=key, by=by)
    return [
        *await cards.updates(tx, office, closed, at),
        *await cards.tell(tx, office, closed, told, at=at, key="closed"),
    ]


async def remind(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    """Deadlines that have passed: the reviewers and the rep's supervisor are told, once."""
    messages: list[OutboundMessage] = []
    for review in await tx.clause_reviews.to_remind(at):
        contract = await tx.contracts.get(review.contract_id)
        account = await tx.accounts.get(contract.account_id)
        deadline = review.deadline_at.astimezone(office.zone)
        told = texts.review_overdue(contract.terms.number, account.name, deadline)
        leaders = await leaders_of(tx, account.owner_id, at)
        everybody = tuple(dict.fromkeys([*review.reviewers, *(one.id for one in leaders)]))
        messages += await cards.tell(
            tx, office, replace(review, reviewers=everybody), told, at=at, key="overdue"
        )
    return messages


async def press(desk: Desk) -> None:
    """A button on a review's card. Raises NotAllowed, NotFound, Refused."""
    action = desk.message.action
    assert action is not None
    _, review_id, number, _ = action.card_id.split("-")
    review = await desk.tx.clause_reviews.get(int(review_id))
    if review is None:
        raise NotFound(texts.REVIEW_GONE)
    contract = await desk.tx.contracts.get(review.contract_id)
    await _refuse_others(desk, review, contract)
    if int(number) != review.round:
        raise Refused(texts.REVIEW_OVERTAKEN)
    if review.outcome is not None:
        await _say_decided(desk, review, contract)
    elif action.action == TICK:
        await _tick(desk, review)
    elif action.action == ASK_FINANCE:
        await _ask_finance(desk, review, contract)
    else:
        await _decide(desk, review, contract, Outcome(action.action), action.values)


async def _decide(
    desk: Desk,
    review: ClauseReview,
    contract: Contract,
    outcome: Outcome,
    values: Mapping[str, str],
) -> None:
    note = ""
    if outcome is Outcome.WAIT:
        until = _until(desk.office, review, values)
        note = texts.wait_until(until)
        again_at = desk.office.calendar.midnight(until + timedelta(days=1))
        await desk.tx.contracts.look_again(contract.id, again_at)
    closed = await desk.tx.clause_reviews.close(
        review.id, outcome, note=note, decided_by=desk.rep.id, at=desk.at
    )
    assert closed is not None, "the row was read for change"
    facts: dict[str, object] = {"outcome": str(outcome), "note": note}
    actor = f"person:{desk.rep.id}"
    await _audit(desk.tx, closed, "close_clause_review", facts, actor=actor, at=desk.at)
    await _show_all(desk, closed)
    told = texts.decided(contract.terms.number, texts.outcome(outcome, note), desk.rep.name)
    key = f"{review.id}:{review.round}:closed"
    await entries.enter_review(desk.tx, contract, told, desk.at, key=key, by=desk.rep.id)
    desk.say(told)
    desk.add(
        await cards.tell(
            desk.tx, desk.office, closed, told, at=desk.at, key="decided", besides=desk.rep.id
        )
    )


async def _tick(desk: Desk, review: ClauseReview) -> None:
    """The first item that is still open."""
    still_open = [n for n, one in enumerate(review.checklist) if not one.done_by]
    if not still_open:
        raise Refused(texts.ALL_TICKED)
    ticked = await desk.tx.clause_reviews.tick(review, still_open[0], desk.rep.name)
    facts: dict[str, object] = {"item": review.checklist[still_open[0]].item}
    actor = f"person:{desk.rep.id}"
    await _audit(desk.tx, ticked, "tick_clause_review", facts, actor=actor, at=desk.at)
    await _show_all(desk, ticked)


async def _ask_finance(desk: Desk, review: ClauseReview, contract: Contract) -> None:
    account = await desk.tx.accounts.get(contract.account_id)
    finance = await _at_work(desk.tx, Role.FINANCE, desk.at)
    told = texts.please_check_payment(desk.rep.name, account.name, contract.terms.number)
    asked = []
    for person in finance:
        to = desk.office.address_of(person)
        if to is not None:
            asked.append(person.name)
            key = f"review:{review.id}:{review.round}:finance:{desk.rep.id}:{person.id}"
            desk.add([OutboundMessage(key, to, Text(told))])
    desk.say(texts.asked_finance(asked))


async def _say_decided(desk: Desk, review: ClauseReview, contract: Contract) -> None:
    assert review.outcome is not None
    assert review.decided_at is not None
    name = ""
    if review.decided_by is not None:
        name = (await desk.tx.people.get(review.decided_by)).name
    words = texts.outcome(review.outcome, review.note)
    at = review.decided_at.astimezone(desk.office.zone)
    desk.say(texts.decided_before(contract.terms.number, words, name, at))


async def _refuse_others(desk: Desk, review: ClauseReview, contract: Contract) -> None:
    if desk.rep.id in review.reviewers or Role.LEGAL in desk.rep.roles:
        return
    account = await desk.tx.accounts.get(contract.account_id)
    is_rep = desk.rep.id == account.owner_id
    if not is_rep and not await customers.leads(desk.tx, desk.rep, account.owner_id):
        raise NotAllowed(texts.REVIEW_NOT_YOURS)


def _until(office: Office, review: ClauseReview, values: Mapping[str, str]) -> date:
    """Raises Refused unless one of the offered days was chosen."""
    offered = {until.isoformat(): until for _, until in cards.offers(office, review)}
    if values.get(UNTIL, "") not in offered:
        raise Refused(texts.CHOOSE_UNTIL)
    return offered[values[UNTIL]]


async def _show_all(desk: Desk, review: ClauseReview) -> None:
    """The pressed card in place, the others' beside it."""
    card = await cards.card_for(desk.tx, desk.office, review, desk.rep)
    await desk.change(card, subject=cards.subject_of(review))
    desk.add(await cards.updates(desk.tx, desk.office, review, desk.at, besides=desk.rep.id))


async def _at_work(tx: UnitOfWork, role: Role, at: datetime) -> list[Person]:
    """Those with the role who are not on leave; all of them if nobody is there."""
    everybody = list(await tx.people.list_by_role(role))
    return [one for one in everybody if not one.on_leave(at)] or everybody


async def _audit(
    tx: UnitOfWork,
    review: ClauseReview,
    action: str,
    after: dict[str, object],
    *,
    actor: str = "system",
    at: datetime,
) -> None:
    await tx.audit.append(
        at=at,
        actor=actor,
        action=action,
        subject=f"contract:{review.contract_id}",
        before={"round": review.round},
        after=after,
    )
