"""policy.toml and the official calendar -> objects of bot/domain.

Whatever is wrong in a file is said in one line: the file, the key, what it should be.
"""

from config.policy.holidays import load_calendar, read_holiday_table
from config.policy.reading import HERE, change_policy, load_policy
from config.policy.sections import SLOTS
from config.policy.table import ConfigError

__all__ = [
    "HERE",
    "SLOTS",
    "ConfigError",
    "change_policy",
    "load_calendar",
    "load_policy",
    "read_holiday_table",
]
