"""External contacts and groups follow the emulated WeCom, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FixedClock
from bot.domain.archive import Pair, Status
from bot.domain.external import Follow
from bot.messages import Envelope, Incoming, Text
from bot.ports import Release
from connectors.http import Http
from connectors.sandbox.wecom_contactbook import ContactBook, Outsider
from connectors.sandbox.wecom_customers import CustomerEvents
from connectors.sandbox.world import Fault
from connectors.wecom import patience
from connectors.wecom.client import WecomClient
from connectors.wecom.settings import WecomApp
from connectors.wecom.webhook import routes
from handlers.contacts.contact_keeping import ContactKeeper
from storage.contact_transfers import GROUP, Transfer
from storage.database import Database
from tests.connectors.sandbox import wecom_bed as sandbox
from tests.connectors.wecom.wecom_bed import Files, Tokens
from tests.handlers.chat_company import Chat

WANG = Outsider("wmWang", "王总", kind=2, position="采购", corp_name="杭州恒锐机电有限公司")
LI = Outsider("wmLi", "李工")
CALLS = "wecom:externalcontact"


@dataclass
class Bed:
    """Events come in through the door and the route table; the keeper reads by the client."""

    platform: sandbox.Bed
    chat: Chat
    keeper: ContactKeeper
    clock: FixedClock

    @property
    def events(self) -> CustomerEvents:
        return self.platform.emulator.customers

    @property
    def book(self) -> ContactBook:
        return self.platform.emulator.state.contacts

    async def catch_up(self, **later: float) -> None:
        """What has happened by now, or a while later."""
        await self.platform.settled()
        self.clock.at += timedelta(**later)
        self.platform.clock.at = self.clock.at
        await self.keeper.catch_up()

    async def follows(self, external_id: str) -> list[Follow]:
        async with self.chat.database.read() as tx:
            return await tx.external_contacts.follows_of("wecom", external_id)

    async def who_has(self, external_id: str) -> list[str]:
        return [one.user_id for one in await self.follows(external_id)]

    def count(self, api: str) -> int:
        return self.platform.world.counters.get(f"{CALLS}/{api}", 0)

    def fail(self, api: str, errcode: int, times: int = 1) -> None:
        fault = Fault("wecom", f"externalcontact/{api}", errcode=errcode, times=times)
        self.platform.world.faults.append(fault)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
async def bed(database: Database) -> AsyncIterator[Bed]:
    async with contextlib.AsyncExitStack() as stack:
        platform = await stack.enter_async_context(sandbox.open_bed())
        chat = await Chat(database).open()
        clock = FixedClock(platform.clock.at)
        app = WecomApp(
            name="sales",
            corp_id=sandbox.CORP,
            agent_id=sandbox.AGENT,
            secret=sandbox.SECRET,
            token=sandbox.TOKEN,
            aes_key=sandbox.AES_KEY,
            base_url=platform.base.removesuffix("/cgi-bin"),
            contacts=True,
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = WecomClient(app, Http(session), Tokens(), Files(), clock)
        assert client.contacts is not None

        async def accept(envelope: Envelope) -> Release:
            assert envelope.unreadable is None
            message = client.parse(envelope)
            incoming = Incoming(message, f"door:{envelope.delivery_id}", clock.now())
            async with database.begin() as tx:
                chat.said += await chat.handlers.handle(tx, incoming)
            return lambda: None

        server = web.Application()
        server.add_routes(routes(app, accept, clock))
        running = await stack.enter_async_context(TestServer(server))
        platform.world.app("wecom").callback_url = str(running.make_url("/wecom/sales"))
        keeper = ContactKeeper(chat.office, [client.contacts], begin=database.begin, clock=clock)
        yield Bed(platform, chat, keeper, clock)


async def test_all_contacts_and_groups_are_read_with_what_was_noted(bed: Bed) -> None:
    tag = bed.book.tag("恒锐机电")
    noted = {"remark": "恒锐-王总", "mobiles": ["13800001111"], "company": "恒锐", "tag_ids": [tag]}
    bed.events.add("zhang3", WANG, quietly=True, **noted)
    bed.events.add("Li4", WANG, quietly=True)
    bed.events.open_group("wrA", "恒锐项目群", "Li4", "zhang3", "wmWang", quietly=True)
    await bed.catch_up()
    first, second = await bed.follows("wmWang")
    assert (first.user_id, second.user_id) == ("li4", "zhang3")
    assert (second.remark, second.mobiles, second.company, second.tags) == (
        "恒锐-王总",
        ("13800001111",),
        "恒锐",
        ("恒锐机电",),
    )
    async with bed.chat.database.read() as tx:
        known = (await tx.external_contacts.known("wecom", ["wmWang"]))["wmWang"]
        group = await tx.chat_groups.get("wecom", "wrA")
    assert (known.name, known.title, known.company) == ("王总", "采购", "杭州恒锐机电有限公司")
    assert group is not None
    assert (group.name, group.owner) == ("恒锐项目群", "li4")
    assert {one.member_id: one.is_staff for one in group.members or ()} == {
        "li4": True,
        "zhang3": True,
        "wmWang": False,
    }


async def test_everything_is_read_once_a_night(bed: Bed) -> None:
    await bed.catch_up()
    await bed.catch_up(hours=1)
    assert bed.count("get_follow_user_list") == 2  # for contacts, and for groups
    bed.events.add("zhang3", WANG, quietly=True)
    await bed.catch_up(hours=23)
    assert await bed.who_has("wmWang") == ["zhang3"]


async def test_pages_that_come_empty_do_not_end_the_reading(bed: Bed) -> None:
    bed.book.page_gaps = True
    for number in range(230):
        bed.events.add("zhang3", Outsider(f"wm{number}", f"客户{number}"), quietly=True)
    await bed.catch_up()
    assert await bed.who_has("wm229") == ["zhang3"]


async def test_an_event_reads_the_one_contact_again(bed: Bed) -> None:
    await bed.catch_up()
    bed.events.add("zhang3", WANG)
    await bed.catch_up()
    assert await bed.who_has("wmWang") == ["zhang3"]
    bed.events.edit("zhang3", "wmWang", remark="恒锐-王总")
    bed.events.edit("zhang3", "wmWang", remark="恒锐王总(采购)")
    await bed.catch_up()
    assert [one.remark for one in await bed.follows("wmWang")] == ["恒锐王总(采购)"]
    assert bed.count("get") == 2  # however often it changed before it was read
    bed.events.part("zhang3", "wmWang", by_customer=True)
    await bed.catch_up()
    assert await bed.who_has("wmWang") == []
    assert bed.count("batch/get_by_user") == 1


async def test_who_parted_without_an_event_is_found_at_night(bed: Bed) -> None:
    bed.events.add("zhang3", WANG, quietly=True)
    bed.events.add("zhang3", LI, quietly=True)
    await bed.catch_up()
    bed.book.part("zhang3", "wmWang")
    await bed.catch_up(hours=24)
    assert await bed.who_has("wmWang") == []
    assert await bed.who_has("wmLi") == ["zhang3"]


async def test_who_has_lost_licence_or_right_keeps_the_contacts(bed: Bed) -> None:
    bed.events.add("zhang3", WANG, quietly=True)
    bed.events.add("Li4", LI, quietly=True)
    await bed.catch_up()
    bed.book.unlicensed = {"zhang3"}
    await bed.catch_up(hours=24)
    bed.book.unlicensed = {"zhang3", "li4", "wang5"}
    await bed.catch_up(hours=24)
    bed.book.allowed, bed.book.unlicensed = {"li4"}, set()
    await bed.catch_up(hours=24)
    assert await bed.who_has("wmWang") == ["zhang3"]
    assert await bed.who_has("wmLi") == ["li4"]


async def test_a_group_is_read_when_the_change_is_in_it(bed: Bed) -> None:
    """Two seconds after the event, and again where the platform still tells the old list."""
    await bed.catch_up()
    bed.events.open_group("wrA", "项目群", "zhang3", "wmWang")
    bed.events.join_group("wrA", "wang5", in_one_string=True)
    bed.book.groups["wrA"].version = 1
    await bed.catch_up()
    assert bed.count("groupchat/get") == 0
    await bed.catch_up(seconds=2)
    bed.book.groups["wrA"].version = 2
    await bed.catch_up(seconds=2)
    assert bed.count("groupchat/get") == 2
    await bed.catch_up(seconds=10)
    assert bed.count("groupchat/get") == 2
    bed.events.rename_group("wrA", "交付群")
    await bed.catch_up(seconds=2)
    async with bed.chat.database.read() as tx:
        assert await tx.chat_groups.names("wecom", ["wrA"]) == {"wrA": "交付群"}
    bed.events.dismiss_group("wrA")
    await bed.catch_up()
    async with bed.chat.database.read() as tx:
        assert await tx.chat_groups.unbound(None, limit=9) == []


async def test_a_group_dismissed_without_an_event_is_found_at_night(bed: Bed) -> None:
    bed.events.open_group("wrA", "项目群", "zhang3", quietly=True)
    await bed.catch_up()
    del bed.book.groups["wrA"]
    await bed.catch_up(hours=24)
    async with bed.chat.database.read() as tx:
        assert await tx.chat_groups.living("wecom") == []


async def test_running_it_follows_an_event_by_itself(bed: Bed) -> None:
    running = asyncio.create_task(bed.keeper.run())
    try:
        bed.events.add("zhang3", WANG)
        async with asyncio.timeout(30):
            while not (found := await bed.who_has("wmWang")):  # noqa: ASYNC110 - a row has no event
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert found == ["zhang3"]


async def test_a_busy_platform_is_asked_again_and_nothing_is_lost(bed: Bed) -> None:
    bed.events.add("zhang3", WANG, quietly=True)
    bed.fail("batch/get_by_user", 45033, times=2)
    await bed.catch_up()
    assert await bed.who_has("wmWang") == ["zhang3"]
    bed.events.add("zhang3", LI)
    bed.fail("get", -1, times=3)
    await bed.catch_up()
    assert await bed.who_has("wmLi") == []
    await bed.catch_up(seconds=5)
    assert await bed.who_has("wmLi") == ["zhang3"]


async def test_a_missing_permission_hinders_no_later_reading(bed: Bed) -> None:
    bed.events.add("zhang3", WANG, quietly=True)
    bed.platform.emulator.state.refused = {"externalcontact"}
    await bed.catch_up()
    assert "可调用接口的应用" in bed.keeper.troubles["wecom:sales"]
    [told] = await told_to(bed, "zhao")
    assert "外部联系人读不到" in told
    bed.platform.emulator.state.refused = set()
    await bed.catch_up(minutes=1)
    assert bed.keeper.troubles == {}
    assert await bed.who_has("wmWang") == ["zhang3"]


async def test_no_more_calls_run_at_a_time_than_the_platform_takes(bed: Bed) -> None:
    """Beyond five it answers 45033, which the emulator does."""
    assert patience.PARALLEL <= 5
    for number in range(900):
        user_id = f"rep{number}"
        bed.platform.world.members.append(
            sandbox.Member(user_id, f"销售{number}", "wecom", ["rep"], "3")
        )
        bed.events.add(user_id, Outsider(f"wm{number}", f"客户{number}"), quietly=True)
    await bed.catch_up()
    async with bed.chat.database.read() as tx:
        assert len(await tx.external_contacts.members("wecom")) == 900
    assert bed.count("batch/get_by_user") == 10  # 903 members, 100 contacts a page


async def ask_transfer(bed: Bed, *external_ids: str, has_left: bool = False) -> None:
    async with bed.chat.database.begin() as tx:
        at = bed.clock.now()
        asked_by = bed.chat.people["li"].id
        await tx.contact_transfers.ask(
            Transfer(0, "wecom", key, "zhang3", "li4", has_left, asked_by, at, due_at=at)
            for key in external_ids
        )


async def told_to(bed: Bed, who: str) -> list[str]:
    """What waits to be sent to somebody; it goes on waiting."""
    async with bed.chat.database.begin() as tx:
        due = await tx.delivery.take_due(at=bed.clock.now(), limit=9)
    return [
        one.content.text for one in due if isinstance(one.content, Text) and one.to.user_id == who
    ]


async def test_contacts_of_who_has_left_are_the_other_members_a_day_later(bed: Bed) -> None:
    """The platform tells nobody that it is done."""
    for number in range(130):
        bed.events.add("zhang3", Outsider(f"wm{number}", f"客户{number}"), quietly=True)
    await bed.catch_up()
    bed.platform.emulator.change_member("zhang3", status=5)
    await ask_transfer(bed, *(f"wm{number}" for number in range(130)), has_left=True)
    await bed.catch_up()
    assert bed.count("resigned/transfer_customer") == 2  # a hundred at a time
    assert await bed.who_has("wm129") == ["zhang3"]
    for _ in range(25):
        await bed.catch_up(hours=1)
    assert await bed.who_has("wm129") == ["li4"]
    assert await told_to(bed, "li") == []
    async with bed.chat.database.read() as tx:
        assert await tx.contact_transfers.next_at(["wecom"]) is None


async def test_what_the_platform_does_not_move_is_told_to_who_asked(bed: Bed) -> None:
    bed.events.add("zhang3", WANG, quietly=True)
    bed.events.add("zhang3", LI, quietly=True)
    await bed.catch_up()
    bed.book.refusing = {"wmWang"}
    bed.book.part("zhang3", "wmLi")
    await ask_transfer(bed, "wmWang", "wmLi")
    await bed.catch_up()
    assert await told_to(bed, "li") == [
        "外部联系人李工没有转接成功：他们已经不是外部联系人。请联系客户后重新添加。"
    ]
    bed.clock.at += timedelta(hours=24)
    bed.platform.clock.at = bed.clock.at
    bed.events.carry_out_transfers()
    await bed.platform.settled()
    assert "外部联系人王总没有转接成功：客户拒绝了" in bed.chat.heard_by("li")
    await bed.catch_up()
    assert await bed.who_has("wmWang") == ["zhang3"]


async def test_a_busy_platform_is_asked_for_the_transfer_again(bed: Bed) -> None:
    bed.events.add("zhang3", WANG, quietly=True)
    await bed.catch_up()
    await ask_transfer(bed, "wmWang")
    bed.fail("transfer_customer", -1, times=3)
    await bed.catch_up()
    await bed.catch_up(minutes=2)
    for _ in range(25):
        await bed.catch_up(hours=1)
    assert await bed.who_has("wmWang") == ["li4"]


async def test_a_transfer_whose_answer_was_lost_is_no_failure(bed: Bed) -> None:
    bed.events.add("zhang3", WANG, quietly=True)
    await bed.catch_up()
    await ask_transfer(bed, "wmWang")
    lost = Fault("wecom", "externalcontact/transfer_customer", status=502, after=True)
    bed.platform.world.faults.append(lost)
    await bed.catch_up()
    assert await told_to(bed, "li") == []
    for _ in range(25):
        await bed.catch_up(hours=1)
    assert await bed.who_has("wmWang") == ["li4"]


async def test_a_contact_that_lets_its_chats_be_archived_is_noted(bed: Bed) -> None:
    bed.events.add("zhang3", WANG)
    bed.events.let_archive("zhang3", "wmWang")
    await bed.catch_up()
    pair = Pair("zhang3", "wmWang")
    async with bed.chat.database.read() as tx:
        known = await tx.archive_consents.of(sandbox.CORP, [pair])
    assert known[pair][0].status is Status.AGREED


async def hand_over_group(bed: Bed, chat_id: str, *, of: str, has_left: bool) -> None:
    async with bed.chat.database.begin() as tx:
        await tx.contact_transfers.ask([
            Transfer(0, "wecom", chat_id, of, "li4", has_left, bed.chat.people["li"].id,
                     bed.clock.at, due_at=bed.clock.at, kind=GROUP)
        ])  # fmt: skip


async def test_a_group_gets_another_owner_at_once(bed: Bed) -> None:
    bed.events.open_group("wrA", "恒锐项目群", "zhang3", "wmWang", quietly=True)
    await bed.catch_up()
    await hand_over_group(bed, "wrA", of="zhang3", has_left=False)
    await bed.catch_up()
    assert bed.book.groups["wrA"].owner == "li4"
    async with bed.chat.database.read() as tx:
        group = await tx.chat_groups.get("wecom", "wrA")
        assert await tx.contact_transfers.next_at(["wecom"]) is None
    assert group is not None
    assert (group.name, group.owner) == ("恒锐项目群", "li4")


async def test_a_group_that_cannot_be_moved_is_told_of(bed: Bed) -> None:
    bed.events.open_group("wrA", "恒锐项目群", "zhang3", "wmWang", quietly=True)
    await bed.catch_up()
    await hand_over_group(bed, "wrA", of="zhang3", has_left=True)  # they are still there
    await bed.catch_up()
    assert bed.book.groups["wrA"].owner == "zhang3"
    async with bed.chat.database.begin() as tx:
        [note] = await tx.delivery.take_due(limit=9, at=bed.chat.now + timedelta(days=100))
    assert isinstance(note.content, Text)
    assert "客户群「恒锐项目群」没能换群主：owner has not left" in note.content.text
