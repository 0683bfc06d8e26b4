from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import REGISTRY

from bot.errors import BotError, Rejected, TimedOut, Unavailable
from connectors.http import Http, NotJson, NotSent, Redirected

WHAT = "wecom:message/send"
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[tuple[Http, str]]:
    app = web.Application()
    app.router.add_route("*", "/cgi-bin/{rest:.*}", serve)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Http(session), str(server.make_url("/cgi-bin/message/send"))


def answering(**response: object) -> Serve:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(**response)  # type: ignore[arg-type]

    return serve


def counted(outcome: str) -> float:
    labels = {"platform": "wecom", "api": "message/send", "outcome": outcome}
    return REGISTRY.get_sample_value("gendan_platform_calls_total", labels) or 0.0


async def ask(serve: Serve, **options: object) -> tuple[int, object]:
    async with served(serve) as (http, url):
        params = {"access_token": "SECRET"}
        return await http.request_json("POST", url, params=params, what=WHAT, **options)  # type: ignore[arg-type]


async def failure(serve: Serve, **options: object) -> BotError:
    with pytest.raises(BotError) as raised:
        await ask(serve, **options)
    assert WHAT in str(raised.value)
    assert "SECRET" not in str(raised.value)
    assert "SECRET" not in repr(raised.value)
    return raised.value


async def test_json_goes_out_in_real_characters_and_comes_back_parsed() -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        return web.Response(body=await request.read())

    assert await ask(echo, json={"content": "你好"}) == (200, {"content": "你好"})

    async def raw(request: web.Request) -> web.Response:
        return web.json_response({"raw": "你好".encode() in await request.read()})

    assert await ask(raw, json={"content": "你好"}) == (200, {"raw": True})


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_parsed_body_comes_back_whatever_the_status(status: int) -> None:
    body = b'{"code":"x"}'
    assert await ask(answering(status=status, body=body)) == (status, {"code": "x"})


@pytest.mark.parametrize("status", [200, 301, 403, 500, 502])
async def test_gateway_page_is_unavailable(status: int) -> None:
    serve = answering(status=status, text="<html>busy</html>", content_type="text/html")
    error = await failure(serve)
    assert isinstance(error, NotJson)
    assert isinstance(error, Unavailable)
    assert (error.snippet, "busy" in str(error)) == ("<html>busy</html>", False)


async def test_of_a_long_page_only_the_beginning_is_kept() -> None:
    error = await failure(answering(text="好" * 100_000))
    assert isinstance(error, NotJson)
    assert len(error.snippet) < 5_000


async def test_unknown_path_is_rejected() -> None:
    assert isinstance(await failure(answering(status=404)), Rejected)


async def test_refused_connection_certainly_did_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x?key=SECRET"
    before = counted("not_sent")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(NotSent) as raised:
            await Http(session).request_json("GET", url, what=WHAT)
    assert "SECRET" not in str(raised.value)
    assert counted("not_sent") == before + 1


async def test_unknown_host_certainly_did_nothing() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(NotSent):
            await Http(session).request_json("GET", "http://nowhere.invalid/", what=WHAT)


async def test_connection_closed_without_an_answer_may_have_acted() -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    error = await failure(hang_up)
    assert isinstance(error, TimedOut)
    assert "may have acted" in str(error)


async def test_answer_that_takes_too_long_may_have_acted() -> None:
    done = asyncio.Event()

    async def sleep(_: web.Request) -> web.Response:
        await done.wait()
        return web.Response()

    before = counted("no_answer")
    async with served(sleep) as (http, url):
        with pytest.raises(TimedOut):
            await http.request_json("POST", url, timeout_s=0.05, what=WHAT)
        done.set()
    assert counted("no_answer") == before + 1


async def test_body_cut_off_in_the_middle_is_no_answer() -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"errcode":')
        assert request.transport is not None
        request.transport.close()
        return response

    assert isinstance(await failure(cut), TimedOut)


async def test_answers_are_counted_by_their_status() -> None:
    before = counted("2xx"), counted("4xx")
    await ask(answering(body=b"{}"))
    await ask(answering(status=400, body=b"{}"))
    assert (counted("2xx"), counted("4xx")) == (before[0] + 1, before[1] + 1)


async def test_download_brings_bytes_and_headers() -> None:
    serve = answering(body=b"\x00\x01", headers={"Content-Disposition": 'filename="a.amr"'})
    async with served(serve) as (http, url):
        data, headers = await http.download(url, limit_bytes=2, what=WHAT)
    assert (data, headers["content-disposition"]) == (b"\x00\x01", 'filename="a.amr"')


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            await response.write(b"x" * 65536)
    return response


@pytest.mark.parametrize("serve", [answering(body=b"x" * 1001), endless])
async def test_download_over_its_limit_is_rejected(serve: Serve) -> None:
    async with served(serve) as (http, url):
        with pytest.raises(Rejected, match="over 1000 bytes"):
            await http.download(url, limit_bytes=1000, what=WHAT)


@pytest.mark.parametrize(
    ("status", "cls"), [(403, Rejected), (404, Rejected), (429, Unavailable), (502, Unavailable)]
)
async def test_download_that_is_refused_tells_whether_to_try_again(
    status: int, cls: type[BotError]
) -> None:
    async with served(answering(status=status)) as (http, url):
        with pytest.raises(cls):
            await http.download(url, limit_bytes=10, what=WHAT)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("http://169.254.169.254/latest?sig=1", "http://169.254.169.254/latest?sig=1"),
        ("/other/file", "/other/file"),
    ],
)
async def test_a_redirect_is_told_and_not_followed(
    status: int, location: str, leads_to: str
) -> None:
    asked: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": location})

    async with served(serve) as (http, url):
        with pytest.raises(Redirected) as raised:
            await http.download(url, limit_bytes=10, what=WHAT)
    assert raised.value.location.endswith(leads_to)
    assert raised.value.location.startswith("http://")
    assert "sig" not in str(raised.value)
    assert len(asked) == 1


async def test_a_probe_tells_status_and_time_and_follows_nothing() -> None:
    date = {"Date": "Mon, 02 Mar 2026 01:00:05 GMT", "Location": "http://nowhere.invalid/"}
    async with served(answering(status=302, headers=date)) as (http, url):
        status, at = await http.probe(url, what=WHAT)
    assert (status, at) == (302, datetime(2026, 3, 2, 1, 0, 5, tzinfo=UTC))


async def test_a_probe_of_something_without_a_clock_is_unavailable() -> None:
    async with served(answering(headers={"Date": "soon"})) as (http, url):
        with pytest.raises(Unavailable, match="without a date"):
            await http.probe(url, what=WHAT)
