"""DingTalk, emulated: both hosts of its server API, and the calls it makes to the bot.

Written from the protocol notes alone, so that the bot's connector meets a second opinion.
Each part is a file: gate (tokens, limits, faults), robot, webhooks, cards, files,
directory, contacts, groups, events, inbound, stream, webview.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from .dingtalk_approvals import Approvals
from .dingtalk_attendance import Attendance
from .dingtalk_calls import Calls
from .dingtalk_cards import Cards, sent_text
from .dingtalk_contacts import Contacts
from .dingtalk_directory import Directory
from .dingtalk_events import Events, changed_fields
from .dingtalk_files import Files
from .dingtalk_gate import Gate, unknown_path
from .dingtalk_groups import Groups
from .dingtalk_inbound import Inbound
from .dingtalk_records import Records
from .dingtalk_robot import Robot
from .dingtalk_stream import Stream
from .dingtalk_webhooks import Webhooks
from .dingtalk_webview import Webviews
from .world import Chat, Dept, Member, Said, World


class DingtalkEmulator:
    """The platform "dingtalk" of a World; satisfies world.Emulator.

    origin: scheme, host and port under which the bot reaches the sandbox, such as
    "http://127.0.0.1:8765". Its links (session webhooks, downloads) start with it. The
    parts are public: their attributes are the knobs.
    """

    def __init__(self, world: World, origin: str = "") -> None:
        self.world = world
        self.calls = Calls(world)
        self.gate = Gate(world)
        self.files = Files(world, self.gate)
        self.robot = Robot(world, self.gate, self.files)
        self.webhooks = Webhooks(world, self.gate, self.robot)
        self.stream = Stream(world, self.gate)
        self.cards = Cards(world, self.gate, self.robot, self.calls, self.stream)
        self.directory = Directory(world, self.gate)
        self.attendance = Attendance(world, self.gate)
        self.contacts = Contacts(self.gate)
        self.groups = Groups(world, self.gate)
        self.events = Events(world, self.gate, self.calls, self.stream)
        self.approvals = Approvals(world, self.gate, self.events)
        self.records = Records(world, self.gate, self.events)
        self.inbound = Inbound(world, self.gate, self.calls, self.files, self.webhooks, self.stream)
        self.webviews = Webviews(world, self.gate, urlsplit(origin).netloc)
        self.origin = origin

    @property
    def origin(self) -> str:
        return self.files.origin

    @origin.setter
    def origin(self, origin: str) -> None:
        bare = origin.rstrip("/")
        self.files.origin = self.webhooks.origin = self.stream.origin = bare

    @property
    def over_quota(self) -> bool:
        """Whether the month's messages are used up: they then arrive without their text."""
        return self.inbound.over_quota

    @over_quota.setter
    def over_quota(self, is_used_up: bool) -> None:
        self.inbound.over_quota = is_used_up

    def routes(self) -> list[web.RouteDef]:
        parts = (self.gate, self.robot, self.webhooks, self.cards, self.files, self.stream)
        routes = [route for part in parts for route in part.routes()]
        rest = (
            self.webviews, self.directory, self.attendance, self.contacts, self.groups, self.events,
            self.approvals, self.records,
        )  # fmt: skip
        return [*routes, *(route for part in rest for route in part.routes()), unknown_path()]

    async def say(self, sender: str, chat: str | None, text: str) -> Said:
        return await self.inbound.say(*self._speaker(sender, chat), text)

    async def reply(self, sender: str, chat: str | None, text: str, to: Said) -> Said:
        """A message that quotes another one of the same chat. Raises ValueError."""
        if (to.platform, to.chat) != ("dingtalk", chat):
            raise ValueError("只能回复同一个会话里的消息")
        return await self.inbound.say(*self._speaker(sender, chat), text, reply_to=to)

    async def say_file(
        self, sender: str, chat: str | None, kind: str, name: str, data: bytes
    ) -> Said:
        """kind: also "video", in the one-to-one chat."""
        return await self.inbound.say_file(*self._speaker(sender, chat), kind, name, data)

    async def press(
        self, said: Said, sender: str, action: str, values: dict[str, str]
    ) -> dict[str, Any]:
        """The card as it now stands for the presser.

        A button that is a dtmd link makes the presser say its text. Raises ValueError when
        this person cannot press that, ConnectionError when the bot gave no usable answer.
        """
        self._speaker(sender, said.chat)
        recipients = said.wire.get("recipients") or [sender]
        if said.card is None or said.recalled:
            raise ValueError("这条消息上没有按钮")
        if sender not in recipients or (said.chat is None and said.to != sender):
            raise ValueError("这张卡片不是发给这个人的")
        text = sent_text(action)
        if text is not None and action in [button["action"] for button in said.card["buttons"]]:
            await self.say(sender, said.chat, text)
            return said.card
        return await self.cards.press(said, sender, action, values)

    async def verify_callback(self) -> bool:
        """What saving the event URL in the developer console does: check_url."""
        return await self.events.verify()

    def add_member(self, member: Member) -> None:
        self.world.members.append(member)
        self.events.people_changed("user_add_org", [member.user_id])

    def change_member(self, user_id: str, **changes: Any) -> Member:
        """Change fields of a member; status 5 means the person left. Raises ValueError."""
        member = self.world.member("dingtalk", user_id)
        if member is None:
            raise ValueError(f"钉钉里没有这个人：{user_id}")
        before = dataclasses.replace(member)
        for name, value in changes.items():
            setattr(member, name, value)
        if changes.get("status") == 5:
            self.events.people_changed("user_leave_org", [user_id])
        else:
            diff = changed_fields(before, member)
            self.events.people_changed("user_modify_org", [user_id], diffInfo=diff)
        return member

    def add_dept(self, dept: Dept) -> None:
        self.world.depts.append(dept)
        self.events.departments_changed("org_dept_create", [dept])

    def change_dept(self, dept: Dept, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(dept, name, value)
        self.events.departments_changed("org_dept_modify", [dept])

    def remove_dept(self, dept: Dept) -> None:
        self.world.depts.remove(dept)
        self.events.departments_changed("org_dept_remove", [dept])

    def busy(self) -> bool:
        return self.calls.busy()

    async def stop(self) -> None:
        await self.calls.stop()
        await self.stream.stop()

    def _speaker(self, sender: str, chat_id: str | None) -> tuple[Member, Chat | None]:
        member = self.world.member("dingtalk", sender)
        if member is None or member.status != 1:
            raise ValueError(f"钉钉里没有这个人，或已停用：{sender}")
        if chat_id is None:
            return member, None
        chat = self.world.chat("dingtalk", chat_id)
        if chat is None:
            raise ValueError(f"钉钉里没有这个群：{chat_id}")
        if sender not in chat.members:
            raise ValueError(f"{member.name}不在群「{chat.name}」里")
        return member, chat
