"""What waits in one conversation comes out in the order in which it was said."""

from __future__ import annotations

import random

from bot.lane import Lane
from bot.ports import Pending
from tests.engine.parts import envelope


def _pending(number: int, *, seconds: int, attempts: int = 0) -> Pending:
    sent = envelope(f"{number}", number=number, seconds=seconds)
    return Pending(id=number, envelope=sent, attempts=attempts)


def test_the_earliest_said_comes_first_whatever_came_in_first() -> None:
    lane = Lane()
    waiting = [_pending(number, seconds=number // 3) for number in range(30)]
    for pending in random.Random(1).sample(waiting, len(waiting)):
        lane.push(pending)
    assert [lane.pop() for _ in waiting] == waiting
    assert not lane


def test_two_alike_may_wait() -> None:
    lane = Lane()
    for attempts in (1, 0, 2):
        lane.push(_pending(7, seconds=0, attempts=attempts))
    assert [lane.pop().attempts for _ in range(3)] == [1, 0, 2]


def test_what_waited_is_told_when_nobody_works_for_it_any_more() -> None:
    lane = Lane()
    for number in (1, 2, 2):
        lane.push(_pending(number, seconds=0))
    assert lane.clear() == {1, 2}
    assert not lane
