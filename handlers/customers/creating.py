"""A new customer, by chat: what is entered is compared with who is there before it is created.

Something like it is shown with the reasons; what is a colleague's is decided by whoever leads
both (handlers/customers/colliding.py). Never does a second one of the same come to be silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.domain.opportunities import Account
from bot.errors import Refused
from bot.messages import Button, Card
from handlers.customers import colliding, customers, duplicates
from handlers.customers.duplicates import Likely
from handlers.customers.new_customers import NewCustomer, create
from handlers.desk import Desk
from handlers.texts import customers as texts

CARD = "newcustomer-"
USE, CREATE, DROP = "use", "create", "drop"
MOST_SHOWN = 3


async def ask(desk: Desk, words: str, *, sure: bool = False) -> Account | None:
    """«新建客户 X»: at once, unless something like it exists; then None. sure: the rep has
    seen what is like it. Raises InvalidInput, and Refused for one's own customer."""
    new = NewCustomer.read(words)
    since = min(desk.at, desk.message.sent_at)
    account = await _settle(desk, new, since=since, sure=sure)
    if account is not None:
        desk.say(texts.created(account.name))
    return account


async def for_record(desk: Desk, name: str, *, since: datetime) -> Account | None:
    """The customer of a record that is told before the customer is created. None: asked."""
    return await _settle(desk, NewCustomer.read(name), since=since, sure=False)


async def press(desk: Desk) -> tuple[Account, str] | None:
    """A button under what was found alike: the customer that it leads to, and the name that
    had been entered."""
    action = desk.message.action
    assert action is not None
    shown = await desk.tx.cards.get(action.card_id)
    if shown is None or shown.state == "closed":
        desk.say(texts.CARD_DONE)
        return None
    if shown.data["person_id"] != desk.rep.id:
        desk.say(texts.NOT_YOUR_CARD)
        return None
    new = NewCustomer(**shown.data["new"])
    since = datetime.fromisoformat(shown.data["since"])
    account = None
    if action.action == CREATE:
        account = await _settle(desk, new, since=since, sure=True)
        desk.say(texts.created(account.name) if account is not None else texts.NOT_CREATED)
    elif action.action.startswith(USE):
        account = await desk.tx.accounts.get(int(action.action.removeprefix(USE)))
        await customers.refuse_foreign(desk, account)
        desk.say(texts.uses(account.name))
    closed = texts.CHOSEN if account is not None else texts.NOT_CREATED
    card = Card(action.card_id, texts.similar_title(new.name), closed=closed)
    await desk.change(card, subject=shown.subject)
    return (account, new.name) if account is not None else None


async def _settle(desk: Desk, new: NewCustomer, *, since: datetime, sure: bool) -> Account | None:
    found = await duplicates.find(desk.tx, new.card(), desk.at)
    for likely in found:
        if likely.same and await _is_anothers(desk, likely.account):
            await colliding.open_case(desk, asdict(new), likely)
            return None
    await _refuse_the_same(desk, found)
    if found and not sure:
        await _show(desk, new, found, since)
        return None
    return await create(desk, new, since=since, owner_id=desk.rep.id)


async def _is_anothers(desk: Desk, account: Account) -> bool:
    """Not the speaker's, nor of anybody they lead or stand in for."""
    if account.in_pool_since is not None:
        raise Refused(texts.lies_in_pool(account.name))
    if account.owner_id == desk.rep.id:
        return False
    owner = await desk.tx.people.get(account.owner_id)
    led = await customers.leads(desk.tx, desk.rep, account.owner_id)
    return not led and not customers.covers(desk, owner)


async def _refuse_the_same(desk: Desk, found: Sequence[Likely]) -> None:
    for likely in found:
        if likely.same and duplicates.SAME_FOR_SURE.intersection(likely.reasons):
            owner = await desk.tx.people.get(likely.account.owner_id)
            raise Refused(texts.exists(likely.account.name, owner.name, likely.reasons))


async def _show(desk: Desk, new: NewCustomer, found: Sequence[Likely], since: datetime) -> None:
    """What is like it and why, with the ways on."""
    lines = [
        texts.candidate(
            likely.account.name,
            (await desk.tx.people.get(likely.account.owner_id)).name,
            likely.reasons,
        )
        for likely in found[:MOST_SHOWN]
    ]
    own = [one.account for one in found if not await _is_anothers(desk, one.account)]
    card = Card(
        card_id=f"{CARD}{desk.rep.id}-{desk.message.message_id[-24:]}".translate(_CARD_SAFE),
        title=texts.similar_title(new.name),
        lines=(*lines, texts.similar_exists(new.name)),
        buttons=(
            *(Button(f"{USE}{one.id}", texts.use(one.name)) for one in own[:MOST_SHOWN]),
            Button(CREATE, "是另一家，新建"),
            Button(DROP, "不建了", style="danger"),
        ),
    )
    asked: dict[str, Any] = {
        "new": asdict(new), "since": since.isoformat(), "person_id": desk.rep.id,
    }  # fmt: skip
    await desk.show(card, subject=f"person:{desk.rep.id}", data=asked)


_CARD_SAFE = {ord(character): "-" for character in "=+/.:@ "}
