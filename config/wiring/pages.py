"""The routes of the pages that people open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from config.wiring.bot import Bot
from config.wiring.timetable import next_fire_in
from connectors import platforms
from connectors.web.admin import AdminPages
from connectors.web.assets import Assets
from connectors.web.guard import Guard
from connectors.web.pages import Pages
from connectors.web.rendering import Renderer
from connectors.web.rules import RulePages
from handlers.pages.admin.wiring import Running, site_of
from handlers.pages.rules.site import RuleSite
from handlers.pages.screen import Screens
from handlers.pages.site import Site


def website(bot: Bot) -> tuple[list[web.RouteDef], dict[str, Any]]:
    """The routes of the pages, and what else the server must know to serve them."""
    site = Site(
        office=bot.office,
        read=bot.database.read,
        begin=bot.database.begin,
        clock=bot.clock,
        files=bot.outside.files,
        play=bot.outside.voice.playable,
        screens=Screens(bot.office, bot.database.read, bot.clock.now),
        queued=bot.outbox.wake,
    )
    assets = Assets.load()
    webviews = platforms.webviews(bot.outside.clients)
    guard = Guard(site, Renderer(assets), bot.settings.public_url, webviews)
    pages = Pages(site, guard, assets)
    rules = RuleSite(site.office, site.read, site.begin, site.clock, bot.outbox.wake)
    others = (
        RulePages(rules, guard, assets),
        AdminPages(site_of(site, _running_parts(bot)), guard),
    )
    routes = [*pages.routes(), *(route for one in others for route in one.routes())]
    return routes, {
        "middlewares": [guard.middleware()],
        "on_shutdown": [pages.stop, site.screens.stop],
    }


def _running_parts(bot: Bot) -> Running:
    """What the administrator's pages tell of."""

    async def parts() -> Mapping[str, str]:
        return (await bot.health()).parts

    return Running(
        applications=list(platforms.applications(bot.outside.clients).values()),
        listeners=bot.streams,
        jobs=bot.scheduler.jobs,
        next_fire=next_fire_in(bot.office.zone),
        troubles=lambda: {**bot.contacts.troubles, **bot.upkeep.troubles},
        health=parts,
        archives=bot.archives.chats,
        keep_days={app: one.keep_days for app, one in bot.settings.archives.items()},
        wake=bot.outbox.wake,
    )
