"""How somebody's days went: a leader about one of their people, «陈静这周干了啥», «小张今天打了几个
电话», and everybody about themselves, «我这周打了几个电话», «帮我写个周报»."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, time, timedelta

from bot.domain.activities import Activity
from bot.domain.people import Person
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading import teams
from handlers.leading.teams import LEADING
from handlers.texts import one_of_them as texts

LATEST = 1000
"""Entries that are looked through, the newest first."""
SHOWN = 6

_ASKS = re.compile(
    r"[干做记](?:了|过)?(?:啥|什么|些)|忙(?:啥|什么)|(?:跟进?|打|见|跑|拜访|联系|记)了(?:几|多少|哪|谁)"
    r"|情况|怎么样|咋样|表现|完整率|过程数据|工作量|跟进了吗|有没有跟进"
)
_WHEN = re.compile(r"今天|昨天|[这本]个?(?:周|星期|礼拜)|上个?(?:周|星期|礼拜)|(?:这个|本)月")
_ABOUT_ONESELF = re.compile(
    rf"^(?:看看|查下|帮我看看)?(?:我(?:都)?(?:{_WHEN.pattern})?|(?:{_WHEN.pattern})我?)(?:已经|一共|总共|都)*"
    r"(?:[干做记](?:了|过)?(?:啥|什么|些啥|些什么)|(?:跟进?|打|见|跑|拜访|联系|记)了(?:几|多少|哪|谁).{0,8}"
    r"|(?:跟进|工作|干活)(?:情况|得怎么样|得咋样|怎么样|咋样))"
)
_PLEASE = (
    r"(?:请|麻烦)?(?:帮我|给我|替我)?(?:写|生成|整理|汇总|总结|出|做|发|看看?)?(?:一?[个份下])?"
)
_REPORT = re.compile(
    rf"^{_PLEASE}(?:我的?)?(?:{_WHEN.pattern})?的?(?:[日周月]报|(?:记录|工作|跟进)(?:小结|总结|汇总))"
    r"(?:怎么写|怎么弄)?[吧呗。?？!！ ]*$"
    rf"|^(?:{_WHEN.pattern})我?的?(?:记录|工作|跟进)(?:请|麻烦)?(?:帮我|给我)?(?:汇总|总结|小结|整理)"
    r"(?:一?下)?[吧呗。?？!！ ]*$"
)
_REPORT_OF = {"日报": "今天", "周报": "本周", "月报": "本月"}
_LONGEST = 24


async def take(desk: Desk, text: str) -> bool:
    """Whether it was such a question about the speaker, or somebody whom the speaker leads."""
    if len(text) > _LONGEST:
        return False
    leads = bool(desk.rep.roles & LEADING)
    own = _ABOUT_ONESELF.match(text) or _REPORT.match(text)
    if own is not None and (not leads or "我" in own[0]):
        await _tell(desk, desk.rep, text)
        return True
    if not leads or not _ASKS.search(text):
        return False
    person = await _meant(desk, text)
    if person is None:
        return False
    await _tell(desk, person, text)
    return True


async def _meant(desk: Desk, text: str) -> Person | None:
    """The one of the speaker's people with whose name, or else nickname, the text begins."""
    people = await teams.below(desk.tx, desk.rep)
    named = [one for one in people if text.startswith(one.name)]
    named = named or [one for one in people if text.startswith(teams.nicknames(one))]
    return named[0] if len(named) == 1 else None


async def _tell(desk: Desk, person: Person, text: str) -> None:
    calendar = desk.office.calendar
    first, last = _days(_when(text), calendar.day_of(desk.at))
    since = calendar.moment(first, time.min)
    until = calendar.moment(last + timedelta(days=1), time.min)
    share = (await desk.tx.figures.actions([person.id], since, until)).get(person.id)
    lights = (await desk.tx.figures.lights([person.id])).get(person.id)
    told = await _told_of(desk, person, first, last)
    kinds = Counter(entry.title for entry in told)
    accounts = await desk.tx.accounts.list_some([entry.account_id for entry in told[:SHOWN]])
    lines = [
        texts.entry(entry.recorded_at.astimezone(desk.office.zone), names.name, entry.title)
        for entry in told[:SHOWN]
        if (names := accounts.get(entry.account_id)) is not None
    ]
    head = texts.head(person.name, first, last)
    customers.tell_alone(desk, head, texts.summary(head, share, kinds, lights, lines))


async def _told_of(desk: Desk, person: Person, first: date, last: date) -> Sequence[Activity]:
    """What they recorded on these days and did not take back, the newest first."""
    newest = await desk.tx.activities.last_of_actor(person.id, LATEST)
    gone = {entry.retracts_id for entry in newest}
    calendar = desk.office.calendar
    return [
        entry
        for entry in newest
        if first <= calendar.day_of(entry.recorded_at) <= last
        and entry.id not in gone
        and entry.retracts_id is None
    ]


def _when(text: str) -> str:
    said = _WHEN.search(text)
    if said is not None:
        return said[0]
    return next((when for report, when in _REPORT_OF.items() if report in text), "")


def _days(said: str, today: date) -> tuple[date, date]:
    """The first and last day that are meant; the last seven where none are named."""
    monday = today - timedelta(days=today.weekday())
    if said.endswith("月"):
        return today.replace(day=1), today
    if said == "今天":
        return today, today
    if said == "昨天":
        return today - timedelta(days=1), today - timedelta(days=1)
    if said.startswith("上"):
        return monday - timedelta(days=7), monday - timedelta(days=1)
    return (monday if said else today - timedelta(days=6)), today
