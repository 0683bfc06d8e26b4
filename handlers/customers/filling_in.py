"""What identifies a known customer, told later: credit code, telephone, domain."""

from __future__ import annotations

from bot.domain.opportunities import Account
from bot.errors import InvalidInput
from handlers.customers import customers, duplicates
from handlers.customers.new_customers import NewCustomer
from handlers.desk import Desk
from handlers.texts import customers as texts


async def note(desk: Desk, words: str) -> None:
    """«客户资料 恒锐机电 91330100799655058B 0571-87654321 hengrui.com»: kept, and whoever has
    the same is named."""
    if not words:
        raise InvalidInput(texts.FACTS_HOW)
    told = NewCustomer.read(words)
    account = await customers.named(desk, told.name)
    if account is None:
        return
    await customers.refuse_foreign(desk, account)
    numbers = {"credit_code": told.credit_code, "phone": told.phone, "domain": told.domain}
    given = {name: value for name, value in numbers.items() if value}
    if not given:
        raise InvalidInput(texts.FACTS_HOW)
    before = {name: getattr(account, name) for name in given}
    account = await desk.tx.accounts.identify(account.id, **given)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="identify_customer",
        subject=f"account:{account.id}",
        before=before,
        after=given,
    )
    desk.say(texts.facts_kept(account.name, account.credit_code, account.phone, account.domain))
    await _name_the_same(desk, account, told)


async def _name_the_same(desk: Desk, account: Account, told: NewCustomer) -> None:
    for likely in await duplicates.find(desk.tx, told.card(), desk.at):
        other = likely.account
        if other.id != account.id and likely.same:
            owner = await desk.tx.people.get(other.owner_id)
            desk.say(texts.same_as(account.name, other.name, owner.name, likely.reasons))
