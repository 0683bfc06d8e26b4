"""The chatting company beside an emulated ERP: its feeds, its outbox, its nights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, Self

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import Clock
from bot.domain.people import Directory, DirectoryUser, Role
from bot.messages import (
    Address,
    Envelope,
    ErpNews,
    ForecastLine,
    InboundMessage,
    Incoming,
    Kind,
    OutboundMessage,
    Platform,
)
from bot.outbox import Outbox
from bot.ports import ErpCustomers, ErpOrders, Release
from bot.router import Job
from config.policy import change_policy
from config.settings.erp import (
    KingdeeCustomerSettings,
    KingdeeForecastSettings,
    KingdeeOrderSettings,
)
from connectors.erp.forecasts import ForecastWriter, Ledger
from connectors.erp.kingdee import CustomerForm, KingdeeCustomers, KingdeeOrders, OrderForm
from connectors.erp.kingdee_api import KingdeeAccount, KingdeeApi
from connectors.erp.kingdee_forecasts import ForecastForm, KingdeeForecasts
from connectors.erp.kingdee_signature import Credentials
from connectors.http import Http
from connectors.sandbox import kingdee as emulated
from connectors.sandbox.world import Fault, Hooks, World
from handlers import Handlers
from handlers.erp.erp_customers import Comparing
from handlers.erp.erp_feeds import ErpFeeds
from handlers.erp.erp_reconciling import Reconciliation
from handlers.policy.policies import PolicyBook
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.handlers.chat_company import Chat, words
from tests.handlers.light_company import CALENDAR

HENGRUI = "杭州恒锐机电有限公司"
SYSTEM = "main"
FORECASTS = KingdeeForecastSettings(
    form=emulated.FORECASTS,
    key="F_GD_KEY",
    customer="F_GD_CUST",
    amount="F_GD_AMOUNT",
    expected_on="F_GD_DATE",
    level="F_GD_LEVEL",
    evidence="F_GD_EVIDENCE",
    opportunity="F_GD_DEAL",
    state="F_GD_STATE",
    fixed={"F_GD_ORG.FNumber": "100"},
)


@dataclass
class _ChatClock(Clock):
    """As late as it is in the chat."""

    chat: Chat

    def now(self) -> datetime:
        return self.chat.now


class Emulated(Protocol):
    """What people do in an ERP, whichever it is."""

    def know(self, code: str, name: str) -> object:
        """Enter a customer, or change a known one."""
        ...

    def order(
        self, number: str, customer: str, amounts: Sequence[float], *, contract: str = ""
    ) -> None: ...

    def cancel(self, number: str) -> None:
        """An order."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A forecast line as it stands in the ERP, as text."""

    number: str
    customer: str
    amount: str
    expected_on: str
    level: str
    evidence: str
    deal: str
    state: str


@dataclass
class AnyErpCompany:
    """张伟's customer 恒锐机电; 钱进 at the accounts, 计明 in planning, 赵倩 the administrator."""

    chat: Chat
    erp: Emulated
    world: World
    kept: dict[str, Envelope] = field(default_factory=dict)

    def customers(self) -> ErpCustomers:
        raise NotImplementedError

    def orders(self) -> ErpOrders:
        raise NotImplementedError

    def ledger(self) -> Ledger:
        raise NotImplementedError

    def held(self) -> dict[str, Held]:
        """What stands in the ERP, by our key."""
        raise NotImplementedError

    def change_there(self, key: str, amount: float) -> None:
        """As planning does in the ERP."""
        raise NotImplementedError

    def remove_there(self, key: str) -> None:
        raise NotImplementedError

    def fill(self, lines: int) -> None:
        """With lines GD-X0, GD-X1, … that we never wrote."""
        raise NotImplementedError

    async def open(self) -> Self:
        chat = self.chat
        await chat.open()
        users = (DirectoryUser("qian", "钱进"), DirectoryUser("ji", "计明"))
        news = Directory("wecom", users=users, whole=False)
        async with chat.database.begin() as tx:
            roles_of = chat.policy.roles.roles_of
            await tx.people.save_directory(news, roles_by_title=roles_of, at=chat.now)
            for key, role in (("qian", Role.FINANCE), ("ji", Role.PLANNING)):
                person = await tx.people.find_by_identity("wecom", key)
                assert person is not None
                await tx.people.set_roles(person.id, [role])
        self.work_by()
        return self

    def work_by(self, **policy: bool) -> None:
        """policy: of an ERP's customers."""
        chat = self.chat
        told = replace(chat.policy, erp=replace(chat.policy.erp, **policy))
        chat.office = replace(
            chat.office,
            policies=PolicyBook(told, change_policy),
            erps=(SYSTEM,),
            order_erps=(SYSTEM,),
            forecast_erps=(SYSTEM,),
        )
        chat.handlers = Handlers(chat.office)
        self.writer = ForecastWriter(self.ledger())
        clock = _ChatClock(chat)
        self.feeds = ErpFeeds(
            chat.office,
            [self.customers()],
            [self.orders()],
            accept=self.accept,
            clock=clock,
        )
        self.comparing = Comparing(chat.office)
        self.nights = Reconciliation(chat.office, [self.writer])
        self.outbox: Outbox[UnitOfWork] = Outbox(
            store=chat.database,
            connectors={},
            clock=clock,
            on_trouble=self.on_trouble,
            erps={("erp", SYSTEM): self.writer},
        )

    async def accept(self, envelope: Envelope) -> Release:
        self.kept[envelope.delivery_id] = envelope
        return lambda: None

    async def on_trouble(self, tx: UnitOfWork, trouble: Any, at: datetime) -> list[OutboundMessage]:
        if not isinstance(trouble.outgoing.content, ForecastLine):
            return []  # nobody carries messages to people here
        told = list(await self.chat.handlers.on_trouble(tx, trouble, at))
        self.chat.said += told
        return told

    async def read(self) -> None:
        """The feeds' tick and the comparison's, then all that is to be written is written."""
        for job in (self.feeds.job(), self.comparing.job()):
            await self.run(job)
        await self.send()

    async def night(self) -> None:
        await self.run(self.nights.job())
        await self.send()

    async def run(self, job: Job[UnitOfWork]) -> None:
        """One tick, its messages queued as the scheduler does."""
        at = self.chat.now
        if job.prepare is not None:
            await job.prepare(self.chat.database.begin, at)
        async with self.chat.database.begin() as tx:
            messages = await job.run(tx, at)
            await tx.delivery.queue(messages, at=at)
        self.chat.said += messages

    async def send(self) -> None:
        """What is due goes out; only the ERP takes anything here."""
        await self.outbox.drain()

    async def tell(self, **news: Any) -> None:
        """A notification of the ERP."""
        chat = self.chat
        chat.numbers += 1
        message = InboundMessage(
            platform=Platform.ERP,
            app=SYSTEM,
            message_id=str(chat.numbers),
            origin=Address(Platform.ERP, SYSTEM, user_id=""),
            sender_id="",
            sent_at=chat.now,
            kind=Kind.ERP_NEWS,
            news=ErpNews(**news),
        )
        incoming = Incoming(message, f"erp:{message.message_id}", chat.now)
        async with chat.database.begin() as tx:
            messages = await chat.handlers.handle(tx, incoming)
            await tx.delivery.queue(messages, at=chat.now)
        chat.said += messages

    reading, saving = "ExecuteBillQuery", "Save"
    """The calls that read and make a line, which faults may be played for."""

    def lose_answer(self) -> None:
        """Of the next call that makes a line, which takes effect."""
        self.world.faults.append(Fault("erp", self.saving, status=502, after=True))

    def away(self, api: str = "", times: int = 1) -> None:
        self.world.faults.append(Fault("erp", api or self.reading, status=503, times=times))

    async def titles(self, name: str = HENGRUI) -> list[str]:
        """What a customer's stream says of the ERP, oldest first."""
        async with self.chat.database.begin() as tx:
            account = await tx.accounts.find_by_name(name)
        assert account is not None
        page = await self.chat.stream(account)
        return [f"{one.title} {one.text}" for one in reversed(page) if "ERP" in one.title]

    def said_of(self, key: str) -> list[str]:
        """What went to people under keys that hold these words."""
        return [words(one.content) for one in self.chat.said if key in one.dedupe_key]


@dataclass
class ErpCompany(AnyErpCompany):
    """With Kingdee."""

    erp: emulated.KingdeeEmulator
    api: KingdeeApi = field(kw_only=True)

    def customers(self) -> ErpCustomers:
        return KingdeeCustomers(self.api, CustomerForm(**KingdeeCustomerSettings().revealed()))

    def orders(self) -> ErpOrders:
        settings = KingdeeOrderSettings(contract="F_CONTRACT_NO")
        return KingdeeOrders(self.api, OrderForm(**settings.revealed()))

    def ledger(self) -> Ledger:
        values = FORECASTS.revealed()
        form = ForecastForm(**{**values, "fixed": tuple(values["fixed"].items())})
        return KingdeeForecasts(self.api, form)

    def forecasts(self) -> dict[str, dict[str, Any]]:
        """The rows as Kingdee has them, by our key."""
        rows = self.erp.books.forms[emulated.FORECASTS].rows
        return {row["F_GD_KEY"]: row for row in rows}

    def held(self) -> dict[str, Held]:
        return {
            key: Held(
                row["FBillNo"], row["F_GD_CUST.FNumber"], row["F_GD_AMOUNT"], row["F_GD_DATE"],
                row["F_GD_LEVEL"], row["F_GD_EVIDENCE"], row["F_GD_DEAL"], row["F_GD_STATE"],
            )
            for key, row in self.forecasts().items()
        }  # fmt: skip

    def change_there(self, key: str, amount: float) -> None:
        self.forecasts()[key]["F_GD_AMOUNT"] = f"{amount:.2f}"

    def remove_there(self, key: str) -> None:
        self.erp.books.remove(emulated.FORECASTS, self.forecasts()[key]["FBillNo"])

    def fill(self, lines: int) -> None:
        for number in range(lines):
            self.erp.books.add(
                emulated.FORECASTS, F_GD_KEY=f"GD-X{number}", F_GD_AMOUNT=1.0,
                F_GD_DATE="2026-03-01",
            )  # fmt: skip


@asynccontextmanager
async def erp_company(database: Database) -> AsyncIterator[ErpCompany]:
    application = web.Application()
    chat = Chat(database)
    world = World(Hooks(lambda: chat.now))
    erp = emulated.KingdeeEmulator(world)
    application.add_routes(erp.routes())
    server = TestServer(application)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        account = KingdeeAccount(
            name=SYSTEM,
            base_url=str(server.make_url("/sandbox/kingdee/k3cloud")),
            credentials=Credentials(
                emulated.ACCOUNT_ID, emulated.USER, emulated.APP_ID, emulated.APP_SECRET
            ),
            home_currency=emulated.HOME_CURRENCY,
            zone=CALENDAR.zone,
        )
        api = KingdeeApi(account, Http(session), _ChatClock(chat))
        try:
            yield await ErpCompany(chat, erp, world, api=api).open()
        finally:
            await server.close()
