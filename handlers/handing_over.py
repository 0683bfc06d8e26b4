"""A customer changes hands: owner, open opportunities, lights and the names in memory."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.opportunities import Account
from bot.domain.people import Person
from handlers.desk import Desk


async def hand_over(desk: Desk, account: Account, to: Person) -> None:
    """The new owner's clock starts now. Whoever is concerned is told by the caller."""
    await desk.tx.accounts.transfer(account.id, to.id, desk.at)
    desk.office.customers.put(replace(account, owner_id=to.id))
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
