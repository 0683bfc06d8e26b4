"""The chatting company with an emulated chat archive beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.clock import FixedClock
from bot.domain.activities import Activity
from bot.domain.archive import Conversation
from bot.domain.opportunities import Account
from bot.ports import Transcriber
from connectors.sandbox.wecom_archive_key import DEMO_KEY
from handlers.archive.bindings import Bindings
from handlers.archive.chats import ChatArchive
from storage.archive_files import PartialFiles
from storage.database import Database
from storage.files import FileFolder
from storage.tables import archive_messages
from storage.unit_of_work import UnitOfWork
from tests.connectors.wecom.archive_bed import CORP, WANG, ArchiveBed, archive_bed
from tests.handlers.chat_company import Chat

BETWEEN = "|".join(sorted(("zhang", WANG)))
"""The key of 张伟's conversation with 王总."""


@dataclass
class Bound:
    """Bindings that a test makes. chats: by the key of the conversation."""

    chats: dict[str, int] = field(default_factory=dict)

    async def accounts(
        self, _tx: UnitOfWork, conversations: Sequence[Conversation]
    ) -> Mapping[str, int]:
        keys = {one.key for one in conversations}
        return {key: account for key, account in self.chats.items() if key in keys}

    async def names(
        self, _tx: UnitOfWork, _corp: str, outsiders: Collection[str]
    ) -> Mapping[str, str]:
        return {WANG: "王总"} if WANG in outsiders else {}


@dataclass(frozen=True)
class Ways:
    poll_s: float = 3.0
    keep_days: int = 180
    keep_internal: bool = False


@dataclass
class ArchiveCompany:
    """张伟's customer 恒锐机电, whose 王总 has agreed to the archive."""

    chat: Chat
    bed: ArchiveBed
    clock: FixedClock
    account: Account
    files: FileFolder
    folder: Path
    bound: Bound = field(default_factory=Bound)

    def archive(
        self,
        *,
        begin: Any = None,
        bindings: Bindings | None = None,
        ways: Ways | None = None,
        transcriber: Transcriber | None = None,
        **access: Any,
    ) -> ChatArchive:
        """As a bot that has just been started has it."""
        return ChatArchive(
            self.chat.office,
            self.bed.source(**{"keys": {1: DEMO_KEY}, **access}),
            ways or Ways(),
            bindings=bindings or self.bound,
            begin=begin or self.chat.database.begin,
            clock=self.clock,
            files=self.files,
            partial=PartialFiles(self.folder / "coming"),
            transcriber=transcriber,
        )

    async def read(self, archive: ChatArchive | None = None, **given: Any) -> ChatArchive:
        """All that there is, with its files."""
        archive = archive or self.archive(**given)
        await archive.catch_up()
        return archive

    async def stream(self) -> list[Activity]:
        """What came out of the archive, the oldest first."""
        async with self.chat.database.read() as tx:
            page, _ = await tx.activities.page(self.account.id, limit=500, before=None)
        return [one for one in reversed(page) if one.source_id.startswith("archive:")]

    async def told(self) -> list[str]:
        return [one.text for one in await self.stream()]

    async def rows(self) -> Counter[str]:
        """How many messages are on record by state."""
        async with self.chat.database.read() as tx:
            found = await tx.delivery._conn.execute(select(archive_messages.c.state))
            return Counter(found.scalars())

    def bind(self, key: str = BETWEEN) -> None:
        self.bound.chats[key] = self.account.id


@asynccontextmanager
async def archive_company(database: Database, folder: Path) -> AsyncIterator[ArchiveCompany]:
    chat = await Chat(database).open()
    clock = FixedClock(chat.now)
    async with archive_bed(clock) as bed:
        account = await chat.customer("恒锐机电")
        files = FileFolder(folder / "files")
        company = ArchiveCompany(chat, bed, clock, account, files, folder)
        bed.state.consents["zhang", WANG] = "Agree", chat.now
        assert bed.world.app("wecom").corp_id == CORP
        yield company
