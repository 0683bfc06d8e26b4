"""The administrator's pages of one running bot, made from its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.router import Job
from handlers.archive.chats import ChatArchive
from handlers.pages.admin.rooms import Application, Machine
from handlers.pages.admin.site import AdminSite
from handlers.pages.site import Site
from handlers.upkeep.upkeep import Listener, Metered, Quota
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Running:
    """What only the program knows that runs. health: part -> what is wrong with it, "" if
    nothing."""

    applications: Sequence[Application]
    listeners: Sequence[Listener]
    jobs: Sequence[Job[UnitOfWork]]
    next_fire: Callable[[Job[UnitOfWork], datetime], datetime]
    troubles: Callable[[], Mapping[str, str]]
    health: Callable[[], Awaitable[Mapping[str, str]]]
    archives: Mapping[str, ChatArchive]
    keep_days: Mapping[str, int]
    wake: Callable[[], None]


def site_of(site: Site, running: Running) -> AdminSite:
    """Beside the other pages, by the same database and clock."""

    async def figures() -> dict[str, Mapping[str, float]]:
        async with site.read() as tx:
            now = site.clock.now()
            return {app: await one.figures(tx, now) for app, one in running.archives.items()}

    machine = Machine(
        applications=running.applications,
        listeners=running.listeners,
        jobs=running.jobs,
        next_fire=running.next_fire,
        troubles=running.troubles,
        parts=running.health,
        quota=_quota,
        archives=figures,
        keep_days=running.keep_days,
        wake=running.wake,
    )
    return AdminSite(site.office, site.read, site.begin, site.clock, machine)


async def _quota(application: Application) -> Quota | None:
    return await application.quota() if isinstance(application, Metered) else None
