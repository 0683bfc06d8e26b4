"""A customer as a lead, by the events of its deals: what conversion is counted from.

A customer stands where the deal stands that came furthest: an opportunity if any deal is past the
first stage of its library, else a lead if any is in it, else as the deal that was closed last. A
hold and a change of library leave it where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter

from bot.domain.conversions import NEEDED_FIELDS, LeadSpan, Status, Transition, follow
from bot.domain.stages import MoveKind, RecordedMove

_CLOSED = {str(status): status for status in (Status.WON, Status.LOST, Status.INVALID)}
_LIVING = (Status.LEAD, Status.OPPORTUNITY)

_FORWARD, _RESUMED = MoveKind.FORWARD, MoveKind.RESUMED
_WHEN = attrgetter("at", "id")

COUNTED = frozenset(
    {MoveKind.OPENED, MoveKind.FORWARD, MoveKind.BACK, MoveKind.CLOSED, MoveKind.RESUMED}
)
"""Kinds of events that may change where a customer stands."""


def lead_spans(events: Iterable[RecordedMove]) -> tuple[LeadSpan, ...]:
    """When the customer of these events was a lead. events: of all its deals, in any order."""
    return follow(None, transitions(events)).spans


def transitions(events: Iterable[RecordedMove], customer: str = "") -> Iterator[Transition]:
    """The changes of one customer, as rules R1 to R11 take them."""
    deals: dict[int, Status] = {}  # the one that changed last stands last
    living: dict[int, Status] = {}  # as it stood before it was closed
    stands: Status | None = None
    for event in sorted(events, key=_WHEN):
        deal = event.opportunity_id
        status = _status(event, living.get(deal))
        if status is None or status is deals.get(deal):
            continue
        if status in _LIVING:
            living[deal] = status
        deals.pop(deal, None)
        deals[deal] = status
        to = status if len(deals) == 1 else _furthest(deals)
        # The state machine has asked for what a move needs; only a move forward needs fields.
        filled = event.required_filled if event.kind == _FORWARD else NEEDED_FIELDS
        if _was_lost_first(stands, status, to):
            yield Transition(2 * event.id, event.at, customer, stands, status, filled)
            stands = status
        if to is not stands:
            yield Transition(2 * event.id + 1, event.at, customer, stands, to, filled)
            stands = to


def _status(event: RecordedMove, living: Status | None) -> Status | None:
    """Of the deal after the event; None: as before."""
    closed = _CLOSED.get(event.went_to)
    if closed is not None:
        return closed
    kind, rank = event.kind, event.rank
    if kind == _RESUMED:
        return living
    if rank is None or kind not in COUNTED:
        return None
    if kind == _FORWARD and event.required_filled < NEEDED_FIELDS:  # R5
        return None
    return Status.OPPORTUNITY if rank else Status.LEAD


def _furthest(deals: dict[int, Status]) -> Status:
    standing = deals.values()
    for status in (Status.OPPORTUNITY, Status.LEAD):
        if status in standing:
            return status
    return next(reversed(standing))


def _was_lost_first(stands: Status | None, changed: Status, to: Status) -> bool:
    """A deal was closed while another one is a lead: the customer was lost, say, and then a lead
    (R4); it did not go back to being one (R6)."""
    closed = changed is not Status.LEAD and changed is not Status.OPPORTUNITY
    return closed and stands is Status.OPPORTUNITY and to is Status.LEAD
