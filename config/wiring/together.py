"""This process among the others on its database."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from bot.domain.sharing import Division
from config.settings import Settings
from config.wiring.bot import Bot
from config.wiring.outside import apps_of
from config.wiring.stores import database_url
from handlers.upkeep.in_step import Following
from handlers.upkeep.together import Parts, Together
from storage import move
from storage.ownership import is_shared, sole_owner


@contextlib.asynccontextmanager
async def beside_others(settings: Settings) -> AsyncIterator[Together | None]:
    """On PostgreSQL any number of processes; on SQLite this one alone. Raises PermanentError when
    somebody serves the file already."""
    url = database_url(settings)
    if not is_shared(url):
        async with sole_owner(url):
            yield None
        return
    await move.refuse_half_moved(url)
    together = Together(url, division_of(settings))
    async with together.listening():
        yield together


def division_of(settings: Settings) -> Division:
    apps = apps_of(settings)
    speak_for_robots = {application for _, application in apps.robots}
    return Division(
        senders=frozenset(
            # The one that speaks where a robot cannot sends from where the robot is.
            [("wecom", app.name) for app in apps.wecom if app.name not in speak_for_robots]
            + [("dingtalk", ding.name) for ding in apps.dingtalk]
        ),
        home_apps=frozenset(("wecom", robot.name) for robot, _ in apps.robots),
    )


def parts_of(bot: Bot) -> Parts:
    """What others' words concern."""
    return Parts(
        take=bot.dispatcher.take,
        recover=bot.dispatcher.recover,
        drop_others=bot.dispatcher.drop_others,
        look=bot.outbox.look,
        wake_archive=bot.archives.wake,
        due=bot.office.contacts_due,
        following=Following(bot.office, bot.database.read),
    )
