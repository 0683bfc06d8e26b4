"""A group for a customer, made on the emulated DingTalk and bound from the start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.domain.people import Directory, DirectoryUser, Role
from bot.errors import Rejected, TransientError, UserError
from bot.messages import Address, InboundMessage, Incoming, Kind, Platform, Receipt
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http
from connectors.sandbox.world import Fault, Member
from connectors.wecom.client import WecomClient
from connectors.wecom.settings import WecomApp
from handlers.binding.group_making import GroupMaking
from storage.database import Database
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.sandbox import dingtalk_bed as sandbox
from tests.connectors.sandbox import wecom_bed as wecom_sandbox
from tests.connectors.wecom.wecom_bed import Files, Tokens
from tests.handlers.chat_company import Chat, words

HENGRUI = "杭州恒锐机电有限公司"


@dataclass
class Bed:
    platform: sandbox.Bed
    chat: Chat
    making: GroupMaking

    async def say(self, who: str, text: str, *, number: str = "1", last_try: bool = False) -> str:
        """On DingTalk."""
        message = InboundMessage(
            platform=Platform.DINGTALK,
            app="sales",
            message_id=number,
            origin=Address(Platform.DINGTALK, "sales", user_id=who),
            sender_id=who,
            sent_at=self.chat.now,
            kind=Kind.TEXT,
            text=text,
        )
        incoming = Incoming(message, f"test:{number}", self.chat.now)
        incoming = await self.making.prepare(incoming, last_try=last_try)
        try:
            async with self.chat.database.begin() as tx:
                answers = await self.chat.handlers.handle(tx, incoming)
        except UserError as refusal:
            return str(refusal)
        return "\n".join(words(one.content) for one in answers)

    @property
    def made(self) -> list[str]:
        return [one.name for one in self.platform.emulator.groups.made.values()]


@pytest.fixture
async def bed(database: Database) -> AsyncIterator[Bed]:
    """小王 (0147001) is a rep whose customer it is, 小李 (0147002) another one."""
    memory, chat = Memory(), await Chat(database).open()
    users = (DirectoryUser("0147001", "小王"), DirectoryUser("0147002", "小李"))
    async with database.begin() as tx:
        news = Directory("dingtalk", users=users)
        await tx.people.save_directory(
            news, roles_by_title=chat.office.policy.roles.roles_of, at=chat.now
        )
        for user in users:
            found = await tx.people.find_by_identity("dingtalk", user.user_id)
            assert found is not None
            await tx.people.set_roles(found.id, [Role.REP])
            chat.people[user.user_id] = found
    async with sandbox.open_bed() as platform, aiohttp.ClientSession() as session:
        app = DingtalkApp(
            name="sales",
            corp_id="dingcorp01",
            client_id=sandbox.KEY,
            client_secret=sandbox.SECRET,
            api_url=platform.base,
            oapi_url=platform.base,
            group_template_id="gendan-group",
        )
        client = DingtalkClient(
            app, Http(session), tokens=memory, files=memory, counter=memory, clock=platform.clock
        )
        makers = {("dingtalk", "sales"): client}
        yield Bed(platform, chat, GroupMaking(chat.office, makers, read=database.read))


async def test_a_group_is_made_and_bound(bed: Bed) -> None:
    account = await bed.chat.customer(HENGRUI, "0147001")
    told = await bed.say("0147001", "建群 恒锐机电")
    assert "已建好并绑定到" in told
    [group] = bed.platform.emulator.groups.made.values()
    assert group.owner == "0147001"
    async with bed.chat.database.read() as tx:
        assert await tx.chat_bindings.customer_of("dingtalk", group.chat_id) == account.id
    assert bed.chat.office.groups.customer_of("dingtalk", group.chat_id) == account.id


async def test_the_same_delivery_makes_one_group(bed: Bed) -> None:
    await bed.chat.customer(HENGRUI, "0147001")
    await bed.say("0147001", "建群 恒锐机电")
    await bed.say("0147001", "建群 恒锐机电")
    assert len(bed.made) == 1


@pytest.mark.parametrize(
    ("who", "said", "told"),
    [
        ("0147002", "建群 恒锐机电", "不在你和你团队的客户里"),
        ("0147001", "建群 没有这家", "没有"),
        ("0147001", "建群", "要给哪家客户建群"),
    ],
)
async def test_who_may_not_makes_none(bed: Bed, who: str, said: str, told: str) -> None:
    await bed.chat.customer(HENGRUI, "0147001")
    assert told in await bed.say(who, said)
    assert bed.made == []


async def test_what_the_platform_refuses_is_said(bed: Bed) -> None:
    await bed.chat.customer(HENGRUI, "0147001")
    bed.platform.emulator.groups.templates.clear()
    assert "建群没有成功" in await bed.say("0147001", "建群 恒锐机电")


async def test_a_busy_platform_is_asked_again(bed: Bed) -> None:
    await bed.chat.customer(HENGRUI, "0147001")
    fault = Fault("dingtalk", "v1.0/im/sceneGroup/create", status=503, times=2)
    bed.platform.world.faults.append(fault)
    with pytest.raises(TransientError):
        await bed.say("0147001", "建群 恒锐机电")
    assert "建群没有成功" in await bed.say("0147001", "建群 恒锐机电", last_try=True)
    assert "已建好" in await bed.say("0147001", "建群 恒锐机电")


async def test_elsewhere_groups_cannot_be_made(bed: Bed) -> None:
    await bed.chat.customer(HENGRUI)
    assert "还不能建群" in await bed.chat.say("zhang", "建群 恒锐机电")


@dataclass
class WecomBed:
    platform: wecom_sandbox.Bed
    chat: Chat
    client: WecomClient

    async def deliver(self) -> None:
        """What waits in the outbox for a group."""
        async with self.chat.database.begin() as tx:
            due = await tx.delivery.take_due(limit=20, at=self.chat.now)
        for one in due:
            if one.to.chat_id is not None:
                await self.client.send(one.to, one.content, dedupe_key=one.dedupe_key)
            async with self.chat.database.begin() as tx:
                await tx.delivery.mark_sent(one.id, Receipt(), at=self.chat.now)

    def heard_in_groups(self) -> list[str]:
        return [one.text for one in self.platform.world.said if (one.chat or "").startswith("gd")]


@pytest.fixture
async def wecom(database: Database) -> AsyncIterator[WecomBed]:
    """张伟 and 李敏 of the company are members of the emulated WeCom."""
    chat = await Chat(database).open()
    async with wecom_sandbox.open_bed() as platform, aiohttp.ClientSession() as session:
        for key in ("zhang", "li"):
            platform.world.members.append(Member(key, chat.people[key].name, "wecom", [], "1"))
        app = WecomApp(
            name="sales", corp_id=wecom_sandbox.CORP, agent_id=wecom_sandbox.AGENT,
            secret=wecom_sandbox.SECRET, token=wecom_sandbox.TOKEN,
            aes_key=wecom_sandbox.AES_KEY, base_url=platform.base.removesuffix("/cgi-bin"),
            group_chats=True, contacts=True,
        )  # fmt: skip
        client = WecomClient(app, Http(session), Tokens(), Files(), platform.clock)
        chat.preparations = [
            GroupMaking(chat.office, {("wecom", "sales"): client}, read=database.read)
        ]
        yield WecomBed(platform, chat, client)


async def test_wecoms_application_makes_a_group_and_writes_to_it(wecom: WecomBed) -> None:
    account = await wecom.chat.customer(HENGRUI, "zhang")
    assert "没有我建的群" in await wecom.chat.say("zhang", "发到群 恒锐机电 明天十点开会")
    told = await wecom.chat.say("zhang", "建群 恒锐机电")
    assert "内部群「" in told
    [group] = [one for one in wecom.platform.world.chats if one.chat_id.startswith("gd")]
    assert (group.owner, sorted(group.members)) == ("zhang", ["li", "zhang"])
    async with wecom.chat.database.read() as tx:
        assert await tx.chat_bindings.customer_of("wecom", group.chat_id) == account.id
    await wecom.deliver()
    assert "这是张伟为" in wecom.heard_in_groups()[0]
    assert "已发到群里" in await wecom.chat.say("li", "发到群 恒锐机电 明天十点开会")
    await wecom.deliver()
    assert wecom.heard_in_groups()[-1] == "李敏：明天十点开会"
    assert "不在你和你团队" in await wecom.chat.say("chen", "发到群 恒锐机电 我也说一句")


async def test_an_own_group_stays_known_in_the_night(wecom: WecomBed) -> None:
    await wecom.chat.customer(HENGRUI, "zhang")
    await wecom.chat.say("zhang", "建群 恒锐机电")
    [group] = [one for one in wecom.platform.world.chats if one.chat_id.startswith("gd")]
    assert wecom.client.contacts is not None
    read = await wecom.client.contacts.group(group.chat_id)
    assert read is not None
    assert (read.owner, len(read.members or ())) == ("zhang", 2)
    assert await wecom.client.contacts.group("gd" + "0" * 30) is None


async def test_the_same_delivery_makes_one_group_of_wecom(wecom: WecomBed) -> None:
    made = [
        await wecom.client.make_group("恒锐", owner="zhang", members=["li"], key="one")
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with pytest.raises(Rejected, match="至少要两个人"):
        await wecom.client.make_group("恒锐", owner="zhang", members=[], key="two")
