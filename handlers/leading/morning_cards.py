"""The morning list of a rep: one card at digest time, worked down to empty."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from bot.domain.notifying import first_allowed
from bot.messages import Button, Card, Field, Option, OutboundMessage
from handlers.leading import worklist
from handlers.leading.worklist import TO_WORK, Item, Kind
from handlers.lights.light_cards import Watch
from handlers.texts import alerts as alert_texts
from handlers.texts import morning as texts
from handlers.texts.dialog import short_name
from storage.cards import ShownCard
from storage.unit_of_work import UnitOfWork

CALLED, WRITE, LATER, REFRESH = "called", "write", "later", "refresh"
ITEM = "item"
TOLD = "told"
UNCHOSEN = "-"  # a drop-down that was left alone
PREFIX = "morning-"
OFFERED = 9  # a drop-down of WeCom holds ten, of which one says "please choose"
_OF_DEALS = (Kind.RED, Kind.YELLOW, Kind.OVERDUE, Kind.TODAY, Kind.STUCK)


async def send(tx: UnitOfWork, watch: Watch, at: datetime) -> list[OutboundMessage]:
    """Working days at digest time: a card for everybody who has something to do. What has a
    message of its own this morning is no reason for one, and stands on it in one line."""
    today = watch.calendar.day_of(at)
    people = await tx.people.list_active()
    lists = await worklist.of_people(tx, watch, people, at)
    at_work = [one for one in people if not one.on_leave(at)]  # who is away may still ask for it
    pushed = await tx.lights.pushes.told_since(watch.calendar.midnight(today), lists)
    messages = []
    for person in at_work:
        items = lists.get(person.id, [])
        address = watch.address_of(person)
        told = {one.key for one in items if _told(watch, person.id, one, pushed, at)}
        if address is None or not _wants_a_word(watch, items, told, today):
            continue
        card = build(watch, person.id, items, at, told=told)
        data = {TOLD: sorted(told)}  # open even if empty: `morning.follow` changes it
        await tx.cards.put(
            ShownCard(card.card_id, card.revision, card.card_id, address.key, "open", data, at)
        )
        evening = watch.calendar.moment(today, watch.policy.pushes.quiet_from)
        messages.append(OutboundMessage(card.card_id, address, card, expires_at=evening))
    return messages


def build(
    watch: Watch, person_id: int, items: Sequence[Item], at: datetime, *, told: Collection[str]
) -> Card:
    """The list as it stands; closed when nothing is left on it. told: keys of items that have a
    message of their own this morning."""
    todo = to_work(items, told)
    today = watch.calendar.day_of(at)
    shown = todo[: watch.policy.pushes.group_max]
    named = [
        (number, item.account_name) for number, item in enumerate(shown, 1) if item.key in told
    ]
    lines = [
        texts.numbered(number, item.line)
        for number, item in enumerate(shown, 1)
        if item.key not in told
    ]
    lines += [texts.told(named)] if named else []
    lines += [texts.more(len(todo) - len(shown))] if len(todo) > len(shown) else []
    stuck = [item.account_name for item in items if item.kind is Kind.STUCK]
    waiting = sum(item.kind is Kind.WAITING for item in items)
    quiet = sum(item.quiet for item in items)
    lines += [] if todo or stuck else [texts.EMPTY]
    lines += [texts.waiting(waiting)] if waiting else []
    lines += [texts.stuck(stuck)] if stuck else []
    lines += [texts.quiet(quiet)] if quiet else []
    lines += [alert_texts.uncovered(today.year)] if not watch.calendar.covers(today) else []
    return Card(
        card_id=card_id_of(person_id, today),
        title=texts.title(today, [str(item.kind) for item in todo], stuck=len(stuck)),
        lines=tuple(lines),
        fields=_choice(todo),
        buttons=_BUTTONS if todo else (),
        closed="" if todo else texts.DONE,
    )


def to_work(items: Sequence[Item], told: Collection[str]) -> list[Item]:
    """What the rep can do something about now, each customer once: one whose draft is open is
    in work already, and one whose minutes are owed wants no call before them. Last what the rep
    was told of otherwise."""
    own_line = (Kind.DRAFT, Kind.OWED)
    elsewhere = {item.account_id for item in items if item.kind in own_line}
    wanted = [item for item in items if item.kind in TO_WORK and not item.quiet]
    left = [item for item in wanted if item.kind in own_line or item.account_id not in elsewhere]
    return sorted(left, key=lambda item: (item.key in told, TO_WORK.index(item.kind)))


def told_on(card: ShownCard | None) -> Collection[str]:
    """`told` of a list that was sent."""
    return frozenset(card.data.get(TOLD, ())) if card is not None else frozenset()


def card_id_of(person_id: int, on: date) -> str:
    return f"{PREFIX}{person_id}-{on:%Y%m%d}"


def _told(
    watch: Watch, person_id: int, item: Item, pushed: set[tuple[int, int]], at: datetime
) -> bool:
    """Whether a message of its own tells of it today: its light was pushed, and the promise is
    no news either; or one follows before any word is repeated."""
    policy, calendar = watch.policy.pushes, watch.calendar
    today = calendar.day_of(at)
    if item.kind in _OF_DEALS:
        # Promised for today, or overdue since the list before this one.
        promised_on = item.promised_on
        is_new = promised_on is not None and calendar.next_workday(promised_on) >= today
        return (person_id, item.number) in pushed and not is_new
    since = calendar.midnight(today)
    until = calendar.add(policy.repeat_clock, at, policy.repeat_after)
    spoken = (first_allowed(one, policy=policy, calendar=calendar) for one in item.words_at)
    return any(since <= one < until for one in spoken)


def _wants_a_word(watch: Watch, items: Sequence[Item], told: Collection[str], today: date) -> bool:
    """Beside new things to do, a stage that stands still is told of once a week."""
    todo = to_work(items, told)
    news = [item for item in todo if item.key not in told]
    stuck = any(item.kind is Kind.STUCK for item in items)
    return bool(news) or (stuck and not todo and _begins_week(watch, today))


def _begins_week(watch: Watch, today: date) -> bool:
    """The first working day of its week."""
    monday = today - timedelta(days=today.weekday())
    return not any(
        watch.calendar.is_workday(monday + timedelta(days=n)) for n in range(today.weekday())
    )


def _choice(todo: Sequence[Item]) -> tuple[Field, ...]:
    options = tuple(
        Option(item.key, texts.numbered(number, short_name(item.account_name) or "客户待定"))
        for number, item in enumerate(todo[:OFFERED], 1)
    )
    if len(options) < 2:
        return ()
    return (Field(ITEM, texts.WHICH, options=options, value=options[0].id),)


_BUTTONS = (
    Button(CALLED, texts.CALLED, style="primary"),
    Button(WRITE, texts.WRITE),
    Button(LATER, texts.LATER),
    Button(REFRESH, texts.REFRESH),
)
