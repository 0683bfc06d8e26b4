"""The engine's loops, from start to a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from bot.clock import wait_for
from bot.domain.sharing import HOME
from bot.tasks import cancel_all, going_on, see_through
from config.wiring.bot import Bot

log = logging.getLogger(__name__)

RECOVER_EVERY_S = 15.0


@contextlib.asynccontextmanager
async def running(
    bot: Bot, *, once_home: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[None]:
    """The engine's loops; on leaving, what is in work is finished and the rest stays stored.
    once_home: what to do beside them wherever the clock and the long connections are."""
    loops = [
        going_on("outbox", bot.outbox.run),
        going_on("recover", partial(_recover_for_ever, bot)),
    ]
    async with (
        bot.together.running() if bot.together else contextlib.nullcontext(),
        contextlib.AsyncExitStack() as ending,  # the last first, whatever becomes of another
    ):
        ending.push_async_callback(cancel_all, loops)
        ending.push_async_callback(_finish_work, bot)
        ending.push_async_callback(bot.archives.close)
        home = asyncio.create_task(_keep_home(bot, once_home), name="home")
        ending.push_async_callback(cancel_all, [home])
        if bot.outside.scanner is not None:
            ending.push_async_callback(bot.outside.scanner.close)
        # A recording in work is heard after the next start.
        ending.push_async_callback(bot.outside.voice.close)
        await asyncio.sleep(0)
        yield


async def _finish_work(bot: Bot) -> None:
    """A mail in work comes again. Raises the first error once all is over."""
    shut = [one.close() for one in bot.outside.mailboxes.values()]
    for error in await asyncio.gather(bot.dispatcher.stop(), *shut, return_exceptions=True):
        if error is not None:
            raise error


async def _keep_home(bot: Bot, once_home: Callable[[], Awaitable[None]] | None) -> None:
    """What one process does for all: for ever where it is alone, else whenever it is its turn."""
    while True:
        await bot.place.held(HOME)
        async with _at_home(bot, once_home):
            await bot.place.lost(HOME)


@contextlib.asynccontextmanager
async def _at_home(
    bot: Bot, once_home: Callable[[], Awaitable[None]] | None
) -> AsyncIterator[None]:
    """The clock's ticks, long connections, and what is read from the platforms regularly."""
    loops = [
        going_on("scheduler", bot.scheduler.run),
        going_on("contacts", bot.contacts.run),
        going_on("attendance", bot.attendance.run),
        *(going_on("archive", one.run) for one in bot.archives.chats.values()),
        going_on("mail", bot.mail.run),
    ]
    if once_home is not None:
        loops.append(going_on("once home", once_home))
    listening = [asyncio.create_task(one.run(), name="stream") for one in bot.streams]
    try:
        await asyncio.sleep(0)  # a connection that has not begun could not be stopped
        yield
    finally:
        for one in bot.streams:
            one.stop()
        try:
            await see_through(listening)
        finally:
            await cancel_all(loops)


async def _recover_for_ever(bot: Bot) -> None:
    """Picks up what a crash left behind and what `replay` has put back."""
    while True:
        await wait_for(bot.inbox_due, RECOVER_EVERY_S)
        bot.inbox_due.clear()
        try:
            await bot.dispatcher.recover()
        except Exception:
            log.exception("the inbox could not be read", extra={"action": "recover"})
