"""«设置»: the numbers of the policy, what each means, and the order to change one."""

from __future__ import annotations

import re

from bot.domain.people import Person, Role
from bot.domain.policy_changes import SETTINGS, PolicyChange, Setting, Value, setting_of, value_of
from bot.errors import InvalidInput, NotAllowed, NotFound
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading import teams
from handlers.policy import policy_switch
from handlers.policy.policy_switch import whose
from handlers.texts import libraries as library_texts
from handlers.texts import policy as texts

OVERSEERS = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})

_ORDER = re.compile(
    r"(?P<name>[^ :：=]+)(?:[ :：=]+(?P<value>.+?))?(?:[ ,，]*给 ?(?P<team>[\w·]{2,24}))?"
)
_BY_WORDS = re.compile(
    r"^(?:请|帮我|麻烦)?(?:给(?P<team>[\w·]{2,12}?(?:团队|组)))?的?(?:把|将)?(?P<name>[\w·]{2,10}?)"
    r"(?:的?时间)?(?:改成|改为|设成|设为|调成|调到|改到|设到)"
    r"(?P<value>[^ ,，。！!]{1,12}?)[吧。！!]*$"
)
_DIGITS = {word: number for number, word in enumerate("一二三四五六七八九十", start=1)} | {"两": 2}


async def run(desk: Desk, words: str) -> None:
    """«设置», «设置 黄灯天数», «设置 黄灯天数 2», «设置 黄灯天数 2 给 李敏团队». Raises NotAllowed,
    NotFound, InvalidInput, Refused with the words to say."""
    if not desk.rep.roles & OVERSEERS:
        raise NotAllowed(texts.ADMINS_ONLY)
    match = _ORDER.fullmatch(words.strip())
    if match is None:
        _list(desk)
        return
    key = texts.key_of(match["name"])
    if key is None:
        raise NotFound(texts.which(match["name"]))
    setting = setting_of(key)
    if match["value"] is None:
        await _explain(desk, setting)
        return
    team = await _team(desk, match["team"]) if match["team"] else None
    await policy_switch.ask(desk, setting, team, _value(setting, match["value"]))


async def take(desk: Desk, text: str) -> bool:
    """«黄灯天数改成2天», «给李敏团队黄灯改成两天»: whether the text was such an order. Raises
    NotAllowed, InvalidInput, Refused."""
    match = _BY_WORDS.match(text.strip())
    key = texts.key_in(match["name"]) if match else None
    if match is None or key is None:
        return False
    if not desk.rep.roles & OVERSEERS:
        raise NotAllowed(texts.ADMINS_ONLY)
    setting = setting_of(key)
    team = await _team(desk, match["team"]) if match["team"] else None
    value = _DIGITS.get(match["value"][0])
    said = f"{value}{match['value'][1:]}" if value else match["value"]
    await policy_switch.ask(desk, setting, team, _value(setting, said))
    return True


async def history(desk: Desk, _: str) -> None:
    """«设置记录»: who changed what. Raises NotAllowed."""
    if not desk.rep.roles & OVERSEERS:
        raise NotAllowed(texts.ADMINS_ONLY)
    last = await desk.tx.policy_changes.list_last(limit=texts.HISTORY)
    customers.tell_alone(desk, "设置记录", texts.history([await _told(desk, one) for one in last]))


def _value(setting: Setting, text: str) -> Value | None:
    """None: back to the default. Raises InvalidInput."""
    if text in texts.BY_DEFAULT:
        return None
    value = texts.read_value(setting, text)
    if value is None:
        raise InvalidInput(texts.unreadable(setting, text))
    return value


def _list(desk: Desk) -> None:
    policies = desk.office.policies
    lines = [
        (one.key, texts.value(one, value_of(policies.organisation, one.key)),
         one.key in policies.own(None))
        for one in SETTINGS
    ]  # fmt: skip
    customers.tell_alone(desk, "设置", texts.listing(lines))


async def _explain(desk: Desk, setting: Setting) -> None:
    policies = desk.office.policies
    own = []
    for team_id in policies.teams_with(setting.key):
        leader = await desk.tx.people.get(team_id)
        now = texts.value(setting, policies.own(team_id)[setting.key])
        own.append(f"{library_texts.team_of(leader.name)} {now}")
    last = await desk.tx.policy_changes.list_last(key=setting.key, limit=1)
    told = texts.explained(
        setting,
        now=texts.value(setting, value_of(policies.organisation, setting.key)),
        default=texts.value(setting, value_of(policies.base, setting.key)),
        teams=own,
        last=await _told(desk, last[0]) if last else "",
    )
    customers.tell_alone(desk, "设置", told)


async def _told(desk: Desk, change: PolicyChange) -> str:
    setting = setting_of(change.key)
    team = await desk.tx.people.get(change.team_id) if change.team_id is not None else None
    by = await desk.tx.people.get(change.person_id)
    default = f"默认（{texts.value(setting, value_of(desk.office.policies.base, setting.key))}）"
    local = desk.office.calendar.local(change.at)
    return texts.history_line(
        setting,
        day=f"{local.month}月{local.day}日 {local:%H:%M}",
        by=by.name,
        whose=whose(team),
        was=default if change.before is None else texts.value(setting, change.before),
        to=default if change.after is None else texts.value(setting, change.after),
    )


async def _team(desk: Desk, words: str) -> Person:
    found = await teams.leader_named(desk.tx, words, speaker=desk.rep)
    if found is None:
        raise NotFound(library_texts.no_such_leader(words))
    return found
