"""«奖金核算 2026-10»: a month is proposed by one person, approved and locked by another; then
everybody gets their statement. «奖金已发 2026-10» when it was paid out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from bot.domain.payouts.ledger import cutoff_of, month_name
from bot.domain.people import Person, Role
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import Button, Card, CardUpdate, Markdown, OutboundMessage, Text
from bot.router import Job
from handlers.desk import Desk, Office
from handlers.growth_fund import closing as growth_closing
from handlers.payouts import deal_facts, following, rights, statements
from handlers.texts import payouts as texts
from handlers.texts.money import yuan
from handlers.upkeep.daily import Daily
from storage.payout_ledger import LOCKED, Run
from storage.unit_of_work import UnitOfWork

PREFIX = "payrun-"
LOCK, REFRESH = "lock", "refresh"
MOST_SHOWN = 50
REMIND_AT = time(9, 30)
LATE_S = 8 * 3600


def jobs(office: Office) -> tuple[Job[UnitOfWork], ...]:
    """On the first working day of a month finance is told that the last one can be reckoned."""

    async def remind(tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        today = office.calendar.day_of(at)
        first = office.calendar.workday_from(today.replace(day=1))
        if today != first or not await deal_facts.rules_document(tx):
            return []
        month = month_name(today.replace(day=1) - timedelta(days=1))
        run = await tx.payout_ledger.run_of(month)
        if run is not None:
            return []
        messages = []
        for person in await rights.at_work(tx, Role.FINANCE, at):
            to = office.address_of(person)
            if to is not None:
                key = f"payrun:{month}:remind:{person.id}"
                messages.append(OutboundMessage(key, to, Text(texts.time_to_reckon(month))))
        return messages

    daily = Daily("bonuses of last month", lambda: REMIND_AT, office.calendar, remind, LATE_S)
    return (daily.job(),)


async def propose(desk: Desk, words: str) -> None:
    """Raises NotAllowed, InvalidInput, Refused."""
    rights.refuse_others(desk.rep, rights.SETTLERS, texts.RUNS_ONLY)
    month = _month(desk, words)
    if cutoff_of(month) >= desk.at:
        raise Refused(texts.not_over(month))
    if not await deal_facts.rules_document(desk.tx):
        raise Refused(texts.NOT_PUBLISHED)
    await desk.tx.payout_ledger.take_turn()
    known = await desk.tx.payout_ledger.run_of(month)
    closed = await desk.tx.payout_ledger.closed()
    if (known is not None and known.state == LOCKED) or any(one.month >= month for one in closed):
        raise Refused(texts.locked_before(month))
    await _catch_up(desk)
    run = await _propose(desk, month)
    lockers = await _lockers(desk)
    if not lockers:
        raise Refused(texts.NOBODY_TO_LOCK)
    card = await _card(desk, run, desk.rep)
    await desk.show_privately(card, subject=_subject(run))
    desk.say_privately(texts.RUN_TITLE, await _people(desk, run))
    for person in lockers:
        to = desk.office.address_of(person)
        if to is None:
            continue
        theirs = await _card(desk, run, person)
        await _remember(desk, theirs, run, to.key)
        key = f"{theirs.card_id}@{theirs.revision}"
        content = Markdown(texts.RUN_TITLE, await _people(desk, run))
        desk.add([OutboundMessage(f"{key}:people", to, content), OutboundMessage(key, to, theirs)])


async def press(desk: Desk) -> None:
    """«批准并锁定», «重新核对». Raises NotAllowed, Refused."""
    action = desk.message.action
    assert action is not None
    rights.refuse_others(desk.rep, rights.LOCKERS, texts.RUNS_ONLY)
    month = "-".join(action.card_id.split("-")[1:3])
    await desk.tx.payout_ledger.take_turn()
    run = await desk.tx.payout_ledger.run_of(month)
    assert run is not None
    if run.state == LOCKED:
        raise Refused(texts.locked_before(month))
    if action.action == REFRESH:
        run = await _propose(desk, month, by=run.proposed_by)
        await _show_all(desk, run)
        desk.say_privately(texts.RUN_TITLE, await _people(desk, run))
        return
    if desk.rep.id == run.proposed_by:
        raise NotAllowed(texts.LOCK_OWN)
    if await desk.tx.payout_facts.stale(limit=1):
        raise Refused(texts.STILL_COMPUTING)
    total, _ = _sums(await desk.tx.payout_ledger.totals(month, is_open=True))
    if total != run.total_fen:
        raise Refused(texts.figures_moved(run.total_fen, total))
    await _lock(desk, run)


async def note_paid(desk: Desk, words: str) -> None:
    """«奖金已发 2026-10»: what is disputed is paid after the decision. Raises NotAllowed,
    Refused."""
    rights.refuse_others(desk.rep, rights.SETTLERS, texts.RUNS_ONLY)
    month = _month(desk, words)
    run = await desk.tx.payout_ledger.run_of(month)
    if run is None or run.state != LOCKED:
        raise Refused(texts.not_locked(month))
    held = await desk.tx.payout_disputes.open_lines(run.id)
    await desk.tx.payout_ledger.note_paid(run, besides=held, at=desk.at)
    await _audit(desk, run, "pay_payouts", {"held_lines": sorted(held)})
    desk.say(texts.paid(month, held=len(held)))


async def _lock(desk: Desk, run: Run) -> None:
    locked = await desk.tx.payout_ledger.lock(run, by=desk.rep.id, at=desk.at)
    totals = await desk.tx.payout_ledger.totals(run.month, is_open=False)
    await _audit(desk, locked, "lock_payouts", {"total_fen": locked.total_fen})
    await growth_closing.close_quarter(desk, run.month)
    await _show_all(desk, locked)
    await _tell_head(desk, locked)
    desk.say(texts.locked(run.month, len([one for one in totals if one is not None])))
    people = await desk.tx.people.list_some(one for one in totals if one is not None)
    for person in people.values():
        desk.add(await statements.send(desk.tx, desk.office, person, run.month, desk.at))


async def _tell_head(desk: Desk, run: Run) -> None:
    """The end of the audit chain, in the chats of several people: whoever could rewrite the
    database cannot rewrite those."""
    count, seal = await desk.tx.audit.head()
    words = texts.head_of(run.month, f"{count}:{seal}")
    for person in [await desk.tx.people.get(run.proposed_by), *await _lockers(desk)]:
        to = desk.office.address_of(person)
        if to is not None:
            key = f"payrun:{run.month}:head:{person.id}"
            desk.add([OutboundMessage(key, to, Text(words))])


async def _propose(desk: Desk, month: str, *, by: int | None = None) -> Run:
    total, lines = _sums(await desk.tx.payout_ledger.totals(month, is_open=True))
    run = await desk.tx.payout_ledger.propose(
        month,
        cutoff=cutoff_of(month),
        total_fen=total,
        lines=lines,
        by=by if by is not None else desk.rep.id,
        at=desk.at,
    )
    await _audit(desk, run, "propose_payouts", {"total_fen": total, "lines": lines})
    return run


async def _catch_up(desk: Desk) -> None:
    """What still waits after a publication must be in the figures."""
    waiting = await desk.tx.payout_facts.stale(limit=following.AT_ONCE)
    desk.add(await following.follow(desk.tx, desk.office, waiting, desk.at))
    if await desk.tx.payout_facts.stale(limit=1):
        raise Refused(texts.STILL_COMPUTING)


def _month(desk: Desk, words: str) -> str:
    """The one named, else the last that is over."""
    today = desk.office.calendar.day_of(desk.at)
    if not words.strip():
        words = "上月"
    month, rest = statements.split_month(words, today)
    if rest:
        raise InvalidInput(texts.WHICH_MONTH)
    return month


def _sums(totals: dict[int | None, tuple[int, int]]) -> tuple[int, int]:
    return sum(fen for fen, _ in totals.values()), sum(count for _, count in totals.values())


async def _lockers(desk: Desk) -> list[Person]:
    found = {
        one.id: one
        for role in sorted(rights.LOCKERS)
        for one in await desk.tx.people.list_by_role(role)
    }
    found.pop(desk.rep.id, None)
    return list(found.values())


async def _people(desk: Desk, run: Run) -> str:
    totals = await desk.tx.payout_ledger.totals(run.month, is_open=run.state != LOCKED)
    names = await desk.tx.people.names(one for one in totals if one is not None)
    rows = [
        (names.get(person_id or 0, ""), fen, count) for person_id, (fen, count) in totals.items()
    ]
    rows.sort(key=lambda row: -row[1])
    return texts.run_people(rows[:MOST_SHOWN])


async def _card(desk: Desk, run: Run, person: Person) -> Card:
    is_locked = run.state == LOCKED
    totals = await desk.tx.payout_ledger.totals(run.month, is_open=not is_locked)
    by = await desk.tx.people.get(run.proposed_by)
    waiting = await desk.tx.payout_ledger.open_reviews()
    lines = texts.run_lines(
        run.month,
        total=run.total_fen,
        people=len([one for one in totals if one is not None]),
        lines=run.lines,
        open_items=len(waiting),
        by=by.name,
    )
    lock = [Button(LOCK, texts.LOCK, style="primary")] if person.id != run.proposed_by else []
    return Card(
        card_id=f"{PREFIX}{run.month}-{person.id}",
        title=f"{texts.RUN_TITLE} {texts.month_words(run.month)}",
        lines=tuple(lines),
        facts=(("合计", yuan(run.total_fen)),),
        buttons=() if is_locked else (*lock, Button(REFRESH, texts.REFRESH)),
        closed=texts.RUN_CLOSED if is_locked else "",
    )


async def _show_all(desk: Desk, run: Run) -> None:
    """The pressed card in place, the others' beside it."""
    assert desk.message.action is not None
    proposer = await desk.tx.people.get(run.proposed_by)
    for person in {one.id: one for one in [proposer, desk.rep, *await _lockers(desk)]}.values():
        card, to = await _card(desk, run, person), desk.office.address_of(person)
        if card.card_id == desk.message.action.card_id:
            await desk.change(card, subject=_subject(run))
            continue
        known = await desk.tx.cards.get(card.card_id)
        if known is None or to is None:
            continue
        card = replace(card, revision=known.revision + 1)
        await _remember(desk, card, run, to.key)
        key = f"{card.card_id}@{card.revision}"
        desk.add([OutboundMessage(key, to, CardUpdate(card))])


async def _remember(desk: Desk, card: Card, run: Run, address: str) -> None:
    await desk.tx.cards.show(card, address, subject=_subject(run), at=desk.at)


async def _audit(desk: Desk, run: Run, action: str, after: dict[str, object]) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject=_subject(run),
        before=None,
        after=after,
    )


def _subject(run: Run) -> str:
    return f"payout_run:{run.month}"
