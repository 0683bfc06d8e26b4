"""Two customers that are one: who leads both sees what would move, confirms, and may take it
back within thirty days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import Button, Card, OutboundMessage, Text
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import merging as texts
from storage.merges import Merge

CARD = "merge-"
CONFIRM, DROP = "merge", "drop"
MAY_UNDO = timedelta(days=30)
OVERSEERS = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})

_INTO = re.compile(r"^(?:把|将)?(?P<gone>.+?)\s*(?:合并到|并入|并到|到|进)\s*(?P<into>.+)$")


async def ask(desk: Desk, words: str) -> None:
    """«合并客户 A 到 B»: what would move, and what contradicts. Nothing is changed yet."""
    match = _INTO.match(words)
    if match is None:
        raise InvalidInput(texts.MERGE_WHICH)
    gone = await customers.named(desk, match["gone"].strip())
    into = await customers.named(desk, match["into"].strip()) if gone is not None else None
    if gone is None or into is None:
        return
    await _refuse(desk, gone, into)
    # One card for each asking: after an undo the same two may be merged again.
    card = Card(
        card_id=f"{CARD}{gone.id}-{into.id}-{desk.at:%Y%m%d%H%M%S}",
        title=texts.title(gone.name),
        lines=(
            texts.question(gone.name, into.name),
            *(texts.conflict(words) for words in await _conflicts(desk, gone, into)),
        ),
        facts=texts.weight(await desk.tx.merges.weigh(gone.id)),
        buttons=(Button(CONFIRM, "确认合并", style="primary"), Button(DROP, "取消")),
    )
    await desk.show_privately(card, subject=f"account:{into.id}")


async def press(desk: Desk) -> None:
    """«确认合并» or «取消». Who may is asked again, and whether both still stand."""
    action = desk.message.action
    assert action is not None
    _, gone_id, into_id, _ = action.card_id.split("-")
    card = Card(action.card_id, texts.TITLE, closed=texts.NOT_MERGED)
    if action.action == CONFIRM:
        gone, into = await _still_two(desk, int(gone_id), int(into_id))
        await _refuse(desk, gone, into)
        await _merge(desk, gone, into)
        card = replace(card, closed=texts.MERGED)
    else:
        desk.say(texts.NOT_MERGED)
    await desk.change(card, subject=f"account:{into_id}")


async def undo(desk: Desk, words: str) -> None:
    """«撤销合并 A»: A stands again, with what came from it. Raises Refused after thirty days."""
    merge = await _the_merge(desk, words)
    if desk.at - merge.merged_at > MAY_UNDO:
        raise Refused(texts.too_late(words, MAY_UNDO.days))
    into = await desk.tx.accounts.get(merge.into_id)
    if not await _may(desk, into):
        raise NotAllowed(texts.MERGE_NOT_YOURS)
    if into.in_pool_since is not None:
        raise Refused(texts.in_pool(into.name))
    if not await desk.tx.merges.undo(merge, desk.at):
        raise Refused(texts.no_merge(words))
    back = await desk.tx.accounts.get(merge.account_id)
    into = await desk.tx.accounts.get(merge.into_id)
    for account in (into, back):
        desk.office.customers.put(account)
        await _judge_lights(desk, account)
    await _audit(desk, "undo_merge", merge)
    desk.say(texts.undone(back.name, into.name))
    await _tell_owners(desk, [back, into], texts.owners_undone(back.name, into.name, desk.rep.name))


async def _merge(desk: Desk, gone: Account, into: Account) -> None:
    merge = await desk.tx.merges.merge(gone.id, into.id, by=desk.rep.id, at=desk.at)
    desk.office.customers.remove(gone.name)
    standing = await desk.tx.accounts.get(into.id)
    desk.office.customers.put(standing)
    await _judge_lights(desk, standing)
    await _audit(desk, "merge_customers", merge)
    desk.say(texts.merged(gone.name, into.name, MAY_UNDO.days))
    told = texts.owners_merged(gone.name, into.name, desk.rep.name)
    await _tell_owners(desk, [gone, into], told)


async def _judge_lights(desk: Desk, account: Account) -> None:
    for deal in await desk.tx.opportunities.open_of_account(account.id):
        desk.add(await desk.office.lights.on_state_changed(desk.tx, deal, desk.at))


async def _still_two(desk: Desk, gone_id: int, into_id: int) -> tuple[Account, Account]:
    """Both as they are now. Raises Refused if one of them was merged meanwhile."""
    gone, into = await desk.tx.accounts.get(gone_id), await desk.tx.accounts.get(into_id)
    if (gone.id, into.id) != (gone_id, into_id):
        raise Refused(texts.MERGED_MEANWHILE)
    return gone, into


async def _refuse(desk: Desk, gone: Account, into: Account) -> None:
    for account in (gone, into):
        if not await _may(desk, account):
            raise NotAllowed(texts.MERGE_NOT_YOURS)
        if account.in_pool_since is not None:
            raise Refused(texts.in_pool(account.name))
    if gone.id == into.id:
        raise Refused(texts.already_one(into.name))


async def _may(desk: Desk, account: Account) -> bool:
    """Overseers, and a supervisor for their own people's customers."""
    if desk.rep.roles & OVERSEERS:
        return True
    led = account.owner_id == desk.rep.id or await customers.leads(
        desk.tx, desk.rep, account.owner_id
    )
    return Role.SUPERVISOR in desk.rep.roles and led


async def _conflicts(desk: Desk, gone: Account, into: Account) -> list[str]:
    """What the two say differently; the survivor's stands."""
    found = []
    if gone.owner_id != into.owner_id:
        owners = [(await desk.tx.people.get(one.owner_id)).name for one in (gone, into)]
        found.append(texts.owners_differ(*owners))
    for label, one, other in (
        (texts.CODE, gone.credit_code, into.credit_code),
        (texts.PHONE, gone.phone, into.phone),
        (texts.DOMAIN, gone.domain, into.domain),
    ):
        if one and other and one != other:
            found.append(texts.numbers_differ(label, one, other))
    theirs = {one.name: one for one in await desk.tx.accounts.contacts(into.id)}
    for contact in await desk.tx.accounts.contacts(gone.id):
        twin = theirs.get(contact.name)
        if twin is not None:
            found.append(texts.same_contact(contact.name, contact.mobile, twin.mobile))
    return found


async def _the_merge(desk: Desk, words: str) -> Merge:
    """By the name that is no more, or by the survivor's where only one was merged into it."""
    if not words:
        raise InvalidInput(texts.UNDO_WHICH)
    merges = await desk.tx.merges.standing(name=words)
    if not merges:
        account = await customers.exactly(desk, words)
        merges = await desk.tx.merges.standing(into_id=account.id) if account else []
        if len(merges) > 1:
            raise Refused(texts.which_merge([one.moved["aliases"][0] for one in merges]))
    if not merges:
        raise Refused(texts.no_merge(words))
    return merges[0]


async def _tell_owners(desk: Desk, about: Sequence[Account], text: str) -> None:
    for number in {account.owner_id for account in about} - {desk.rep.id}:
        to = desk.office.address_of(await desk.tx.people.get(number))
        if to is not None:
            key = f"{desk.incoming.source_id}:merge:{number}"
            desk.add([OutboundMessage(key, to, Text(text))])


async def _audit(desk: Desk, action: str, merge: Merge) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject=f"account:{merge.account_id}",
        before=None,
        after={"merge_id": merge.id, "into_id": merge.into_id, "moved": merge.moved},
    )
