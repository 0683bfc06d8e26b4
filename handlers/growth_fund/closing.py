"""What a quarter brings to the fund, when its last month is locked; and what leavers are paid."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot.domain.payouts.days import local_day, quarter_bounds
from bot.domain.payouts.fund import rules_in
from bot.domain.payouts.growth import (
    Book,
    Mode,
    available,
    left,
    months_of,
    quarter_of,
    saved,
    shares_of,
)
from bot.domain.people import Person, Role
from bot.messages import Content, Markdown, OutboundMessage, Text
from bot.router import Job
from handlers.desk import Desk, Office
from handlers.growth_fund import redeeming
from handlers.payouts import deal_facts, rights
from handlers.texts import growth_fund as texts
from handlers.upkeep.daily import Daily
from storage.growth_fund import WAITING, WITHDRAWN
from storage.unit_of_work import UnitOfWork

SETTLED_AT = time(9, 40)
LATE_S = 24 * 3600


async def close_quarter(desk: Desk, month: str) -> None:
    """Once per person and quarter, when the last month of a quarter was locked."""
    mode, quarter = desk.office.policy.growth_fund.mode, quarter_of(month)
    if mode is Mode.OFF or month != months_of(quarter)[-1]:
        return
    share_bp = await _share(desk, quarter)
    if share_bp is None:
        return
    await desk.tx.growth_fund.take_turn()
    consents = await desk.tx.growth_fund.consents()
    moved: dict[int, int] = {}
    for person_id, sums in (await desk.tx.growth_fund.quarter(months_of(quarter))).items():
        consent = consents.get(person_id)
        posting = saved(
            sums,
            mode=mode,
            share_bp=share_bp,
            consented_bp=consent.share_bp if consent is not None else None,
        )
        if posting is None:
            continue
        number = await desk.tx.growth_fund.post(
            f"{quarter}:{person_id}",
            person_id,
            posting,
            why=texts.saved_why(quarter, mode),
            at=desk.at,
            quarter=quarter,
        )
        if number is not None:
            moved[person_id] = posting.fen
    if moved:
        await _tell(desk, quarter, moved, mode)


def jobs(office: Office) -> tuple[Job[UnitOfWork], ...]:
    """Once a day: whoever has left gets their own money back."""

    async def settle(tx: UnitOfWork, at: datetime) -> list[OutboundMessage]:
        return await settle_leavers(tx, office, at)

    daily = Daily("growth fund of leavers", lambda: SETTLED_AT, office.calendar, settle, LATE_S)
    return (daily.job(),)


async def settle_leavers(tx: UnitOfWork, office: Office, at: datetime) -> list[OutboundMessage]:
    await tx.growth_fund.take_turn()
    messages: list[OutboundMessage] = []
    for person_id in sorted(await tx.growth_fund.left_with_money()):
        for redemption in await tx.growth_fund.redemptions_of(person_id):
            if redemption.state == WAITING:
                await redeeming.give_back(tx, redemption, WITHDRAWN, by=None, at=at)
        balances = await tx.growth_fund.balances(person_id)
        posting = left(balances)
        if posting is None:
            continue
        key = f"left:{person_id}:{at:%Y-%m-%d}"
        person = await tx.people.get(person_id)
        own, match = balances.get(Book.OWN, 0), balances.get(Book.MATCH, 0)
        words = texts.told_left(person.name, own, match)
        await tx.growth_fund.post(key, person_id, posting, why=words[:200], at=at)
        await tx.growth_fund.end_consent(person_id, at)
        await tx.audit.append(
            at=at, actor="system", action="settle_growth_fund", subject=f"person:{person_id}",
            before=None, after={"own_fen": own, "match_fen": match},
        )  # fmt: skip
        for payer in await rights.at_work(tx, Role.FINANCE, at):
            messages += _message(office, payer, Text(words), f"growth:{key}")
    return messages


async def _share(desk: Desk, quarter: str) -> int | None:
    """The one share that the quarter's rules name; whoever locked hears where there are more."""
    begins, ends = quarter_bounds(quarter)
    book = deal_facts.book_of(await deal_facts.rules_document(desk.tx))
    first, last = local_day(begins), local_day(ends - timedelta(days=1))
    shares = sorted(shares_of(rules_in(book.rules, first, last)))
    if len(shares) > 1:
        desk.say(texts.shares_differ(quarter, shares))
    return shares[0] if len(shares) == 1 else None


async def _tell(desk: Desk, quarter: str, moved: dict[int, int], mode: Mode) -> None:
    people = await desk.tx.people.list_some(moved)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="close_growth_quarter",
        subject=f"growth:{quarter}",
        before=None,
        after={"mode": str(mode), "people": {str(key): fen for key, fen in moved.items()}},
    )
    for person_id, fen in moved.items():
        balance = available(await desk.tx.growth_fund.balances(person_id))
        words = texts.told_saved(quarter, fen, balance, mode)
        key = f"growth:{quarter}:{person_id}"
        desk.add(_message(desk.office, people[person_id], Text(words), key))
    rows = [(people[person_id].name, fen) for person_id, fen in moved.items()]
    told = Markdown(texts.TITLE, texts.told_payers(quarter, rows, mode))
    for payer in await rights.at_work(desk.tx, Role.FINANCE, desk.at):
        desk.add(_message(desk.office, payer, told, f"growth:{quarter}:payers"))


def _message(office: Office, person: Person, content: Content, key: str) -> list[OutboundMessage]:
    to = office.address_of(person)
    return [OutboundMessage(f"{key}:{person.id}", to, content)] if to is not None else []
