"""Who may see and do what about bonuses; asked again wherever something happens."""

from __future__ import annotations

from datetime import datetime

from bot.domain.people import Person, Role
from bot.errors import NotAllowed
from handlers.customers import customers
from handlers.texts import payouts as texts
from storage.unit_of_work import UnitOfWork

OVERSEERS = frozenset({Role.FINANCE, Role.HRBP, Role.ADMIN, Role.SALES_DIRECTOR})
"""See everybody's."""
SETTLERS = frozenset({Role.FINANCE, Role.HRBP, Role.ADMIN})
"""Say whose a contract is, and propose a month."""
LOCKERS = SETTLERS | {Role.SALES_DIRECTOR}


async def may_see(tx: UnitOfWork, reader: Person, person_id: int) -> bool:
    """The own pay, that of those below, or everybody's by role."""
    if reader.id == person_id or reader.roles & OVERSEERS:
        return True
    return await customers.leads(tx, reader, person_id)


async def refuse_to_show(tx: UnitOfWork, reader: Person, person_id: int) -> None:
    """Raises NotAllowed."""
    if not await may_see(tx, reader, person_id):
        raise NotAllowed(texts.OWN_PAY_ONLY)


def refuse_others(person: Person, roles: frozenset[Role], words: str) -> None:
    """Raises NotAllowed with the words."""
    if not person.roles & roles:
        raise NotAllowed(words)


async def at_work(tx: UnitOfWork, role: Role, at: datetime) -> list[Person]:
    """Those with the role who are not on leave; all of them if nobody is there."""
    everybody = list(await tx.people.list_by_role(role))
    return [one for one in everybody if not one.on_leave(at)] or everybody
