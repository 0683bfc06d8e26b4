"""Who leads whom, and what somebody is in the company, by an administrator's word.

It goes before what the platforms and titles say, until it is taken back.
"""

from __future__ import annotations

import re

from bot.domain.leaders import leaders_above
from bot.domain.people import Person, PersonStatus, Role
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from bot.messages import OutboundMessage, Text
from handlers.desk import Desk
from handlers.texts import appointing as texts
from handlers.texts.pages import ROLES

_BY_WORD = {word: role for role, word in ROLES.items()} | texts.OTHER_WORDS
_BETWEEN = re.compile(r"[\s、,，和+＋]+")
_DEFAULT = frozenset({"默认", "按通讯录", "取消"})


async def set_supervisor(desk: Desk, words: str) -> None:
    """«设置主管 张伟 李敏»; «设置主管 张伟 默认»: as the platform says again."""
    _refuse_others(desk)
    name, leader_name = _two(words, texts.SUPERVISOR_HOW)
    person = await _person(desk, name)
    leader = None if leader_name in _DEFAULT else await _person(desk, leader_name)
    await appoint_supervisor(desk, person, leader)


async def appoint_supervisor(desk: Desk, person: Person, leader: Person | None) -> None:
    """None: as the platform says. Raises NotAllowed, and Refused for a leader who is led by the
    person."""
    _refuse_others(desk)
    if leader is None:
        await _supervise(desk, person, None)
        desk.say(texts.supervisor_by_platform(person.name))
        return
    if leader.id == person.id:
        raise Refused(texts.not_oneself(person.name))
    above = leaders_above(await desk.tx.people.leader_facts(leader.id))
    if person.id in {one.id for one in above}:
        raise Refused(texts.is_below(leader.name, person.name))
    await _supervise(desk, person, leader)
    desk.say(texts.supervisor_set(person.name, leader.name))
    tell_person(desk, person, texts.your_supervisor(leader.name))
    tell_person(desk, leader, texts.you_lead(person.name))


async def set_roles(desk: Desk, words: str) -> None:
    """«设置角色 张伟 销售、主管»; «设置角色 张伟 默认»: by title again."""
    _refuse_others(desk)
    name, rest = _two(words, texts.ROLES_HOW)
    person = await _person(desk, name)
    if rest in _DEFAULT:
        await appoint_roles(desk, person, None)
        return
    given = [one for one in _BETWEEN.split(rest) if one]
    unknown = [one for one in given if one.upper() not in _BY_WORD]
    if unknown:
        raise InvalidInput(texts.no_such_role(unknown[0], list(ROLES.values())))
    await appoint_roles(desk, person, frozenset(_BY_WORD[one.upper()] for one in given))


async def appoint_roles(desk: Desk, person: Person, roles: frozenset[Role] | None) -> None:
    """None: by title. Raises NotAllowed, and Refused where nobody would be left to administer."""
    _refuse_others(desk)
    if roles is None:
        await desk.tx.people.follow_titles(person.id)
        await note_of_person(desk, "set_roles", person, {"roles": _words(person)}, {"roles": None})
        desk.say(texts.roles_by_title(person.name))
        return
    await _refuse_last(desk, person, roles)
    await desk.tx.people.set_roles(person.id, roles)
    changed = await desk.tx.people.get(person.id)
    await note_of_person(
        desk, "set_roles", person, {"roles": _words(person)}, {"roles": _words(changed)}
    )
    desk.say(texts.roles_set(person.name, _words(changed)))
    tell_person(desk, person, texts.your_roles(_words(changed)))


async def _supervise(desk: Desk, person: Person, leader: Person | None) -> None:
    await desk.tx.people.set_supervisor_override(person.id, leader.id if leader else None)
    before: dict[str, object] = {"supervisor": person.supervisor_override_id}
    after: dict[str, object] = {"supervisor": leader.id if leader else None}
    await note_of_person(desk, "set_supervisor", person, before, after)


async def _refuse_last(desk: Desk, person: Person, roles: frozenset[Role]) -> None:
    if Role.ADMIN in roles or Role.ADMIN not in person.roles:
        return
    others = [one for one in await desk.tx.people.list_by_role(Role.ADMIN) if one.id != person.id]
    if not others:
        raise Refused(texts.LAST_ADMIN)


async def _person(desk: Desk, name: str) -> Person:
    found = [one for one in await desk.tx.people.named(name) if one.status is PersonStatus.ACTIVE]
    if not found:
        raise NotFound(texts.nobody_named(name))
    if len(found) > 1:
        raise Refused(texts.several_named(name))
    return found[0]


def _two(words: str, how: str) -> tuple[str, str]:
    name, _, rest = words.strip().partition(" ")
    if not name or not rest.strip():
        raise InvalidInput(how)
    return name, rest.strip()


def _words(person: Person) -> list[str]:
    return [word for role, word in ROLES.items() if role in person.roles]


def _refuse_others(desk: Desk) -> None:
    if Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.ADMINS_ONLY)


def tell_person(desk: Desk, person: Person, text: str) -> None:
    """Whoever it is about, but for the speaker."""
    to = desk.office.address_of(person)
    if to is not None and person.id != desk.rep.id:
        key = f"{desk.incoming.source_id}:tell:{person.id}"
        desk.add([OutboundMessage(key, to, Text(text))])


async def note_of_person(
    desk: Desk, action: str, person: Person, before: dict[str, object], after: dict[str, object]
) -> None:
    """In the audit chain, as the speaker's doing."""
    await desk.tx.audit.append(
        at=desk.at, actor=f"person:{desk.rep.id}", action=action, subject=f"person:{person.id}",
        before=before, after=after,
    )  # fmt: skip
