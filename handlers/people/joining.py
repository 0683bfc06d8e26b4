"""One person on two platforms: an administrator joins the two accounts, or parts them again.

Members with the same mobile are joined by the directory itself. For the rest somebody has to
say so, and sees both before anything is changed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.people import Identity, Person, Role
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from bot.messages import Button, Card
from handlers.desk import Desk
from handlers.people.appointing import note_of_person, tell_person
from handlers.texts import directory as texts

JOIN = "join"
LEAVE_APART = "apart"
MOST_LISTED = 20

_IDENTITY = re.compile(
    r"(?P<platform>wecom|dingtalk|企业微信|企微|钉钉)[:：] *(?P<user_id>[\w.@-]+)"
)
_PLATFORM = re.compile(r" *[(（](?P<platform>企业微信|企微|钉钉)[)）]")
_FILLER = re.compile(r"[\s和与跟、,，+＋的]|账号")
_PLATFORMS = {"企业微信": "wecom", "企微": "wecom", "钉钉": "dingtalk"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whom an order names. lost: names and ids that nobody has."""

    people: tuple[Person, ...]
    lost: tuple[str, ...]


async def list_pairs(desk: Desk, words: str) -> None:
    """«账号»: who has the same name on both platforms; «账号 王伟»: everybody of that name."""
    _refuse_others(desk)
    active = await desk.tx.people.list_active()
    if words:
        found = [person for person in active if _plain(person.name) == _plain(words)]
        if not found:
            raise NotFound(texts.nobody_named([words]))
        desk.say_privately(texts.ACCOUNTS, "\n".join([await _described(desk, p) for p in found]))
        return
    pairs = _namesakes(active)
    lines = [texts.pair(*[await _described(desk, one) for one in pair]) for pair in pairs]
    both = sum(len(person.identities) > 1 for person in active)
    desk.say_privately(texts.ACCOUNTS, texts.pairs(both, lines[:MOST_LISTED], len(lines)))


async def ask(desk: Desk, words: str) -> None:
    """«合并账号 王伟», «绑定 wecom:wangwei dingtalk:0123»: shows both, and asks."""
    _refuse_others(desk)
    asked = await _whom(desk, words)
    if asked.lost:
        raise NotFound(texts.nobody_named(asked.lost))
    if not asked.people:
        raise InvalidInput(texts.JOIN_WHOM)
    if len(asked.people) > 2:
        listed = [await _described(desk, person) for person in asked.people]
        raise Refused(texts.which_two(listed))
    person, *others = asked.people
    if not others:
        joined = len(person.identities) > 1
        raise Refused(texts.joined_already(person.name) if joined else texts.only_one(person.name))
    await _show_question(desk, person, others[0])


async def press(desk: Desk) -> None:
    """«确认合并» or «取消» on that card. Raises NotAllowed for anybody but administrators."""
    _refuse_others(desk)
    action = desk.message.action
    assert action is not None
    _, person_id, other_id = action.card_id.split("-")
    try:
        person = await desk.tx.people.get(int(person_id))
        other = await desk.tx.people.get(int(other_id))
    except NotFound:
        raise Refused(texts.DECIDED_ALREADY) from None
    card = await _question(desk, person, other)
    if action.action == JOIN:
        await join(desk, person, other)
        closed = texts.JOINED
    else:
        desk.say(texts.left_apart(person.name, other.name))
        closed = texts.CANCELLED
    await desk.change(replace(card, buttons=(), closed=closed), subject=_subject(person))


async def part(desk: Desk, words: str) -> None:
    """«拆分账号 王伟»: undoes a join, whoever ordered it."""
    _refuse_others(desk)
    asked = await _whom(desk, words)
    if asked.lost or not asked.people:
        raise NotFound(texts.nobody_named(asked.lost) if asked.lost else texts.PART_WHOM)
    await part_person(desk, max(asked.people, key=lambda one: len(one.identities)))


async def part_person(desk: Desk, person: Person) -> None:
    """Raises NotAllowed, and Refused where there is only one account."""
    _refuse_others(desk)
    if len(person.identities) < 2:
        raise Refused(texts.only_one(person.name))
    memos = [await desk.tx.settings.get(_memo(identity)) for identity in person.identities]
    by_order = [index for index, memo in enumerate(memos) if memo]
    index = by_order[0] if by_order else 0  # without an order the directory did it, by mobile
    came = memos[index] or {"name": person.name, "mobile": None, "accounts": []}
    await _part(desk, person, person.identities[index], came)


async def join(desk: Desk, person: Person, other: Person) -> None:
    """Raises NotAllowed, and Refused for two members of one platform."""
    _refuse_others(desk)
    if _platforms(person) & _platforms(other):
        raise Refused(texts.same_platform(person.name, other.name))
    moved = await desk.tx.accounts.list_of_owner(other.id)
    joined = await desk.tx.people.join(person.id, other.id)
    uses = await desk.tx.libraries.list_uses()
    desk.tx.once_committed(lambda: desk.office.libraries.use_only(uses))
    for account in moved:
        desk.office.customers.put(replace(account, owner_id=joined.id))
    came = {"name": other.name, "mobile": other.mobile, "accounts": [one.id for one in moved]}
    for identity in other.identities:
        await desk.tx.settings.put(_memo(identity), came, desk.at)
    await desk.office.lights.on_leave_changed(desk.tx, joined, desk.at)
    await note_of_person(desk, "join_people", joined, _facts(person, other), _facts(joined))
    desk.say(texts.joined(joined.name, len(moved)))
    tell_person(desk, joined, texts.your_accounts_joined(desk.rep.name))


async def _part(desk: Desk, person: Person, identity: Identity, came: dict[str, Any]) -> None:
    """What came with the identity goes back to it, as far as it is still the person's."""
    other = await desk.tx.people.split(
        person.id, identity, name=came["name"], mobile=came["mobile"]
    )
    owned = await desk.tx.accounts.list_of_owner(person.id)
    returned = [account for account in owned if account.id in came["accounts"]]
    for account in returned:
        await desk.tx.accounts.transfer(account.id, other.id, desk.at)
        desk.office.customers.put(replace(account, owner_id=other.id))
    await desk.tx.settings.put(_memo(identity), None, desk.at)
    left = await desk.tx.people.get(person.id)
    await note_of_person(desk, "split_people", left, _facts(person), _facts(left, other))
    desk.say(texts.parted(person.name, identity.platform, len(returned)))
    for one in (left, other):
        tell_person(desk, one, texts.your_accounts_parted(desk.rep.name))


async def _whom(desk: Desk, words: str) -> _Asked:
    """Everybody whom the words name, by an id on a platform or by the name in the directory."""
    found: dict[int, Person] = {}
    lost: list[str] = []
    for match in _IDENTITY.finditer(words):
        platform = _PLATFORMS.get(match["platform"], match["platform"])
        person = await desk.tx.people.find_by_identity(platform, _user_id(platform, match))
        if person is None:
            lost.append(match[0])
        else:
            found[person.id] = person
    # «绑定 王伟 wecom:… dingtalk:…»: ids say it exactly, the name beside them is for the reader
    if found or lost:
        return _Asked(tuple(found.values()), tuple(lost))
    named, rest = _by_name(await desk.tx.people.list_active(), words)
    return _Asked(named, (rest,) if rest else ())


def _user_id(platform: str, match: re.Match[str]) -> str:
    return match["user_id"].lower() if platform == "wecom" else match["user_id"]


def _by_name(active: Sequence[Person], words: str) -> tuple[tuple[Person, ...], str]:
    """Longer names first, and a platform in brackets narrows; what is left over is no name."""
    found: dict[int, Person] = {}
    for name in sorted({person.name for person in active}, key=lambda one: (-len(one), one)):
        while (start := words.find(name)) >= 0:
            end = start + len(name)
            tag = _PLATFORM.match(words, end)
            platform = _PLATFORMS[tag["platform"]] if tag else ""
            for person in active:
                on = {identity.platform for identity in person.identities}
                if person.name == name and (not platform or platform in on):
                    found[person.id] = person
            words = f"{words[:start]} {words[tag.end() if tag else end :]}"
    return tuple(found.values()), _FILLER.sub("", words)


def may_be(person: Person, other: Person) -> bool:
    """Whether two of one name may be one human being."""
    return _plain(person.name) == _plain(other.name) and not (
        _platforms(person) & _platforms(other)
    )


def _namesakes(active: Sequence[Person]) -> list[tuple[Person, Person]]:
    """Two people of one name who share no platform, so may be one; by name."""
    of_name: dict[str, list[Person]] = defaultdict(list)
    for person in active:
        of_name[_plain(person.name)].append(person)
    return [
        (one, other)
        for _, people in sorted(of_name.items())
        for number, one in enumerate(people)
        for other in people[number + 1 :]
        if not _platforms(one) & _platforms(other)
    ]


async def _show_question(desk: Desk, person: Person, other: Person) -> None:
    if _platforms(person) & _platforms(other):
        raise Refused(texts.same_platform(person.name, other.name))
    if "wecom" in _platforms(other):
        person, other = other, person
    card = await _question(desk, person, other)
    known = await desk.tx.cards.get(card.card_id)
    revision = known.revision + 1 if known is not None else card.revision
    await desk.show_privately(replace(card, revision=revision), subject=_subject(person))


async def _question(desk: Desk, person: Person, other: Person) -> Card:
    facts = [*await _card_facts(desk, person), *await _card_facts(desk, other)]
    return Card(
        card_id=f"people-{person.id}-{other.id}",
        title=texts.JOIN_TITLE,
        lines=(texts.JOIN_QUESTION,),
        facts=tuple(facts),
        buttons=(Button(JOIN, "确认合并", style="primary"), Button(LEAVE_APART, "取消")),
    )


async def _card_facts(desk: Desk, person: Person) -> list[tuple[str, str]]:
    owned = len(await desk.tx.accounts.list_of_owner(person.id))
    facts = [
        texts.account(identity.platform, person.name, await desk.tx.people.departments_of(identity))
        for identity in person.identities
    ]
    return [*facts, texts.reached(person.mobile or "", owned)]


async def _described(desk: Desk, person: Person) -> str:
    where = [
        (identity.platform, identity.user_id, await desk.tx.people.departments_of(identity))
        for identity in person.identities
    ]
    owned = len(await desk.tx.accounts.list_of_owner(person.id))
    return texts.described(person.name, where, mobile=person.mobile or "", customers=owned)


def _refuse_others(desk: Desk) -> None:
    if Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.JOIN_NOT_YOURS)


def _facts(*people: Person) -> dict[str, object]:
    return {
        str(person.id): [f"{one.platform}:{one.user_id}" for one in person.identities]
        for person in people
    }


def _platforms(person: Person) -> set[str]:
    return {identity.platform for identity in person.identities}


def _plain(name: str) -> str:
    return "".join(name.split()).casefold()


def _subject(person: Person) -> str:
    return f"person:{person.id}"


def _memo(identity: Identity) -> str:
    """Where it stands what came with an identity that was joined."""
    return f"joined:{identity.platform}:{identity.user_id}"
