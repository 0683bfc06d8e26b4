"""Whose forecasts somebody looks at: their own, one person's, a team's, or everybody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.machine_forecasts import TOTAL, of_rep, of_team
from bot.domain.people import Person
from bot.errors import NotAllowed, NotFound
from handlers.leading import teams
from handlers.leading.teams import LEADING
from storage.unit_of_work import UnitOfWork

NOT_YOURS = "这是别人的预测，只有他的主管、销售总监和管理员能看。"

Part = tuple[str, str, tuple[Person, ...]]
"""One row of the list: its name, its address, whose forecasts it sums up."""


@dataclass(frozen=True, slots=True)
class Scope:
    """machine: the key of what the machine foresees for them. parts: the list below, where there
    is one. way_back: the address of the page above, "" on the highest."""

    title: str
    people: tuple[Person, ...]
    machine: str
    parts: tuple[Part, ...] = ()
    way_back: str = ""


async def scope_of(tx: UnitOfWork, reader: Person, asked: Mapping[str, str], at: datetime) -> Scope:
    """Raises NotAllowed, NotFound."""
    person, team = asked.get("person", ""), asked.get("team", "")
    leads = bool(reader.roles & LEADING)
    below = await teams.below(tx, reader) if leads else []
    if person:
        found = next((one for one in below if str(one.id) == person), None)
        if found is None and person != str(reader.id):
            raise NotAllowed(NOT_YOURS)
        back = "/forecast" if leads else ""
        return _own(found or reader, way_back=back)
    if not below:
        return _own(reader)
    if reader.roles & teams.OVERSEERS:
        crews = await teams.by_supervisor(tx, at)
        if team:
            return await _crew(tx, crews, team)
        names = await tx.people.names(one for one in crews if one)
        parts = [
            (names.get(leader, "没有主管") + ("团队" if leader else ""),
             f"/forecast?team={leader}", tuple(people))
            for leader, people in crews.items()
        ]  # fmt: skip
        return Scope("全公司的预测", tuple(below), TOTAL, tuple(sorted(parts)))
    return Scope("团队的预测", tuple(below), of_team(reader.id), _each(below))


def _own(person: Person, *, way_back: str = "") -> Scope:
    return Scope(f"{person.name}的预测", (person,), of_rep(person.id), way_back=way_back)


async def _crew(tx: UnitOfWork, crews: Mapping[int, Sequence[Person]], team: str) -> Scope:
    leader = next((one for one in crews if str(one) == team), None)
    if leader is None:
        raise NotFound("没有这个团队。")
    name = (await tx.people.get(leader)).name if leader else "没有主管的人"
    people = crews[leader]
    title = f"{name}{'团队' if leader else ''}的预测"
    return Scope(title, tuple(people), of_team(leader), _each(people), way_back="/forecast")


def _each(people: Sequence[Person]) -> tuple[Part, ...]:
    ordered = sorted(people, key=lambda one: (one.name, one.id))
    return tuple((one.name, f"/forecast?person={one.id}", (one,)) for one in ordered)
