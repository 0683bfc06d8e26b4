"""Whose contacts somebody may bind, and to whose customers."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.opportunities import Account
from bot.domain.people import Identity, Person, Role
from bot.errors import NotAllowed
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading import teams
from handlers.texts import binding as texts
from storage.unit_of_work import UnitOfWork

OVERSEERS = teams.OVERSEERS


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose customers and contacts somebody may bind. person_ids: whose customers; members: who has
    the contacts. None: everybody's."""

    person_ids: frozenset[int] | None
    members: tuple[Identity, ...] | None

    def reaches(self, account: Account) -> bool:
        return self.person_ids is None or account.owner_id in self.person_ids


async def of_speaker(desk: Desk) -> Scope:
    """As far as who speaks here may reach."""
    return await of_person(desk.tx, desk.rep)


async def of_person(tx: UnitOfWork, person: Person) -> Scope:
    """A person's own, a supervisor's with those of the team, an overseer's all."""
    if person.roles & OVERSEERS:
        return Scope(None, None)
    people: list[Person] = [person]
    if Role.SUPERVISOR in person.roles:
        people += await teams.below(tx, person)
    members = tuple(identity for person in people for identity in person.identities)
    return Scope(frozenset(person.id for person in people), members)


async def may_bind(desk: Desk, account: Account) -> bool:
    """Who looks after this customer, leads who does, stands in for them, or oversees all."""
    if desk.rep.roles & OVERSEERS:
        return True
    return await customers.may_log(desk.tx, desk.rep, account, desk.at)


async def refuse_others(desk: Desk, account: Account) -> None:
    """Raises NotAllowed."""
    if not await may_bind(desk, account):
        raise NotAllowed(texts.not_yours(account.name))
