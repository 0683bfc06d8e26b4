"""A transcription server is asked as OpenAI's is, and its failures are told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.errors import AuthFailed, BotError, RateLimited, Rejected, TimedOut, Unavailable
from connectors.http import Http
from speech import audio
from speech.openai_api import Server
from tests.speech.recordings import recording
from tests.speech.stub_server import Answer, StubServer, drips, gives, says

PCM = audio.decode(recording("duration.wav"))
LONG_S = 30.0


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with aiohttp.ClientSession() as session:
        yield Http(session)


@pytest.fixture
def server(stub: StubServer, http: Http) -> Server:
    return Server(http, base_url=stub.url, model="sense-voice", api_key="k3y")


async def test_it_sends_a_wav_with_model_language_and_key(stub: StubServer, server: Server) -> None:
    stub.answer = says(" 打了二十五分钟电话。\n")
    assert await server.hear(PCM, limit_s=LONG_S) == "打了二十五分钟电话。"
    (form,) = stub.got
    assert audio.decode(form.pop("file")) == PCM
    assert form == {"model": "sense-voice", "language": "zh", "response_format": "json"}
    assert stub.keys == ["Bearer k3y"]


async def test_a_server_of_ones_own_needs_no_key(stub: StubServer, http: Http) -> None:
    server = Server(http, base_url=stub.url, model="m", api_key="")
    await server.hear(PCM, limit_s=LONG_S)
    assert stub.keys == [""]


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (gives(401, {"error": {"message": "Incorrect API key"}}), AuthFailed, "speech.api_key"),
        (gives(403, {"error": "no"}), AuthFailed, "HTTP 403 no"),
        (gives(404, {"error": {"message": "no such model"}}), Rejected, "no such model"),
        (gives(404, "<html>nothing here</html>"), Rejected, "404"),
        (gives(413, {}), Rejected, "413"),
        (gives(400, ["?"]), Rejected, "speech.model"),
        (gives(429, {"error": {"message": "slow down"}}), RateLimited, "slow down"),
        (gives(500, {}), Unavailable, "500"),
        (gives(502, "<html>bad gateway</html>"), Unavailable, "502"),
        (gives(200, '{"text": "打了'), Unavailable, "200"),
        (gives(200, {"words": 1}), Unavailable, "without a text"),
        (gives(200, {"text": None}), Unavailable, "without a text"),
        (gives(200, ["打了"]), Unavailable, "without a text"),
    ],
)
async def test_a_failure_says_whether_another_try_helps(
    stub: StubServer, server: Server, answer: Answer, error: type[BotError], told: str
) -> None:
    stub.answer = answer
    with pytest.raises(error, match=told) as caught:
        await server.hear(PCM, limit_s=LONG_S)
    assert "k3y" not in str(caught.value)


async def test_a_server_that_drips_is_left_at_the_limit(stub: StubServer, server: Server) -> None:
    stub.answer = drips
    with pytest.raises(TimedOut):
        await server.hear(PCM, limit_s=0.2)


async def test_a_server_that_is_away_is_tried_again_later(stub: StubServer, http: Http) -> None:
    server = Server(http, base_url="http://127.0.0.1:1/v1", model="m", api_key="")
    with pytest.raises(Unavailable):
        await server.hear(PCM, limit_s=LONG_S)
