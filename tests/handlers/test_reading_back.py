"""Who has not read what the bot wrote on the emulated DingTalk, and taking a message back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.domain.people import Directory, DirectoryUser, Role
from bot.errors import UserError
from bot.messages import (
    Address,
    Card,
    Content,
    InboundMessage,
    Incoming,
    Kind,
    OutboundMessage,
    Platform,
    Text,
)
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.settings import DingtalkApp
from connectors.http import Http
from handlers.conversation.reading_back import ReadingBack
from storage.database import Database
from tests.connectors.dingtalk.dingtalk_bed import Memory
from tests.connectors.sandbox import dingtalk_bed as sandbox
from tests.handlers.chat_company import Chat, words

REP, LEADER = "0147001", "0147009"
PEOPLE = {
    REP: ("小王", Role.REP),
    "0147002": ("小李", Role.REP),
    LEADER: ("李主管", Role.SUPERVISOR),
}
GROUP = Address(Platform.DINGTALK, "sales", chat_id=sandbox.GROUP)


@dataclass
class Bed:
    platform: sandbox.Bed
    chat: Chat
    client: DingtalkClient
    back: ReadingBack
    count: int = 0

    async def send(self, to: Address, content: Content) -> None:
        """As the outbox would."""
        self.count += 1
        message = OutboundMessage(f"k{self.count}", to, content)
        async with self.chat.database.begin() as tx:
            await tx.delivery.queue([message], at=self.chat.now)
            [due] = await tx.delivery.take_due(limit=5, at=self.chat.now)
        receipt = await self.client.send(to, content, dedupe_key=message.dedupe_key)
        async with self.chat.database.begin() as tx:
            await tx.delivery.mark_sent(due.id, receipt, at=self.chat.now)

    async def say(self, who: str, text: str, *, group: bool = False) -> str:
        self.count += 1
        origin = GROUP if group else Address(Platform.DINGTALK, "sales", user_id=who)
        message = InboundMessage(
            platform=Platform.DINGTALK, app="sales", message_id=str(self.count), origin=origin,
            sender_id=who, sent_at=self.chat.now, kind=Kind.TEXT, text=text, in_group=group,
        )  # fmt: skip
        incoming = Incoming(message, f"test:{self.count}", self.chat.now)
        incoming = await self.back.prepare(incoming, last_try=True)
        try:
            async with self.chat.database.begin() as tx:
                answers = await self.chat.handlers.handle(tx, incoming)
        except UserError as refusal:
            return str(refusal)
        return "\n".join(words(one.content) for one in answers)

    def is_read_by(self, user_id: str) -> None:
        """By that person, all that was said so far."""
        for said in self.platform.world.said:
            if said.sender.startswith("bot:") and said.to in (user_id, None):
                self.platform.emulator.robot.mark_read(said, user_id)


@pytest.fixture
async def bed(database: Database) -> AsyncIterator[Bed]:
    memory, chat = Memory(), await Chat(database).open()
    users = tuple(DirectoryUser(key, name) for key, (name, _) in PEOPLE.items())
    async with database.begin() as tx:
        roles = chat.office.policy.roles.roles_of
        news = Directory("dingtalk", users=users)
        await tx.people.save_directory(news, roles_by_title=roles, at=chat.now)
        for key, (_, role) in PEOPLE.items():
            found = await tx.people.find_by_identity("dingtalk", key)
            assert found is not None
            await tx.people.set_roles(found.id, [role])
            chat.people[key] = await tx.people.get(found.id)
        for key in (REP, "0147002"):
            leader = chat.people[LEADER].id
            await tx.people.set_supervisor_override(chat.people[key].id, leader)
    async with sandbox.open_bed() as platform, aiohttp.ClientSession() as session:
        platform.clock.at = chat.now
        app = DingtalkApp(
            name="sales", corp_id="dingcorp01", client_id=sandbox.KEY,
            client_secret=sandbox.SECRET, card_template_id="gendan-card.schema",
            card_callback_secret=sandbox.CARD_SECRET, api_url=platform.base, oapi_url=platform.base,
        )  # fmt: skip
        client = DingtalkClient(
            app, Http(session), tokens=memory, files=memory, counter=memory, clock=platform.clock
        )
        await client.register_card_callback("https://gendan.example.com/dingtalk/sales/cards")
        back = ReadingBack(chat.office, {("dingtalk", "sales"): client}, read=database.read)
        yield Bed(platform, chat, client, back)


def to(who: str) -> Address:
    return Address(Platform.DINGTALK, "sales", user_id=who)


async def test_a_leader_hears_who_of_the_team_has_not_read_the_last_message(bed: Bed) -> None:
    assert "没有给你团队里的人发过" in await bed.say(LEADER, "谁没看")
    await bed.send(to(REP), Text("恒锐机电 3天没跟进"))
    await bed.send(to("0147002"), Card("lights-1", "两家客户亮红灯", lines=("恒锐机电",)))
    bed.is_read_by(REP)
    told = await bed.say(LEADER, "谁没看？")
    assert told.splitlines() == [
        "没看我最近一条消息的1人：",
        "- 小李：两家客户亮红灯（1月28日(周三) 15:00）",
        "看过的有1人。",
    ]
    bed.is_read_by("0147002")
    assert await bed.say(LEADER, "谁没看") == "你团队里2人都看过我最近发的消息了。"


async def test_of_a_group_the_last_message_counts(bed: Bed) -> None:
    await bed.send(GROUP, Text("今天的红灯：3家"))
    bed.is_read_by(REP)
    told = await bed.say(LEADER, "谁没看", group=True)
    assert "（今天的红灯：3家）" in told
    assert "看过1人：小王" in told
    assert "你团队里没看的1人：小李" in told
    await bed.send(GROUP, Text(told))  # the answer is not what is asked about the next time
    assert "（今天的红灯：3家）" in await bed.say(LEADER, "谁没看", group=True)


async def test_only_leaders_are_told(bed: Bed) -> None:
    assert "只告诉主管" in await bed.say(REP, "谁没看")
    assert "只告诉主管" in await bed.say(REP, "收回上一条")


async def test_the_last_message_of_a_chat_is_taken_back(bed: Bed) -> None:
    assert "没有在这里发过" in await bed.say(LEADER, "收回上一条", group=True)
    await bed.send(GROUP, Text("第一条"))
    await bed.send(GROUP, Text("发错了"))
    assert "已收回" in await bed.say(LEADER, "收回上一条", group=True)
    assert [one.recalled for one in bed.platform.world.said] == [False, True]


async def test_what_is_older_than_a_day_cannot_be_taken_back(bed: Bed) -> None:
    await bed.send(GROUP, Text("昨天的"))
    bed.platform.clock.pass_by(hours=25)
    assert "没能收回" in await bed.say(LEADER, "收回上一条", group=True)


async def test_where_nobody_tells_the_question_is_answered_so(bed: Bed) -> None:
    bed.back = ReadingBack(bed.chat.office, {}, read=bed.chat.database.read)
    assert "不告诉我们谁看过" in await bed.say(LEADER, "谁没看")
