"""The lock of a week's forecast, and its reopening by whoever leads the rep, with a reason:
docs/forecast.md. One further submission may follow; what was locked stays as it was."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from enum import Enum, auto

from bot.domain import forecasts as rules
from bot.domain.forecasts import Forecast
from bot.domain.people import Person
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import Button, Card, Field, Option, OutboundMessage, Text
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading.teams import OVERSEERS
from handlers.people.leaders import leaders_of
from handlers.texts import forecast_locks as texts
from handlers.texts import submissions
from storage.forecast_reopenings import Reopening

CARD = "reopen-"
REOPEN, KEEP = "reopen", "keep"
REASON = "reason"
NOT_CHOSEN = "-"
ASKED, DECIDED = "asked", "decided"  # why the rep asks, and what became of it
LONGEST_REASON = 200
_REOPEN = re.compile(r"(?P<who>\S{2,8}?)(?:[ ,，:：]+(?P<why>.{2,200}))?")


class Turn(Enum):
    """What a submission of this week would be."""

    FREE = auto()  # before the lock
    LATE = auto()  # after it, the first one
    REOPENED = auto()
    LOCKED = auto()


async def turn(desk: Desk, on_day: date) -> Turn:
    """The speaker's. on_day: the day of submission of that week."""
    if not _is_past_lock(desk, on_day):
        return Turn.FREE
    week = rules.week_of(on_day)
    known = (await desk.tx.forecasts.newest_of_week(week, [desk.rep.id])).get(desk.rep.id)
    if known is None:
        return Turn.LATE
    reopened = await desk.tx.forecast_reopenings.of_locked(known.id)
    return Turn.LOCKED if reopened is None else Turn.REOPENED


async def ask(desk: Desk, words: str) -> None:
    """«申请重开预测 原因»: whoever leads the rep is asked. Raises InvalidInput, Refused."""
    locked = await _locked(desk, desk.rep)
    if await desk.tx.forecast_reopenings.of_locked(locked.id) is not None:
        raise Refused(texts.OPEN_NOW)
    why = words.strip()[:LONGEST_REASON]
    if len(why) < 2:
        raise InvalidInput(texts.ASK_HOW)
    leaders = [
        one
        for one in await leaders_of(desk.tx, desk.rep.id, desk.at)
        if one.id != desk.rep.id and desk.office.address_of(one) is not None
    ]
    for leader in leaders:
        await _send_card(desk, leader, locked, why)
    desk.say(texts.asked([one.name for one in leaders]))


async def press(desk: Desk) -> None:
    """«重开» or «不重开» on the card. Raises NotAllowed, NotFound, Refused."""
    action = desk.message.action
    assert action is not None
    locked = await desk.tx.forecasts.get_for_update(int(action.card_id.split("-")[1]))
    rep = await desk.tx.people.get(locked.person_id)
    await _refuse_others(desk, rep)
    known = await desk.tx.cards.get(action.card_id)
    asked = known.data.get(ASKED, "") if known is not None else ""
    card = _card(action.card_id, rep, locked, asked)
    reason = action.values.get(REASON, "").strip()
    decided = known.data.get(DECIDED) if known is not None else None
    if decided is not None:
        told = words = decided
    elif action.action == KEEP:
        told = words = texts.kept(desk.rep.name)
        _tell(desk, rep, locked, texts.refused(locked.week, desk.rep.name))
    elif reason in ("", NOT_CHOSEN):
        await desk.change(card, subject=_subject(locked), data={ASKED: asked})
        desk.say(texts.REASON_WANTED)
        return
    else:
        told = await _reopen(desk, rep, locked, reason)
        words = texts.done(desk.rep.name, reason)
    for leader in await leaders_of(desk.tx, rep.id, desk.at):
        await _close(desk, f"{CARD}{locked.id}-{leader.id}", words)
    closed = replace(card, fields=(), buttons=(), closed=words)
    await desk.change(closed, subject=_subject(locked), data={ASKED: asked, DECIDED: words})
    desk.say(told)


async def by_words(desk: Desk, words: str) -> None:
    """«重开预测 张伟 原因», asked for or not. Raises InvalidInput, NotAllowed, Refused."""
    match = _REOPEN.fullmatch(words.strip())
    name = match["who"] if match else ""
    named = [one for one in await desk.tx.people.list_active() if one.name == name]
    if match is None or len(named) != 1 or match["why"] is None:
        raise InvalidInput(texts.REOPEN_HOW)
    await _refuse_others(desk, named[0])
    locked = await desk.tx.forecasts.get_for_update((await _locked(desk, named[0])).id)
    desk.say(await _reopen(desk, named[0], locked, match["why"]))
    for leader in await leaders_of(desk.tx, named[0].id, desk.at):
        card_id = f"{CARD}{locked.id}-{leader.id}"
        await _close(desk, card_id, texts.done(desk.rep.name, match["why"]))


def _is_past_lock(desk: Desk, on_day: date) -> bool:
    return desk.at >= desk.office.calendar.moment(on_day, desk.office.policy.forecasts.lock_at)


async def _locked(desk: Desk, rep: Person) -> Forecast:
    """What counts of this week for that rep. Raises Refused where nothing is locked."""
    calendar = desk.office.calendar
    on_day = rules.submission_day(calendar.day_of(desk.at), calendar)
    if not _is_past_lock(desk, on_day):
        raise Refused(texts.NOT_LOCKED)
    found = await desk.tx.forecasts.newest_of_week(rules.week_of(on_day), [rep.id])
    if rep.id not in found:
        raise Refused(texts.NOTHING_LOCKED)
    return found[rep.id]


async def _reopen(desk: Desk, rep: Person, locked: Forecast, reason: str) -> str:
    """What to say to who did it. locked: held, so that two who decide come one by one."""
    if (await _locked(desk, rep)).id != locked.id:
        raise Refused(texts.ANOTHER_COUNTS)
    if not await desk.tx.forecast_reopenings.add(
        Reopening(locked.id, desk.rep.id, reason, desk.at)
    ):
        return texts.OPEN_NOW
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="reopen_forecast",
        subject=f"forecast:{locked.id}",
        before={"locked": True},
        after={"person_id": rep.id, "week": locked.week, "reason": reason},
    )
    _tell(desk, rep, locked, texts.reopened(locked.week, desk.rep.name, reason))
    return texts.you_reopened(rep.name, locked.week)


async def _refuse_others(desk: Desk, rep: Person) -> None:
    leads = await customers.leads(desk.tx, desk.rep, rep.id)
    if rep.id == desk.rep.id or not (leads or desk.rep.roles & OVERSEERS):
        raise NotAllowed(texts.NOT_YOURS)


def _tell(desk: Desk, rep: Person, locked: Forecast, words: str) -> None:
    to = desk.office.address_of(rep)
    if to is not None:
        key = f"reopen:{locked.id}:{desk.incoming.source_id}"
        desk.add([OutboundMessage(key, to, Text(words))])


async def _send_card(desk: Desk, leader: Person, locked: Forecast, why: str) -> None:
    """Once for a submission, whatever else the rep adds; at night it waits for the morning."""
    to = desk.office.address_of(leader)
    card_id = f"{CARD}{locked.id}-{leader.id}"
    if to is None or await desk.tx.cards.get(card_id) is not None:
        return
    card = _card(card_id, desk.rep, locked, why)
    await desk.tx.cards.show(card, to.key, subject=_subject(locked), at=desk.at, data={ASKED: why})
    morning = desk.office.first_allowed(desk.at)
    desk.add([OutboundMessage(card_id, to, card, not_before=morning, subject=_subject(locked))])


async def _close(desk: Desk, card_id: str, words: str) -> None:
    """The first decision stands: whoever else was asked is told of it when they press."""
    known = await desk.tx.cards.get(card_id)
    if known is not None and DECIDED not in known.data:
        await desk.tx.cards.close(known, data={**known.data, DECIDED: words}, at=desk.at)


def _card(card_id: str, rep: Person, locked: Forecast, why: str) -> Card:
    total = sum(line.amount_fen for line in locked.lines)
    options = tuple(Option(words, words) for words in texts.REASONS)
    return Card(
        card_id=card_id,
        title=texts.TITLE,
        lines=(texts.question(rep.name, locked.week), texts.HOW),
        facts=(
            ("销售", rep.name),
            ("已锁定", submissions.locked_sum(locked.week, len(locked.lines), total)),
            ("申请理由", why),
        ),
        fields=(Field(REASON, texts.REASON, options=options),),
        buttons=(Button(REOPEN, "重开", style="primary"), Button(KEEP, "不重开")),
    )


def _subject(locked: Forecast) -> str:
    return f"reopen:{locked.id}"
