"""The sandbox's control API: what people, tests and the chat page do to the emulated world."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from aiohttp import web

from .api_input import (
    UPLOAD_LIMIT,
    BadRequest,
    Fields,
    NotThere,
    read_moment,
    read_upload,
    seconds_in,
)
from .api_output import (
    show_app,
    show_chat,
    show_file,
    show_member,
    show_said,
    to_json,
    with_links,
)
from .post_office import PostOffice
from .wecom_archive import Archived
from .world import Emulator, Fault, Member, Said, World

_CARD_CHANGES_WITHIN_S = 5.0
_LONGEST_WAIT_S = 60.0
_LONGEST_JUMP_S = 10 * 366 * 86400
_KINDS = ("voice", "file", "image", "video")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@runtime_checkable
class Workbench(Protocol):
    """An emulator whose application has a chat to open and a menu."""

    async def enter(self, user_id: str, chat: str | None = None) -> None: ...

    async def menu_click(self, user_id: str, key: str) -> None: ...

    def menu(self) -> dict[str, Any]: ...


@runtime_checkable
class Quoting(Protocol):
    """An emulator whose members can reply to a message, so that the bot gets both."""

    async def reply(self, sender: str, chat: str | None, text: str, to: Said) -> Said: ...


@runtime_checkable
class Transcribing(Protocol):
    """An emulator that makes text of a recording before the bot gets it."""

    async def say_voice(self, sender: str, chat: str | None, transcript: str) -> Said: ...


@runtime_checkable
class Staffed(Protocol):
    """An emulator whose administrator can change members, so that the bot hears of it."""

    def change_member(self, user_id: str, **changes: Any) -> Member: ...


@runtime_checkable
class Archiving(Protocol):
    """An emulator whose members' chats with people outside are archived."""

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
    ) -> Archived: ...


class ControlApi:
    """Routes below /sandbox/api. A refusal is {"error": why} with status 400 or 404."""

    def __init__(self, world: World, emulators: Mapping[str, Emulator], post: PostOffice) -> None:
        self._world = world
        self._emulators = emulators
        self._post = post
        self._jumping = asyncio.Lock()  # two jumps of an hour at once are two hours

    def routes(self) -> list[web.AbstractRouteDef]:
        gets: dict[str, Handler] = {
            "world": self._show_world,
            "messages": self._messages,
            "quiesce": self._quiesce,
            "stream": self._stream,
            "files/{key}": self._file,
            "evidence/{sha256}": self._evidence,
            "attempts": self._attempts,
        }
        posts: dict[str, Handler] = {
            "say": self._say,
            "press": self._press,
            "clock": self._clock,
            "fault": self._fault,
            "enter": self._enter,
            "menu": self._menu,
            "member": self._member,
            "archive": self._archive,
            "mail": self._post.receive,
            "mail/fault": self._post.misbehave,
        }
        return [
            web.get("/sandbox/open", _guarded(self._open)),
            *(web.get(f"/sandbox/api/{path}", _guarded(do)) for path, do in gets.items()),
            *(web.post(f"/sandbox/api/{path}", _guarded(do)) for path, do in posts.items()),
        ]

    async def _show_world(self, _request: web.Request) -> web.StreamResponse:
        world = self._world
        return to_json(
            {
                "now": world.now(),
                "people": [show_member(member) for member in world.members],
                "chats": [show_chat(chat) for chat in world.chats],
                "departments": [
                    {"id": dept.id, "name": dept.name, "platform": dept.platform}
                    for dept in world.depts
                ],
                "customers": await world.hooks.customers(),
                "apps": [show_app(app) for app in world.apps],
                "menus": {
                    name: emulator.menu()
                    for name, emulator in self._emulators.items()
                    if isinstance(emulator, Workbench)
                },
            }
        )

    async def _say(self, request: web.Request) -> web.StreamResponse:
        if request.content_type.startswith("multipart/"):
            said = await self._say_file(request)
        else:
            fields = await Fields.read(request)
            said = await self._say_text(fields)
        return to_json({"message_id": said.message_id})

    async def _say_text(self, fields: Fields) -> Said:
        """reply_to: id of the message that is quoted. voice: the text is what was understood of
        a recording."""
        emulator, sender = self._person(fields)
        chat, text = fields.optional_text("chat"), fields.text("text")
        if fields.flag("voice"):
            if not isinstance(emulator, Transcribing):
                raise BadRequest("this platform makes no text of recordings")
            return await emulator.say_voice(sender, chat, text)
        if not fields.has("reply_to"):
            return await emulator.say(sender, chat, text)
        quoted = self._world.message(fields.text("reply_to"))
        if quoted is None:
            raise NotThere("no such message to reply to")
        if not isinstance(emulator, Quoting):
            raise BadRequest("this platform delivers no quoted messages to the bot")
        return await emulator.reply(sender, chat, text, quoted)

    async def _say_file(self, request: web.Request) -> Said:
        fields, name, data = await read_upload(request)
        emulator, sender = self._person(fields)
        kind = fields.optional_text("kind") or "file"
        if kind not in _KINDS:
            raise BadRequest(f"kind must be one of {', '.join(_KINDS)}")
        return await emulator.say_file(
            sender, fields.optional_text("chat") or None, kind, name, data
        )

    async def _press(self, request: web.Request) -> web.StreamResponse:
        fields = await Fields.read(request)
        said = self._world.message(fields.text("message_id"))
        if said is None:
            raise NotThere("no such message")
        sender, action = fields.text("from"), fields.text("action")
        emulator = self._emulator(said.platform)
        try:
            await emulator.press(said, sender, action, fields.texts("values"))
        except ConnectionError as error:
            return to_json({"ok": False, "error": str(error), "card": said.card})
        # The bot answers a press at once and changes the card when it has done the work.
        await self._world.hooks.quiesce(_CARD_CHANGES_WITHIN_S)
        return to_json({"ok": True, "card": said.card})

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        """With wait=seconds the answer comes when there is a message, or then."""
        query = request.query
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds_in(query, "wait", default=0.0, most=_LONGEST_WAIT_S)
        while True:
            changes = self._world.changes
            found = [said for said in self._after(query.get("after", "")) if _asked(said, query)]
            left = deadline - loop.time()
            if found or left <= 0:
                return to_json({"messages": [show_said(said) for said in found]})
            await self._world.wait_for_change(left, since=changes)

    def _after(self, after: str) -> list[Said]:
        """after: a message id (what came later), or a time (what came or changed later)."""
        said = self._world.said
        if not after:
            return said
        position = next((i for i, one in enumerate(said) if one.message_id == after), None)
        if position is not None:
            return said[position + 1 :]
        try:
            moment = read_moment(after)
        except BadRequest as error:
            raise BadRequest("after is neither a known message_id nor an ISO time") from error
        return [one for one in said if (one.updated_at or one.at) > moment]

    async def _clock(self, request: web.Request) -> web.StreamResponse:
        fields = await Fields.read(request)
        if fields.has("advance") == fields.has("now"):
            raise BadRequest("give either advance (seconds) or now (ISO time)")
        async with self._jumping:
            now = self._world.now()
            if fields.has("advance"):
                moment = now + timedelta(seconds=fields.seconds("advance", most=_LONGEST_JUMP_S))
            else:
                moment = read_moment(fields.text("now"))
            if not now <= moment <= now + timedelta(seconds=_LONGEST_JUMP_S):
                raise BadRequest("the clock only goes forward, at most ten years at once")
            return to_json({"now": await self._world.hooks.jump(moment)})

    async def _fault(self, request: web.Request) -> web.StreamResponse:
        fields = await Fields.read(request)
        fault = Fault(
            platform=self._platform(fields, "erp"),
            api=fields.text("api"),
            status=fields.optional_number("status", least=100, most=599),
            errcode=fields.code("errcode"),
            delay=fields.seconds("delay", most=_LONGEST_WAIT_S) if fields.has("delay") else 0.0,
            times=fields.optional_number("times", least=1, most=1_000_000) or 1,
            drop=fields.flag("drop"),
            after=fields.flag("after"),
        )
        self._world.faults.append(fault)
        return to_json({"ok": True})

    async def _quiesce(self, request: web.Request) -> web.StreamResponse:
        """Quiet: the bot has drained, and no callback is on its way to it."""
        timeout_s = seconds_in(request.query, "timeout", default=10.0, most=600.0)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            left = max(deadline - loop.time(), 0.0)
            quiet = not self._busy() and await self._world.hooks.quiesce(left)
            if (quiet and not self._busy()) or loop.time() >= deadline:
                return to_json({"quiet": quiet and not self._busy()})
            await asyncio.sleep(0.01)

    def _busy(self) -> bool:
        return any(emulator.busy() for emulator in self._emulators.values())

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        customer = request.query.get("customer", "")
        if not customer.isdecimal():
            raise BadRequest("customer must be a number")
        try:
            stream = await self._world.hooks.stream(int(customer))
        except LookupError as error:
            raise NotThere("no such customer") from error
        return to_json(with_links(stream))

    async def _evidence(self, request: web.Request) -> web.StreamResponse:
        """A file as the bot keeps it."""
        try:
            found = await self._world.hooks.evidence(request.match_info["sha256"])
        except LookupError as error:
            raise NotThere("no such file") from error
        return await self._show(request, *found)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        found = self._world.files.get(request.match_info["key"])
        if found is None:
            raise NotThere("no such file")
        return await self._show(request, *found)

    async def _show(
        self, request: web.Request, data: bytes, name: str, media_type: str
    ) -> web.StreamResponse:
        """With ?play a recording comes as browsers play it."""
        if "play" in request.query:
            data, media_type = await self._world.hooks.play(data, media_type)
        return show_file(data, name, media_type)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """A page of the bot as somebody sees it: as if they had pressed a link in their chat."""
        asked = request.query
        try:
            link = await self._world.hooks.open_page(
                asked.get("platform", ""), asked.get("user", ""), asked.get("path", "/")
            )
        except LookupError as error:
            raise NotThere("no such person or page") from error
        raise web.HTTPSeeOther(link)

    async def _attempts(self, _request: web.Request) -> web.StreamResponse:
        return to_json({"attempts": self._world.attempts, "counters": self._world.counters})

    async def _enter(self, request: web.Request) -> web.StreamResponse:
        fields = await Fields.read(request)
        chat = fields.optional_text("chat")
        await self._workbench(fields).enter(fields.text("from"), chat)
        return to_json({"ok": True})

    async def _menu(self, request: web.Request) -> web.StreamResponse:
        fields = await Fields.read(request)
        await self._workbench(fields).menu_click(fields.text("from"), fields.text("key"))
        return to_json({"ok": True})

    async def _member(self, request: web.Request) -> web.StreamResponse:
        """Change what is given of name, department and status, as an administrator does."""
        fields = await Fields.read(request)
        emulator = self._emulator(self._platform(fields))
        if not isinstance(emulator, Staffed):
            raise BadRequest(f"{self._platform(fields)} has no directory to change")
        changes = {
            "name": fields.optional_text("name"),
            "department": fields.optional_text("department"),
            "status": fields.optional_number("status", least=1, most=5),
        }
        given = {name: value for name, value in changes.items() if value is not None}
        member = emulator.change_member(fields.text("user_id"), **given)
        return to_json({"member": show_member(member)})

    async def _archive(self, request: web.Request) -> web.StreamResponse:
        """Somebody says something in an archived chat; in a form with `file`, to with commas."""
        file = None
        if request.content_type.startswith("multipart/"):
            fields, name, file = await read_upload(request)
            msgtype = fields.optional_text("kind") or "file"
            to = [one for one in fields.text("to").split(",") if one]
            content: dict[str, Any] = {msgtype: {"filename": name} if msgtype == "file" else {}}
        else:
            fields = await Fields.read(request)
            msgtype = fields.optional_text("msgtype") or "text"
            to, content = fields.list_of_texts("to"), fields.object("content")
            if fields.has("text"):
                content = {"text": {"content": fields.text("text")}}
        emulator = self._emulators["wecom"]
        if not isinstance(emulator, Archiving):
            raise BadRequest("nothing is archived here")
        at = read_moment(fields.text("at")) if fields.has("at") else None
        room = fields.optional_text("room") or ""
        said = emulator.archive(
            fields.text("from"), to, msgtype, content, room=room, at=at, file=file
        )
        return to_json({"msgid": said.msgid, "seq": said.seq})

    def _person(self, fields: Fields) -> tuple[Emulator, str]:
        platform, sender = self._platform(fields), fields.text("from")
        if self._world.member(platform, sender) is None:
            raise NotThere(f"nobody called {sender!r} on {platform}")
        chat = fields.optional_text("chat")
        if chat and self._world.chat(platform, chat) is None:
            raise NotThere(f"no chat {chat!r} on {platform}")
        return self._emulator(platform), sender

    def _platform(self, fields: Fields, *others: str) -> str:
        platform, known = fields.text("platform"), (*self._emulators, *others)
        if platform not in known:
            raise BadRequest(f"platform must be one of {', '.join(known)}")
        return platform

    def _emulator(self, platform: str) -> Emulator:
        return self._emulators[platform]

    def _workbench(self, fields: Fields) -> Workbench:
        emulator = self._emulator(self._platform(fields))
        if not isinstance(emulator, Workbench):
            raise BadRequest(f"{self._platform(fields)} has neither an entry nor a menu")
        return emulator


def _asked(said: Said, query: Mapping[str, str]) -> bool:
    """to compares without case, since WeCom's user ids have none."""
    for name in ("platform", "chat"):
        if query.get(name) and getattr(said, name) != query[name]:
            return False
    return not query.get("to") or (said.to or "").lower() == query["to"].lower()


def _guarded(handler: Handler) -> Handler:
    """Refusals as JSON; the emulators refuse with ValueError."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request.clone(client_max_size=UPLOAD_LIMIT))
        except NotThere as error:
            return to_json({"error": str(error)}, status=404)
        except ValueError as error:
            return to_json({"error": str(error)}, status=400)
        except web.HTTPRequestEntityTooLarge:
            return to_json({"error": f"more than {UPLOAD_LIMIT >> 20} MB"}, status=413)

    return guarded
