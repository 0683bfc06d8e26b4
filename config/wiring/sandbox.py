"""The bot beside emulated platforms, with the demo company in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

import aiohttp
from pydantic import BaseModel

from bot.clock import MovableClock, WallClock
from bot.domain.calendar import ClockKind
from config.settings import Settings
from config.wiring.bot import Bot
from config.wiring.building import build
from config.wiring.doors import doors
from config.wiring.pages import website
from config.wiring.running import running
from config.wiring.sandbox_hooks import hooks_of, jump_to
from connectors.web import server
from handlers import demo
from storage import admin
from storage.database import Database
from storage.ownership import sole_owner

if TYPE_CHECKING:
    from connectors.sandbox.app import Platforms


@contextlib.asynccontextmanager
async def sandbox(
    host: str,
    port: int,
    data: Path,
    *,
    empty: bool,
    policy: Path | None = None,
    engines: Mapping[str, BaseModel],
    dingtalk_mode: str = "http",
    aibot_mode: str = "http",
) -> AsyncIterator[str]:
    """A running sandbox; gives its base URL. policy: business numbers other than ours.
    engines: the sections of the configuration that are no platform's. dingtalk_mode: how
    DingTalk and the bot reach each other, "http" or "stream"; aibot_mode: WeCom's intelligent
    robot, "http" or "websocket"."""
    from connectors.sandbox.app import Platforms
    from connectors.sandbox.world import Hooks

    await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
    url = f"sqlite+aiosqlite:///{data / 'gendan.db'}"
    bound = server.bind(host, port)
    await admin.upgrade(url)
    base_url = server.base_url(bound)
    async with sole_owner(url), aiohttp.ClientSession() as session:
        database = await Database.open(url)
        try:
            clock = MovableClock(await _first_moment(database))
            platforms = Platforms(
                Hooks(clock.now), base_url, dingtalk_mode=dingtalk_mode, aibot_mode=aibot_mode
            )
            await platforms.post.open()
            told = platforms.configuration(data / "files") | dict(engines)
            settings = Settings.model_validate(told | ({"policy": policy} if policy else {}))
            bot = build(settings, clock=clock, database=database, session=session)
            platforms.world.hooks = hooks_of(bot, clock)
            async with _serving(bot, platforms, bound, clock, empty=empty):
                yield base_url
                await platforms.stop()
        finally:
            await database.close()


@contextlib.asynccontextmanager
async def _serving(
    bot: Bot, platforms: Platforms, bound: socket, clock: MovableClock, *, empty: bool
) -> AsyncIterator[None]:
    """Both reach each other, and the demo company is in, unless it is to be empty."""
    pages, around = website(bot)
    routes = [*doors(bot, also_fresh_by=[WallClock()]), *pages, *platforms.routes()]
    await bot.load_memory()
    await bot.note_rules()
    await bot.dispatcher.recover()
    if not empty:
        platforms.open_books()
    async with server.listening(routes, bound, **around):
        await _open_shop(bot, clock, empty=empty)
        async with running(bot):
            for stream in bot.streams:
                await stream.up()
            if not empty:
                await platforms.open_archive()
                await bot.read_archives()
            yield


async def _open_shop(bot: Bot, clock: MovableClock, *, empty: bool) -> None:
    """People from the platforms, the demo company's past, then the morning's lights, so
    that whoever opens the page finds a lively day."""
    await bot.upkeep.settle_in()
    office = bot.office
    if not empty:
        async with bot.database.begin() as tx:
            await demo.fill(
                tx,
                at=clock.now(),
                calendar=office.calendar,
                policy=office.policy,
                library=office.libraries.organisation,
            )
    await bot.load_memory()
    async with bot.database.read() as tx:
        opened_before = await tx.settings.get("sandbox.clock") is not None
    today = max(clock.now(), WallClock().now())
    in_office = timedelta(seconds=1) if opened_before else timedelta(minutes=30)
    await jump_to(bot, clock, office.calendar.add(ClockKind.OFFICE, today, in_office))


async def _first_moment(database: Database) -> datetime:
    """The evening before the sandbox opens, or where an earlier run of it had stopped."""
    async with database.read() as tx:
        stopped_at = await tx.settings.get("sandbox.clock")
        noted_at = await tx.delivery.last_noted_at()
    now = WallClock().now()
    if not isinstance(stopped_at, str) and noted_at is None:
        return now - timedelta(hours=16)
    # It ran on after its last jump, and a crash may have come in the middle of one.
    known = [noted_at or now, datetime.fromisoformat(str(stopped_at or now))]
    return max(now, *known)
