"""«奖金归属 HT-2026-018 签单人 张伟», «奖金拆分 HT-2026-018 张伟70 陈静30», «投诉成立 …»: whose a
contract is. What is locked stays; the difference is booked in the open month."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import Any

from bot.domain.people import Role
from bot.domain.receivables import Contract
from bot.errors import InvalidInput, NotFound
from handlers.desk import Desk
from handlers.payouts import following, rights
from handlers.payouts.statements import person_named
from handlers.texts import payouts as texts
from handlers.texts import receivables as receivable_texts
from handlers.understanding.contracts import contract_number
from storage.payout_facts import DealPeople

ROLES = {"签单人": "closer_id", "线索提供人": "lead_provider_id", "原销售": "original_seller_id"}
WHOLE = 100

_ROLE = re.compile(r"(签单人|线索提供人|原销售|类型)[ :：是为]*([\w·]{2,24})")
_SHARE = re.compile(r"([^\d\s%％,，、:：]{2,24})[ :：]*(\d{1,3})\s*[%％]?")
_COMPLAINERS = rights.SETTLERS | {Role.CSM}


async def change_roles(desk: Desk, words: str) -> None:
    """Raises NotAllowed, InvalidInput, NotFound, Refused."""
    rights.refuse_others(desk.rep, rights.SETTLERS, texts.SETTLERS_ONLY)
    contract, rest = await _contract(desk, words)
    told = _ROLE.findall(rest)
    if not told:
        raise InvalidInput(texts.HOW_PEOPLE_ORDER)
    changes: dict[str, Any] = {}
    for role, name in told:
        if role == "类型":
            if name not in texts.DEAL_KINDS:
                raise InvalidInput(texts.HOW_PEOPLE_ORDER)
            changes["kind"] = texts.DEAL_KINDS[name]
        else:
            changes[ROLES[role]] = (await person_named(desk.tx, name)).id
    await _change(desk, contract, "、".join(f"{role} {name}" for role, name in told), changes)


async def change_shares(desk: Desk, words: str) -> None:
    """Raises NotAllowed, InvalidInput, NotFound, Refused."""
    rights.refuse_others(desk.rep, rights.SETTLERS, texts.SETTLERS_ONLY)
    contract, rest = await _contract(desk, words)
    told = [(name, int(part)) for name, part in _SHARE.findall(rest)]
    if not told:
        raise InvalidInput(texts.HOW_PEOPLE_ORDER)
    total = sum(part for _, part in told)
    if total != WHOLE:
        raise InvalidInput(texts.shares_refused(total))
    shares = tuple([((await person_named(desk.tx, name)).id, part * 100) for name, part in told])
    listed = texts.share_words([(name, part * 100) for name, part in told])
    await _change(desk, contract, listed, {"shares": shares})


async def uphold_complaint(desk: Desk, words: str) -> None:
    """Raises NotAllowed, InvalidInput, NotFound."""
    rights.refuse_others(desk.rep, _COMPLAINERS, texts.SETTLERS_ONLY)
    contract, rest = await _contract(desk, words)
    if not rest.strip():
        raise InvalidInput(texts.COMPLAINT_HOW)
    await desk.tx.payout_facts.add_complaint(
        contract.id, rest.strip()[:300], by=desk.rep.id, at=desk.at
    )
    desk.add(await following.follow(desk.tx, desk.office, [contract.id], desk.at))
    await _note(desk, contract, "uphold_complaint", {}, {})
    desk.say(texts.complaint_noted(contract.terms.number))


async def _change(desk: Desk, contract: Contract, told: str, changes: dict[str, Any]) -> None:
    """The month of who closed it before, and of who closes it now, are computed anew."""
    account = await desk.tx.accounts.get(contract.account_id)
    await following.note_contract(desk.tx, contract, account)
    was = (await desk.tx.payout_facts.people_of([contract.id]))[contract.id]
    touched = {contract.id}
    if was.closer_id is not None:
        touched |= await following.month_of(desk.tx, was.closer_id, contract.terms.signed_on)
    now = replace(was, **changes)
    await desk.tx.payout_facts.change_people(now)
    desk.add(await following.follow(desk.tx, desk.office, touched, desk.at))
    await _note(desk, contract, "change_payout_people", _plain(was), _plain(now))
    desk.say(texts.people_changed(contract.terms.number, told))


async def _contract(desk: Desk, words: str) -> tuple[Contract, str]:
    """The contract named, and the words without its number."""
    number = contract_number(words)
    if number is None:
        raise InvalidInput(texts.HOW_PEOPLE_ORDER)
    contract = await desk.tx.contracts.find(number)
    if contract is None:
        raise NotFound(receivable_texts.no_such_contract(number))
    return contract, re.sub(re.escape(number), " ", words, flags=re.IGNORECASE)


async def _note(
    desk: Desk, contract: Contract, action: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject=f"contract:{contract.id}",
        before=before,
        after=after,
    )


def _plain(people: DealPeople) -> dict[str, Any]:
    return asdict(people)
