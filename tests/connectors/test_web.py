"""The operator's routes, and the socket they are served on."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from connectors.web import health, server


@dataclass
class Process:
    """A bot whose state a test may set, over HTTP."""

    url: str = ""
    parts: dict[str, str] = field(default_factory=lambda: {"storage": "", "queue": ""})
    others: dict[str, str] = field(default_factory=lambda: {"wecom:sales": ""})
    counts: dict[str, int] | Exception = field(default_factory=lambda: {"inbox": 3, "outbox": 0})

    async def examine(self) -> health.Health:
        return health.Health(self.parts, self.others)

    async def measure(self) -> health.DatabaseFigures:
        if isinstance(self.counts, Exception):
            raise self.counts
        return health.DatabaseFigures(self.counts)

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as http, http.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def ready(self) -> tuple[int, dict[str, Any]]:
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    process = Process()
    bound = server.bind("127.0.0.1", 0)
    process.url = server.base_url(bound)
    async with server.listening(health.routes(process.examine, process.measure), bound):
        yield process


async def test_a_process_that_serves_is_alive(process: Process) -> None:
    process.parts["storage"] = "broken"
    assert (await process.get("/healthz"))[0] == 200


async def test_all_well_is_ready(process: Process) -> None:
    status, body = await process.ready()
    assert (status, body["ready"], body["troubles"]) == (200, True, {})
    assert set(body["parts"]) == {"storage", "queue", "wecom:sales"}


async def test_a_part_that_fails_is_not_ready_and_is_named(process: Process) -> None:
    process.parts["storage"] = "OperationalError"
    status, body = await process.ready()
    assert (status, body["troubles"]) == (503, {"storage": "OperationalError"})


async def test_a_platform_that_is_away_is_named_and_does_not_stop_the_others(
    process: Process,
) -> None:
    process.others["wecom:sales"] = "no answer"
    status, body = await process.ready()
    assert (status, body["ready"], body["troubles"]) == (200, True, {"wecom:sales": "no answer"})


async def test_stored_messages_are_counted_when_somebody_looks(process: Process) -> None:
    assert 'gendan_stored_messages{box="inbox"} 3.0' in (await process.get("/metrics"))[1]
    process.counts = {"inbox": 1, "outbox": 0}
    assert 'gendan_stored_messages{box="inbox"} 1.0' in (await process.get("/metrics"))[1]


async def test_without_a_database_the_other_figures_are_still_told(process: Process) -> None:
    process.counts = OSError("gone")
    status, text = await process.get("/metrics")
    assert (status, "python_info" in text) == (200, True)
    assert "gendan_stored_messages{" not in text


def test_an_occupied_port_is_named() -> None:
    with server.bind("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}") as raised:
            server.bind("127.0.0.1", port)
    assert raised.value.errno == errno.EADDRINUSE
