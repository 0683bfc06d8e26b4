"""Door, parser and client against the emulated platform, which shares no code with them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.clock import FixedClock, WallClock
from bot.errors import AuthFailed
from bot.messages import (
    Address,
    Button,
    Card,
    CardUpdate,
    Content,
    Envelope,
    Field,
    FileContent,
    InboundMessage,
    Kind,
    Option,
    Platform,
    Receipt,
    Text,
)
from bot.ports import Release
from connectors.http import Http
from connectors.sandbox.world import Fault, Leave
from connectors.wecom.client import MenuEntry, WecomClient
from connectors.wecom.settings import WecomApp
from connectors.wecom.webhook import routes
from tests.connectors.sandbox import wecom_bed as sandbox
from tests.connectors.wecom.wecom_bed import Files, Tokens

ZHANG3 = Address(Platform.WECOM, "sales", user_id="zhang3")
CARD = Card(
    card_id="draft-118",
    title="拜访 恒锐机电",
    lines=("嫌价格高", "下周三再联系"),
    facts=(("时长", "25 分钟"),),
    fields=(Field("stage", "阶段", options=(Option("s1", "初访"), Option("s2", "报价"))),),
    buttons=(Button("confirm", "确认", "primary"), Button("cancel", "取消", "danger")),
)


@dataclass
class Bed:
    platform: sandbox.Bed
    client: WecomClient
    files: Files
    heard: list[InboundMessage]
    reconfigured: Callable[..., WecomClient]
    keys: int = 0

    async def send(self, content: Content, key: str = "") -> Receipt:
        self.keys += 1
        return await self.client.send(ZHANG3, content, dedupe_key=key or f"k{self.keys}")

    async def press(self, action: str, values: dict[str, str]) -> InboundMessage:
        said = self.platform.shown_to("zhang3")[-1]
        await self.platform.emulator.press(said, "zhang3", action, values)
        await self.platform.settled()
        return self.heard[-1]


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with contextlib.AsyncExitStack() as stack:
        platform = await stack.enter_async_context(sandbox.open_bed())
        clock = FixedClock(platform.clock.at)
        app = WecomApp(
            name="sales",
            corp_id=sandbox.CORP,
            agent_id=sandbox.AGENT,
            secret=sandbox.SECRET,
            token=sandbox.TOKEN,
            aes_key=sandbox.AES_KEY,
            base_url=platform.base.removesuffix("/cgi-bin"),
            webhooks={"east": sandbox.ROBOT},
        )
        heard: list[InboundMessage] = []

        async def accept(envelope: Envelope) -> Release:
            assert envelope.unreadable is None
            heard.append(client.parse(envelope))
            return lambda: None

        server = web.Application()
        server.add_routes(routes(app, accept, clock))
        running = await stack.enter_async_context(TestServer(server))
        platform.world.app("wecom").callback_url = str(running.make_url("/wecom/sales"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        files = Files()

        def client_with(**settings: Any) -> WecomClient:
            changed = replace(app, **settings)
            menu = [MenuEntry("待办" if changed.menu else "别的", key="todo")]
            return WecomClient(changed, Http(session), Tokens(), files, clock, menu=menu)

        client = client_with()
        yield Bed(platform, client, files, heard, client_with)


async def test_address_is_accepted_when_the_admin_saves_it(bed: Bed) -> None:
    assert await bed.platform.emulator.verify_callback()


async def test_what_a_rep_says_is_heard(bed: Bed) -> None:
    await bed.platform.emulator.say("ZHANG3", None, "价格 <高> ]]> & 贵")
    await bed.platform.settled()
    message = bed.heard[-1]
    assert (message.kind, message.text) == (Kind.TEXT, "价格 <高> ]]> & 贵")
    assert message.origin == ZHANG3


async def test_voice_of_a_rep_can_be_downloaded(bed: Bed) -> None:
    await bed.platform.emulator.say_file("zhang3", None, "voice", "v.amr", sandbox.AMR)
    await bed.platform.settled()
    [attachment] = bed.heard[-1].attachments
    data, name = await bed.client.download(attachment)
    assert (data, name) == (sandbox.AMR, "voice.amr")


async def test_card_is_shown_pressed_and_updated(bed: Bed) -> None:
    assert (await bed.send(CARD)).response_code
    pressed = await bed.press("confirm", {"stage": "s2"})
    action = pressed.action
    assert action is not None
    assert (action.card_id, action.revision, action.action) == ("draft-118", 1, "confirm")
    assert action.values == {"stage": "s2"}
    closed = replace(CARD, revision=2, closed="已确认")
    await bed.send(CardUpdate(closed, action.response_code))
    [said] = bed.platform.shown_to("zhang3")
    assert said.card is not None
    assert (said.card["closed"], said.card["buttons"]) == ("已确认", [])


async def test_drop_down_nobody_touched_chooses_nothing(bed: Bed) -> None:
    await bed.send(CARD)
    action = (await bed.press("confirm", {})).action
    assert action is not None
    assert action.values == {}


async def test_updated_card_can_be_pressed_again_as_its_next_revision(bed: Bed) -> None:
    await bed.send(CARD)
    first = (await bed.press("confirm", {})).action
    assert first is not None
    await bed.send(CardUpdate(replace(CARD, revision=2), first.response_code))
    second = (await bed.press("cancel", {})).action
    assert second is not None
    assert (second.card_id, second.revision) == ("draft-118", 2)


async def test_update_with_a_used_code_comes_as_a_new_card(bed: Bed) -> None:
    await bed.send(CARD)
    action = (await bed.press("confirm", {})).action
    assert action is not None
    await bed.send(CardUpdate(replace(CARD, revision=2), action.response_code))
    await bed.send(CardUpdate(replace(CARD, revision=3), action.response_code))
    assert len(bed.platform.shown_to("zhang3")) == 2


async def test_card_without_buttons_is_shown_as_a_card(bed: Bed) -> None:
    await bed.send(replace(CARD, buttons=(), fields=()))
    [said] = bed.platform.shown_to("zhang3")
    assert said.kind == "card"
    assert said.card is not None
    assert said.card["title"] == "拜访 恒锐机电"


async def test_text_whose_answer_was_lost_arrives_once(bed: Bed) -> None:
    bed.platform.world.faults.append(Fault("wecom", "message/send", status=502, after=True))
    with pytest.raises(Exception, match="502"):
        await bed.send(Text("已记录"), key="k")
    await bed.send(Text("已记录"), key="k")
    assert len(bed.platform.shown_to("zhang3")) == 1
    await bed.send(Text("已记录"), key="another")
    assert len(bed.platform.shown_to("zhang3")) == 2


async def test_picture_and_file_arrive_under_their_names(bed: Bed) -> None:
    for kind, data, name in (
        ("image", sandbox.PNG, "热力图.png"),
        ("file", b"%PDF-1.7", "方案.pdf"),
    ):
        stored = await bed.files.put(data, name=name)
        await bed.send(FileContent(kind, stored.sha256, name))
    picture, document = bed.platform.shown_to("zhang3")
    assert (picture.kind, document.kind) == ("image", "file")
    assert document.file is not None
    assert document.file["name"] == "方案.pdf"


async def test_leaves_are_read_from_approvals_that_passed_and_stand(bed: Bed) -> None:
    midnight = bed.platform.clock.at.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    leaves = [
        Leave("wecom", "zhang3", midnight, midnight + day, bed.platform.clock.at - day * ago)
        for ago in (1, 40, 70)
    ]
    by_hour = replace(leaves[0], kind="hour", ends_at=midnight + timedelta(hours=30))
    others = [replace(leaves[0], status=status) for status in (1, 3, 6)]
    bed.platform.world.leaves = [*leaves, by_hour, *others]
    assert await bed.client.read_leaves([], at=bed.platform.clock.at) is None  # not ours to read
    client = bed.reconfigured(leaves=True)
    found = await client.read_leaves([], at=bed.platform.clock.at)
    assert found is not None
    ends = sorted(leave.ends_at for leave in found)
    assert {leave.user_id for leave in found} == {"zhang3"}
    assert [one - midnight for one in ends] == [
        timedelta(hours=30),
        timedelta(hours=40),
        timedelta(hours=40),
    ]  # midnight of Shanghai
    bed.platform.world.leaves[0].status = 6  # withdrawn
    assert len(await client.read_leaves([], at=bed.platform.clock.at) or ()) == 2


async def test_many_approvals_are_read_page_by_page_and_each_once(bed: Bed) -> None:
    now = bed.platform.clock.at
    bed.platform.world.leaves = [
        Leave("wecom", "zhang3", now, now + timedelta(days=3), now - timedelta(hours=number))
        for number in range(1, 131)
    ]
    client = bed.reconfigured(leaves=True)
    for _ in range(2):
        assert len(await client.read_leaves([], at=now) or ()) == 130
    counters = bed.platform.world.counters
    assert counters["wecom:oa/getapprovaldetail"] == 130
    assert counters["wecom:oa/getapprovalinfo"] == 2 * 3


async def test_directory_is_read_with_its_leaders(bed: Bed) -> None:
    directory = await bed.client.read_directory()
    users = {user.user_id: user for user in directory.users}
    assert directory.whole
    assert users["zhang3"].leaders == ("wang5",)
    assert {"li4", "wang5"} <= users.keys()
    assert [d.leaders for d in directory.departments if d.id == "2"] == [("wang5",)]
    some = await bed.client.read_users(["zhang3", "nobody"])
    assert (len(some.users), some.left_user_ids) == (1, ("nobody",))


async def test_the_menu_is_made_when_the_bot_introduces_itself(bed: Bed) -> None:
    await bed.client.introduce("https://bot.example.com")
    (button,) = bed.platform.emulator.menu()["button"]
    assert (button["name"], button["key"]) == ("待办", "todo")
    await bed.platform.emulator.menu_click("zhang3", "todo")
    await bed.platform.settled()
    assert (bed.heard[-1].kind, bed.heard[-1].text) == (Kind.MENU, "todo")


async def test_a_menu_that_somebody_else_keeps_is_left_alone(bed: Bed) -> None:
    await bed.client.introduce("https://bot.example.com")
    theirs = bed.platform.emulator.menu()
    await bed.reconfigured(menu=False).introduce("https://bot.example.com")
    assert bed.platform.emulator.menu() == theirs


async def test_an_application_can_be_examined(bed: Bed) -> None:
    await bed.client.check_credentials()
    await bed.client.check_address()
    assert await bed.client.count_people() == len((await bed.client.read_directory()).users) > 0
    assert abs(await bed.client.platform_time() - WallClock().now()) < timedelta(minutes=1)
    assert bed.client.refusal == ""


async def test_an_address_that_is_not_listed_is_found_out(bed: Bed) -> None:
    bed.platform.world.faults.append(Fault("wecom", "get_api_domain_ip", errcode=60020))
    with pytest.raises(AuthFailed, match="企业可信IP"):
        await bed.client.check_address()


async def test_a_wrong_secret_is_found_out_and_remembered(bed: Bed) -> None:
    bed.platform.world.app("wecom").app_secret = "reset"
    with pytest.raises(AuthFailed):
        await bed.client.check_credentials()
    with pytest.raises(AuthFailed):
        await bed.send(Text("你好"))
    assert "Secret" in bed.client.refusal
