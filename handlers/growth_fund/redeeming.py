"""«兑换 谈判技巧课»: asked for by card, the amount held, approved by somebody else, released."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.payouts.growth import Overdrawn, available, held, released, spent
from bot.domain.people import Person, Role
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from bot.messages import Button, Card, CardUpdate, OutboundMessage, Text
from handlers.desk import Desk
from handlers.payouts import rights
from handlers.texts import growth_fund as texts
from storage.growth_fund import APPROVED, REJECTED, WAITING, WITHDRAWN, Item, Redemption
from storage.unit_of_work import UnitOfWork

PREFIX = "redeem-"
_WISH = f"{PREFIX}wish-"
ASK, DROP, WITHDRAW, APPROVE, REJECT = "ask", "drop", "withdraw", "approve", "reject"
APPROVERS = frozenset({Role.HRBP, Role.ADMIN})


async def wish(desk: Desk, words: str) -> None:
    """Shown once more before anything is held. Raises InvalidInput, NotFound, Refused."""
    name = words.strip(" 「」")
    if not name:
        raise InvalidInput(texts.WHICH_TO_REDEEM)
    item, balance = await look_up(desk.tx, desk.rep, name)
    number = "".join(filter(str.isalnum, desk.message.message_id))[-20:]
    card = Card(
        card_id=f"{_WISH}{desk.rep.id}-{number}",
        title=texts.TITLE,
        lines=tuple(texts.redeem_lines(item.kind, item.name, item.price_fen, balance)),
        buttons=(Button(ASK, texts.ASK, style="primary"), Button(DROP, texts.DROP)),
    )
    data = {"item": item.name, "price_fen": item.price_fen}
    await desk.show_privately(card, subject=f"growth:{desk.rep.id}", data=data)


async def look_up(tx: UnitOfWork, person: Person, name: str) -> tuple[Item, int]:
    """What has that name, and the balance that is enough for it. Raises NotFound, Refused."""
    item = await _item(tx, name)
    balance = available(await tx.growth_fund.balances(person.id))
    if item.price_fen > balance:
        raise Refused(texts.not_enough(item.price_fen, item.price_fen - balance))
    return item, balance


async def press(desk: Desk) -> None:
    """Raises NotAllowed, NotFound, Refused."""
    action = desk.message.action
    assert action is not None
    if action.card_id.startswith(_WISH):
        await _wished(desk)
        return
    await desk.tx.growth_fund.take_turn()
    redemption = await desk.tx.growth_fund.redemption(int(action.card_id.split("-")[1]))
    if action.action == WITHDRAW:
        await withdraw(desk, redemption)
    elif action.action in (APPROVE, REJECT):
        await decide(desk, redemption, approved=action.action == APPROVE)


async def decide(desk: Desk, redemption: Redemption, *, approved: bool) -> None:
    """By an approver, and never the own one. Raises NotAllowed, Refused."""
    if not desk.rep.roles & APPROVERS or redemption.person_id == desk.rep.id:
        raise NotAllowed(texts.NOT_APPROVER)
    _refuse_unless_waiting(redemption)
    by = desk.rep.id
    if approved:
        hold = await desk.tx.growth_fund.posting(redemption.hold_id)
        await desk.tx.growth_fund.post(
            f"spent:{redemption.id}", redemption.person_id, spent(hold),
            why=redemption.item.name, at=desk.at, by=by,
        )  # fmt: skip
        changed = await desk.tx.growth_fund.decide(redemption, APPROVED, by=by, at=desk.at)
    else:
        changed = await give_back(desk.tx, redemption, REJECTED, by=by, at=desk.at)
    await _note(desk, changed)
    person = await desk.tx.people.get(changed.person_id)
    item = changed.item
    words = texts.told_decision(item.name, item.price_fen, approved=approved, by=desk.rep.name)
    to = desk.office.address_of(person)
    if to is not None:
        desk.add([OutboundMessage(f"{PREFIX}{changed.id}:decided", to, Text(words))])
    await _show_all(desk, changed)
    desk.say(texts.decided(person.name, item.name, approved=approved))


async def give_back(
    tx: UnitOfWork, redemption: Redemption, state: str, *, by: int | None, at: datetime
) -> Redemption:
    """What was held can be spent again."""
    hold = await tx.growth_fund.posting(redemption.hold_id)
    await tx.growth_fund.post(
        f"released:{redemption.id}", redemption.person_id, released(hold),
        why=redemption.item.name, at=at, by=by,
    )  # fmt: skip
    return await tx.growth_fund.decide(redemption, state, by=by, at=at)


async def _wished(desk: Desk) -> None:
    action = desk.message.action
    assert action is not None
    known = await desk.tx.cards.get(action.card_id)
    if int(action.card_id.split("-")[2]) != desk.rep.id:
        raise NotAllowed(texts.NOT_YOURS)
    if known is None or known.state == "closed":
        raise Refused(texts.OVER)
    if action.action == DROP:
        await _close_wish(desk, str(known.data["item"]), texts.DROP)
        desk.say(texts.NOTHING_HAPPENED)
        return
    name = str(known.data["item"])
    await ask(desk, name, known.data["price_fen"])
    await _close_wish(desk, name, texts.STATES[WAITING])


async def ask(desk: Desk, name: str, price_fen: int) -> None:
    """For what was shown at that price. The balance is looked at again, in turn with whoever else
    spends it; the same message asks once. Raises NotFound, Refused."""
    await desk.tx.growth_fund.take_turn()
    item = await _item(desk.tx, name)
    if item.price_fen != price_fen:
        raise Refused(texts.price_changed(item.name, item.price_fen))
    approvers = await _approvers(desk.tx, desk.rep.id, desk.at)
    if not approvers:
        raise Refused(texts.NOBODY_TO_APPROVE)
    redemption = await _hold(desk, item)
    await desk.show_privately(
        await card_for(desk.tx, redemption, desk.rep), subject=_subject(redemption)
    )
    for approver in approvers:
        await _send(desk, redemption, approver)
    desk.say(texts.submitted(item.name))


async def _hold(desk: Desk, item: Item) -> Redemption:
    balances = await desk.tx.growth_fund.balances(desk.rep.id)
    try:
        posting = held(balances, item.price_fen)
    except Overdrawn as problem:
        raise Refused(texts.not_enough(item.price_fen, problem.missing_fen)) from None
    number = await desk.tx.growth_fund.post(
        f"held:{desk.incoming.source_id}", desk.rep.id, posting, why=item.name, at=desk.at,
        by=desk.rep.id,
    )  # fmt: skip
    if number is None:
        raise Refused(texts.OVER)
    redemption = await desk.tx.growth_fund.ask(desk.rep.id, item, hold_id=number, at=desk.at)
    await _note(desk, redemption)
    return redemption


async def withdraw(desk: Desk, redemption: Redemption) -> None:
    """By who asked. Raises NotAllowed, Refused."""
    if redemption.person_id != desk.rep.id:
        raise NotAllowed(texts.NOT_YOURS)
    _refuse_unless_waiting(redemption)
    changed = await give_back(desk.tx, redemption, WITHDRAWN, by=desk.rep.id, at=desk.at)
    await _note(desk, changed)
    await _show_all(desk, changed)
    desk.say(texts.withdrawn(changed.item.name))


async def card_for(tx: UnitOfWork, redemption: Redemption, reader: Person) -> Card:
    item, is_own = redemption.item, redemption.person_id == reader.id
    buttons: tuple[Button, ...] = ()
    if redemption.state == WAITING:
        buttons = (
            (Button(WITHDRAW, texts.WITHDRAW),)
            if is_own
            else (
                Button(APPROVE, texts.APPROVE, style="primary"),
                Button(REJECT, texts.REJECT, style="danger"),
            )
        )
    person = await tx.people.get(redemption.person_id)
    return Card(
        card_id=f"{PREFIX}{redemption.id}-{reader.id}",
        title=f"{texts.TITLE}兑换 #{redemption.id}",
        lines=tuple(texts.asked_lines(person.name, item.kind, item.name, item.price_fen)),
        facts=(("状态", texts.STATES[redemption.state]),),
        buttons=buttons,
        closed="" if buttons else texts.STATES[redemption.state],
    )


async def _show_all(desk: Desk, redemption: Redemption) -> None:
    """The pressed card in place, the others' beside it."""
    action = desk.message.action
    person = await desk.tx.people.get(redemption.person_id)
    readers = [person, *await _approvers(desk.tx, person.id, desk.at), desk.rep]
    for reader in {one.id: one for one in readers}.values():
        card = await card_for(desk.tx, redemption, reader)
        if action is not None and action.card_id == card.card_id:
            await desk.change(card, subject=_subject(redemption))
        elif await desk.tx.cards.get(card.card_id) is not None:
            await _send(desk, redemption, reader)


async def _send(desk: Desk, redemption: Redemption, reader: Person) -> None:
    to = desk.office.address_of(reader)
    if to is None:
        return
    card = await card_for(desk.tx, redemption, reader)
    known = await desk.tx.cards.get(card.card_id)
    if known is not None:
        card = replace(card, revision=known.revision + 1)
    await desk.tx.cards.show(card, to.key, subject=_subject(redemption), at=desk.at)
    content = card if known is None else CardUpdate(card)
    desk.add([OutboundMessage(f"{card.card_id}@{card.revision}", to, content)])


async def _approvers(tx: UnitOfWork, person_id: int, at: datetime) -> list[Person]:
    """HRBPs at work, else administrators; never the one who asks."""
    for role in (Role.HRBP, Role.ADMIN):
        found = [one for one in await rights.at_work(tx, role, at) if one.id != person_id]
        if found:
            return found
    return []


async def _close_wish(desk: Desk, item: str, closed: str) -> None:
    action = desk.message.action
    assert action is not None
    card = Card(action.card_id, texts.TITLE, lines=(item,), closed=closed)
    await desk.change(card, subject=f"growth:{desk.rep.id}")


async def _item(tx: UnitOfWork, name: str) -> Item:
    for item in await tx.growth_fund.items():
        if item.name == name:
            return item
    raise NotFound(texts.no_such_item(name))


async def _note(desk: Desk, redemption: Redemption) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="redeem_growth_fund",
        subject=_subject(redemption),
        before=None,
        after={
            "state": redemption.state,
            "item": redemption.item.name,
            "price_fen": redemption.item.price_fen,
        },
    )


def _refuse_unless_waiting(redemption: Redemption) -> None:
    if redemption.state != WAITING:
        raise Refused(texts.OVER)


def _subject(redemption: Redemption) -> str:
    return f"growth_redemption:{redemption.id}"
