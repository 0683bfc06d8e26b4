"""Forecasts that people submit: buckets, categories, co-signing, changes, accuracy.

Money in fen; days are local. In words: docs/forecast.md."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.calendar import WorkingCalendar
from bot.domain.levels import Level

HORIZON_DAYS = 90
QUESTIONS = 5
TOP = 20


class Bucket(StrEnum):
    """By the days from today to the expected closing; how often it is to be confirmed."""

    WEEKLY = "weekly"  # 0-30
    FORTNIGHTLY = "fortnightly"  # 31-60, in even ISO weeks
    MONTHLY = "monthly"  # 61-90, on the first working day of a month


class Category(StrEnum):
    """The field's usual three. PIPELINE is what is neither."""

    COMMIT = "commit"
    BEST_CASE = "best_case"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class Line:
    """A deal as it was forecast; never edited. answers: the rep's, 0..100 to each question, () for
    a level that wants no second signature. evidence: ids of what held."""

    id: int
    forecast_id: int
    opportunity_id: int
    level: Level
    amount_fen: int
    expected_on: date
    evidence: tuple[int, ...] = ()
    risk: str = ""
    answers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """One submission of a rep for a week; a later one of the same week takes its place. late: it
    came after the lock."""

    id: int
    person_id: int
    week: str
    on_day: date
    late: bool
    submitted_at: datetime
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Cosign:
    """The second signature under a line. answers: () until signed. agreed_score: of the review."""

    id: int
    line_id: int
    csm_id: int | None
    asked_at: datetime
    due_at: datetime
    escalated_at: datetime | None = None
    answers: tuple[int, ...] = ()
    argument: str = ""
    signed_at: datetime | None = None
    meeting_at: datetime | None = None
    agreed_score: int | None = None
    agreed_reason: str = ""
    agreed_by: int | None = None
    closed_at: datetime | None = None


class SignatureState(StrEnum):
    """How a second signature stands."""

    NOT_NEEDED = "not_needed"
    WAITING = "waiting"
    UNREVIEWED = "unreviewed"  # silence is no consent
    IN_REVIEW = "in_review"  # too far apart, a meeting decides
    AGREED = "agreed"


def bucket_of(expected_on: date, today: date) -> Bucket | None:
    """None for what is past, or farther than 90 days."""
    days = (expected_on - today).days
    if not 0 <= days <= HORIZON_DAYS:
        return None
    return Bucket.WEEKLY if days <= 30 else Bucket.FORTNIGHTLY if days <= 60 else Bucket.MONTHLY


def submission_day(day: date, calendar: WorkingCalendar) -> date:
    """The Monday of that week; the next working day where it is a holiday."""
    return calendar.workday_from(day - timedelta(days=day.weekday()))


def due_buckets(on_day: date, calendar: WorkingCalendar) -> tuple[Bucket, ...]:
    """What is to be confirmed in the week with that submission day."""
    monday = on_day - timedelta(days=on_day.weekday())
    due = [Bucket.WEEKLY]
    if monday.isocalendar().week % 2 == 0:
        due.append(Bucket.FORTNIGHTLY)
    week = [monday + timedelta(days=number) for number in range(7)]
    if any(one == calendar.workday_from(one.replace(day=1)) for one in week):
        due.append(Bucket.MONTHLY)
    return tuple(due)


def week_of(day: date) -> str:
    """«2026-W48»."""
    iso = day.isocalendar()
    return f"{iso.year}-W{iso.week:02d}"


def score(answers: Sequence[int]) -> int | None:
    """Out of 100, rounded half up; None without all answers."""
    if len(answers) != QUESTIONS or not all(0 <= one <= 100 for one in answers):
        return None
    return (2 * sum(answers) + QUESTIONS) // (2 * QUESTIONS)


def needs_cosign(level: Level) -> bool:
    """What may come into the committed sum wants two signatures."""
    return level in (Level.L1, Level.L2)


class RelativeTo(StrEnum):
    """What the difference of two scores is measured by."""

    SCALE = "scale"  # in points of the scale of 100
    MEAN = "mean"  # in per cent of the mean of both
    REP = "rep"  # in per cent of the rep's


@dataclass(frozen=True, slots=True)
class Tolerance:
    """So far two scores may lie apart: points or per cent, see `RelativeTo`."""

    limit: int
    relative_to: RelativeTo = RelativeTo.SCALE


def too_far_apart(rep: Sequence[int], csm: Sequence[int], tolerance: Tolerance) -> bool:
    """By the sums, so that no rounding decides; the limit itself is not too far. From a rep's 0,
    measured by it, everything else is."""
    ours, theirs, limit = sum(rep), sum(csm), tolerance.limit
    apart = abs(ours - theirs)
    match tolerance.relative_to:
        case RelativeTo.SCALE:
            return apart > limit * QUESTIONS
        case RelativeTo.MEAN:
            return 200 * apart > limit * (ours + theirs)
        case RelativeTo.REP:
            return 100 * apart > limit * ours


def standing_of(
    line: Line, cosign: Cosign | None, now: datetime, *, tolerance: Tolerance
) -> SignatureState:
    if not needs_cosign(line.level):
        return SignatureState.NOT_NEEDED
    if cosign is None or cosign.signed_at is None:
        late = cosign is None or now >= cosign.due_at
        return SignatureState.UNREVIEWED if late else SignatureState.WAITING
    if cosign.closed_at is None and too_far_apart(line.answers, cosign.answers, tolerance):
        return SignatureState.IN_REVIEW
    return SignatureState.AGREED


def category_of(level: Level, standing: SignatureState) -> Category:
    """Committed is what has L1 or L2 and two signatures that agree; without the second one it is
    a best case, as is an L2 that nobody talked to of late."""
    if needs_cosign(level):
        return Category.COMMIT if standing is SignatureState.AGREED else Category.BEST_CASE
    return Category.BEST_CASE if level is Level.L2_5 else Category.PIPELINE


class Move(StrEnum):
    """What happened to a deal between two snapshots; each deal has one."""

    NEW = "new"
    WON = "won"
    LOST = "lost"
    DROPPED = "dropped"  # in the first, not in the second, and still open
    SLIPPED = "slipped"  # expected later
    PULLED_IN = "pulled_in"  # expected earlier
    GREW = "grew"
    SHRANK = "shrank"
    LEVEL = "level"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """What one deal changed between two snapshots of a forecast. delta_fen: what it adds to the
    sum."""

    opportunity_id: int
    move: Move
    delta_fen: int
    before: Line | None = None
    after: Line | None = None


def bridge(
    before: Iterable[Line],
    after: Iterable[Line],
    *,
    won: Collection[int] = (),
    lost: Collection[int] = (),
) -> list[Change]:
    """From one snapshot to another; the deltas add up to the difference of their sums.
    won, lost: deals that were closed meanwhile."""
    old = {one.opportunity_id: one for one in before}
    new = {one.opportunity_id: one for one in after}
    changes = []
    for deal in sorted(old.keys() | new.keys()):
        was, is_now = old.get(deal), new.get(deal)
        delta = (is_now.amount_fen if is_now else 0) - (was.amount_fen if was else 0)
        move = _move(was, is_now, deal in won, deal in lost)
        changes.append(Change(deal, move, delta, was, is_now))
    return changes


def _move(was: Line | None, is_now: Line | None, won: bool, lost: bool) -> Move:
    if was is None:
        return Move.NEW
    if is_now is None:
        return Move.WON if won else Move.LOST if lost else Move.DROPPED
    if is_now.expected_on != was.expected_on:
        return Move.SLIPPED if is_now.expected_on > was.expected_on else Move.PULLED_IN
    if is_now.amount_fen != was.amount_fen:
        return Move.GREW if is_now.amount_fen > was.amount_fen else Move.SHRANK
    return Move.SAME if is_now.level is was.level else Move.LEVEL


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How far forecasts were off. forecast_fen, missed_fen: sums over all lines that can be scored.
    share: 0..1, None where nothing was forecast."""

    lines: int = 0
    forecast_fen: int = 0
    won_fen: int = 0
    missed_fen: int = 0
    slipped: int = 0

    @property
    def share(self) -> float | None:
        if not self.forecast_fen:
            return None
        return max(0.0, 1 - self.missed_fen / self.forecast_fen)


@dataclass(frozen=True, slots=True)
class Won:
    """How a deal ended: when, and with which amount."""

    on_day: date
    amount_fen: int


@dataclass(slots=True)
class Scores:
    """Accuracy by rep, level and horizon (30, 60, 90 days)."""

    by: dict[tuple[str, str], Accuracy] = field(default_factory=dict)

    def add(self, kind: str, key: str, line: Line, won: Won | None) -> None:
        before = self.by.get((kind, key), Accuracy())
        kept = won.amount_fen if won is not None and won.on_day <= line.expected_on else 0
        self.by[kind, key] = Accuracy(
            lines=before.lines + 1,
            forecast_fen=before.forecast_fen + line.amount_fen,
            won_fen=before.won_fen + kept,
            missed_fen=before.missed_fen + abs(line.amount_fen - kept),
            slipped=before.slipped + (kept == 0),
        )


def accuracies(snapshots: Iterable[Forecast], won: Mapping[int, Won], today: date) -> Scores:
    """Each line against what had come by the day it named, at the snapshot's own words. A line
    whose day is still to come is not scored; one that was won later has slipped."""
    scores = Scores()
    for snapshot in snapshots:
        for line in snapshot.lines:
            days = (line.expected_on - snapshot.on_day).days
            if line.expected_on >= today or not 0 <= days <= HORIZON_DAYS:
                continue
            horizon = "30" if days <= 30 else "60" if days <= 60 else "90"
            found = won.get(line.opportunity_id)
            for kind, key in (
                ("rep", str(snapshot.person_id)), ("level", str(line.level)), ("horizon", horizon)
            ):  # fmt: skip
                scores.add(kind, key, line, found)
    return scores


def quarter_of(day: date) -> str:
    """«2026Q4»."""
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"
