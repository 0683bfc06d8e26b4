"""`/admin/policies`: every number with its meaning, default and present value; changed by a form
that first shows what it comes to."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.domain.people import Person
from bot.domain.policy_changes import (
    SETTINGS,
    PolicyChange,
    Setting,
    Value,
    ValueKind,
    setting_of,
    value_of,
)
from bot.errors import InvalidInput, NotFound, Refused
from handlers.desk import Desk
from handlers.pages.admin import choosing, counter
from handlers.pages.admin.choosing import Given
from handlers.pages.admin.rooms import Asked, Room
from handlers.policy import policy_switch
from handlers.texts import admin as texts
from handlers.texts import libraries as library_texts
from handlers.texts import policy as policy_texts
from storage.unit_of_work import UnitOfWork

HISTORY = 20


@dataclass(frozen=True, slots=True)
class SettingLine:
    """teams: how many have a number of their own. last: who changed it when, "" for nobody."""

    key: str
    label: str
    meaning: str
    now: str
    default: str
    changed: bool
    teams: int
    last: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a number that was made."""

    when: str
    who: str
    whose: str
    was: str
    to: str


@dataclass(frozen=True, slots=True)
class PoliciesPage:
    """groups: (heading, its numbers)."""

    groups: tuple[tuple[str, tuple[SettingLine, ...]], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the change comes to. was: what must still be in force when it is made."""

    value: str
    team: str
    lines: tuple[str, ...]
    was: str


@dataclass(frozen=True, slots=True)
class SettingPage:
    """kind: a ValueKind. written: the present value as it is typed. own: teams with a number of
    their own, with it. preview: None before anything was asked; trouble: why there is none."""

    line: SettingLine
    kind: str
    unit: str
    written: str
    example: str
    per_team: bool
    may_organisation: bool
    own: tuple[tuple[str, str], ...]
    history: tuple[Change, ...]
    preview: Preview | None
    trouble: str
    asked_value: str
    asked_team: str


async def listed(room: Room, _: Asked) -> PoliciesPage:
    newest: dict[str, PolicyChange] = {}
    for change in await room.tx.policy_changes.in_force():
        newest[change.key] = change
    groups: dict[str, list[SettingLine]] = {}
    for one in SETTINGS:
        table = one.key.split(".")[0]
        line = await _line(room, one, newest.get(one.key))
        groups.setdefault(policy_texts.group(table), []).append(line)
    return PoliciesPage(tuple((heading, tuple(lines)) for heading, lines in groups.items()))


async def shown(room: Room, asked: Asked) -> SettingPage:
    """With `value` asked for, what the change would come to. Raises NotFound."""
    one = _setting(asked.get("key", ""))
    policies = room.office.policies
    changes = await room.tx.policy_changes.list_last(key=one.key, limit=HISTORY)
    preview, trouble = None, ""
    if "value" in asked:
        try:
            preview = await _preview(room, one, asked)
        except (InvalidInput, Refused) as error:
            trouble = str(error)
    words = policy_texts.WORDS[one.key]
    own = [
        (
            library_texts.team_of((await room.tx.people.get(team)).name),
            policy_texts.value(one, policies.own(team)[one.key]),
        )
        for team in policies.teams_with(one.key)
    ]
    return SettingPage(
        line=await _line(room, one, changes[0] if changes else None),
        kind=str(one.kind),
        unit=words.unit,
        written=_written(one, value_of(policies.organisation, one.key)),
        example=policy_texts.example(one),
        per_team=one.per_team,
        may_organisation=policy_switch.may_change(room.person, one, None),
        own=tuple(own),
        history=tuple([await _told(room, change) for change in changes]),
        preview=preview,
        trouble=trouble,
        asked_value=asked.get("value", ""),
        asked_team=asked.get("team", ""),
    )


async def change(desk: Desk, given: Given) -> None:
    """As it was previewed; refused where the number is another one by now."""
    one = _setting(given.get("key", ""))
    team = await _team(desk.tx, given.get("team", ""))
    to = _value(one, given.get("value", ""))
    plan, _ = await policy_switch.change(desk, one, team, to, was=_seen(given.get("was", "")))
    policy_switch.tell_changed(desk, plan)


async def _preview(room: Room, one: Setting, asked: Asked) -> Preview:
    desk = await counter.open_desk(room.tx, room.office, room.person, room.at)
    team = await _team(room.tx, asked.get("team", ""))
    to = _value(one, asked.get("value", ""))
    plan = await policy_switch.preview(desk, one, team, to)
    return Preview(
        value=policy_texts.BY_DEFAULT[0] if to is None else _written(one, to),
        team=f"#{team.id}" if team is not None else "",
        lines=tuple(policy_switch.preview_lines(desk, plan)),
        was=json.dumps(plan.was, ensure_ascii=False),
    )


def _setting(key: str) -> Setting:
    """Raises NotFound."""
    try:
        return setting_of(key)
    except StopIteration:
        raise NotFound(texts.NO_SUCH_SETTING) from None


async def _team(tx: UnitOfWork, words: str) -> Person | None:
    return await choosing.person(tx, words) if words.strip() else None


def _value(one: Setting, words: str) -> Value | None:
    """None: by default. Raises InvalidInput."""
    words = words.strip()
    if words in policy_texts.BY_DEFAULT:
        return None
    if not words:
        raise InvalidInput(texts.WHAT_VALUE)
    found = policy_texts.read_value(one, words)
    if found is None:
        raise InvalidInput(policy_texts.unreadable(one, words))
    return found


def _seen(words: str) -> Value:
    """Raises InvalidInput."""
    try:
        found: Value = json.loads(words)
    except (ValueError, RecursionError):
        raise InvalidInput(texts.NO_PAGE) from None
    return found


def _written(one: Setting, value: Value) -> str:
    """As it can be typed again."""
    if isinstance(value, bool):
        return policy_texts.ON if value else policy_texts.OFF
    if isinstance(value, list):
        return "、".join(str(item) for item in value)
    if one.kind in (ValueKind.COUNTED_ON, ValueKind.RELATIVE_TO):
        return policy_texts.value(one, value)
    return str(value)


async def _line(room: Room, one: Setting, last: PolicyChange | None) -> SettingLine:
    policies, words = room.office.policies, policy_texts.WORDS[one.key]
    who = (await room.tx.people.get(last.person_id)).name if last is not None else ""
    return SettingLine(
        key=one.key,
        label=words.label,
        meaning=words.meaning,
        now=policy_texts.value(one, value_of(policies.organisation, one.key)),
        default=policy_texts.value(one, value_of(policies.base, one.key)),
        changed=one.key in policies.own(None),
        teams=len(policies.teams_with(one.key)),
        last=f"{who} {room.moment(last.at)}" if last is not None else "",
    )


async def _told(room: Room, change: PolicyChange) -> Change:
    one, people = setting_of(change.key), room.tx.people
    team = await people.get(change.team_id) if change.team_id is not None else None
    return Change(
        when=room.moment(change.at),
        who=(await people.get(change.person_id)).name,
        whose=policy_switch.whose(team),
        was="默认" if change.before is None else policy_texts.value(one, change.before),
        to="默认" if change.after is None else policy_texts.value(one, change.after),
    )
