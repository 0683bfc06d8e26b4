"""`/admin/libraries`: the action libraries, their versions, who works by them; switched after a
look at what it comes to."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.library import ActionLibrary, ActionUnit
from bot.domain.people import Person
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from handlers.desk import Desk
from handlers.libraries import library_switch
from handlers.pages.admin import choosing, counter
from handlers.pages.admin.choosing import Given
from handlers.pages.admin.rooms import ADMINS, Asked, Room
from handlers.texts import admin as texts
from handlers.texts import libraries as library_texts
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LibraryLine:
    """users: the organisation and teams that work by it, with the version they have."""

    key: str
    label: str
    version: str
    stages: int
    units: int
    users: tuple[str, ...]
    versions: int


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an action library, and who sent it."""

    number: int
    label: str
    file_name: str
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage of an action library."""

    label: str
    stuck_days: int
    next: str


@dataclass(frozen=True, slots=True)
class UnitLine:
    """An action unit, in words."""

    label: str
    asks: str
    counts: bool
    rules: str


@dataclass(frozen=True, slots=True)
class LibrariesPage:
    """All action libraries."""

    rows: tuple[LibraryLine, ...]


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """preview: what a switch to this version comes to; () before it was asked for, `trouble` where
    it cannot be. asked_team: for whom, "" for everybody."""

    line: LibraryLine
    version: int
    stages: tuple[StageLine, ...]
    units: tuple[UnitLine, ...]
    versions: tuple[Version, ...]
    may_organisation: bool
    preview: tuple[str, ...]
    trouble: str
    asked_team: str


async def listed(room: Room, _: Asked) -> LibrariesPage:
    kept = [one.key for one in await room.tx.libraries.list_versions()]
    shelf = room.office.libraries
    rows = [await _line(room, one, kept.count(one.key)) for one in shelf.newest()]
    return LibrariesPage(tuple(rows))


async def shown(room: Room, asked: Asked) -> LibraryPage:
    """With `team` asked for, also what a switch comes to. Raises NotFound."""
    library = _library(room, asked)
    kept = [one for one in await room.tx.libraries.list_versions() if one.key == library.key]
    preview: tuple[str, ...] = ()
    trouble, team = "", asked.get("team", "").strip()
    if "team" in asked:
        try:
            preview = await _preview(room, library, team)
        except (InvalidInput, Refused, NotAllowed) as error:
            trouble = str(error)
    labels = {stage.key: stage.label for stage in library.stages}
    versions = [
        Version(
            one.version,
            library_texts.named(library.label, one.version),
            one.file_name,
            (await room.tx.people.get(one.person_id)).name,
            room.moment(one.added_at),
        )
        for one in reversed(kept)
    ]
    return LibraryPage(
        line=await _line(room, library, len(kept)),
        version=library.version,
        stages=tuple(
            StageLine(one.label, one.stuck_days, "、".join(labels[key] for key in one.next))
            for one in library.stages
        ),
        units=tuple(_unit(one) for one in library.units),
        versions=tuple(versions),
        may_organisation=bool(room.person.roles & ADMINS),
        preview=preview,
        trouble=trouble,
        asked_team=team,
    )


async def switch(desk: Desk, given: Given) -> None:
    """For the organisation, or for the team of `team`."""
    version = choosing.number(given.get("version", "0")) or 0
    library = desk.office.libraries.find(given.get("key", ""), version)
    if library is None:
        raise NotFound(texts.NO_SUCH_LIBRARY)
    team = await _team(desk.tx, given.get("team", ""))
    plan = await library_switch.planned(desk, library, team)
    _refuse_same(desk, library, team)
    await library_switch.switch(desk, plan)


async def _preview(room: Room, library: ActionLibrary, words: str) -> tuple[str, ...]:
    desk = await counter.open_desk(room.tx, room.office, room.person, room.at)
    team = await _team(room.tx, words)
    plan = await library_switch.planned(desk, library, team)
    _refuse_same(desk, library, team)
    return tuple(library_switch.preview_lines(desk, plan))


def _refuse_same(desk: Desk, library: ActionLibrary, team: Person | None) -> None:
    shelf = desk.office.libraries
    in_force = shelf.organisation if team is None else shelf.teams.get(team.id)
    if in_force is not None and in_force.ref == library.ref:
        whose = library_texts.team_of(team.name) if team else library_texts.ORGANISATION
        raise Refused(library_texts.in_use_already(whose, library.label))


def _library(room: Room, asked: Asked) -> ActionLibrary:
    version = choosing.number(asked.get("version", ""))
    found = room.office.libraries.find(asked.get("key", ""), version)
    if found is None:
        raise NotFound(texts.NO_SUCH_LIBRARY)
    return found


async def _team(tx: UnitOfWork, words: str) -> Person | None:
    return await choosing.person(tx, words) if words.strip() else None


async def _line(room: Room, library: ActionLibrary, kept: int) -> LibraryLine:
    shelf, users = room.office.libraries, []
    if shelf.organisation.key == library.key:
        users.append(f"{library_texts.ORGANISATION}{_version(shelf.organisation)}")
    for team_id, used in shelf.teams.items():
        if used.key == library.key:
            leader = await room.tx.people.get(team_id)
            users.append(f"{library_texts.team_of(leader.name)}{_version(used)}")
    return LibraryLine(
        key=library.key,
        label=library.label,
        version=f"第{library.version}版" if library.version else "自带",
        stages=len(library.stages),
        units=len(library.units),
        users=tuple(users),
        versions=kept,
    )


def _version(library: ActionLibrary) -> str:
    return f"（第{library.version}版）" if library.version else ""


def _unit(unit: ActionUnit) -> UnitLine:
    asks = [f"{slot.label}{'' if slot.required else '（可不填）'}" for slot in unit.slots]
    rules = [f"至少{unit.min_duration_s // 60}分钟"] if unit.min_duration_s else []
    rules += [f"{unit.deadline_h}小时内记录"] if unit.deadline_h else []
    return UnitLine(unit.label, "、".join(asks), unit.counts, "，".join(rules))
