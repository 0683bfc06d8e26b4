"""The company with bonuses beside emulated platforms that tell of approvals and attendance.

Events come in by the doors and the route table; the keeper reads by the clients.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FixedClock
from bot.domain.activities import Activity
from bot.domain.people import Directory, DirectoryUser
from bot.messages import Envelope, InboundMessage, Incoming
from bot.ports import Release
from connectors.dingtalk import webhook as dingtalk_door
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http
from connectors.sandbox.world import Fault
from connectors.wecom import webhook as wecom_door
from connectors.wecom.client import WecomClient
from connectors.wecom.settings import WecomApp
from handlers.attending.keeping import AttendanceKeeper, Sources
from storage.database import Database
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.sandbox import dingtalk_bed, wecom_bed
from tests.connectors.wecom.wecom_bed import Files, Tokens
from tests.handlers.light_company import at
from tests.handlers.payouts.payout_company import PayoutCompany

TEMPLATES = {"TPL-D": "discount", "TPL-C": "contract"}
PROCESSES = {"PROC-D": "discount"}
NOW = "2026-01-28 15:00"


@dataclass
class Bed:
    """heard: what became of each event."""

    company: PayoutCompany
    wecom: wecom_bed.Bed
    ding: dingtalk_bed.Bed
    keeper: AttendanceKeeper
    clock: FixedClock
    heard: list[InboundMessage] = field(default_factory=list)

    async def catch_up(self) -> None:
        """What has happened by now."""
        await self.wecom.settled()
        await self.ding.drained()
        await self.keeper.catch_up()

    def move_to(self, moment: str) -> datetime:
        now = self.company.move_to(moment)
        self.clock.at = self.wecom.clock.at = now
        self.ding.clock.at = now
        return now

    async def stream(self, customer: str = "恒锐机电") -> list[Activity]:
        """What stands of approvals and check-ins there and was not taken back, oldest first."""
        async with self.company.chat.database.read() as tx:
            account = await tx.accounts.find_by_name(customer)
            assert account is not None
            page, _ = await tx.activities.page(account.id, limit=100, before=None)
        gone = {one.retracts_id for one in page}
        ours = ("approval:", "checkin:")
        found = [one for one in page if one.id not in gone and one.source_id.startswith(ours)]
        return sorted(found, key=lambda one: one.id)

    async def titles(self, customer: str = "恒锐机电") -> list[str]:
        return [one.title for one in await self.stream(customer)]

    def fail(self, platform: str, api: str, errcode: int | str, times: int = 1) -> None:
        self.wecom.world.faults.append(Fault(platform, api, errcode=errcode, times=times))


@contextlib.asynccontextmanager
async def open_bed(database: Database) -> AsyncIterator[Bed]:
    async with contextlib.AsyncExitStack() as stack:
        wecom = await stack.enter_async_context(wecom_bed.open_bed())
        ding = await stack.enter_async_context(dingtalk_bed.open_bed())
        company = await PayoutCompany.open(database)
        clock = FixedClock(at(NOW))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        wecom_app = WecomApp(
            name="sales", corp_id=wecom_bed.CORP, agent_id=wecom_bed.AGENT,
            secret=wecom_bed.SECRET, token=wecom_bed.TOKEN, aes_key=wecom_bed.AES_KEY,
            base_url=wecom.base.removesuffix("/cgi-bin"), approvals=TEMPLATES, checkins=True,
        )  # fmt: skip
        ding_app = DingtalkApp(
            name="sales", corp_id="dingcorp01", client_id=dingtalk_bed.KEY,
            client_secret=dingtalk_bed.SECRET, events_token=dingtalk_bed.TOKEN,
            events_aes_key=dingtalk_bed.AES_KEY, api_url=ding.base, oapi_url=ding.base,
            approvals=PROCESSES, checkins=True,
        )  # fmt: skip
        memory = Memory()
        wecom_client = WecomClient(wecom_app, Http(session), Tokens(), Files(), clock)
        ding_client = DingtalkClient(
            ding_app, Http(session), tokens=memory, files=memory, counter=memory, clock=clock
        )
        keeper = AttendanceKeeper(
            company.chat.office, sources_of(wecom_client, ding_client), begin=database.begin,
            clock=clock,
        )  # fmt: skip
        bed = Bed(company, wecom, ding, keeper, clock)
        await _join(company)
        server = web.Application()
        server.add_routes(wecom_door.routes(wecom_app, _accept(bed, wecom_client.parse), clock))
        server.add_routes(dingtalk_door.routes(ding_app, _accept(bed, ding_client.parse), [clock]))
        running = await stack.enter_async_context(TestServer(server))
        wecom.world.app("wecom").callback_url = str(running.make_url("/wecom/sales"))
        ding.world.app("dingtalk").events_url = str(running.make_url("/dingtalk/sales/events"))
        bed.move_to(NOW)
        yield bed


def sources_of(wecom: WecomClient, ding: DingtalkClient) -> Sources:
    approvals = [one for one in (wecom.approvals, ding.approvals) if one is not None]
    records = [*([wecom.check_ins] if wecom.check_ins else []), *ding.records]
    return Sources(approvals, records)


def _accept(bed: Bed, parse: Callable[[Envelope], InboundMessage]) -> wecom_door.Accept:
    async def accept(envelope: Envelope) -> Release:
        assert envelope.unreadable is None
        message = parse(envelope)
        bed.heard.append(message)
        chat = bed.company.chat
        incoming = Incoming(message, f"door:{envelope.delivery_id}", bed.clock.now())
        async with chat.database.begin() as tx:
            chat.said += await chat.handlers.handle(tx, incoming)
        return lambda: None

    return accept


async def _join(company: PayoutCompany) -> None:
    """张伟 and 李敏 of the company are 0147001 and 0147009 of the emulated DingTalk."""
    chat = company.chat
    async with chat.database.begin() as tx:
        for key, user_id in (("zhang", "0147001"), ("li", "0147009")):
            users = (DirectoryUser(user_id, chat.people[key].name),)
            news = Directory("dingtalk", users=users, whole=False)
            roles = chat.policy.roles.roles_of
            await tx.people.save_directory(news, roles_by_title=roles, at=chat.now)
            other = await tx.people.find_by_identity("dingtalk", user_id)
            assert other is not None
            await tx.people.join(chat.people[key].id, other.id)
