"""The settings' files -> the rules of the business: numbers, actions, working days."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.calendar import WorkingCalendar
from bot.domain.library import ActionLibrary
from bot.domain.policy import Policy
from config.library import load_libraries
from config.policy import ConfigError, load_calendar, load_policy, read_holiday_table
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Rules:
    """What every rule is given."""

    policy: Policy
    libraries: tuple[ActionLibrary, ...]
    calendar: WorkingCalendar


def load_rules(settings: Settings) -> Rules:
    """The files that the settings name. Raises ConfigError, and OSError for a table of
    holidays that cannot be read."""
    policy = load_policy(settings.policy)
    libraries = tuple(load_libraries(settings.actions))
    if policy.actions_library not in {library.key for library in libraries}:
        raise ConfigError(
            f"{settings.policy.name}: actions_library：{settings.actions} 里没有动作库 "
            f"{policy.actions_library} (no such library)"
        )
    calendar = load_calendar(policy.calendar)
    for path in settings.calendars:
        year, days = read_holiday_table(path.read_text(encoding="utf-8"))
        calendar = calendar.with_table(days, [year])
    return Rules(policy, libraries, calendar)
