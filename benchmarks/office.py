"""The shipped policy, library and calendar, for benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.domain.people import Person
from bot.messages import Address
from config.library import load_libraries
from config.policy import load_calendar, load_policy
from handlers.libraries import LibraryShelf
from handlers.light_cards import Watch


def office_for(address_of: Callable[[Person], Address | None]) -> Watch:
    policy = load_policy(Path("config/policy.toml"))
    libraries = LibraryShelf(load_libraries(Path("config/actions")), policy.actions_library)
    return Watch(policy, libraries, load_calendar(policy.calendar), address_of)
