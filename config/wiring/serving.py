"""The bot against the configured platforms."""

from __future__ import annotations

import contextlib
import gc

import aiohttp

from bot.clock import WallClock
from config.policy import ConfigError
from config.settings import Settings
from config.wiring.building import build
from config.wiring.doors import doors
from config.wiring.pages import website
from config.wiring.queue import queue_of
from config.wiring.running import running
from config.wiring.stores import database_url
from config.wiring.together import beside_others, parts_of
from connectors.web import server
from storage import admin
from storage.database import Database
from storage.ownership import turn


async def serve_for_ever(settings: Settings) -> None:
    """The bot against the configured platforms. One that is away does not keep it down."""
    url = database_url(settings)
    bound = server.bind(settings.host, settings.port)
    await admin.upgrade(url)
    async with beside_others(settings) as together, aiohttp.ClientSession() as session:
        database = await Database.open(
            url,
            synchronous=settings.storage.synchronous,
            statement_timeout_s=settings.storage.statement_timeout_s,
        )
        try:
            queue = queue_of(settings, WallClock(), together)
            bot = build(
                settings, clock=WallClock(), database=database, session=session,
                together=together, queue=queue,
            )  # fmt: skip
            async with turn(url) if together else contextlib.nullcontext():
                await bot.load_memory()
                await bot.note_rules()
            gc.collect()
            gc.freeze()  # what was loaded stays: looking through it stops everybody for 0.2 s
            if together is not None:
                await together.join(parts_of(bot))
            await bot.dispatcher.recover()
            pages, around = website(bot)
            serving = server.listening([*doors(bot), *pages], bound, **around)
            queueing = queue.running() if queue else contextlib.nullcontext()
            async with queueing, serving, running(bot, once_home=bot.upkeep.settle_in):
                await server.until_stopped()
        finally:
            await database.close()


def traced(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """While it lasts, spans go where the configuration says. Nothing is loaded where it says
    nothing. Raises ConfigError when the library is missing."""
    given = settings.telemetry
    if not given.otlp_endpoint:
        return contextlib.nullcontext()
    try:
        from connectors.watching.collected import collecting
    except ImportError:
        told = "telemetry.otlp_endpoint：请先运行 pip install 'gendan[otel]' (the extra is missing)"
        raise ConfigError(told) from None
    return collecting(given.otlp_endpoint, share=given.share, token=given.token.get_secret_value())
