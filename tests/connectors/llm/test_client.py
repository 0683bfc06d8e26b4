"""A chat model that answers well, badly, slowly or not at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FixedClock
from bot.errors import AuthFailed, BotError, RateLimited, Rejected, TimedOut, Unavailable
from connectors.http import Http
from connectors.llm.client import AT_ONCE, FAILURES_IN_A_ROW, REST, LanguageModelClient

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def asking(
    serve: Serve, *, clock: FixedClock | None = None, timeout_s: float = 5
) -> AsyncIterator[LanguageModelClient]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", serve)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield LanguageModelClient(
            Http(session),
            base_url=str(server.make_url("/v1")),
            model="small",
            key="SECRET",
            timeout_s=timeout_s,
            clock=clock or FixedClock(datetime(2026, 1, 28, tzinfo=UTC)),
        )


def saying(content: object) -> dict[str, object]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


def answering(body: object, status: int = 200) -> Serve:
    async def serve(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    return serve


async def test_the_question_goes_out_as_the_api_wants_it() -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append((request.headers["Authorization"], await request.json()))
        return web.json_response(saying('{"intent": null}'))

    async with asking(serve) as model:
        assert await model.answer(rules="摘出", text="消息") == '{"intent": null}'
    ((authorization, body),) = asked
    assert authorization == "Bearer SECRET"
    assert (body["model"], body["temperature"]) == ("small", 0)
    assert body["messages"] == [
        {"role": "system", "content": "摘出"},
        {"role": "user", "content": "消息"},
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthFailed),
        (403, AuthFailed),
        (404, Rejected),
        (400, Rejected),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
async def test_a_refusal_is_told_by_its_status_alone(status: int, kind: type[BotError]) -> None:
    async with asking(answering({"error": "message was 消息"}, status)) as model:
        with pytest.raises(kind) as raised:
            await model.answer(rules="", text="消息")
    assert str(status) in str(raised.value)
    assert "消息" not in str(raised.value)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [{}, [], None, "text", {"choices": []}, {"choices": [{"text": "old"}]}, saying(None)],
)
async def test_an_answer_without_words_is_none(body: object) -> None:
    async with asking(answering(body)) as model:
        with pytest.raises(Unavailable):
            await model.answer(rules="", text="")


async def test_half_an_answer_is_none() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices": [{"mess')
        assert request.transport is not None
        request.transport.close()
        return response

    async with asking(serve) as model:
        with pytest.raises(TimedOut):
            await model.answer(rules="", text="")


async def test_a_server_that_drips_is_given_up_in_time() -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.01)
        return response

    async with asking(serve, timeout_s=0.1) as model:
        with pytest.raises(TimedOut):
            await model.answer(rules="", text="")


async def test_a_server_that_fails_again_and_again_is_left_alone_for_a_while() -> None:
    clock = FixedClock(datetime(2026, 1, 28, tzinfo=UTC))
    calls: list[int] = []
    statuses = [500] * FAILURES_IN_A_ROW + [500, 200]

    async def serve(_: web.Request) -> web.Response:
        calls.append(len(calls))
        return web.json_response(saying("{}"), status=statuses[calls[-1]])

    async with asking(serve, clock=clock) as model:
        for _ in range(FAILURES_IN_A_ROW + 2):
            with pytest.raises(Unavailable):
                await model.answer(rules="", text="")
        assert len(calls) == FAILURES_IN_A_ROW
        clock.at += REST
        with pytest.raises(Unavailable):  # one more try, and it fails: rest again
            await model.answer(rules="", text="")
        with pytest.raises(Unavailable, match="left alone"):
            await model.answer(rules="", text="")
        clock.at += REST
        assert await model.answer(rules="", text="") == "{}"
        assert len(calls) == FAILURES_IN_A_ROW + 2


async def test_failures_between_successes_do_not_add_up() -> None:
    statuses = iter([500, 500, 200, 500, 500, 200])

    async def serve(_: web.Request) -> web.Response:
        return web.json_response(saying("{}"), status=next(statuses))

    async with asking(serve) as model:
        for good in (False, False, True, False, False, True):
            if good:
                assert await model.answer(rules="", text="") == "{}"
            else:
                with pytest.raises(Unavailable, match="500"):
                    await model.answer(rules="", text="")


async def test_one_question_too_many_is_refused_at_once_and_harms_nobody() -> None:
    arrived, answer = asyncio.Semaphore(0), asyncio.Event()

    async def serve(_: web.Request) -> web.Response:
        arrived.release()
        await answer.wait()
        return web.json_response(saying("{}"))

    async with asking(serve) as model:
        open_ones = [asyncio.create_task(model.answer(rules="", text="")) for _ in range(AT_ONCE)]
        for _ in open_ones:
            await arrived.acquire()
        with pytest.raises(RateLimited):
            await model.answer(rules="", text="")
        answer.set()
        assert set(await asyncio.gather(*open_ones)) == {"{}"}


async def test_the_check_asks_even_while_the_server_is_left_alone() -> None:
    async with asking(answering({}, 401)) as model:
        for _ in range(FAILURES_IN_A_ROW + 1):
            with pytest.raises(AuthFailed):
                await model.check()
