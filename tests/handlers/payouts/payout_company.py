"""The chatting company with bonuses: 何姐 the HRBP, 钱进 at the accounts, 周律 for legal matters,
an ERP that tells of receipts, and a customer of 张伟's."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from bot.domain.people import Directory, DirectoryUser, Role
from bot.domain.receivables import Receipt
from bot.messages import Address, Card, ErpNews, InboundMessage, Incoming, Kind, Platform
from handlers import Handlers
from storage.database import Database
from storage.files import FileFolder
from storage.payout_ledger import StoredLine
from storage.unit_of_work import UnitOfWork
from tests.handlers.chat_company import Chat
from tests.handlers.light_company import at

STAFF = {"he": ("何姐", Role.HRBP), "qian": ("钱进", Role.FINANCE), "zhou": ("周律", Role.LEGAL)}
FLAT = {
    "id": "提成",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "flat",
    "base": "contract_fen",
    "rate_bp": 300,
    "when": [{"field": "paid_ratio_bp", "op": ">=", "value": 9500}],
}
ON_RECEIPTS = {
    "id": "回款提成",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "flat",
    "base": "paid_fen",
    "rate_bp": 300,
}


@dataclass
class PayoutCompany:
    """files: where evidence packs are kept, in tests that ask for them."""

    chat: Chat
    files: FileFolder | None = None

    @classmethod
    async def open(cls, database: Database) -> PayoutCompany:
        return await cls.beside(await Chat(database).open())

    @classmethod
    async def beside(cls, chat: Chat) -> PayoutCompany:
        """The same, for a chat that is open already."""
        company, database = cls(chat), chat.database
        chat.office = replace(chat.office, erps=("books",))
        chat.handlers = Handlers(chat.office, read=database.read)
        users = tuple(DirectoryUser(key, name) for key, (name, _) in STAFF.items())
        news = Directory("wecom", users=users, whole=False)
        async with database.begin() as tx:
            roles_of = chat.policy.roles.roles_of
            await tx.people.save_directory(news, roles_by_title=roles_of, at=chat.now)
            for key, (_, role) in STAFF.items():
                person = await tx.people.find_by_identity("wecom", key)
                assert person is not None
                await tx.people.set_roles(person.id, [role])
                chat.people[key] = await tx.people.get(person.id)
        await chat.customer("恒锐机电")
        return company

    def ago(self, **span: float) -> None:
        self.chat.now -= timedelta(**span)

    async def signed(
        self, number: str = "HT-2026-018", amount: str = "10万", *, customer: str = "恒锐机电",
        who: str = "zhang",
    ) -> str:  # fmt: skip
        await self.chat.say(who, f"登记合同 {customer} {number}，{amount}")
        return await self.chat.press(who, self.chat.card(who), "确认登记")

    async def tell(
        self, number: str, yuan: int, contract: str = "HT-2026-018", *, on: date | None = None,
        currency: str = "CNY",
    ) -> None:  # fmt: skip
        """A line of a receipt; told again it takes the new amount."""
        chat = self.chat
        chat.numbers += 1
        day = on or chat.office.calendar.day_of(chat.now)
        line = Receipt(number, "1", contract, yuan * 100, currency, day, "恒锐机电有限公司")
        message = InboundMessage(
            platform=Platform.ERP,
            app="books",
            message_id=str(chat.numbers),
            origin=Address(Platform.ERP, "books", user_id=""),
            sender_id="",
            sent_at=chat.now,
            kind=Kind.ERP_NEWS,
            news=ErpNews((line,)),
        )
        incoming = Incoming(message, f"erp:{message.message_id}", chat.now)
        async with chat.database.begin() as tx:
            chat.said += await chat.handlers.handle(tx, incoming)

    async def publish(self, *rules: dict[str, Any]) -> None:
        """From the draft to the public, by two people; then everything is computed anew."""
        await self.draft(*rules)
        await self.press("he", "试算三个月")
        await self.press("he", "送审")
        await self.press("qian", "批准")
        await self.press("he", "发布")
        await self.recompute()

    async def draft(self, *rules: dict[str, Any], by: str = "he") -> str:
        return await self.chat.upload(by, "rules.json", json.dumps(list(rules)).encode())

    def rule_card(self, who: str) -> Card:
        return self.chat.shown_as(self._last(who, "payrule-"))

    def card(self, who: str, prefix: str) -> Card:
        """The newest card of a kind, as it stands."""
        return self.chat.shown_as(self._last(who, prefix))

    async def press(self, who: str, label: str, prefix: str = "payrule-", **values: str) -> str:
        return await self.chat.press(who, self.card(who, prefix), label, **values)

    def _last(self, who: str, prefix: str) -> Card:
        to = Address(Platform.WECOM, "sales", user_id=who)
        return [
            one.content
            for one in self.chat.said
            if one.to == to
            and isinstance(one.content, Card)
            and one.content.card_id.startswith(prefix)
        ][-1]

    async def recompute(self) -> None:
        await self.tick("bonuses under new rules")

    async def tick(self, name: str) -> None:
        async with self.chat.database.begin() as tx:
            for job in self.chat.handlers.jobs():
                if job.name == name:
                    messages = await job.run(tx, self.chat.now)
                    await tx.delivery.queue(messages, at=self.chat.now)
                    self.chat.said += messages

    async def lines(self, number: str = "HT-2026-018") -> list[StoredLine]:
        async with self.chat.database.begin() as tx:
            contract = await tx.contracts.find(number)
            assert contract is not None
            return await tx.payout_ledger.of_contract(contract.id)

    async def amounts(self, number: str = "HT-2026-018") -> list[tuple[str, str, int]]:
        """(who, kind, fen) of each line, in the order of booking."""
        names = {person.id: key for key, person in self.chat.people.items()}
        return [
            (names.get(one.person_id or 0, "?"), one.kind, one.fen)
            for one in await self.lines(number)
        ]

    async def total(self, who: str) -> int:
        async with self.chat.database.begin() as tx:
            return await total_of(tx, self.chat.people[who].id)

    async def lock(self, month: str) -> None:
        """Proposed by 钱进, approved by 何姐."""
        await self.chat.say("qian", f"奖金核算 {month}")
        await self.press("he", "批准并锁定", "payrun-")

    def move_to(self, moment: str) -> datetime:
        self.chat.now = at(moment)
        return self.chat.now


async def total_of(tx: UnitOfWork, person_id: int) -> int:
    found = 0
    for run in ("2026-01", "2026-02", "2026-03"):
        found += sum(one.fen for one in await tx.payout_ledger.of_person(person_id, run))
    return found
