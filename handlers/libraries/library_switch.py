"""Change the action library of the organisation or of a team: first what would change, then one
press. Nothing in flight is lost: drafts are filled as they were begun, deals go to the stage that
fits, and what was recorded keeps its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.library import ActionLibrary, LibraryUse, map_stages
from bot.domain.people import Person, Role
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from bot.messages import Button, Card, OutboundMessage, Text
from handlers.desk import Desk
from handlers.leading import teams
from handlers.texts import libraries as texts
from storage.libraries import DealCount

CONFIRM = "confirm"
OVERSEERS = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})

_ORDER = re.compile(
    r"^(?P<name>.+?)(?:[ 　]*第(?P<version>\d{1,4})版)?"
    r"(?:[ ,，　]*给[ 　]*(?P<who>[\w·]{2,20}?)(?P<team>的?(?:团队|小组|组))?)?[。!！]?$"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a switch comes to. team: whose team it is for, None for the organisation.
    owners: the people concerned who have a living deal or an open draft."""

    library: ActionLibrary
    team: Person | None
    people: int
    owners: tuple[int, ...]
    deals: tuple[DealCount, ...]
    drafts: int

    @property
    def whose(self) -> str:
        return texts.team_of(self.team.name) if self.team is not None else texts.ORGANISATION


async def ask(desk: Desk, words: str) -> None:
    """«切换动作库 医疗器械», «切换动作库 医疗器械 给 李敏团队»: what would change, and a button.

    Raises NotAllowed, NotFound, InvalidInput, Refused with the words to say.
    """
    match = _ORDER.match(words.strip())
    if match is None:
        raise InvalidInput(texts.WHICH)
    shelf = desk.office.libraries
    version = int(match["version"]) if match["version"] else None
    library = shelf.find(match["name"].strip(" 「」"), version)
    if library is None:
        raise NotFound(texts.no_such_library(match["name"], [one.label for one in shelf.newest()]))
    who = match["who"] and match["who"] + (match["team"] or "")
    team = await teams.leader_named(desk.tx, who, speaker=desk.rep) if who else None
    if who and team is None:
        raise NotFound(texts.no_such_leader(who))
    plan = await planned(desk, library, team)
    in_force = shelf.organisation if team is None else shelf.teams.get(team.id)
    if in_force is not None and in_force.ref == library.ref:
        raise Refused(texts.in_use_already(plan.whose, library.label))
    await desk.show(_card(desk, plan), subject=_subject(plan))


async def press(desk: Desk) -> None:
    """«确认切换» or «取消». Who may, and what it comes to, is looked at again."""
    action = desk.message.action
    assert action is not None
    _, team_id, key, version, _ = action.card_id.split("-", 4)
    team = await desk.tx.people.get(int(team_id)) if team_id != "0" else None
    library = desk.office.libraries.find(key, int(version))
    if library is None:
        raise NotFound(texts.no_such_library(key, []))
    plan = await planned(desk, library, team)
    card = replace(_card(desk, plan), card_id=action.card_id, buttons=())
    if action.action != CONFIRM:
        await desk.change(replace(card, closed=texts.CANCELLED), subject=_subject(plan))
        desk.say(texts.NOTHING_CHANGED)
        return
    await desk.change(replace(card, closed=texts.SWITCHED), subject=_subject(plan))
    await switch(desk, plan)


async def switch(desk: Desk, plan: Plan) -> None:
    """As `planned` in this transaction: the new library holds, the deals stand in it, and the
    team's leader hears of it."""
    use = LibraryUse(plan.team.id if plan.team is not None else None, plan.library.ref)
    await desk.tx.libraries.use(use, by=desk.rep.id, at=desk.at)
    for old in sorted({one.library for one in plan.deals}):
        if old == plan.library.ref:
            continue
        stages = map_stages(desk.office.libraries.of(old), plan.library)
        await desk.tx.libraries.move_deals(
            plan.owners, old=old, new=plan.library, stages=stages, by=desk.rep.id, at=desk.at
        )
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="switch_library",
        subject=_subject(plan),
        before={"libraries": sorted({one.library for one in plan.deals})},
        after={"library": plan.library.ref, "deals": sum(one.count for one in plan.deals)},
    )
    desk.tx.once_committed(lambda: desk.office.libraries.use(use))
    label = texts.named(plan.library.label, plan.library.version)
    desk.say(texts.switched(plan.whose, label, sum(one.count for one in plan.deals)))
    if plan.team is not None and plan.team.id != desk.rep.id:
        _tell(desk, plan.team, texts.told_leader(label, desk.rep.name))


async def planned(desk: Desk, library: ActionLibrary, team: Person | None) -> Plan:
    """Raises NotAllowed, and Refused for a team of nobody."""
    _refuse_others(desk, team)
    lines = await desk.tx.libraries.leaders_of_everybody()
    teams = set(desk.office.libraries.teams) | ({team.id} if team is not None else set())
    wanted = team.id if team is not None else None
    concerned = {one for one, above in lines.items() if _nearest([one, *above], teams) == wanted}
    active = {person.id for person in await desk.tx.people.list_active()}
    if team is not None and concerned <= {team.id}:
        raise Refused(texts.leads_nobody(team.name))
    owners = sorted(concerned & set(await desk.tx.libraries.owners_of_living()))
    return Plan(
        library,
        team,
        people=len(concerned & active),
        owners=tuple(owners),
        deals=tuple(await desk.tx.libraries.count_deals(owners)),
        drafts=await desk.tx.libraries.count_drafts(owners),
    )


def _nearest(line: Sequence[int], teams: set[int]) -> int | None:
    return next((one for one in line if one in teams), None)


def _refuse_others(desk: Desk, team: Person | None) -> None:
    """Raises NotAllowed."""
    if team is None and Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.ADMINS_ONLY)
    own = team is not None and team.id == desk.rep.id and Role.SUPERVISOR in desk.rep.roles
    if team is not None and not own and not desk.rep.roles & OVERSEERS:
        raise NotAllowed(texts.TEAM_NOT_YOURS)


def preview_lines(desk: Desk, plan: Plan) -> list[str]:
    """What the switch comes to, in words."""
    library, shelf = plan.library, desk.office.libraries
    before = shelf.teams.get(plan.team.id) if plan.team is not None else None
    old = before or shelf.organisation
    old_units = {unit.label for unit in old.units}
    new_units = {unit.label: None for unit in library.units}
    return texts.preview(
        plan.whose,
        [texts.named(old.label, old.version)],
        people=plan.people,
        deals=sum(one.count for one in plan.deals),
        drafts=plan.drafts,
        moves=_moves(desk, plan),
        new_units=[label for label in new_units if label not in old_units],
        gone_units=[unit.label for unit in old.units if unit.label not in new_units],
    )


def _card(desk: Desk, plan: Plan) -> Card:
    library = plan.library
    team_id = plan.team.id if plan.team is not None else 0
    number = "".join(filter(str.isalnum, desk.message.message_id))[-12:]
    return Card(
        card_id=f"library-{team_id}-{library.key}-{library.version}-{number}",
        title=texts.preview_title(texts.named(library.label, library.version)),
        lines=tuple(preview_lines(desk, plan)),
        buttons=(
            Button(CONFIRM, texts.CONFIRM, style="primary"),
            Button("cancel", texts.CANCEL, style="danger"),
        ),
    )


def _moves(desk: Desk, plan: Plan) -> list[tuple[str, str, int]]:
    """Stage before, stage after, how many deals; in the order of the old stages, as one reads the
    way of a deal."""
    counted: Counter[tuple[str, str]] = Counter()
    rank: dict[str, int] = {}
    for one in plan.deals:
        old = desk.office.libraries.of(one.library)
        stage = old.stage(one.stage)
        mapped = map_stages(old, plan.library).get(one.stage, one.stage)
        after = plan.library.stage(mapped)
        key = (stage.label if stage else one.stage, after.label if after else mapped)
        counted[key] += one.count
        rank[key[0]] = old.stages.index(stage) if stage else len(old.stages)
    ordered = sorted(counted.items(), key=lambda item: (rank[item[0][0]], item[0]))
    return [(before, after, count) for (before, after), count in ordered]


def _subject(plan: Plan) -> str:
    return f"library:{plan.team.id if plan.team is not None else 'organisation'}"


def _tell(desk: Desk, person: Person, text: str) -> None:
    to = desk.office.address_of(person)
    if to is not None:
        key = f"{desk.incoming.source_id}:library:{person.id}"
        desk.add([OutboundMessage(key, to, Text(text))])
