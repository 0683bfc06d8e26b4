"""Numbers of the policy that may be changed while the bot runs: which, as what, and what helps
against a break of the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from bot.domain.policy import DiagnosisPolicy, Policy

Value = int | float | bool | str | list[int] | list[str]
"""What a number is in JSON: clock times as "09:00", members of an enumeration by their value."""


class ValueKind(StrEnum):
    """How a value is written."""

    WHOLE = "whole"
    SHARE = "share"  # 0..1
    FLAG = "flag"
    CLOCK = "clock"  # local time of day
    HOURS = "hours"  # rising whole hours
    TEXTS = "texts"
    COUNTED_ON = "counted_on"  # a ClockKind
    RELATIVE_TO = "relative_to"  # what a difference of scores is measured by


@dataclass(frozen=True, slots=True)
class Setting:
    """One number. key: its table and key in policy.toml. per_team: a team may have its own."""

    key: str
    kind: ValueKind = ValueKind.WHOLE
    per_team: bool = False


SETTINGS = (
    Setting("lights.yellow_days", per_team=True),
    Setting("lights.red_days", per_team=True),
    Setting("pushes.group_wait_min"),
    Setting("pushes.group_max"),
    Setting("pushes.repeat_after_h"),
    Setting("pushes.repeat_clock", ValueKind.COUNTED_ON),
    Setting("pushes.quiet_from", ValueKind.CLOCK),
    Setting("pushes.quiet_until", ValueKind.CLOCK),
    Setting("pushes.digest_at", ValueKind.CLOCK),
    Setting("pushes.weekly_at", ValueKind.CLOCK),
    Setting("pushes.snooze_max_workdays"),
    Setting("pushes.snooze_reasons", ValueKind.TEXTS),
    Setting("actions.late_hours", per_team=True),
    Setting("actions.late_clock", ValueKind.COUNTED_ON, per_team=True),
    Setting("actions.remind_after_h", ValueKind.HOURS, per_team=True),
    Setting("actions.call_min_s", per_team=True),
    Setting("actions.same_file_customers", per_team=True),
    Setting("drafts.ttl_h", per_team=True),
    Setting("drafts.auto_confirm", ValueKind.FLAG, per_team=True),
    Setting("drafts.min_confidence", ValueKind.SHARE, per_team=True),
    Setting("drafts.use_habits", ValueKind.FLAG, per_team=True),
    Setting("diagnosis.look_back_days"),
    Setting("diagnosis.dead_days"),
    Setting("customers.pool_after_workdays"),
    Setting("customers.pool_warn_workdays"),
    Setting("customers.claims_per_day"),
    Setting("customers.claims_held"),
    Setting("customers.reclaim_after_days"),
    Setting("customers.accept_h"),
    Setting("receivables.due_days"),
    Setting("receivables.review_workdays"),
    Setting("receivables.checklist", ValueKind.TEXTS),
    Setting("forecasts.evidence_days"),
    Setting("forecasts.evidence_warn_days"),
    Setting("forecasts.cosign_h"),
    Setting("forecasts.cosign_difference"),
    Setting("forecasts.relative_to", ValueKind.RELATIVE_TO),
    Setting("forecasts.remind_at", ValueKind.CLOCK),
    Setting("forecasts.lock_at", ValueKind.CLOCK),
    Setting("supply.above_wan"),
    Setting("supply.remind_after_h"),
    Setting("supply.escalate_after_h"),
    Setting("privacy.raw_chat_days"),
    Setting("privacy.history_years"),
)
"""What may be changed from chat. Zone, office hours, titles and product names are read once at
start and stay in the file, as do slots by their keys; the library has a command of its own."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One number changed by somebody; appended, never edited. The newest of a team and key is
    in force.

    team_id: of its leader, None for the organisation. before, after: None stands for what
    applies without a change, which is the file's number, or the organisation's to a team.
    """

    id: int
    team_id: int | None
    key: str
    before: Value | None
    after: Value | None
    person_id: int
    at: datetime


def setting_of(key: str) -> Setting:
    """The setting of a key that stands in SETTINGS."""
    return next(one for one in SETTINGS if one.key == key)


def value_of(policy: Policy, key: str) -> Value:
    """The number under a key of policy.toml, as JSON."""
    table, name = key.split(".")
    section = getattr(policy, table)
    if name == "group_wait_min":
        return int(section.group_wait / timedelta(minutes=1))
    if name == "repeat_after_h":
        return int(section.repeat_after / timedelta(hours=1))
    value = getattr(section, name)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    assert isinstance(value, int | float | str)
    return value


class Problem(StrEnum):
    """Where a process breaks."""

    MINUTES = "minutes"
    FIELDS = "fields"
    UNLOCKING = "unlocking"
    LATE = "late"
    LATE_EVIDENCE = "late_evidence"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    STUCK = "stuck"
    DEAD = "dead"
    UNACKNOWLEDGED = "unacknowledged"
    UNDOCUMENTED = "undocumented"
    UNBOUND = "unbound"
    SILENT = "silent"


SETTING_OF = {
    Problem.MINUTES: "actions.remind_after_h",
    Problem.FIELDS: "actions.remind_after_h",
    Problem.LATE_EVIDENCE: "actions.remind_after_h",
    Problem.UNLOCKING: "actions.late_hours",
    Problem.LATE: "drafts.auto_confirm",
    Problem.EXPIRED: "drafts.auto_confirm",
    Problem.UNDOCUMENTED: "drafts.auto_confirm",
    Problem.OVERDUE: "lights.yellow_days",
    Problem.DEAD: "customers.pool_after_workdays",
    Problem.UNACKNOWLEDGED: "pushes.repeat_after_h",
}
"""The number that bears on a problem. The others have none: a stage's days stand in the library,
and who is silent must be asked."""

EARLY_REMINDER_H = 8


def remedy(problem: Problem, policy: Policy) -> Value | None:
    """What the setting of the problem should become; None where it does what it can already, or
    where loosening it would only hide the problem."""
    match problem:
        case Problem.MINUTES | Problem.FIELDS | Problem.LATE_EVIDENCE:
            hours = policy.actions.remind_after_h
            early = not hours or hours[0] > EARLY_REMINDER_H
            return [EARLY_REMINDER_H, *hours] if early else None
        case Problem.LATE | Problem.EXPIRED | Problem.UNDOCUMENTED:
            return None if policy.drafts.auto_confirm else True
        case Problem.OVERDUE:
            days = policy.lights.yellow_days
            return days - 1 if days > 1 else None
        case Problem.DEAD:
            return _pool_days(policy) if policy.customers.pool_after_workdays == 0 else None
        case Problem.UNACKNOWLEDGED:
            hours_till = int(policy.pushes.repeat_after / timedelta(hours=1))
            return hours_till // 2 if hours_till > 1 else None
        case _:
            return None


def _pool_days(policy: Policy) -> int:
    """Later than a lead is called dead, and later than its owner's warning."""
    dead_days = policy.diagnosis.dead_days
    margin = DiagnosisPolicy().dead_days // 2
    return max(dead_days, policy.customers.pool_warn_workdays) + margin
