"""Whatever happens in whatever order, what is booked is what the rules give for the facts."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from bot.domain.payouts.computing import compute
from bot.domain.payouts.ledger import runs_until
from bot.domain.payouts.recipients import id_of
from handlers.payouts import deal_facts, documents
from storage.database import Database
from tests.handlers.payouts.payout_company import FLAT, ON_RECEIPTS, PayoutCompany

TIERS = [{"from_fen": 0, "rate_bp": 133}, {"from_fen": 10_000_000, "rate_bp": 271}]
RULES = [
    {**ON_RECEIPTS, "rate_bp": 317, "penalty": {"per_complaint_fen": 7_777}},
    {key: value for key, value in FLAT.items() if key not in ("rate_bp", "when")}
    | {"id": "月度", "mode": "marginal", "scope": "rep_month", "tiers": TIERS},
]
DEALS = {"HT-2026-001": "7万", "HT-2026-002": "3.3333万", "HT-2026-003": "9万"}
STEPS = 24


async def step(company: PayoutCompany, dice: random.Random, n: int) -> None:
    number = dice.choice(sorted(DEALS))
    match dice.randrange(6):
        case 0 | 1 | 2:
            yuan = dice.choice((1, 333, 7_777, 20_001)) * dice.choice((1, 1, 1, -1))
            on = company.chat.office.calendar.day_of(company.chat.now)
            day = on - timedelta(days=dice.choice((0, 0, 1, 40)))
            await company.tell(f"SK{n}", yuan, number, on=max(day, date(2026, 1, 1)))
        case 3:
            share = dice.randrange(1, 99)
            await company.chat.say("he", f"奖金拆分 {number} 张伟{share} 陈静{100 - share}")
        case 4:
            name = dice.choice(("张伟", "陈静"))
            await company.chat.say("he", f"奖金归属 {number} 签单人 {name}")
        case _:
            await company.chat.say("he", f"投诉成立 {number} 交付晚了")


@pytest.mark.parametrize("seed", range(3))
async def test_booked_is_due(database: Database, seed: int) -> None:
    dice = random.Random(seed)
    company = await PayoutCompany.open(database)
    await company.publish(*RULES)
    for number, amount in DEALS.items():
        await company.signed(number, amount)
    locked = []
    for n in range(STEPS):
        if n in (8, 16):
            month = f"2026-0{1 + n // 8}"
            company.move_to(f"{month}-03 10:00")
            await company.lock(f"2026-0{n // 8}")
            locked += [one for one in await _all(company) if one[5] is not None]
        await step(company, dice, n)
    assert await _booked(company) == await _due(company)
    kept = set(await _all(company))
    assert set(locked) <= kept, "a locked line was changed"


async def _all(company: PayoutCompany) -> list[tuple[object, ...]]:
    return [
        (one.id, one.person_id, one.month, one.kind, one.fen, one.run_id)
        for number in DEALS
        for one in await company.lines(number)
    ]


async def _booked(company: PayoutCompany) -> dict[int | None, int]:
    sums: dict[int | None, int] = {}
    for number in DEALS:
        for one in await company.lines(number):
            sums[one.person_id] = sums.get(one.person_id, 0) + one.fen
    return {person: fen for person, fen in sums.items() if fen}


async def _due(company: PayoutCompany) -> dict[int | None, int]:
    """By the engine alone, from the tables as they are."""
    async with company.chat.database.begin() as tx:
        rules = await deal_facts.rules_document(tx)
        closed = await tx.payout_ledger.closed()
        ids = [one.id for one in await tx.contracts.list_all()]
        found = await deal_facts.deal_documents(tx, ids, closed)
    runs = runs_until(closed, date(2026, 1, 1), company.chat.now)
    facts = documents.to_facts(deal_facts.joined(found.values(), runs))
    totals = compute(deal_facts.book_of(rules), facts).by_person
    return {id_of(person): fen for person, fen in totals.items() if fen}
