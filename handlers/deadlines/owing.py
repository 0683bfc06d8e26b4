"""How what a record still owes is put into one line."""

from __future__ import annotations

from bot.domain.calendar import WorkingCalendar
from bot.domain.deadlines import Deadline, DeadlineState, locks_at
from handlers.policy.policies import PolicyBook
from handlers.texts import deadlines as texts


def line_of(
    owed: Deadline, policies: PolicyBook, calendar: WorkingCalendar, *, rep: str = ""
) -> str:
    """rep: for readers who are not the rep."""
    if owed.state is DeadlineState.LOCKED:
        return texts.locked_line(owed, rep)
    policy = policies.of(owed.person_id).actions
    return texts.owed_line(owed, calendar.local(locks_at(owed, policy, calendar)))
