"""«如果这单签38万我拿多少»: the present rules on a contract that is not there; nothing is kept."""

from __future__ import annotations

import re
from typing import Any

from bot.domain.payouts.checking import notices
from bot.domain.payouts.computing import compute
from bot.domain.payouts.recipients import key_of
from bot.domain.payouts.steps import steps
from bot.errors import InvalidInput, Refused
from handlers.customers import customers
from handlers.desk import Desk
from handlers.payouts import deal_facts, documents, following
from handlers.receivables import contracts
from handlers.texts import payouts as texts
from handlers.texts.dialog import short_company
from handlers.understanding.amounts import find_amounts
from handlers.understanding.normal import normalise

QUESTION = re.compile(
    r"(?P<rest>(?=.*(?:签|成交|谈下|拿下|做到|卖))(?=.*[\d一二三四五六七八九十百千万]).{0,60}?"
    r"(?:(?:我|自己).{0,4}(?:拿|得|分|提|有)到?多少|拿到?多少|多少(?:奖金|提成))"
    r"(?:钱|奖金|提成)?(?:呢|啊|呀)?)[。?？!！]*",
    re.DOTALL,
)
MOST_HINTS = 3


async def answer(desk: Desk, words: str) -> None:
    """Raises InvalidInput, Refused."""
    said = find_amounts(normalise(words), bare=True)
    if not said:
        raise InvalidInput(texts.HOW_MUCH)
    rules = await deal_facts.rules_document(desk.tx)
    if not rules:
        raise Refused(texts.NOT_PUBLISHED)
    account = await contracts.customer_in(desk, words)
    facts, me = await _facts(desk, said[0].value, account)
    book = deal_facts.book_of(rules)
    lines = [
        one
        for one in compute(book, facts).lines
        if one.deal == texts.IF_NUMBER and one.person == me
    ]
    hints = [
        texts.not_met([f"「{one.rule_id}」", *one.conditions]).removeprefix("- ")
        for one in steps(book, facts)
        if one.deal == texts.IF_NUMBER and not one.pays and one.conditions
    ][:MOST_HINTS]
    fen = sum(one.fen for one in lines)
    if not lines:
        customers.tell_alone(desk, "奖金试算", texts.nothing_for(said[0].value, hints))
        return
    cliffs = [f"提醒：{one.text}" for one in notices(book.rules) if one.key == "cliff"]
    told = texts.what_if(
        said[0].value,
        fen,
        [one.why for one in lines],
        customer=short_company(account.name) if account is not None else "",
        hints=cliffs[:1],
    )
    customers.tell_alone(desk, "奖金试算", told)


async def _facts(desk: Desk, fen: int, account: Any) -> tuple[Any, str]:
    """The speaker's month with the contract at its end, and what the speaker is called there."""
    me = key_of(desk.rep.id, desk.rep.name)
    today = desk.office.calendar.day_of(desk.at)
    mine = await following.month_of(desk.tx, desk.rep.id, today)
    found = await deal_facts.deal_documents(desk.tx, mine, await desk.tx.payout_ledger.closed())
    moment = deal_facts.iso(desk.at)
    earlier = account is not None and await desk.tx.contracts.of_account(account.id)
    deal = {
        "id": texts.IF_NUMBER,
        "kind": "upsell" if earlier else "new",
        "contract_fen": fen,
        "signed_at": moment,
        "closer": me,
        "original_seller": me,
        "lead_provider": None,
        "customer": account.name if account is not None else "",
        "industry": account.industry if account is not None else "",
    }
    paid = {"type": "payment", "deal": texts.IF_NUMBER, "fen": fen, "at": moment}
    told = deal_facts.joined([*found.values(), {"deal": deal, "events": [paid]}])
    return documents.to_facts(told), me
