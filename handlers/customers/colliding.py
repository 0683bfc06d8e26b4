"""Two people want one customer: both are told why, and whoever leads both decides.

Nobody above both means the administrators. The first decision stands.
"""

from __future__ import annotations

from typing import Any

from bot.domain.opportunities import Account
from bot.domain.people import Person, Role
from bot.errors import NotAllowed
from bot.messages import Button, Card, Field, Option, OutboundMessage, Text
from handlers.customers import duplicates, handing_over
from handlers.customers.duplicates import Likely
from handlers.customers.new_customers import NewCustomer, create
from handlers.desk import Desk
from handlers.people.leaders import administrators
from handlers.texts import customers as texts
from storage.collisions import Collision
from storage.unit_of_work import UnitOfWork

CARD = "clash-"
HOLDER, CLAIMANT, BOTH = "holder", "claimant", "both"
REASON = "reason"
NOT_CHOSEN = "-"
MOST_LEVELS = 10


async def open_case(desk: Desk, asked: dict[str, Any], likely: Likely) -> None:
    """The speaker entered what a colleague has. asked: fields of `NewCustomer`."""
    account = likely.account
    holder = await desk.tx.people.get(account.owner_id)
    if await desk.tx.collisions.open_between(account.id, desk.rep.id) is not None:
        desk.say(texts.clash_waits(account.name))
        return
    case = await desk.tx.collisions.add(
        Collision(
            id=0,
            account_id=account.id,
            holder_id=holder.id,
            claimant_id=desk.rep.id,
            asked=asked,
            reasons=[str(reason) for reason in likely.reasons],
            asked_at=desk.at,
        )
    )
    judges = await _judges(desk, case)
    for judge in judges:
        await _ask(desk, case, account, judge)
    names = [judge.name for judge in judges]
    desk.say(
        texts.clash_for_claimant(asked["name"], account.name, holder.name, likely.reasons, names)
    )
    told = texts.clash_for_holder(account.name, desk.rep.name, asked["name"], likely.reasons, names)
    _tell(desk, case, holder, told)


async def press(desk: Desk) -> None:
    """«归张伟», «归陈静», «两家都留». Raises NotAllowed for who does not lead both."""
    action = desk.message.action
    assert action is not None
    case = await desk.tx.collisions.get(int(action.card_id.split("-")[1]))
    if not await _may_judge(desk, case):
        raise NotAllowed(texts.CLASH_NOT_YOURS)
    account = await desk.tx.accounts.get(case.account_id)
    subject = f"account:{account.id}"
    card = await _question(desk, case, account, card_id=action.card_id)
    reason = action.values.get(REASON, "").strip()
    if case.decided_at is None and reason in ("", NOT_CHOSEN):
        await desk.change(card, subject=subject)
        desk.say(texts.CLASH_WANTS_REASON)
        return
    decided = await desk.tx.collisions.decide(
        case.id, by=desk.rep.id, decision=action.action, reason=reason, at=desk.at
    )
    case = await desk.tx.collisions.get(case.id)
    verdict = await _verdict(desk, case, account)
    if decided:
        await _carry_out(desk, case, account)
        await _tell_both(desk, case, verdict)
    desk.say(verdict if decided else texts.clash_decided_before(verdict))
    closed = texts.CHOSEN if decided else texts.CARD_DONE
    await desk.change(_closed(card, closed), subject=subject)


async def _carry_out(desk: Desk, case: Collision, account: Account) -> None:
    new = NewCustomer(**case.asked)
    if case.decision == BOTH:
        await create(desk, new, since=desk.at, owner_id=case.claimant_id)
    else:
        winner_id = case.holder_id if case.decision == HOLDER else case.claimant_id
        # Meanwhile it may have gone to the pool, or to the other one, or to anybody.
        if account.owner_id != winner_id or account.in_pool_since is not None:
            winner = await desk.tx.people.get(winner_id)
            await handing_over.hand_over(desk, account, winner)
    if case.decision != BOTH and new.name != account.name:
        desk.office.customers.put(await desk.tx.accounts.add_alias(account.id, new.name))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="decide_collision",
        subject=f"account:{account.id}",
        before={"holder": case.holder_id, "claimant": case.claimant_id, "asked": case.asked},
        after={"decision": case.decision, "reason": case.reason},
    )


async def _judges(desk: Desk, case: Collision) -> list[Person]:
    """The nearest who leads both and can be asked, or the administrators."""
    holders = {one.id for one in await above(desk.tx, case.holder_id)}
    parties = {case.holder_id, case.claimant_id}
    common = [one for one in await above(desk.tx, case.claimant_id) if one.id in holders - parties]
    reachable = [
        one
        for one in common
        if not one.on_leave(desk.at) and desk.office.address_of(one) is not None
    ]
    admins = [one for one in await administrators(desk.tx) if one.id not in parties]
    return reachable[:1] or admins


async def above(tx: UnitOfWork, person_id: int) -> list[Person]:
    """Everybody above somebody, the nearest first."""
    found: dict[int, Person] = {}
    level = [person_id]
    for _ in range(MOST_LEVELS):
        leaders: list[Person] = []
        for number in level:
            facts = await tx.people.leader_facts(number)
            leaders += [facts.override] if facts.override is not None else []
            leaders += facts.direct
            for of_department in facts.department_leaders:
                leaders += of_department
        level = [one.id for one in leaders if one.id not in found and one.id != person_id]
        found |= {one.id: one for one in leaders if one.id not in found and one.id != person_id}
        if not level:
            break
    return list(found.values())


async def _may_judge(desk: Desk, case: Collision) -> bool:
    if desk.rep.id in (case.holder_id, case.claimant_id):
        return False
    if Role.ADMIN in desk.rep.roles:
        return True
    for party in (case.holder_id, case.claimant_id):
        if desk.rep.id not in {one.id for one in await above(desk.tx, party)}:
            return False
    return True


async def _ask(desk: Desk, case: Collision, account: Account, judge: Person) -> None:
    """At night it waits for the morning."""
    to = desk.office.address_of(judge)
    if to is None:
        return
    card = await _question(desk, case, account, card_id=f"{CARD}{case.id}-{judge.id}")
    await desk.tx.cards.show(card, to.key, subject=f"account:{account.id}", at=desk.at)
    morning = desk.office.first_allowed(desk.at)
    desk.add([OutboundMessage(card.card_id, to, card, not_before=morning)])


async def _question(desk: Desk, case: Collision, account: Account, *, card_id: str) -> Card:
    holder = await desk.tx.people.get(case.holder_id)
    claimant = await desk.tx.people.get(case.claimant_id)
    one_company = duplicates.SAME_FOR_SURE.intersection(case.reasons)
    buttons = [
        Button(HOLDER, texts.to_person(holder.name), style="primary"),
        Button(CLAIMANT, texts.to_person(claimant.name)),
        *([] if one_company else [Button(BOTH, texts.KEEP_BOTH)]),
    ]
    options = tuple(Option(words, words) for words in texts.CLASH_REASONS)
    return Card(
        card_id=card_id,
        title=texts.CLASH_TITLE,
        lines=(texts.clash_question(claimant.name, case.asked["name"], holder.name, account.name),),
        facts=(
            ("在册客户", account.name),
            ("负责人", holder.name),
            ("新报", case.asked["name"]),
            ("申请人", claimant.name),
            ("依据", texts.reasons(case.reasons)),
        ),
        fields=(Field(REASON, texts.CLASH_REASON, options=options),),
        buttons=tuple(buttons),
    )


def _closed(card: Card, note: str) -> Card:
    return Card(card.card_id, card.title, card.lines, card.facts, closed=note)


async def _verdict(desk: Desk, case: Collision, account: Account) -> str:
    by = await desk.tx.people.get(case.decided_by or desk.rep.id)
    if case.decision == BOTH:
        return texts.clash_both(account.name, case.asked["name"], by.name, case.reason)
    winner = case.holder_id if case.decision == HOLDER else case.claimant_id
    person = await desk.tx.people.get(winner)
    return texts.clash_to(account.name, person.name, by.name, case.reason)


async def _tell_both(desk: Desk, case: Collision, verdict: str) -> None:
    for number in (case.holder_id, case.claimant_id):
        _tell(desk, case, await desk.tx.people.get(number), verdict)


def _tell(desk: Desk, case: Collision, person: Person, text: str) -> None:
    to = desk.office.address_of(person)
    if to is not None:
        key = f"clash:{case.id}:{desk.incoming.source_id}:{person.id}"
        desk.add([OutboundMessage(key, to, Text(text))])
