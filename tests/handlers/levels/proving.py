"""The chatting company with an engine that reads evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.domain.levels import Level
from bot.domain.opportunities import Account
from bot.domain.paper import PaperLine
from bot.messages import StoredFile
from handlers import Handlers
from handlers.levels.reading import EvidenceReading
from storage.database import Database
from tests.handlers.chat_company import Chat

HENGRUI = "杭州恒锐机电有限公司"
ORDER = ("采购订单", "订单编号：PO-2026-018", "供方：上海精测仪器有限公司", f"需方：{HENGRUI}",
         "日期：2026年1月26日", "三坐标测量机 2台")  # fmt: skip
CONFIRMATION = ("技术方案确认函", f"{HENGRUI}确认技术方案V3", "2026年1月27日")
MAIL = (
    b"From: =?utf-8?b?5p2O5bel?= <ligong@hengrui.example>\r\nTo: zhang@ours.example\r\n"
    b"Subject: =?utf-8?b?6aKE566X5bey5om55YeG?=\r\nDate: Tue, 27 Jan 2026 10:00:00 +0800\r\n"
    b"Authentication-Results: mx.ours.example; dkim=pass header.d=hengrui.example\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
    + f"{HENGRUI} 的预算 35 万已批准，请安排。".encode()
)


@dataclass
class Engine:
    """Reads what it is told to read, by the bytes it gets."""

    pages: dict[bytes, Sequence[str]] = field(default_factory=dict)
    stamps: dict[bytes, int] = field(default_factory=dict)

    async def read(self, data: bytes) -> tuple[PaperLine, ...]:
        return tuple(PaperLine(line, 0.97) for line in self.pages.get(data, ()))

    async def seals(self, data: bytes) -> int:
        return self.stamps.get(data, 0)


@dataclass
class Shelf:
    """Files by the hash that the chat gives them."""

    chat: Chat
    contents: dict[str, bytes] = field(default_factory=dict)

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        raise NotImplementedError

    async def get(self, sha256: str) -> bytes:
        return self.contents[sha256]


@dataclass
class Proving:
    chat: Chat
    engine: Engine = field(default_factory=Engine)

    async def open(self, *, installed: bool = True) -> Proving:
        chat = await self.chat.open()
        self.shelf = Shelf(chat)
        reading = EvidenceReading(
            self.engine if installed else None,
            self.shelf,
            chat.office.calendar,
            read=chat.database.read,
        )
        chat.preparations = [reading]
        chat.office = replace(chat.office, reads_papers=installed)
        chat.handlers = Handlers(chat.office, read=chat.database.read)
        return self

    def paper(self, name: str, lines: Sequence[str], *, seals: int = 1) -> str:
        """A file of that name, and what stands on it."""
        data = name.encode()
        self.engine.pages[data] = lines
        self.engine.stamps[data] = seals
        return self.file(name, data)

    def file(self, name: str, data: bytes) -> str:
        stored = self.chat._file(name).stored
        assert stored is not None
        self.shelf.contents[stored.sha256] = data
        return name

    async def level(self, account: Account) -> Level | None:
        deal = await self.chat.deal(account)
        async with self.chat.database.begin() as tx:
            change = (await tx.levels.current([deal.id])).get(deal.id)
        return change.after if change else None


async def proving(database: Database) -> Proving:
    return await Proving(Chat(database)).open()
