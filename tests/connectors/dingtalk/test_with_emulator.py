"""Both ways against the emulated DingTalk, which was written apart from this connector."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import WallClock
from bot.domain.people import PersonStatus
from bot.errors import AuthFailed, Rejected, TransientError
from bot.messages import (
    Address,
    Button,
    Card,
    CardUpdate,
    DirectoryChange,
    Field,
    FileContent,
    InboundMessage,
    Kind,
    Markdown,
    Option,
    Platform,
    Text,
)
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.webhook import routes
from connectors.http import Http
from connectors.sandbox.dingtalk_errors import BAN
from connectors.sandbox.world import Fault, Leave, Said
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.dingtalk.test_webhook import Inbox
from tests.connectors.sandbox import dingtalk_bed as sandbox

WANG = Address(Platform.DINGTALK, "sales", user_id="0147001")
GROUP = Address(Platform.DINGTALK, "sales", chat_id=sandbox.GROUP)
CARD = Card(
    "draft-1",
    "请确认",
    lines=("客户嫌价格高",),
    fields=(Field("customer", "客户", options=(Option("17", "恒锐"), Option("18", "恒瑞"))),),
    buttons=(Button("ok", "确认", "primary"),),
)


@dataclass
class Pair:
    """An emulated company and our application beside it."""

    bed: sandbox.Bed
    client: DingtalkClient
    memory: Memory
    inbox: Inbox
    reads_leaves: Callable[[], DingtalkClient]

    async def heard(self) -> InboundMessage:
        """The one message that has come in."""
        await self.bed.drained()
        return self.client.parse(self.inbox.only)

    @property
    def shown(self) -> Said:
        return self.bed.world.said[-1]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    inbox, memory = Inbox(), Memory()
    async with sandbox.open_bed() as bed, aiohttp.ClientSession() as session:
        app = DingtalkApp(
            name="sales",
            corp_id="dingcorp01",
            client_id=sandbox.KEY,
            client_secret=sandbox.SECRET,
            card_template_id="gendan-card.schema",
            card_callback_secret=sandbox.CARD_SECRET,
            events_token=sandbox.TOKEN,
            events_aes_key=sandbox.AES_KEY,
            api_url=bed.base,
            oapi_url=bed.base,
            webhooks={"east": ("hook-east", "SECdemo")},
        )
        bot = web.Application()
        bot.add_routes(routes(app, inbox.accept, [bed.clock]))

        def client_of(app: DingtalkApp) -> DingtalkClient:
            return DingtalkClient(
                app, Http(session), tokens=memory, files=memory, counter=memory, clock=bed.clock
            )

        client = client_of(app)
        async with TestServer(bot) as server:
            registered = bed.world.app("dingtalk")
            registered.callback_url = str(server.make_url("/dingtalk/sales/robot"))
            registered.events_url = str(server.make_url("/dingtalk/sales/events"))
            await client.register_card_callback(str(server.make_url("/dingtalk/sales/cards")))
            yield Pair(bed, client, memory, inbox, lambda: client_of(replace(app, leaves=True)))


async def test_a_person_says_something_and_is_answered(pair: Pair) -> None:
    await pair.bed.emulator.say("0147001", None, "今天拜访了三家")
    message = await pair.heard()
    assert (message.kind, message.text, message.origin) == (Kind.TEXT, "今天拜访了三家", WANG)
    await pair.client.send(message.origin, Markdown("记下了", "- 三家\n- 今天"), dedupe_key="k")
    assert (pair.shown.to, pair.shown.kind, pair.shown.text) == (
        "0147001",
        "markdown",
        "- 三家\n- 今天",
    )


async def test_a_group_mentions_the_bot_and_is_answered(pair: Pair) -> None:
    await pair.bed.emulator.say("0147001", sandbox.GROUP, "@跟单 待办")
    message = await pair.heard()
    assert (message.text, message.origin, message.in_group) == ("待办", GROUP, True)
    await pair.client.send(message.origin, Text("三件"), dedupe_key="k")
    assert (pair.shown.chat, pair.shown.text) == (sandbox.GROUP, "三件")


async def test_a_file_comes_in_and_one_goes_out(pair: Pair) -> None:
    await pair.bed.emulator.say_file("0147001", None, "file", "报价.pdf", b"%PDF-1.7 x")
    (attachment,) = (await pair.heard()).attachments
    data, name = await pair.client.download(attachment)
    assert (data, name) == (b"%PDF-1.7 x", "报价.pdf")
    stored = await pair.memory.put(b"\x89PNG\r\n\x1a\n", name="热图.png")
    await pair.client.send(WANG, FileContent("image", stored.sha256, "热图.png"), dedupe_key="k")
    assert pair.shown.kind == "image"


async def test_a_voice_brings_its_transcript(pair: Pair) -> None:
    await pair.bed.emulator.say_file(
        "0147001", None, "voice", "刚和王总通了电话.amr", b"#!AMR\n" + b"\x00" * 3200
    )
    (attachment,) = (await pair.heard()).attachments
    assert attachment.kind == "voice"
    assert attachment.duration_s
    assert (await pair.client.download(attachment))[0].startswith(b"#!AMR")


async def test_a_card_is_shown_pressed_and_closed(pair: Pair) -> None:
    await pair.client.send(WANG, CARD, dedupe_key="k")
    card = pair.shown
    assert card.card is not None
    assert card.card["body"] == "客户嫌价格高"
    seen = await pair.bed.emulator.press(card, "0147001", "ok", {"customer": "18"})
    assert "toast" not in seen
    message = await pair.heard()
    assert message.action is not None
    assert (message.action.card_id, message.action.revision) == ("draft-1", 1)
    assert (message.action.action, message.action.values) == ("ok", {"customer": "18"})
    assert (message.sender_id, message.origin) == ("0147001", WANG)
    closed = Card("draft-1", "请确认", lines=("恒瑞",), revision=2, closed="已确认")
    await pair.client.send(WANG, CardUpdate(closed), dedupe_key="k2")
    assert (card.card["closed"], card.card["buttons"], card.card["body"]) == ("已确认", [], "恒瑞")


async def test_a_card_in_a_group_is_pressed_there(pair: Pair) -> None:
    await pair.client.send(GROUP, CARD, dedupe_key="k")
    await pair.bed.emulator.press(pair.shown, "0147001", "ok", {})
    message = await pair.heard()
    assert (message.sender_id, message.origin) == ("0147001", GROUP)


async def test_a_card_whose_creation_was_never_answered_is_shown_once(pair: Pair) -> None:
    api = "v1.0/card/instances/createAndDeliver"
    pair.bed.world.faults.append(Fault("dingtalk", api, status=504, after=True))
    with pytest.raises(TransientError):
        await pair.client.send(WANG, CARD, dedupe_key="k")
    await pair.client.send(WANG, CARD, dedupe_key="k")
    assert len(pair.bed.world.said) == 1


async def test_the_longest_card_is_taken(pair: Pair) -> None:
    fields = tuple(
        Field(f"f{number}", "客户", options=tuple(Option(str(n), "名称" * 9) for n in range(30)))
        for number in range(3)
    )
    card = Card("draft-2", "标题" * 18, lines=tuple("话" * 200 for _ in range(40)), fields=fields)
    for part in pair.client.split(card):
        await pair.client.send(WANG, part, dedupe_key="k")
    first, *rest = pair.bed.world.said
    shown, told = first.card, "".join(said.text for said in rest)
    assert shown is not None
    assert (shown["body"] + told).count("话") == 8000


async def test_a_group_robot_says_a_thing_once(pair: Pair) -> None:
    east = Address(Platform.DINGTALK, "sales", webhook="east")
    for _ in range(2):
        await pair.client.send(east, Text("红灯三条"), dedupe_key="push-1")
    assert [said.text for said in pair.bed.world.said] == ["红灯三条"]


async def test_a_person_who_left_cannot_be_reached(pair: Pair) -> None:
    gone = Address(Platform.DINGTALK, "sales", user_id="0147005")
    for content in (Text("你好"), CARD):
        with pytest.raises(Rejected):
            await pair.client.send(gone, content, dedupe_key="k")


async def test_the_whole_directory_is_read(pair: Pair) -> None:
    found = await pair.client.read_directory()
    assert found.whole
    departments = {department.id: department for department in found.departments}
    assert departments["21"].parent_id == "20"
    assert departments["20"].leaders == ("0147009",)
    assert departments["1"].parent_id is None
    users = {user.user_id: user for user in found.users}
    assert "0147005" not in users
    assert users["0147009"].leads == ("20",)
    wang = users["0147001"]
    assert (wang.name, wang.mobile, wang.departments) == ("小王", "13800000001", ("21",))
    assert (wang.titles, wang.status) == (("销售代表",), PersonStatus.ACTIVE)


async def test_leaves_are_read_in_pages_for_those_asked_for(pair: Pair) -> None:
    now, day = pair.bed.clock.now(), timedelta(days=1)
    told = [
        Leave("dingtalk", "0147001", now + day * number, now + day * (number + 1), now)
        for number in range(25)
    ]
    other = replace(told[0], user_id="0147009")
    pair.bed.world.leaves = [*told, other, replace(told[1], status=6), replace(told[0], status=1)]
    assert await pair.client.read_leaves(["0147001"], at=now) is None  # not ours to read
    client = pair.reads_leaves()
    found = await client.read_leaves(["0147001", *(f"x{n}" for n in range(150))], at=now)
    assert found is not None
    assert len(found) == 25
    first = min(found, key=lambda one: one.begins_at)
    assert (first.user_id, first.ends_at - first.begins_at) == ("0147001", day)
    assert pair.bed.world.counters["dingtalk:topapi/attendance/getleavestatus"] == 3


async def test_the_directory_is_outside_the_quota(pair: Pair) -> None:
    before = (await pair.client.quota()).used
    await pair.client.read_directory()
    assert (await pair.client.quota()).used == before


async def test_the_directory_reads_the_same_when_numbers_come_as_strings(pair: Pair) -> None:
    typed = await pair.client.read_directory()
    pair.bed.emulator.gate.strings = True
    assert await pair.client.read_directory() == typed


async def test_a_manager_becomes_a_leader(pair: Pair) -> None:
    pair.bed.emulator.change_member("0147001", direct_leader="0147009")
    (wang,) = (await pair.client.read_users(["0147001"])).users
    assert wang.leaders == ("0147009",)


async def test_whoever_left_is_named_as_gone(pair: Pair) -> None:
    found = await pair.client.read_users(["0147001", "0147005"])
    assert [user.user_id for user in found.users] == ["0147001"]
    assert (found.whole, found.left_user_ids) == (False, ("0147005",))


async def test_a_part_outside_the_visible_range_is_not_taken_for_gone(pair: Pair) -> None:
    pair.bed.emulator.directory.visible = {21}
    found = await pair.client.read_directory()
    assert {department.id for department in found.departments} == {"21"}
    outside = await pair.client.read_users(["0147009"])
    assert (outside.users, outside.left_user_ids) == ((), ())


async def test_a_directory_that_cannot_be_read_to_its_end_is_not_read(pair: Pair) -> None:
    pair.bed.world.faults.append(Fault("dingtalk", "topapi/v2/user/get", errcode=-1))
    with pytest.raises(TransientError):
        await pair.client.read_directory()


async def test_a_missing_scope_is_told_by_its_name(pair: Pair) -> None:
    pair.bed.emulator.gate.granted.discard("qyapi_get_member")
    with pytest.raises(AuthFailed, match="qyapi_get_member"):
        await pair.client.read_users(["0147001"])
    pair.bed.emulator.gate.granted.discard("qyapi_robot_sendmsg")
    with pytest.raises(AuthFailed, match="qyapi_robot_sendmsg"):
        await pair.client.send(WANG, Text("你好"), dedupe_key="k")


@pytest.mark.parametrize("is_wrapped", [False, True])
async def test_revoked_tokens_are_replaced_on_both_apis(pair: Pair, is_wrapped: bool) -> None:
    pair.bed.emulator.gate.wrap_88 = is_wrapped
    await pair.client.read_users(["0147001"])
    pair.bed.emulator.gate.revoke_tokens()
    assert (await pair.client.read_users(["0147001"])).users
    pair.bed.emulator.gate.revoke_tokens()
    await pair.client.send(WANG, Text("你好"), dedupe_key="k")


async def test_a_ban_is_waited_out(pair: Pair) -> None:
    api = "v1.0/robot/oToMessages/batchSend"
    pair.bed.world.faults.append(Fault("dingtalk", api, errcode=BAN))
    with pytest.raises(TransientError) as caught:
        await pair.client.send(WANG, Text("你好"), dedupe_key="k")
    assert caught.value.retry_after_s == 300
    pair.bed.clock.pass_by(minutes=6)
    await pair.client.send(WANG, Text("你好"), dedupe_key="k")


async def test_a_burst_stays_below_the_platforms_limit(pair: Pair) -> None:
    pair.bed.emulator.gate.qps = 20
    for number in range(10):
        await pair.client.send(WANG, Text(f"第{number}条"), dedupe_key=f"k{number}")
    assert len(pair.bed.world.said) == 10


async def test_directory_changes_arrive_as_events(pair: Pair) -> None:
    pair.bed.emulator.change_member("0147001", name="王五")
    message = await pair.heard()
    assert message.kind == Kind.DIRECTORY_CHANGE
    assert message.change == DirectoryChange(user_ids=("0147001",))
    assert (await pair.client.read_users(message.change.user_ids)).users[0].name == "王五"


async def test_the_console_accepts_the_address_for_events(pair: Pair) -> None:
    assert await pair.bed.emulator.verify_callback()
    assert pair.inbox.envelopes == []


async def test_a_message_over_the_quota_is_recognised(pair: Pair) -> None:
    pair.bed.emulator.over_quota = True
    await pair.bed.emulator.say("0147001", None, "你好")
    assert (await pair.heard()).kind == Kind.OVER_QUOTA


async def test_a_message_delivered_three_times_has_one_id(pair: Pair) -> None:
    pair.bed.emulator.inbound.times = 3
    await pair.bed.emulator.say("0147001", None, "你好")
    await pair.bed.drained()
    assert len(pair.inbox.envelopes) == 3
    assert len({envelope.delivery_id for envelope in pair.inbox.envelopes}) == 1


async def test_an_event_that_found_no_open_door_is_read_from_the_list(pair: Pair) -> None:
    """As the door would have stored it, and once."""
    door = pair.bed.world.app("dingtalk").events_url
    pair.bed.world.app("dingtalk").events_url = f"{door}/nobody"
    pair.bed.emulator.change_member("0147001", status=5)
    await pair.bed.drained()
    assert await pair.client.read_failed_events() == []
    pair.bed.clock.at += timedelta(minutes=4)
    (envelope,) = await pair.client.read_failed_events()
    message = pair.client.parse(envelope)
    assert (envelope.channel, message.kind) == ("dingtalk:sales:events", Kind.DIRECTORY_CHANGE)
    assert message.change == DirectoryChange(left_user_ids=("0147001",))
    assert await pair.client.read_failed_events() == []


async def test_an_application_can_be_examined(pair: Pair) -> None:
    await pair.client.check_credentials()
    await pair.client.check_address()
    assert await pair.client.count_people() == 3
    assert abs(await pair.client.platform_time() - WallClock().now()) < timedelta(minutes=1)
    assert pair.client.refusal == ""


async def test_a_wrong_secret_is_found_out_and_remembered(pair: Pair) -> None:
    pair.bed.world.app("dingtalk").app_secret = "reset"
    with pytest.raises(AuthFailed):
        await pair.client.check_credentials()
    pair.bed.emulator.gate.revoke_tokens()
    with pytest.raises(AuthFailed):
        await pair.client.send(WANG, Text("你好"), dedupe_key="k")
    assert "invalidClientIdOrSecret" in pair.client.refusal
