"""WeCom's chat archive: what reads it, and what puts its messages on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.ports import TokenStore
from bot.router import Job
from config.settings import Settings
from connectors.http import Http
from connectors.wecom.archive.source import ArchiveAccess, ArchiveSource
from handlers.archive.bindings import BoundChats
from handlers.archive.chats import ChatArchive
from handlers.desk import Office
from speech.voice import Voice
from speech.workers.worker import Worker
from storage.archive_files import PartialFiles
from storage.database import Database
from storage.kept_files import KeptFiles
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Archives:
    """Of the applications that have one: how it is reached, and what is done about it."""

    sources: Mapping[str, ArchiveSource]
    chats: Mapping[str, ChatArchive]

    def jobs(self) -> list[Job[UnitOfWork]]:
        return [job for one in self.chats.values() for job in one.jobs()]

    def wake(self, app: str) -> None:
        if app in self.chats:
            self.chats[app].wake()

    async def close(self) -> None:
        for source in self.sources.values():
            await source.close()


def archive_sources(
    settings: Settings, http: Http, tokens: TokenStore, clock: Clock, zone: ZoneInfo
) -> dict[str, ArchiveSource]:
    """By application. Two processes each, which start when there is something to do."""
    found = {}
    for name, archive in settings.archives.items():
        app = settings.wecom_apps[name]
        access = ArchiveAccess(
            name=name, corp_id=app.corp_id, base_url=app.base_url, **archive.access()
        )
        reader, fetcher = (Worker("connectors.wecom.archive.child:load") for _ in range(2))
        found[name] = ArchiveSource(access, reader, fetcher, http, tokens, clock=clock, zone=zone)
    return found


def chat_archives(
    settings: Settings,
    sources: Mapping[str, ArchiveSource],
    office: Office,
    *,
    database: Database,
    files: KeptFiles,
    voice: Voice,
    clock: Clock,
) -> Archives:
    """The archives, with what puts their messages on record."""
    keep = partial(
        ChatArchive,
        office,
        bindings=BoundChats(),
        begin=database.begin,
        clock=clock,
        files=files,
        partial=PartialFiles(settings.storage.folder),
        transcriber=voice if voice.can_hear else None,
    )
    chats = {app: keep(sources[app], ways) for app, ways in settings.archives.items()}
    return Archives(sources, chats)
