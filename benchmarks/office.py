"""The shipped policy, library and calendar, for benchmarks; nobody can be written to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.domain.people import Person
from bot.messages import Address
from config.library import load_libraries, read_upload
from config.policy import change_policy, load_calendar, load_policy
from handlers.customers.customer_book import CustomerBook
from handlers.desk import Office
from handlers.libraries.libraries import LibraryShelf
from handlers.lights.alerts import Alerts
from handlers.lights.light_cards import Watch
from handlers.policy.policies import PolicyBook
from handlers.understanding.reader import Reader


def office_for(address_of: Callable[[Person], Address | None]) -> Watch:
    policy = load_policy(Path("config/policy.toml"))
    libraries = LibraryShelf(load_libraries(Path("config/actions")), policy.actions_library)
    return Watch(PolicyBook(policy), libraries, load_calendar(policy.calendar), address_of)


def whole_office() -> Office:
    watch = office_for(lambda _: None)
    return Office(
        policies=PolicyBook(watch.policies.organisation, change_policy),
        libraries=watch.libraries,
        read_library=read_upload,
        calendar=watch.calendar,
        reader=Reader(watch.calendar),
        customers=CustomerBook(),
        lights=Alerts(
            policies=watch.policies,
            libraries=watch.libraries,
            calendar=watch.calendar,
            address_of=watch.address_of,
        ),
        address_of=watch.address_of,
    )
