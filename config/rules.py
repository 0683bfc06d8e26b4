"""The settings' files -> the rules of the business: numbers, actions, working days."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.calendar import WorkingCalendar
from bot.domain.library import ActionLibrary
from bot.domain.policy import Policy
from config.policy import load_calendar, load_library, load_policy, read_holiday_table
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Rules:
    """What every rule is given."""

    policy: Policy
    library: ActionLibrary
    calendar: WorkingCalendar


def load_rules(settings: Settings) -> Rules:
    """The files that the settings name. Raises ConfigError, and OSError for a table of
    holidays that cannot be read."""
    policy = load_policy(settings.policy)
    library = load_library(settings.actions / f"{policy.actions_library}.toml", policy.actions)
    calendar = load_calendar(policy.calendar)
    for path in settings.calendars:
        year, days = read_holiday_table(path.read_text(encoding="utf-8"))
        calendar = calendar.with_table(days, [year])
    return Rules(policy, library, calendar)
