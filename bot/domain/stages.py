"""How a deal moves through the stages of its library, and the events that tell of it.

A place is where a deal stands: the key of its stage while it is open, else its state.
Fields and moves: docs/libraries.md and rule R5 of docs/conversions.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.calendar import WorkingCalendar
from bot.domain.conversions import NEEDED_FIELDS
from bot.domain.library import ActionLibrary, SlotSpec
from bot.domain.opportunities import Opportunity, OpportunityState


class MoveKind(StrEnum):
    """What a change of place was."""

    OPENED = "opened"  # the deal began
    FORWARD = "forward"
    BACK = "back"
    CLOSED = "closed"  # won, lost, invalid
    HELD = "held"
    RESUMED = "resumed"  # open again, after a hold or an undone closing
    REMAPPED = "remapped"  # another library; the deal itself did not move


class Refusal(StrEnum):
    """Why a move is not made. Worded in handlers/texts/stages.py."""

    STALE = "stale"  # the deal stood elsewhere when it was asked for
    SAME = "same"
    CLOSED = "closed"
    MISSING_FIELDS = "missing_fields"
    NO_REASON = "no_reason"


NAMES_A_STAGE = frozenset({MoveKind.OPENED, MoveKind.FORWARD, MoveKind.BACK, MoveKind.REMAPPED})
"""Kinds of events that put a deal into a stage."""

NEEDS_REASON = frozenset({MoveKind.BACK, MoveKind.HELD, MoveKind.CLOSED})

_AHEAD, _BEHIND = "ahead", "behind"
ALLOWED: Mapping[tuple[OpportunityState, str], MoveKind] = {
    (OpportunityState.OPEN, _AHEAD): MoveKind.FORWARD,
    (OpportunityState.OPEN, _BEHIND): MoveKind.BACK,
    (OpportunityState.OPEN, OpportunityState.ON_HOLD): MoveKind.HELD,
    (OpportunityState.OPEN, OpportunityState.INVALID): MoveKind.CLOSED,
    (OpportunityState.OPEN, OpportunityState.LOST): MoveKind.CLOSED,
    (OpportunityState.OPEN, OpportunityState.WON): MoveKind.CLOSED,
    (OpportunityState.ON_HOLD, _AHEAD): MoveKind.FORWARD,
    (OpportunityState.ON_HOLD, _BEHIND): MoveKind.BACK,
    (OpportunityState.ON_HOLD, OpportunityState.OPEN): MoveKind.RESUMED,
    (OpportunityState.ON_HOLD, OpportunityState.INVALID): MoveKind.CLOSED,
    (OpportunityState.ON_HOLD, OpportunityState.LOST): MoveKind.CLOSED,
    (OpportunityState.ON_HOLD, OpportunityState.WON): MoveKind.CLOSED,
}
"""(state, where to) -> what that is. What is not listed is not allowed: a deal that was closed
stays closed, and work with its customer begins another."""


@dataclass(frozen=True, slots=True)
class StageEvent:
    """One change of place; appended, never edited. came_from: "" for a deal that began.

    library: the `ActionLibrary.ref` of `went_to`. required_filled: required fields of the move
    that were filled. slots: what they say, JSON-ready. person_id: None for the system.
    rank: of `went_to` among the stages of its library, 0 for the first; None where the event
    names no stage, or the one that the deal had before. stayed_days: whole working days strictly
    between the day on which the deal came to `came_from` and this one, as 停滞 counts them; None
    for an event that ends no stay.
    """

    opportunity_id: int
    account_id: int
    kind: MoveKind
    library: str
    came_from: str
    went_to: str
    at: datetime
    person_id: int | None = None
    required_filled: int = 0
    slots: dict[str, object] = field(default_factory=dict)
    reason: str = ""
    rank: int | None = None
    stayed_days: int | None = None
    id: int = 0


class RecordedMove(Protocol):
    """A change of stage as recorded, as far as figures care; a row of the database is one too."""

    @property
    def id(self) -> int: ...
    @property
    def opportunity_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def went_to(self) -> str: ...
    @property
    def rank(self) -> int | None: ...
    @property
    def required_filled(self) -> int: ...
    @property
    def at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Move:
    """A change that somebody asks for. seen: the place they saw the deal at. target: a key of
    a stage, or a state. until: when a hold ends; None: nobody knows."""

    seen: str
    target: str
    slots: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveVerdict:
    """Whether a move may be made. kind: what it would be, None where that is not allowed. missing:
    required fields that are not filled."""

    kind: MoveKind | None
    refusal: Refusal | None = None
    fields: tuple[SlotSpec, ...] = ()
    missing: tuple[SlotSpec, ...] = ()

    @property
    def required_filled(self) -> int:
        return sum(one.required for one in self.fields) - len(self.missing)


def place_of(deal: Opportunity) -> str:
    return deal.stage if deal.state is OpportunityState.OPEN else str(deal.state)


def needed_fields(library: ActionLibrary, stage: str, target: str) -> tuple[SlotSpec, ...]:
    """What a move forward asks for: the fields of every stage entered on the way, each once.
    None for any other move."""
    found: dict[str, SlotSpec] = {}
    for entered in library.path(stage, target) or ():
        for spec in entered.fields:
            found.setdefault(spec.key, spec)
    return tuple(found.values())


def judge_move(library: ActionLibrary, deal: Opportunity, move: Move) -> MoveVerdict:
    """Whether the deal may move so now. library: the one the deal is written in."""
    if place_of(deal) != move.seen:
        return MoveVerdict(None, Refusal.STALE)
    if move.target == move.seen:
        return MoveVerdict(None, Refusal.SAME)
    fields = needed_fields(library, deal.stage, move.target)
    kind = ALLOWED.get((deal.state, _direction(deal, move.target, ahead=bool(fields))))
    if kind is None:
        return MoveVerdict(None, Refusal.CLOSED)
    missing = tuple(one for one in fields if one.required and one.key not in move.slots)
    verdict = MoveVerdict(kind, fields=fields, missing=missing)
    if missing or (kind is MoveKind.FORWARD and verdict.required_filled < NEEDED_FIELDS):
        return replace(verdict, refusal=Refusal.MISSING_FIELDS)
    if kind in NEEDS_REASON and not move.reason.strip():
        return replace(verdict, refusal=Refusal.NO_REASON)
    return verdict


def moved(library: ActionLibrary, deal: Opportunity, move: Move, at: datetime) -> Opportunity:
    """The deal after a move that was allowed. library: the one the deal is written in."""
    if move.target in set(OpportunityState):
        return replace(deal, state=OpportunityState(move.target), hold_until=move.until)
    if move.target == deal.stage:
        return replace(deal, state=OpportunityState.OPEN, hold_until=None)
    return replace(
        deal,
        stage=move.target,
        stage_since=at,
        state=OpportunityState.OPEN,
        hold_until=None,
        furthest=_further(library, deal.furthest or deal.stage, move.target),
    )


def _further(library: ActionLibrary, one: str, other: str) -> str:
    """Whichever of two stages comes later; one that the library does not know comes first."""
    return max(one, other, key=lambda key: -1 if (rank := library.rank(key)) is None else rank)


def furthest_of(events: Iterable[RecordedMove]) -> str:
    """The stage a deal came to in its present library, by its events in the order in which they
    were written; "" if none names one. A change of library begins anew where it put the deal."""
    furthest, reached = "", -1
    for event in events:
        if event.rank is None:
            continue
        if event.kind == MoveKind.REMAPPED or event.rank > reached:
            furthest, reached = event.went_to, event.rank
    return furthest


def stay_days(since: datetime, event: RecordedMove, calendar: WorkingCalendar) -> int | None:
    """How long the deal had stood where the event finds it. since: when it came there."""
    if event.kind in (MoveKind.OPENED, MoveKind.REMAPPED):
        return None
    return calendar.workdays_between(calendar.day_of(since), calendar.day_of(event.at))


def state_event(
    before: Opportunity, after: Opportunity, *, by: int | None, at: datetime
) -> StageEvent | None:
    """Of a deal that was won, lost, held or opened again otherwise than by a `Move`; None if it
    stands where it stood."""
    came_from, went_to = place_of(before), place_of(after)
    if came_from == went_to:
        return None
    kinds = {OpportunityState.OPEN: MoveKind.RESUMED, OpportunityState.ON_HOLD: MoveKind.HELD}
    return StageEvent(
        opportunity_id=after.id,
        account_id=after.account_id,
        kind=kinds.get(after.state, MoveKind.CLOSED),
        library=after.library,
        came_from=came_from,
        went_to=went_to,
        at=at,
        person_id=by,
    )


def rank_noted(library: ActionLibrary, kind: MoveKind, went_to: str) -> int | None:
    """`StageEvent.rank` of such an event. library: the one that `went_to` is written in."""
    return library.rank(went_to) if kind in NAMES_A_STAGE else None


def rebuild(events: Iterable[StageEvent]) -> dict[int, str]:
    """Deal -> place, by its events in the order in which they were written."""
    places: dict[int, str] = {}
    for event in events:
        stands = places.get(event.opportunity_id)
        # Another library gives the stage of a deal on hold another name; on hold it stays.
        if event.kind is not MoveKind.REMAPPED or stands not in set(OpportunityState):
            places[event.opportunity_id] = event.went_to
    return places


def _direction(deal: Opportunity, target: str, *, ahead: bool) -> str:
    if target in set(OpportunityState):
        return target
    if target == deal.stage:
        return OpportunityState.OPEN
    return _AHEAD if ahead else _BEHIND
