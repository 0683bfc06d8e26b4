"""The shipped policy, library and calendar, for benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.domain.people import Person
from bot.messages import Address
from config.policy import load_calendar, load_library, load_policy
from handlers.light_cards import Watch


def office_for(address_of: Callable[[Person], Address | None]) -> Watch:
    policy = load_policy(Path("config/policy.toml"))
    library = load_library(Path("config/actions/manufacturing.toml"))
    return Watch(policy, library, load_calendar(policy.calendar), address_of)
