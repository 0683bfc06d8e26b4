from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import FixedClock
from bot.errors import AuthFailed, TransientError, Unavailable
from connectors.tokens import OwnTokens, TokenKeeper

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Store:
    """Tokens as another process would see them."""

    def __init__(self) -> None:
        self.tokens: dict[str, tuple[str, datetime]] = {}

    async def load_token(self, name: str) -> tuple[str, datetime] | None:
        await asyncio.sleep(0)
        return self.tokens.get(name)

    async def save_token(self, name: str, token: str, expires_at: datetime) -> None:
        self.tokens[name] = (token, expires_at)

    async def drop_token(self, name: str, token: str) -> None:
        if self.tokens.get(name, ("",))[0] == token:
            del self.tokens[name]


class Platform:
    """Gives out t1, t2, ... and counts; `failure` is raised instead."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.fetches = 0
        self.failure: Exception | None = None
        self.seconds = 7200
        self.same: str | None = None

    async def fetch(self) -> tuple[str, int]:
        self.fetches += 1
        number = self.fetches
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return self.same or f"t{number}", self.seconds


class Bed:
    def __init__(self) -> None:
        self.clock = FixedClock(START)
        self.store = Store()
        self.platform = Platform(self.clock)
        self.keeper = self.another_process()

    def another_process(self) -> TokenKeeper:
        return TokenKeeper("wecom:sales", self.store, self.platform.fetch, self.clock)

    def pass_by(self, **duration: float) -> None:
        self.clock.at += timedelta(**duration)


@pytest.fixture
def bed() -> Bed:
    return Bed()


async def at_once(count: int, ask: Callable[[], object]) -> list[object]:
    return await asyncio.gather(*(ask() for _ in range(count)), return_exceptions=True)  # type: ignore[call-overload]


async def test_fifty_tasks_on_a_cold_start_fetch_once(bed: Bed) -> None:
    assert await at_once(50, bed.keeper.get) == ["t1"] * 50
    assert bed.platform.fetches == 1


async def test_token_is_replaced_five_minutes_before_its_end(bed: Bed) -> None:
    assert await bed.keeper.get() == "t1"
    bed.pass_by(seconds=6899)
    assert await bed.keeper.get() == "t1"
    bed.pass_by(seconds=1)
    assert await bed.keeper.get() == "t2"


async def test_fifty_tasks_that_saw_it_fail_fetch_once(bed: Bed) -> None:
    await bed.keeper.get()
    assert await at_once(50, lambda: bed.keeper.renew("t1")) == ["t2"] * 50
    assert bed.platform.fetches == 2


async def test_late_report_of_an_old_token_drops_nothing(bed: Bed) -> None:
    await bed.keeper.get()
    await bed.keeper.renew("t1")
    assert await bed.keeper.renew("t1") == "t2"
    assert bed.platform.fetches == 2


async def test_second_process_uses_the_stored_token(bed: Bed) -> None:
    await bed.keeper.get()
    assert await bed.another_process().get() == "t1"
    assert bed.platform.fetches == 1


async def test_token_renewed_by_another_process_is_taken_over(bed: Bed) -> None:
    other = bed.another_process()
    await bed.keeper.get()
    await other.get()
    assert await other.renew("t1") == "t2"
    assert await bed.keeper.renew("t1") == "t2"
    assert bed.platform.fetches == 2


async def test_platform_that_repeats_its_token_near_the_end_is_not_asked_each_time(
    bed: Bed,
) -> None:
    """Inside its validity WeCom answers with the same token and the seconds left."""
    bed.platform.same, bed.platform.seconds = "same", 200
    for _ in range(10):
        assert await bed.keeper.get() == "same"
    assert bed.platform.fetches == 1
    bed.pass_by(seconds=60)
    await bed.keeper.get()
    assert bed.platform.fetches == 2


async def test_wrong_secret_is_asked_about_once_a_minute(bed: Bed) -> None:
    bed.platform.failure = AuthFailed("wrong secret")
    for _ in range(3):
        outcomes = await at_once(20, bed.keeper.get)
        assert all(isinstance(outcome, AuthFailed) for outcome in outcomes)
    assert bed.platform.fetches == 1
    bed.pass_by(seconds=60)
    bed.platform.failure = None
    assert await bed.keeper.get() == "t2"


async def test_outage_is_shared_by_those_who_wait_and_retried_by_the_next(bed: Bed) -> None:
    bed.platform.failure = Unavailable("no answer", retry_after_s=5.0)
    outcomes = await at_once(20, bed.keeper.get)
    assert all(
        isinstance(outcome, TransientError) and outcome.retry_after_s == 5.0 for outcome in outcomes
    )
    assert bed.platform.fetches == 1
    bed.platform.failure = None
    assert await bed.keeper.get() == "t2"


async def test_task_that_is_cancelled_leaves_the_token_to_the_others(bed: Bed) -> None:
    first = asyncio.create_task(bed.keeper.get())
    others = [asyncio.create_task(bed.keeper.get()) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    assert set(await asyncio.gather(*others)) <= {"t1", "t2"}
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_refusal_is_known_until_the_platform_gives_a_token_again() -> None:
    bed = Bed()
    assert bed.keeper.refusal == ""
    bed.platform.failure = AuthFailed("wrong secret")
    with pytest.raises(AuthFailed):
        await bed.keeper.get()
    assert bed.keeper.refusal == "wrong secret"
    bed.platform.failure = None
    bed.clock.at += timedelta(minutes=2)
    await bed.keeper.get()
    assert bed.keeper.refusal == ""


async def test_a_platform_that_is_away_has_not_refused() -> None:
    bed = Bed()
    bed.platform.failure = Unavailable("down")
    with pytest.raises(Unavailable):
        await bed.keeper.get()
    assert bed.keeper.refusal == ""


async def test_tokens_of_ones_own_are_kept_and_dropped() -> None:
    tokens = OwnTokens()
    await tokens.save_token("wecom:sales", "t1", START)
    await tokens.drop_token("wecom:sales", "another")
    assert await tokens.load_token("wecom:sales") == ("t1", START)
    await tokens.drop_token("wecom:sales", "t1")
    assert await tokens.load_token("wecom:sales") is None


async def test_two_processes_that_fetch_at_the_same_moment_end_up_with_one_token(bed: Bed) -> None:
    """The platform takes the newest only, so one of them sees its own fail."""
    other = bed.another_process()
    tokens = await asyncio.gather(bed.keeper.get(), other.get())
    assert set(tokens) == {"t1", "t2"}
    renewed = [
        token if token == "t2" else await keeper.renew(token)
        for keeper, token in zip((bed.keeper, other), tokens, strict=True)
    ]
    assert renewed == ["t2", "t2"]
    assert bed.platform.fetches == 2
