"""What customers do by themselves: views and downloads, what they mean, and how warm it makes
a customer (docs/signals.md).

An *event* is one thing that happened: a page was seen, a file fetched, a mail answered. A
*signal* is what a rule of the policy finds in events; it has a weight that halves with its age.
Heat is the sum, so it can be told signal by signal, and each signal names its events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.calendar import ClockKind, WorkingCalendar

PAGE = "page"
PARAMETERS = "parameters"
WHITE_PAPER = "white_paper"
REPLY = "reply"
MEETING = "meeting"
LINK = "link"


@dataclass(frozen=True, slots=True)
class SignalRule:
    """One rule. kind: of the events it looks at. more_than: it fires with the first event above
    so many within `within_days`; 0: with each. silent_h: only if we have not touched the customer
    in so many hours on `clock` after that event, and not before they are over; 0: at once.
    weight: of a fresh signal. half_life_days: calendar days until half of it is left. task: the
    rep is asked at once to get in touch."""

    key: str
    label: str
    kind: str
    weight: float
    half_life_days: float
    more_than: int = 0
    within_days: int = 7
    silent_h: int = 0
    clock: ClockKind = ClockKind.WORKDAY
    task: bool = False


RULES = (
    SignalRule("parameters", "反复看参数页", PARAMETERS, 1.0, 7, more_than=3, task=True),
    SignalRule("white_paper", "下载白皮书后没人联系", WHITE_PAPER, 1.5, 14, silent_h=24, task=True),
    SignalRule("reply", "客户回信", REPLY, 2.0, 14),
    SignalRule("meeting", "见面或会议", MEETING, 3.0, 30),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """How events of websites become signals, and how long they are kept. rules: as they fire.
    visit_gap_min: what comes later than that is another visit. anonymous_days: how long events that
    nobody is known for are kept. known_days: the same of a customer's, of which the signals and the
    stream say enough. link_days: how long a link in material names its contact. hot: heat from
    which a customer stands in front."""

    rules: tuple[SignalRule, ...] = field(default=RULES)
    visit_gap_min: int = 30
    anonymous_days: int = 90
    known_days: int = 365
    link_days: int = 30
    hot: float = 2.0

    @property
    def visit_gap(self) -> timedelta:
        return timedelta(minutes=self.visit_gap_min)

    def rule(self, key: str) -> SignalRule | None:
        """None for one that the policy no longer has: its signals are history."""
        return next((rule for rule in self.rules if rule.key == key), None)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. id: ours. page: path, or a file's name. visitor: who it was, as
    far as that is known; "" for somebody of the customer. seconds: of looking at the page."""

    id: int
    kind: str
    at: datetime
    page: str = ""
    visitor: str = ""
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Signal:
    """What a rule found. at: when it became true. events: ids, oldest first. pages: what was
    looked at, without repeats."""

    rule: str
    at: datetime
    events: tuple[int, ...]
    pages: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same events find the same signal again."""
        return f"{self.rule}:{self.events[-1]}"


def find(
    rule: SignalRule,
    events: Iterable[Event],
    touches: Sequence[datetime],
    now: datetime,
    calendar: WorkingCalendar,
) -> list[Signal]:
    """Every signal of `rule` that has come true by `now`.

    Events that made a signal are used up: eight views where more than three count are two
    signals. touches: our valid touches of the customer, rising.
    """
    window = timedelta(days=rule.within_days)
    found: list[Signal] = []
    waiting: list[Event] = []
    for event in sorted(events, key=lambda one: (one.at, one.id)):
        if event.kind != rule.kind:
            continue
        waiting = [one for one in waiting if event.at - one.at <= window] + [event]
        if len(waiting) <= rule.more_than:
            continue
        true_at = _true_at(rule, event.at, calendar)
        if true_at <= now and not _touched(touches, event.at, true_at, rule):
            pages = tuple(dict.fromkeys(one.page for one in waiting if one.page))
            found.append(Signal(rule.key, true_at, tuple(one.id for one in waiting), pages))
        waiting = []
    return found


def next_true_at(rule: SignalRule, event: Event, calendar: WorkingCalendar) -> datetime | None:
    """When to look again because of `event`; None where the rule does not wait."""
    if rule.kind != event.kind or not rule.silent_h:
        return None
    return _true_at(rule, event.at, calendar)


def _true_at(rule: SignalRule, at: datetime, calendar: WorkingCalendar) -> datetime:
    return calendar.add(rule.clock, at, timedelta(hours=rule.silent_h)) if rule.silent_h else at


def _touched(
    touches: Sequence[datetime], since: datetime, until: datetime, rule: SignalRule
) -> bool:
    return bool(rule.silent_h) and any(since <= touch <= until for touch in touches)


@dataclass(frozen=True, slots=True)
class Share:
    """What one signal adds to the heat now."""

    signal: Signal
    rule: SignalRule
    heat: float


@dataclass(frozen=True, slots=True)
class Heat:
    """How warm a customer is now. total: Σ w·2^(−age/h). shares: of which signals, the warmest
    first."""

    total: float
    shares: tuple[Share, ...]


def heat(signals: Iterable[Signal], policy: SignalPolicy, now: datetime) -> Heat:
    """Signals of rules that are gone count no more; those that are still to come, neither."""
    shares = []
    for signal in signals:
        rule = policy.rule(signal.rule)
        if rule is not None and signal.at <= now:
            age = (now - signal.at) / timedelta(days=rule.half_life_days)
            shares.append(Share(signal, rule, rule.weight * 2**-age))
    shares.sort(key=lambda share: (-share.heat, share.signal.key))
    return Heat(sum(share.heat for share in shares), tuple(shares))


@dataclass(frozen=True, slots=True)
class Visit:
    """Events of one visitor without a long pause: what the stream shows as one entry."""

    events: tuple[Event, ...]

    @property
    def begun_at(self) -> datetime:
        return self.events[0].at

    @property
    def ended_at(self) -> datetime:
        return self.events[-1].at

    @property
    def minutes(self) -> int:
        """At least one; what pages report goes before what lies between them."""
        told = sum(event.seconds for event in self.events)
        between = (self.ended_at - self.begun_at).total_seconds()
        return max(round(max(told, between) / 60), 1)


def visits(events: Iterable[Event], gap: timedelta) -> list[Visit]:
    """One visitor's events, cut where nothing came for longer than `gap`."""
    found: list[list[Event]] = []
    for event in sorted(events, key=lambda one: (one.at, one.id)):
        if found and event.at - found[-1][-1].at <= gap:
            found[-1].append(event)
        else:
            found.append([event])
    return [Visit(tuple(one)) for one in found]


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event as it was told, before anybody asks whose it is.

    site: the website's name, or "stream" for what we know ourselves. event_id: given
    by the sender, unique within the site. link_id: of the link by which the visitor came.
    consent: the visitor agreed to be known. account_id: where the sender knows the customer.
    """

    site: str
    event_id: str
    visitor: str
    kind: str
    at: datetime
    received_at: datetime
    page: str = ""
    seconds: int = 0
    link_id: int | None = None
    consent: bool = False
    account_id: int | None = None
