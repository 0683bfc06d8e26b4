"""«ERP客户»: administrators say which customer of ours an ERP's customer is, by the page.

A press accepts what its card showed and nothing else: a proposal that has changed meanwhile is
left for the next card.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.people import Role
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused, UserError
from bot.messages import Button, Card
from handlers.customers import customers
from handlers.desk import Desk
from handlers.erp import erp_customers, erp_forecasts
from handlers.texts import erp as texts
from storage.erp_customers import PROPOSED, UNLIKE, StoredCustomer

CARD = "erpcustomers-"
ACCEPT, ACCEPT_CODES, CREATE = "accept", "codes", "create"
ON_A_CARD = 8
MOST_AT_ONCE = 200

_MAY = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})
_DECISION = re.compile(
    r"^(?:(?P<system>[a-z][\w-]*):)?(?P<code>\S+)\s*"
    r"(?:(?P<no>不要|忽略)|(?P<new>新建)|(?P<undo>解除|取消关联)|(?:是|关联)\s*(?P<whom>.+))$"
)


async def show(desk: Desk, words: str) -> None:
    """«ERP客户», or a word about one: «ERP客户 K001 是 恒锐机电», «… 新建», «… 不要», «… 解除»."""
    _refuse_others(desk)
    if not words:
        await _show_next(desk, "")
        return
    match = _DECISION.match(words.strip())
    if match is None:
        raise InvalidInput(texts.CUSTOMER_HOW)
    stored = await _the_one(desk, match["system"], match["code"])
    if match["undo"]:
        await _unlink(desk, stored)
        return
    if stored.account_id is not None:
        account = await desk.tx.accounts.get(stored.account_id)
        raise Refused(texts.linked_before(stored.told, account.name))
    if match["no"]:
        if not await desk.tx.erp_customers.drop(stored.id, by=desk.rep.id, at=desk.at):
            raise Refused(texts.decided_before(stored.told.code))
        desk.say(texts.dropped(stored.told))
    elif match["new"]:
        await _create(desk, stored)
        desk.say(texts.created_from_erp(stored.told))
    else:
        account_or_none = await customers.named(desk, match["whom"].strip())
        if account_or_none is not None:
            await _link(desk, stored, account_or_none.id)
            desk.say(texts.linked(stored.told, account_or_none.name))


async def press(desk: Desk) -> None:
    """«接受以上», «信用代码相同的全接受», «新建以上»; the next page follows."""
    _refuse_others(desk)
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    if known is None or known.state != "open":
        raise Refused(texts.PAGE_GONE)
    done = passed = 0
    if action.action == ACCEPT_CODES:
        listed, _ = await desk.tx.erp_customers.of_same_code(limit=MOST_AT_ONCE)
        shown = [(one.id, one.proposal.account_id) for one in listed]
    else:
        shown = [(customer_id, proposed_id) for customer_id, proposed_id in known.data["shown"]]
    for customer_id, proposed_id in shown:
        if await _accept(desk, customer_id, proposed_id):
            done += 1
        else:
            passed += 1
    closed = texts.page_done(action.action == CREATE, done, passed)
    card = Card(action.card_id, texts.CUSTOMERS_TITLE, closed=closed)
    await desk.change(card, subject=known.subject)
    desk.say(closed)
    await _show_next(desk, action.card_id)


async def _accept(desk: Desk, customer_id: int, proposed_id: int | None) -> bool:
    """False where it is no more as it was shown, or cannot be."""
    stored = await desk.tx.erp_customers.get(customer_id)
    wanted = UNLIKE if proposed_id is None else PROPOSED
    if stored is None or stored.state != wanted or stored.proposal.account_id != proposed_id:
        return False
    if proposed_id is not None:
        await _link(desk, stored, proposed_id)
        return True
    try:
        await _create(desk, stored)
    except UserError:  # raised before anything is written
        return False
    return True


async def _link(desk: Desk, stored: StoredCustomer, account_id: int) -> None:
    account = await desk.tx.accounts.get(account_id)
    desk.add(
        await erp_customers.link(desk.tx, desk.office, stored, account, by=desk.rep.id, at=desk.at)
    )


async def _create(desk: Desk, stored: StoredCustomer) -> None:
    me = desk.rep.id
    desk.add(
        await erp_customers.create(desk.tx, desk.office, stored, by=me, owner_id=me, at=desk.at)
    )


async def _unlink(desk: Desk, stored: StoredCustomer) -> None:
    """Orders that were matched by it stay where they are."""
    if not await desk.tx.erp_customers.unlink(stored.id, by=desk.rep.id, at=desk.at):
        raise Refused(texts.not_linked(stored.told))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="unlink_erp_customer",
        subject=f"account:{stored.account_id}",
        before={"erp_customer": f"{stored.system}:{stored.told.code}"},
        after=None,
    )
    desk.say(texts.unlinked(stored.told))
    if stored.account_id is not None:
        concerned = [stored.account_id]
        desk.add(await erp_forecasts.follow_accounts(desk.tx, desk.office, concerned, desk.at))


async def _show_next(desk: Desk, after: str) -> None:
    """Proposals first, then those that are like nobody. What is shown is compared anew, since
    customers may have come meanwhile."""
    shown = await _compared_anew(desk, await desk.tx.erp_customers.proposed(limit=ON_A_CARD))
    if not shown:
        shown = await _compared_anew(desk, await desk.tx.erp_customers.unlike(limit=ON_A_CARD))
    if not shown:
        if not after:
            desk.say(texts.NO_CUSTOMERS_WAIT)
        return
    proposing = shown[0].proposal.account_id is not None
    shown = [one for one in shown if (one.proposal.account_id is not None) == proposing]
    counts = await desk.tx.erp_customers.counts()
    _, of_code = await desk.tx.erp_customers.of_same_code(limit=1)
    lines = [await _line(desk, one) for one in shown]
    buttons = [Button(ACCEPT, texts.accept_shown(len(shown)), style="primary")]
    if not proposing:
        buttons = [Button(CREATE, texts.create_shown(len(shown)))]
    elif of_code > len(shown):
        buttons.append(Button(ACCEPT_CODES, texts.accept_codes(of_code)))
    card = Card(
        card_id=f"{CARD}{desk.rep.id}-{desk.message.message_id[-24:]}".translate(_CARD_SAFE),
        title=texts.CUSTOMERS_TITLE,
        lines=(*lines, texts.CUSTOMER_HOW),
        facts=(
            ("像在册的", str(counts.get(PROPOSED, 0))),
            ("没有像的", str(counts.get(UNLIKE, 0))),
        ),
        buttons=tuple(buttons),
    )
    data = {"shown": [[one.id, one.proposal.account_id] for one in shown]}
    await desk.show(card, subject=f"person:{desk.rep.id}", data=data)


async def _compared_anew(desk: Desk, listed: Sequence[StoredCustomer]) -> list[StoredCustomer]:
    found: list[StoredCustomer] = []
    for stored in listed:
        proposal = await erp_customers.compare(desk.tx, stored.told, desk.at)
        if proposal != stored.proposal:
            await desk.tx.erp_customers.propose(stored.id, proposal)
        found.append(replace(stored, proposal=proposal))
    return found


async def _line(desk: Desk, stored: StoredCustomer) -> str:
    proposed = stored.proposal.account_id
    account = await desk.tx.accounts.get(proposed) if proposed is not None else None
    name = account.name if account is not None else None
    return texts.customer_line(stored.told, name, stored.proposal.reasons)


async def _the_one(desk: Desk, system: str | None, code: str) -> StoredCustomer:
    found = [
        one
        for one in await desk.tx.erp_customers.by_code(code)
        if system is None or one.system == system
    ]
    if not found:
        raise NotFound(texts.no_such_erp_customer(code))
    if len(found) > 1:
        raise InvalidInput(texts.which_system(code, [one.system for one in found]))
    return found[0]


def _refuse_others(desk: Desk) -> None:
    if not desk.rep.roles & _MAY:
        raise NotAllowed(texts.ONLY_ADMINS)


_CARD_SAFE = {ord(character): "-" for character in "=+/.:@ "}
