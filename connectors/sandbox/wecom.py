"""The emulated WeCom: one self-built application's server API, its members and callbacks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from . import (
    wecom_approvals,
    wecom_archive_calls,
    wecom_calls,
    wecom_checkins,
    wecom_contacts,
    wecom_directory,
    wecom_groups,
    wecom_media,
    wecom_menu,
    wecom_messages,
)
from .wecom_aibot import Aibots
from .wecom_archive import Archived
from .wecom_bills import BillEvents
from .wecom_callbacks import Callbacks
from .wecom_calls import Front
from .wecom_cardview import choose
from .wecom_customers import CustomerEvents
from .wecom_errors import WecomError
from .wecom_replies import apply_reply
from .wecom_state import WecomState
from .wecom_webview import Webviews
from .wecom_xml import selected_items, to_xml
from .world import App, Dept, Member, Said, World

_APIS = {
    **wecom_calls.APIS,
    **wecom_messages.APIS,
    **wecom_media.APIS,
    **wecom_groups.APIS,
    **wecom_menu.APIS,
    **wecom_directory.APIS,
    **wecom_approvals.APIS,
    **wecom_checkins.APIS,
    **wecom_contacts.APIS,
    **wecom_archive_calls.APIS,
}


class WecomEmulator:
    """world.Emulator for WeCom.

    state: the server's memory and its switches (trusted addresses, refused permissions,
    whether mobiles are given). callbacks: time limits and retries of the way to the bot.
    A Fault of the api "callback" disturbs that way, see World.fault. aibots: the intelligent
    robots, who hear the chats that they are in. customers: what people outside and our members do
    with each other. bills: what they do with approvals. webviews: pages in the client. base_url:
    where the server API is reached, and the pages too.
    """

    def __init__(self, world: World, base_url: str = "/sandbox/wecom") -> None:
        self.state = WecomState(world)
        self.callbacks = Callbacks(world)
        self.aibots = Aibots(self.state, self.callbacks, base_url)
        self.customers = CustomerEvents(self.state, self._customer_event)
        self.bills = BillEvents(self.state, self._customer_event)
        self._world = world
        self.webviews = Webviews(self.state, urlsplit(base_url).netloc)
        self._front = Front(self.state, {**_APIS, **self.webviews.apis()})
        self._subscribed: set[str] = set()
        self._told_at = 0  # of the archive

    def routes(self) -> list[web.RouteDef]:
        return [
            *self.aibots.routes(),
            *self.state.archive.routes(),
            *self.webviews.routes(),
            web.route("*", "/sandbox/wecom/cgi-bin/{api:.*}", self._front.serve),
            web.route("*", "/sandbox/wecom/{rest:.*}", _nothing_here),
        ]

    async def verify_callback(self) -> bool:
        """What happens when an administrator saves the callback URL: an encrypted challenge
        to be echoed within a second. The reason of a refusal stands in World.attempts."""
        return await self.callbacks.verify(self._app)

    async def say(self, sender: str, chat: str | None, text: str) -> Said:
        """A text to the application, or in a chat with a robot. Raises ValueError: no such
        member, empty, a group without a robot."""
        if robots_chat := self.aibots.chat(chat):
            member = self._member(sender)
            return await self.aibots.say(member, robots_chat, text, quoted=None)
        member = self._speaker(sender, chat)
        if not text.strip():
            raise ValueError("不能发送空白消息")
        said = await self._show(member, kind="text", text=text)
        self._send(member, said, {"MsgType": "text", "Content": text})
        return said

    async def reply(self, sender: str, chat: str | None, text: str, to: Said) -> Said:
        """A text that quotes a message, which only robots are told. Raises ValueError."""
        robots_chat = self.aibots.chat(chat)
        if robots_chat is None:
            raise ValueError("企业微信不会把引用的消息发给自建应用")
        return await self.aibots.say(self._member(sender), robots_chat, text, quoted=to)

    async def say_voice(self, sender: str, chat: str | None, transcript: str) -> Said:
        """What the platform understood of a recording. Raises ValueError."""
        robots_chat = self.aibots.chat(chat)
        if robots_chat is None:
            raise ValueError("企业微信不会把自建应用收到的语音转成文字")
        return await self.aibots.say_voice(self._member(sender), robots_chat, transcript)

    async def say_file(
        self, sender: str, chat: str | None, kind: str, name: str, data: bytes
    ) -> Said:
        """A file to the application. kind: "image", "voice", "video" or "file".

        Whether the platform calls back for a plain file is not documented; it comes as
        WeCom's own plugin parses it, with MediaId and FileName.
        """
        if robots_chat := self.aibots.chat(chat):
            member = self._member(sender)
            return await self.aibots.say_file(member, robots_chat, kind, name, data)
        member = self._speaker(sender, chat)
        if kind not in ("image", "voice", "video", "file"):
            raise ValueError(f"企业微信没有这种文件消息：{kind}")
        if not data:
            raise ValueError("不能发送空文件")
        media = self.state.store_media(kind, name, data)
        shown_kind = "file" if kind == "video" else kind
        said = await self._show(member, kind=shown_kind, file=self.state.shown_file(media))
        details = {
            "image": {"PicUrl": f"/sandbox/api/files/{media.media_id}"},
            "voice": {"Format": "amr"},
            "video": {"ThumbMediaId": secrets.token_urlsafe(48)},
            "file": {"FileName": name},
        }
        self._send(member, said, {"MsgType": kind, **details[kind], "MediaId": media.media_id})
        return said

    async def press(
        self, said: Said, sender: str, action: str, values: dict[str, str]
    ) -> dict[str, Any]:
        """Press a button and wait for the bot's answer; the card as it then stands.

        Raises ValueError (not their card, no such button, field or option; nothing is
        sent) and ConnectionError when no attempt to reach the bot was answered.
        """
        member = self._speaker(sender, None)
        if robots_chat := self.aibots.chat(said.chat):
            if member.user_id not in robots_chat.members:
                raise ValueError(f"{member.name}没有收到这张卡片")
            return await self.aibots.press(said, member, action, values)
        if said.card is None or said.to != member.user_id or said.recalled:
            raise ValueError(f"{member.name}没有收到这张卡片")
        fields = self._press_event(said, action, values)
        if not await self._post_event(member, fields, about=f"press {action}", pressed=said):
            raise ConnectionError("机器人没有应答这次点击")
        return said.card

    async def enter(self, user_id: str, chat: str | None = None) -> None:
        """The member opens the application's chat: enter_agent, each time; or, the first time
        of a day, the chat with a robot."""
        if robots_chat := self.aibots.chat(chat):
            await self.aibots.enter(self._member(user_id), robots_chat)
            return
        member = self._speaker(user_id, chat)
        self._subscribe(member)
        self._post_event(member, {"Event": "enter_agent", "EventKey": ""}, about="enter_agent")

    async def menu_click(self, user_id: str, key: str) -> None:
        """Raises ValueError when the menu has no such key."""
        member = self._speaker(user_id, None)
        if key not in wecom_menu.click_keys(self.menu()):
            raise ValueError(f"应用菜单里没有这一项：{key}")
        self._subscribe(member)
        self._post_event(member, {"Event": "click", "EventKey": key}, about=f"click {key}")

    def menu(self) -> dict[str, Any]:
        """The application's menu as menu/create set it, {} for none."""
        return self.state.menus.get(self._app.agent_id, {})

    def add_member(self, member: Member) -> None:
        """Somebody joins the corporation."""
        self._world.members.append(member)
        self._directory_event(
            {
                "ChangeType": "create_user",
                "UserID": member.user_id,
                "Name": member.name,
                "Department": member.department,
                "Status": str(member.status),
            }
        )

    def change_member(
        self,
        user_id: str,
        *,
        name: str | None = None,
        department: str | None = None,
        status: int | None = None,
    ) -> Member:
        """An administrator changes a member in the client, so the bot hears of it; status 5
        is leaving. Raises ValueError: no such member or department, a strange status."""
        member = self._world.member("wecom", user_id)
        if member is None:
            raise ValueError(f"企业微信里没有这个人：{user_id}")
        if status not in (None, 1, 2, 4, 5):
            raise ValueError("status 只能是 1、2、4、5")
        dept = self._dept(department) if department is not None else None
        changed: dict[str, str] = {}
        if name is not None:
            changed["Name"] = member.name = name
        if dept is not None:
            changed["Department"] = member.department = dept.id
        if status is not None:
            changed["Status"], member.status = str(status), status
        change = "delete_user" if status == 5 else "update_user"
        rest = {} if status == 5 else changed
        self._directory_event({"ChangeType": change, "UserID": member.user_id, **rest})
        return member

    def archive(
        self,
        sender: str,
        to: Sequence[str],
        msgtype: str,
        content: Mapping[str, Any],
        *,
        room: str = "",
        at: datetime | None = None,
        file: bytes | None = None,
    ) -> Archived:
        """Somebody says something in a chat that is archived, and the bot is told that there is
        something to fetch. file: what an image, voice, video or file message carries. Raises
        ValueError: nobody inside or nobody to hear it."""
        ours = {one.user_id.lower() for one in self._world.members if one.platform == "wecom"}
        everybody = [sender, *to]
        if not to or not any(one.lower() in ours for one in everybody):
            raise ValueError("会话里至少要有一位本企业成员和另一个人")
        if file is not None:
            content = {msgtype: {**content.get(msgtype, {}), **self.state.archive.put_file(file)}}
        archived = self.state.archive.add(sender, to, msgtype, content, room=room, at=at)
        self.tell_of_archive()
        return archived

    def tell_of_archive(self) -> None:
        """msgaudit_notify: it says only that there is something. The platform tells at most every
        15 s, which would make people wait; each of ours has a second of its own instead, or it
        would be taken for the one before."""
        self._told_at = max(self._told_at + 1, int(self._world.now().timestamp()))
        event = {
            "MsgType": "event",
            "Event": "msgaudit_notify",
            "AgentID": 2000004,
            "CreateTime": self._told_at,
        }
        self._post("sys", event, about="msgaudit_notify")

    async def stop(self) -> None:
        await self.aibots.stop()
        await self.callbacks.stop()

    def busy(self) -> bool:
        return self.callbacks.busy()

    @property
    def _app(self) -> App:
        return self._world.app("wecom")

    def _speaker(self, user_id: str, chat: str | None) -> Member:
        member = self._member(user_id)
        if chat is not None:
            raise ValueError("企业微信的自建应用收不到群消息，请在与应用的单聊里发送")
        return member

    def _member(self, user_id: str) -> Member:
        member = self._world.member("wecom", user_id)
        if member is None:
            raise ValueError(f"企业微信里没有这个人：{user_id}")
        if member.status != 1:
            raise ValueError(f"{member.name}的企业微信账号不可用（状态 {member.status}）")
        return member

    def _dept(self, dept_id: str) -> Dept:
        found = next((dept for dept in self.state.depts() if dept.id == dept_id), None)
        if found is None:
            raise ValueError(f"企业微信里没有这个部门：{dept_id}")
        return found

    async def _show(
        self, member: Member, *, kind: str, text: str = "", file: dict[str, Any] | None = None
    ) -> Said:
        # Unique over restarts too, since the bot remembers what it has seen; fits int64.
        millis = int(self._world.now().timestamp() * 1000)
        msg_id = (millis << 20) | (self._world.next_id() & 0xFFFFF)
        return await self.state.put(
            kind=kind,
            sender=member.user_id,
            to=member.user_id,
            text=text,
            file=file,
            wire={"msg_id": msg_id},
        )

    def _send(self, member: Member, said: Said, content: Mapping[str, Any]) -> None:
        self._subscribe(member)
        fields = {**content, "MsgId": said.wire["msg_id"], "AgentID": int(self._app.agent_id)}
        self._post(member.user_id, fields, about=content["MsgType"])

    def _subscribe(self, member: Member) -> None:
        """The first contact: the member has gained access to the application."""
        if member.user_id not in self._subscribed:
            self._subscribed.add(member.user_id)
            self._post_event(member, {"Event": "subscribe", "EventKey": ""}, about="subscribe")

    def _press_event(self, said: Said, action: str, values: dict[str, str]) -> dict[str, Any]:
        shown, card = said.card or {}, said.wire.get("template_card", {})
        in_menu = action in {item["action"] for item in shown.get("menu", [])}
        on_card = action in {button["action"] for button in shown["buttons"]}
        if not action or not (in_menu or on_card):
            raise ValueError(f"卡片上没有这个按钮：{action}")
        fields = {
            "Event": "template_card_event" if on_card else "template_card_menu_event",
            "EventKey": action,
            "TaskId": said.wire["task_id"],
            "CardType": card["card_type"],
            "ResponseCode": self.state.new_code(said.wire["msgid"], self._app),
        }
        selected = choose(card, values) if on_card else {}
        return {**fields, "SelectedItems": selected_items(selected)} if selected else fields

    def _post_event(
        self, member: Member, fields: Mapping[str, Any], *, about: str, pressed: Said | None = None
    ) -> asyncio.Task[bool]:
        fields = {"MsgType": "event", **fields, "AgentID": int(self._app.agent_id)}
        return self._post(member.user_id, fields, about=about, pressed=pressed)

    def _directory_event(self, fields: Mapping[str, Any]) -> None:
        event = {"MsgType": "event", "Event": "change_contact", **fields}
        self._post("sys", event, about=f"change_contact {fields['ChangeType']}")

    def _customer_event(self, fields: Mapping[str, Any]) -> None:
        event = {"MsgType": "event", **fields}
        self._post("sys", event, about=f"{fields['Event']} {fields['ChangeType']}")

    def _post(
        self, sender: str, fields: Mapping[str, Any], *, about: str, pressed: Said | None = None
    ) -> asyncio.Task[bool]:
        """Whether the bot answered, once it is known."""
        head = {
            "ToUserName": self._app.corp_id,
            "FromUserName": sender,
            "CreateTime": int(self._world.now().timestamp()),
        }
        inner = to_xml({**head, **fields})
        return self.callbacks.start(self._exchange(sender, inner, about, pressed))

    async def _exchange(self, sender: str, inner: bytes, about: str, pressed: Said | None) -> bool:
        app = self._app
        reply = await self.callbacks.deliver(app, inner, member=sender, about=about)
        if reply:
            try:
                await apply_reply(self.state, app, sender, reply, pressed)
            except (ValueError, WecomError) as error:
                self._world.attempts.append(
                    {"platform": "wecom", "about": f"reply to {about}", "error": str(error)}
                )
        return reply is not None


async def _nothing_here(_request: web.Request) -> web.Response:
    return web.Response(status=404)
