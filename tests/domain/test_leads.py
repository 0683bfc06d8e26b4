"""A customer as a lead, by the events of its deals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain.conversions import LeadSpan, count_conversions, count_days
from bot.domain.leads import lead_spans, transitions
from bot.domain.stages import MoveKind, StageEvent

MONDAY = date(2026, 1, 12)
STILL = date.max


def event(number: int, day: int, kind: str, went_to: str, rank: int | None = None, *,
          deal: int = 1, filled: int = 3) -> StageEvent:  # fmt: skip
    """On the day-th day from Monday, at one in the afternoon."""
    at = datetime(2026, 1, 12, 5, tzinfo=UTC) + timedelta(days=day, minutes=number)
    return StageEvent(
        deal, 7, MoveKind(kind), "x@0", "", went_to, at,
        required_filled=filled, rank=rank, id=number,
    )  # fmt: skip


def opened(number: int, day: int, *, deal: int = 1) -> StageEvent:
    return event(number, day, "opened", "lead", 0, deal=deal, filled=0)


def span(first: int, last: int | None, *, converted: bool = False) -> LeadSpan:
    ended = STILL if last is None else MONDAY + timedelta(days=last)
    return LeadSpan(MONDAY + timedelta(days=first), ended, converted)


@pytest.mark.parametrize(
    ("events", "spans"),
    [
        pytest.param([opened(1, 0)], [span(0, None)], id="a lead stays one"),
        pytest.param(
            [opened(1, 0), event(2, 3, "forward", "demo", 1), event(3, 5, "forward", "offer", 2)],
            [span(0, 3, converted=True)],
            id="past the first stage it is an opportunity",
        ),
        pytest.param(
            [opened(1, 0), event(2, 3, "forward", "demo", 1, filled=2)],
            [span(0, None)],
            id="not without three fields (R5)",
        ),
        pytest.param(
            [opened(1, 0), event(2, 3, "forward", "demo", 1), event(3, 3, "back", "lead", 0)],
            [span(0, None)],
            id="back on the same day undoes it (R6)",
        ),
        pytest.param(
            [opened(1, 0), event(2, 3, "forward", "demo", 1), event(3, 5, "back", "lead", 0)],
            [span(0, 3, converted=True), span(5, None)],
            id="back later begins anew (R7)",
        ),
        pytest.param(
            [opened(1, 0), event(2, 3, "forward", "demo", 1), event(3, 3, "closed", "lost")],
            [span(0, 3, converted=True)],
            id="lost on the day of the conversion counts (R4)",
        ),
        pytest.param(
            [opened(1, 0), event(2, 4, "closed", "invalid")], [span(0, 4)], id="discarded (R8)"
        ),
        pytest.param(
            [opened(1, 0), event(2, 1, "held", "on_hold"), event(3, 2, "remapped", "survey", 2),
             event(4, 4, "resumed", "survey", 2)],
            [span(0, None)],
            id="a hold and another library leave it a lead",
        ),
        pytest.param(
            [event(1, 3, "forward", "demo", 1), opened(2, 0)],
            [span(0, 3, converted=True)],
            id="what comes late counts from when it was",
        ),
        pytest.param(
            [opened(1, 0), opened(2, 0, deal=2), event(3, 1, "forward", "demo", 1),
             event(4, 2, "forward", "demo", 1, deal=2)],
            [span(0, 1, converted=True)],
            id="two deals are one customer",
        ),
        pytest.param(
            [opened(1, 0), opened(2, 0, deal=2), event(3, 1, "forward", "demo", 1),
             event(4, 1, "closed", "lost")],
            [span(0, 1, converted=True), span(2, None)],
            id="lost with one deal, still a lead with the other",
        ),
        pytest.param(
            [opened(1, 0), event(2, 1, "closed", "lost"), event(3, 4, "resumed", "lead", 0)],
            [span(0, 1), span(4, None)],
            id="a loss that was taken back",
        ),
    ],
)  # fmt: skip
def test_when_a_customer_was_a_lead(events: list[StageEvent], spans: list[LeadSpan]) -> None:
    assert list(lead_spans(events)) == spans
    days = MONDAY, MONDAY + timedelta(days=6)
    by_rules = count_conversions({}, transitions(events)).days
    within = {day.day: day for day in count_days(lead_spans(events), *days)}
    assert all(within[day.day] == day for day in by_rules)
