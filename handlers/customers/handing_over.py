"""A customer changes hands: owner, open opportunities, what records still
owe, lights and the names in memory."""

from __future__ import annotations

from bot.domain.opportunities import Account
from bot.domain.people import Person
from handlers.desk import Desk


async def hand_over(desk: Desk, account: Account, to: Person) -> None:
    """The new owner's clock starts now; out of the pool, if it lies there. Whoever is concerned
    is told by the caller."""
    if account.in_pool_since is None:
        await desk.tx.accounts.transfer(account.id, to.id, desk.at)
    else:
        await desk.tx.pool.take(account.id, to.id, at=desk.at, calendar=desk.office.calendar)
    await desk.tx.deadlines.hand_over(account.id, of=account.owner_id, to=to.id)
    desk.office.customers.put(await desk.tx.accounts.get(account.id))
    for deal in await desk.tx.opportunities.open_of_account(account.id):
        desk.add(await desk.office.lights.on_state_changed(desk.tx, deal, desk.at))
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="transfer_customer",
        subject=f"account:{account.id}",
        before={"owner_id": account.owner_id},
        after={"owner_id": to.id},
    )
