"""A server that transcribes as it is told, in place of OpenAI's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.speech.stub_server import StubServer


@pytest.fixture
async def stub() -> AsyncIterator[StubServer]:
    server = StubServer()
    await server.start()
    yield server
    await server.stop()
