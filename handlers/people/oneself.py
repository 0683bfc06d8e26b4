"""What the bot takes somebody for: their roles, their supervisor, and whom they lead."""

from __future__ import annotations

from bot.domain.leaders import find_supervisor
from bot.domain.people import Role
from handlers.desk import Desk
from handlers.leading import teams
from handlers.texts import appointing as texts
from handlers.texts.pages import ROLES


async def show(desk: Desk, _: str) -> None:
    """«我是谁», «我的主管»."""
    speaker = desk.rep
    supervisor = find_supervisor(await desk.tx.people.leader_facts(speaker.id), desk.at)
    leads = bool(speaker.roles & teams.LEADING)
    led = (await teams.by_supervisor(desk.tx, desk.at)).get(speaker.id, []) if leads else []
    desk.say(
        texts.who_you_are(
            speaker.name,
            [word for role, word in ROLES.items() if role in speaker.roles],
            supervisor.name if supervisor else None,
            sorted(one.name for one in led),
            may_change=Role.ADMIN in speaker.roles,
        )
    )
