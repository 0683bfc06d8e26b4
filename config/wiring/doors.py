"""Every route that a platform, an ERP, a website or an operator calls."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bot.clock import Clock
from bot.domain.websites import MaterialLink
from config.wiring.bot import Bot
from connectors import platforms
from connectors.erp import notices as erp_door
from connectors.track.door import TrackDoor
from connectors.web import health
from connectors.web.assets import Assets
from storage.signal_intake import SignalIntake


def doors(bot: Bot, *, also_fresh_by: Sequence[Clock] = ()) -> list[web.RouteDef]:
    """Every route that a platform or an operator calls."""
    accept, together = bot.accept, bot.together
    routes = health.routes(bot.health, bot.measure, lambda: bot.database.connections)
    routes += platforms.doors(
        bot.outside.apps,
        bot.outside.clients,
        accept,
        bot.clock,
        is_at_work=bot.is_at_work,
        also_fresh_by=also_fresh_by,
        is_home=(lambda: together.is_home) if together else lambda: True,
    )
    routes += _track_door(bot, [bot.clock, *also_fresh_by])
    for name, erp in bot.settings.erp.items():
        secret = erp.notice_secret.get_secret_value()
        if secret:
            door = erp_door.Door(name, secret, accept, [bot.clock, *also_fresh_by])
            routes += door.routes()
    return routes


def _track_door(bot: Bot, clocks: Sequence[Clock]) -> list[web.RouteDef]:
    """Where websites tell what their visitors do; shut while there are none."""

    async def find_link(number: int) -> MaterialLink | None:
        async with bot.database.read() as tx:
            return await tx.signals.link(number)

    if not bot.office.sites:
        return []
    assets = Assets.load()
    script = assets.folder / assets.names["track.js"] if "track.js" in assets.names else None
    accept = SignalIntake(bot.database.begin).accept
    return TrackDoor(bot.office.sites, accept, find_link, clocks, script).routes()
