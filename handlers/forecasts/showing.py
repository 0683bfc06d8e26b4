"""«预测», «预测 团队», «预测变化», «预测准确率»; and what supervisors put beside: a judgement, a
target, a CSM. The raw number is never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.domain import forecasts as rules
from bot.domain.forecasts import TOP, Bucket, Category, Forecast, Won
from bot.domain.opportunities import OpportunityState
from bot.domain.people import Person
from bot.errors import InvalidInput, NotAllowed
from handlers.customers import customers
from handlers.desk import Desk
from handlers.forecasts import lines, reading
from handlers.forecasts.reading import Signed
from handlers.leading import teams
from handlers.leading.teams import LEADING
from handlers.texts import submissions as texts
from handlers.texts.figures import week_number, week_words
from handlers.understanding.amounts import read_amount

_WEEKS = re.compile(r"(?P<first>\d{4}-W\d{2})[ ,，到至-]+(?P<second>\d{4}-W\d{2})")
_JUDGE = re.compile(r"\A(?P<who>\S{2,8}?)[ ,，]+(?P<amount>[^ ,，]{1,16})[ ,，]+(?P<why>.{2,300})")
_TARGET = re.compile(
    r"(?P<who>\S{2,8}?)[ ,，]+(?P<quarter>20\d\dQ[1-4])[ ,，]+(?P<amount>\S{1,16})"
)
_GONE = (OpportunityState.LOST, OpportunityState.INVALID)
_CSM = re.compile(r"\A(?P<customer>.{2,40}?)[ ,，]+(?P<who>\S{2,8})")


async def show(desk: Desk, words: str) -> None:
    """Raises NotAllowed."""
    if words in ("团队", "我的团队", "团队预测"):
        await show_team(desk, "")
        return
    found = await reading.newest(desk.tx, desk.office, [desk.rep], desk.at)
    if not found:
        desk.say(texts.NO_SNAPSHOT)
        return
    (forecast,) = found
    signed = await reading.signed(desk.tx, desk.office, found, desk.at)
    names = await lines.names_of(desk.tx, found)
    mark = await reading.mark_of(desk.tx, forecast)
    when = f"{texts.day_words(forecast.on_day)}提交" + (f"，{mark}" if mark else "")
    head = f"**预测 {week_words(forecast.week)}** {when}"
    told = [head, await _sums(desk, [desk.rep], signed), *await _beside(desk, found)]
    told += _by_bucket(desk, signed, names)
    customers.tell_alone(desk, "预测", "\n".join(told))


async def answer(desk: Desk) -> None:
    """«这个季度还差多少»: the newest forecast with its target; before there is one, how the
    quarter stands."""
    people = await _people(desk)
    if await reading.newest(desk.tx, desk.office, people, desk.at):
        await show(desk, "团队" if desk.rep.roles & LEADING else "")
        return
    aim = await reading.aim(desk.tx, desk.office, people, desk.at)
    if aim is None:
        quarter, won_fen = await reading.won(desk.tx, desk.office, people, desk.at)
        told = texts.no_target(quarter, won_fen)
    else:
        told = texts.target(aim.quarter, aim.target_fen, aim.won_fen, aim.commit_fen)
    customers.tell_alone(desk, "预测", f"{told}\n{texts.NO_SNAPSHOT}")


async def explain(desk: Desk, _: str) -> None:
    """«预测帮助»."""
    desk.say(texts.HELP)


async def show_changes(desk: Desk, words: str) -> None:
    """«预测变化», of the last two weeks or of two that are named; a leader's are their people's."""
    people = await _people(desk)
    known = await reading.history(desk.tx, desk.office, people, desk.at)
    weeks = sorted({one.week for one in known})
    match = _WEEKS.fullmatch(words)
    pair = [match["first"], match["second"]] if match else weeks[-2:]
    if len(pair) < 2 or not set(pair) <= set(weeks):
        desk.say(texts.NO_TWO)
        return
    before, after = ([one for one in known if one.week == week] for week in pair)
    names = await lines.names_of(desk.tx, [*before, *after])
    deals = await desk.tx.opportunities.list_some(names)
    states = {number: deal.state for number, deal in deals.items()}
    changes = rules.bridge(
        [line for one in before for line in one.lines],
        [line for one in after for line in one.lines],
        won=[n for n, state in states.items() if state is OpportunityState.WON],
        lost=[number for number, state in states.items() if state in _GONE],
    )
    was, now = (sum(x.amount_fen for one in side for x in one.lines) for side in (before, after))
    told = [texts.bridge_title(pair[0], pair[1], was, now)]
    for move in rules.Move:
        ones = [one for one in changes if one.move is move]
        if ones and move is not rules.Move.SAME:
            delta = sum(one.delta_fen for one in ones)
            told.append(texts.bridge_line(move, delta, [names[x.opportunity_id] for x in ones]))
    customers.tell_alone(desk, "预测变化", "\n".join(told))


async def show_accuracy(desk: Desk, _: str) -> None:
    people = await _people(desk)
    known = await reading.history(desk.tx, desk.office, people, desk.at)
    numbers = {line.opportunity_id for one in known for line in one.lines}
    calendar = desk.office.calendar
    won = {
        number: Won(calendar.day_of(at), fen)
        for number, (at, fen) in (await desk.tx.forecasts.wins(numbers)).items()
    }
    scores = rules.accuracies(known, won, calendar.day_of(desk.at))
    names = {str(one.id): one.name for one in people}
    told = [texts.ACCURACY_TITLE]
    for (kind, key), found in sorted(scores.by.items()):
        if kind == "rep" and len(people) > reading.MOST_PEOPLE:
            continue
        label = {"rep": names.get(key, key), "horizon": f"{key}天"}.get(kind, key)
        told.append(texts.accuracy(label, found.share, found.lines, found.slipped))
    if len(told) == 1:
        told.append("还没有到期的预测。")
    customers.tell_alone(desk, "预测准确率", "\n".join(told))


async def judge(desk: Desk, words: str) -> None:
    """«预测判断 张伟 30万 原因». Raises InvalidInput, NotAllowed."""
    match = _JUDGE.fullmatch(words)
    fen = read_amount(match["amount"]) if match else None
    if match is None or fen is None:
        raise InvalidInput(texts.JUDGE_HOW)
    person = await _led(desk, match["who"], texts.JUDGE_HOW)
    found = await reading.newest(desk.tx, desk.office, [person], desk.at)
    if not found:
        desk.say(texts.NO_SNAPSHOT)
        return
    await desk.tx.forecasts.judge(found[0].id, fen, match["why"], by=desk.rep.id, at=desk.at)
    desk.say(texts.judged(person.name, found[0].week, fen))


async def set_target(desk: Desk, words: str) -> None:
    """«预测目标 张伟 2026Q1 500万». Raises InvalidInput, NotAllowed."""
    match = _TARGET.fullmatch(words)
    fen = read_amount(match["amount"]) if match else None
    if match is None or fen is None:
        raise InvalidInput(texts.TARGET_HOW)
    person = await _led(desk, match["who"], texts.TARGET_HOW)
    await desk.tx.forecasts.set_target(person.id, match["quarter"], fen, by=desk.rep.id, at=desk.at)
    desk.say(texts.target_set(person.name, match["quarter"], fen))


async def set_csm(desk: Desk, words: str) -> None:
    """«设置客户成功 恒锐机电 刘洋», by who leads. Raises InvalidInput, NotAllowed."""
    match = _CSM.fullmatch(words)
    account = await customers.exactly(desk, match["customer"]) if match else None
    who = match["who"] if match else ""
    named = [one for one in await desk.tx.people.list_active() if one.name == who]
    if account is None or len(named) != 1:
        raise InvalidInput(texts.CSM_HOW)
    if not desk.rep.roles & LEADING:
        raise NotAllowed(texts.LEADERS_ONLY)
    await customers.refuse_to_show(desk, account)
    if named[0].id == account.owner_id:
        raise InvalidInput(texts.NOT_OWN_REVIEW)
    await desk.tx.forecasts.set_csm(account.id, named[0].id, by=desk.rep.id, at=desk.at)
    desk.say(texts.csm_set(account.name, named[0].name))


async def show_team(desk: Desk, _: str) -> None:
    """«团队预测», for who leads. Raises NotAllowed."""
    if not desk.rep.roles & LEADING:
        raise NotAllowed(texts.LEADERS_ONLY)
    people = await teams.below(desk.tx, desk.rep)
    found = await reading.newest(desk.tx, desk.office, people, desk.at)
    if not found:
        desk.say(texts.NO_SNAPSHOT)
        return
    signed = await reading.signed(desk.tx, desk.office, found, desk.at)
    names = await lines.names_of(desk.tx, found)
    told = ["**团队预测**", await _sums(desk, people, signed)]
    missing = [p.name for p in people if p.id not in {one.person_id for one in found}]
    if len(people) > reading.MOST_PEOPLE:
        told += await _by_team(desk, found, signed)
    else:
        told += await _one_by_one(desk, people, found, signed)
    told += [texts.not_yet_submitted(missing)] if missing else []
    top = sorted(signed, key=lambda x: -x.line.amount_fen)[:TOP]
    told += [f"**金额最大的{len(top)}个**", *(f"- {_line(one, names)}" for one in top)]
    told += [f"- {texts.risk_asked(names[x.line.opportunity_id])}" for x in top if not x.line.risk]
    customers.tell_alone(desk, "团队预测", "\n".join(told))


async def _one_by_one(
    desk: Desk, people: Sequence[Person], found: Sequence[Forecast], signed: Sequence[Signed]
) -> list[str]:
    persons = {person.id: person.name for person in people}
    marks = await reading.marks(desk.tx, found)
    told = []
    for one in found:
        own = [x for x in signed if x.line.forecast_id == one.id]
        mark = f"，{marks[one.id]}" if one.id in marks else ""
        told.append(
            f"- {persons[one.person_id]}（{week_number(one.week)}{mark}）：{_category_words(own)}"
        )
        told += [f"  - {line}" for line in await _beside(desk, [one])]
    return told


async def _by_team(desk: Desk, found: Sequence[Forecast], signed: Sequence[Signed]) -> list[str]:
    """The teams with the largest sums; a team: its people and how many have submitted."""
    crews = await teams.by_supervisor(desk.tx, desk.at)
    names = await desk.tx.people.names(one for one in crews if one)
    team_of = {person.id: leader for leader, people in crews.items() for person in people}
    person_of = {one.id: one.person_id for one in found}
    own: dict[int, list[Signed]] = {}
    for one in signed:
        leader = team_of.get(person_of[one.line.forecast_id], 0)
        own.setdefault(leader, []).append(one)
    ranked = sorted(own, key=lambda one: -sum(x.line.amount_fen for x in own[one]))
    told = []
    for leader in ranked[: reading.MOST_PEOPLE]:
        count = sum(team_of.get(one.person_id, 0) == leader for one in found)
        label = texts.team(names.get(leader, ""), count, len(crews.get(leader, ())))
        told.append(f"- {label}：{_category_words(own[leader])}")
    left = len(ranked) - reading.MOST_PEOPLE
    return [*told, *([texts.more_teams(left)] if left > 0 else [])]


async def _people(desk: Desk) -> list[Person]:
    """Whom a leader leads; a rep alone."""
    led = await teams.below(desk.tx, desk.rep) if desk.rep.roles & LEADING else []
    return led or [desk.rep]


async def _led(desk: Desk, name: str, how: str) -> Person:
    named = [one for one in await desk.tx.people.list_active() if one.name == name]
    if len(named) != 1:
        raise InvalidInput(how)
    leads = await customers.leads(desk.tx, desk.rep, named[0].id)
    overseer = bool(desk.rep.roles & teams.OVERSEERS)
    if named[0].id == desk.rep.id or not (leads or overseer):
        raise NotAllowed(texts.LEADERS_ONLY)
    return named[0]


def _category_words(signed: Sequence[Signed]) -> str:
    found = reading.sums(signed)
    return texts.sums([(one, *found[one]) for one in Category])


async def _sums(desk: Desk, people: Sequence[Person], signed: Sequence[Signed]) -> str:
    """The three categories, and how they stand against the targets of the quarter."""
    told = _category_words(signed)
    aim = await reading.aim(desk.tx, desk.office, people, desk.at)
    if aim is None:
        return told
    return f"{told}\n{texts.target(aim.quarter, aim.target_fen, aim.won_fen, aim.commit_fen)}"


async def _beside(desk: Desk, found: Sequence[Forecast]) -> list[str]:
    judged = await desk.tx.forecasts.judgements(one.id for one in found)
    names = await desk.tx.people.names({one.by for one in judged.values()})
    return [
        texts.judgement(one.amount_fen, names.get(one.by, ""), one.reason)
        for one in judged.values()
    ]


def _by_bucket(desk: Desk, signed: Sequence[Signed], names: Mapping[int, str]) -> list[str]:
    """Seen from today: deals slide by themselves; what is past its day stands first."""
    today = desk.office.calendar.day_of(desk.at)
    told: list[str] = []
    for bucket in (None, *Bucket):
        ones = [x for x in signed if rules.bucket_of(x.line.expected_on, today) is bucket]
        if ones:
            told.append(f"**{texts.BUCKETS[bucket] if bucket else '已过预计日期'}**")
            ordered = sorted(ones, key=lambda x: x.line.expected_on)
            told += [f"- {_line(one, names)}" for one in ordered]
    return told


def _line(signed: Signed, names: Mapping[int, str]) -> str:
    line = signed.line
    return texts.line(
        names[line.opportunity_id],
        line.level,
        line.amount_fen,
        line.expected_on,
        standing=signed.standing,
        scores=signed.scores,
        risk=line.risk,
    )
