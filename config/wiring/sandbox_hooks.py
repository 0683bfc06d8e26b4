"""How the emulators reach the bot: by these calls and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.clock import MovableClock
from bot.domain.page_sessions import is_own_path
from bot.errors import NotFound, PermanentError, TransientError
from config.wiring.bot import Bot
from handlers.pages import sandbox as sandbox_pages
from handlers.pages import signing_in

if TYPE_CHECKING:
    from connectors.sandbox.world import Hooks


def hooks_of(bot: Bot, clock: MovableClock) -> Hooks:
    """How the emulators reach the bot: by these calls and nothing else."""
    from connectors.sandbox.world import Hooks

    async def jump(target: datetime) -> datetime:
        return await jump_to(bot, clock, target)

    async def quiesce(timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await bot.read_archives()
                await bot.mail.catch_up()
                await bot.settle()
        except TimeoutError:
            return False
        return True

    async def customers() -> list[dict[str, Any]]:
        async with bot.database.read() as tx:
            return await sandbox_pages.customer_list(tx)

    async def stream(account_id: int) -> dict[str, Any]:
        libraries, calendar = bot.office.libraries, bot.office.calendar
        async with bot.database.read() as tx:
            try:
                return await sandbox_pages.customer_stream(
                    tx, account_id, libraries=libraries, calendar=calendar, at=clock.now()
                )
            except NotFound as error:
                raise LookupError(account_id) from error

    async def evidence(sha256: str) -> tuple[bytes, str, str]:
        async with bot.database.read() as tx:
            file = await tx.files.get(sha256)
        if file is None:
            raise LookupError(sha256)
        try:
            return await bot.outside.files.get(sha256), file.name, file.media_type
        except FileNotFoundError as error:
            raise LookupError(sha256) from error

    async def play(data: bytes, media_type: str) -> tuple[bytes, str]:
        try:
            return await bot.outside.voice.playable(data, media_type)
        except (PermanentError, TransientError):
            return data, media_type

    return Hooks(clock.now, jump, quiesce, customers, stream, evidence, play, page_opener(bot))


def page_opener(bot: Bot) -> Callable[[str, str, str], Awaitable[str]]:
    """The link by which somebody opens a page, without asking in chat."""

    async def open_page(platform: str, user_id: str, path: str) -> str:
        async with bot.database.begin() as tx:
            person = await tx.people.find_by_identity(platform, user_id)
            if person is None or not is_own_path(path):
                raise LookupError(user_id)
            ticket = await signing_in.make_ticket(tx, person, path, bot.clock.now())
        return f"/in/{ticket}"

    return open_page


async def jump_to(bot: Bot, clock: MovableClock, target: datetime) -> datetime:
    await bot.scheduler.jump(clock, target, settle=bot.settle, also_due=bot.outbox.next_at)
    bot.outbox.wake()
    async with bot.database.begin() as tx:
        await tx.settings.put("sandbox.clock", clock.now().isoformat(), clock.now())
    return clock.now()
