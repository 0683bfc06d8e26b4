"""The HTTP server of the process: a bound socket, a site on it, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

MAX_UPLOAD_BYTES = 32 * 1024 * 1024
DRAIN_S = 10.0
# A proxy in front keeps its side of an idle connection for less, nginx for 60 s. aiohttp also
# counts from here how long the head of a request may take to arrive; by itself it gives an hour.
IDLE_S = 75.0


def bind(host: str, port: int) -> socket.socket:
    """Port 0 takes a free one. Raises OSError, naming the address, if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, error.strerror, f"{host}:{port}") from None
    return bound


def base_url(bound: socket.socket) -> str:
    """How this machine reaches the server."""
    host, port = bound.getsockname()[:2]
    return url_of(host, port)


def url_of(host: str, port: int) -> str:
    """How this machine reaches what listens there."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.asynccontextmanager
async def listening(
    routes: Sequence[web.AbstractRouteDef],
    at: socket.socket,
    *,
    middlewares: Sequence[Middleware] = (),
    on_shutdown: Sequence[Callable[[], None]] = (),
) -> AsyncIterator[None]:
    """Serve the routes; on leaving, requests under way are finished first. on_shutdown: ends
    those that would never finish by themselves."""
    application = web.Application(client_max_size=MAX_UPLOAD_BYTES, middlewares=middlewares)
    application.add_routes(routes)
    for end in on_shutdown:
        application.on_shutdown.append(_calling(end))
    runner = web.AppRunner(
        application, access_log=None, shutdown_timeout=DRAIN_S, keepalive_timeout=IDLE_S
    )
    await runner.setup()
    await web.SockSite(runner, at).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _calling(end: Callable[[], None]) -> Callable[[web.Application], Awaitable[None]]:
    async def call(_: web.Application) -> None:
        end()

    return call


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
