"""An emulated archive with its server, and the bot's side of it: with the real worker process, or
with its work done in a thread, which is quicker and must not die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.clock import Clock, FixedClock
from connectors.http import Http
from connectors.sandbox.wecom import WecomEmulator
from connectors.sandbox.wecom_archive import SECRET, ArchiveState
from connectors.sandbox.wecom_archive_key import DEMO_KEY
from connectors.sandbox.world import App, Fault, Hooks, Member, World
from connectors.tokens import OwnTokens
from connectors.wecom.archive import child
from connectors.wecom.archive.source import ArchiveAccess, ArchiveSource, Process
from speech.workers.worker import Worker

CORP = "ww0123456789abcdef"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
WANG = "wmWang000000000000000000000000001"
LIN = "wmLin0000000000000000000000000002"
ROOM = "wrRoom00000000000000000000000001"
EMULATED = "connectors.sandbox.archive_library:EmulatedLibrary"


class InThread:
    """A `Process` without a process."""

    def __init__(self) -> None:
        self._do = child.load()

    async def do(self, job: bytes, *, limit_s: float) -> bytes:
        del limit_s
        return await asyncio.to_thread(self._do, job)

    async def close(self) -> None: ...


@dataclass
class ArchiveBed:
    world: World
    emulator: WecomEmulator
    url: str
    session: aiohttp.ClientSession
    clock: Clock
    opened: list[ArchiveSource] = field(default_factory=list)

    @property
    def state(self) -> ArchiveState:
        return self.emulator.state.archive

    def source(self, *, in_process: bool = False, **access: Any) -> ArchiveSource:
        """The bot's side."""
        given: Mapping[str, Any] = {
            "name": "sales",
            "corp_id": CORP,
            "secret": SECRET,
            "library": self.url,
            "adapter": EMULATED,
            "keys": {1: DEMO_KEY},
            "base_url": self.url,
            **access,
        }
        source = ArchiveSource(
            ArchiveAccess(**given), _process(in_process), _process(in_process),
            Http(self.session), OwnTokens(), clock=self.clock, zone=ZoneInfo("Asia/Shanghai"),
        )  # fmt: skip
        self.opened.append(source)
        return source

    def text(self, sender: str, to: str | list[str], words: str, **more: Any) -> str:
        """Somebody says something; its msgid."""
        heard = [to] if isinstance(to, str) else to
        return self.state.add(sender, heard, "text", {"text": {"content": words}}, **more).msgid

    def consent(self, word: str, outsider: str, member: str, **more: Any) -> str:
        """word: agree or disagree."""
        told = {word: {"userid": outsider, f"{word}_time": 0}}
        return self.state.add(outsider, [member], word, told, **more).msgid

    def fault(self, api: str, **how: Any) -> None:
        self.world.faults.append(Fault("wecom", api, **how))


def _process(in_process: bool) -> Process:
    return Worker("connectors.wecom.archive.child:load") if in_process else InThread()


def private_key() -> tuple[rsa.RSAPrivateKey, str]:
    """A new one, and its PEM."""
    key = rsa.generate_private_key(65537, 2048)
    return key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@asynccontextmanager
async def archive_bed(
    clock: Clock | None = None, members: tuple[str, ...] = ("zhang", "chen", "li")
) -> AsyncIterator[ArchiveBed]:
    clock = clock or FixedClock(NOW)
    world = World(Hooks(clock.now))
    world.apps.append(App("wecom", "sales", "app", corp_id=CORP, app_secret="secret"))
    world.members += [Member(one, one, "wecom", ["rep"], "1") for one in members]
    emulator = WecomEmulator(world)
    app = web.Application()
    app.add_routes(emulator.routes())
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        bed = ArchiveBed(world, emulator, str(server.make_url("/sandbox/wecom")), session, clock)
        yield bed
        for source in bed.opened:
            await source.close()
        await emulator.stop()
