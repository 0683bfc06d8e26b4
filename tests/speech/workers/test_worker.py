"""A process for work that may block or crash: nothing that happens in it hurts the next job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.errors import PermanentError, Unavailable
from speech.errors import NotAudio
from speech.workers import worker as workers
from speech.workers.errors import EngineMissing, TooSlow
from speech.workers.worker import Worker

SCRIPT = "tests.speech.scripted"
LONG_S = 60.0


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    running = Worker(f"{SCRIPT}:parrot", refusals=[NotAudio])
    yield running
    await running.close()


async def test_jobs_are_done_one_by_one_by_the_same_process(worker: Worker) -> None:
    jobs = [worker.do(job, limit_s=LONG_S) for job in (b"abc", b"", b"x" * 300_000, b"who?")]
    first, nothing, large, who = await asyncio.gather(*jobs)
    assert (first, nothing, large) == (b"cba", b"", b"x" * 300_000)
    assert await worker.do(b"who?", limit_s=LONG_S) == who


async def test_arguments_reach_what_does_the_work() -> None:
    worker = Worker(f"{SCRIPT}:parrot", "模型", "2")
    assert await worker.do(b"a", limit_s=LONG_S) == "模型 2a".encode()
    await worker.close()


async def test_a_crash_is_told_and_the_next_job_gets_a_fresh_process(worker: Worker) -> None:
    before = await worker.do(b"who?", limit_s=LONG_S)
    with pytest.raises(Unavailable, match="-11"):
        await worker.do(b"crash", limit_s=LONG_S)
    assert await worker.do(b"who?", limit_s=LONG_S) != before


async def test_what_takes_too_long_is_ended_and_the_next_job_is_done(worker: Worker) -> None:
    await worker.do(b"a", limit_s=LONG_S)
    with pytest.raises(TooSlow):
        await worker.do(b"hang", limit_s=0.05)
    assert await worker.do(b"ab", limit_s=LONG_S) == b"ba"


async def test_a_job_nobody_waits_for_any_more_spoils_no_later_answer(worker: Worker) -> None:
    await worker.do(b"a", limit_s=LONG_S)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(worker.do(b"hang", limit_s=LONG_S), 0.05)
    assert await worker.do(b"ab", limit_s=LONG_S) == b"ba"


async def test_who_gives_up_while_the_process_is_started_waits_no_longer(worker: Worker) -> None:
    starting = asyncio.ensure_future(worker.do(b"a", limit_s=LONG_S))
    await asyncio.sleep(0)  # it has begun to start
    starting.cancel()
    await asyncio.wait([starting], timeout=LONG_S)
    assert starting.cancelled()
    assert await worker.do(b"ab", limit_s=LONG_S) == b"ba"


async def test_shutting_down_leaves_no_process_that_is_being_started(worker: Worker) -> None:
    starting = asyncio.ensure_future(worker.do(b"a", limit_s=LONG_S))
    await asyncio.sleep(0)
    await worker.close()
    with pytest.raises(Unavailable):
        await starting


async def test_a_refusal_comes_back_as_what_it_was(worker: Worker) -> None:
    with pytest.raises(NotAudio, match="没有声音"):
        await worker.do(b"refuse", limit_s=LONG_S)


async def test_a_mistake_in_the_program_is_permanent(worker: Worker) -> None:
    with pytest.raises(PermanentError, match="a mistake in the program"):
        await worker.do(b"stumble", limit_s=LONG_S)
    assert await worker.do(b"ab", limit_s=LONG_S) == b"ba"


async def test_what_libraries_print_disturbs_no_answer(worker: Worker) -> None:
    assert await worker.do(b"chatter", limit_s=LONG_S) == b"rettahc"
    assert await worker.do(b"ab", limit_s=LONG_S) == b"ba"


async def test_decoders_of_strangers_files_see_no_secret(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_WECOM__SALES__SECRET", "geheim")
    assert await worker.do(b"secrets?", limit_s=LONG_S) == b""


@pytest.mark.parametrize(
    ("target", "error"), [("absent", EngineMissing), ("crashing", Unavailable)]
)
async def test_what_cannot_be_loaded_is_told_each_time(target: str, error: type[Exception]) -> None:
    worker = Worker(f"{SCRIPT}:{target}")
    for _ in range(2):
        with pytest.raises(error):
            await worker.do(b"a", limit_s=LONG_S)
    await worker.close()


async def test_closing_fails_what_is_in_work_and_what_waits(worker: Worker) -> None:
    await worker.do(b"a", limit_s=LONG_S)
    hanging = asyncio.create_task(worker.do(b"hang", limit_s=LONG_S))
    waiting = asyncio.create_task(worker.do(b"a", limit_s=LONG_S))
    await asyncio.sleep(0)
    await worker.close()
    for task in (hanging, waiting):
        with pytest.raises(Unavailable):
            await task
    with pytest.raises(Unavailable):
        await worker.do(b"a", limit_s=LONG_S)


async def test_more_than_can_wait_is_put_off(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST_WAITING_BYTES", 10)
    first = asyncio.create_task(worker.do(b"a" * 10, limit_s=LONG_S))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="too many"):
        await worker.do(b"a", limit_s=LONG_S)
    assert await first == b"a" * 10
    assert await worker.do(b"a", limit_s=LONG_S) == b"a"
