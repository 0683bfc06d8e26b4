"""The emulated companies: people, groups, what was said, the clock, and the faults to play.

Both platforms' emulators, the control API and the chat page share one World. It knows
nothing of the bot. All state is in memory; the bot's own data is not here.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

_WAYS_TO_THE_BOT = frozenset({"callback", "stream", "stream/connect", "aibot/connect"})


@dataclass(slots=True)
class Member:
    """One account on one platform. mobile joins the two accounts of one person.

    roles: words of the directory (rep, supervisor, admin, ...).
    title: position on WeCom; on DingTalk also a role name. status: 1 active, 2 disabled,
    4 not activated, 5 left. union_id: DingTalk only.
    """

    user_id: str
    name: str
    platform: str
    roles: list[str]
    department: str
    title: str = ""
    mobile: str = ""
    status: int = 1
    direct_leader: str = ""
    union_id: str = ""
    email: str = ""
    hired_at: datetime | None = None


@dataclass(slots=True)
class Dept:
    """A department of one platform's tree; the root has parent ""."""

    id: str
    name: str
    platform: str
    parent: str
    leaders: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Chat:
    """A group. On WeCom: an application group chat; on DingTalk: an internal group.

    robot: name of the intelligent robot (WeCom) in it; with a single member it is that
    person's own chat with the robot.
    """

    chat_id: str
    name: str
    platform: str
    members: list[str]
    owner: str = ""
    robot: str = ""


@dataclass(slots=True)
class App:
    """An emulated application's registration; the secrets are worthless on purpose.

    kind: "app" (WeCom self-built), "aibot" (WeCom's intelligent robot) or "robot" (DingTalk).
    callback_url: where the platform posts messages; DingTalk adds events_url and cards_url.
    mode: "http", or over connections that the bot has opened: "stream" (DingTalk), "websocket"
    (a robot of WeCom, whose BotID and Secret are app_key and app_secret). title: what people
    call a robot.
    """

    platform: str
    name: str
    kind: str
    callback_url: str = ""
    events_url: str = ""
    cards_url: str = ""
    token: str = ""
    aes_key: str = ""
    corp_id: str = ""
    agent_id: str = ""
    app_key: str = ""
    app_secret: str = ""
    card_secret: str = ""
    mode: str = "http"
    title: str = ""
    webhooks: dict[str, str] = field(default_factory=dict)  # access_token/key -> chat_id


@dataclass(slots=True)
class Leave:
    """An application for leave. status: 1 under way, 2 passed, 3 refused, 6 withdrawn after it
    passed. kind: "day", "halfday" or "hour", as it was applied for."""

    platform: str
    user_id: str
    begins_at: datetime
    ends_at: datetime
    applied_at: datetime
    kind: str = "day"
    status: int = 2


@dataclass(slots=True)
class Bill:
    """An application for an approval other than leave. contents: (kind of control, title, text).
    approvers: in turn. status: as `Leave.status`, and 4 withdrawn. done: (approver, agreed, when,
    remark). revokes: the number of the one that it takes back (DingTalk)."""

    platform: str
    number: str
    template: str
    title: str
    user_id: str
    applied_at: datetime
    contents: list[tuple[str, str, str]]
    approvers: list[str]
    status: int = 1
    done: list[tuple[str, bool, datetime, str]] = field(default_factory=list)
    ended_at: datetime | None = None
    revokes: str = ""

    def decide(self, *, agrees: bool, at: datetime, remark: str = "") -> str:
        """The next approver does; who that is. Raises ValueError when nobody is asked."""
        if self.status != 1:
            raise ValueError("this bill is decided")
        approver = self.approvers[len(self.done)]
        self.done.append((approver, agrees, at, remark))
        if not agrees or len(self.done) == len(self.approvers):
            self.status, self.ended_at = (2 if agrees else 3), at
        return approver


@dataclass(slots=True)
class CheckIn:
    """Somebody is somewhere at a time. kind: "on" and "off" (work), "outside", "visit" (签到 of
    DingTalk). trouble: "", or "late", "early", "missing". planned_at: by the shift. note: what they
    wrote. key: stays when the row is corrected."""

    platform: str
    user_id: str
    kind: str
    at: datetime
    key: str
    trouble: str = ""
    planned_at: datetime | None = None
    place: str = ""
    note: str = ""


@dataclass(slots=True)
class Said:
    """One message as people see it, in one shape for both platforms.

    sender: user_id, or "bot:<app>". chat: chat_id of a group, None for one-to-one.
    to: user_id of the human side in one-to-one, None in groups. kind: text | markdown |
    card | image | file | voice. card: {title, body, buttons:[{action,label,style?}],
    fields?:[{key,label,kind,options?:[{id,label}],value?}]}; a closed card has no buttons.
    file: {name, size, url, media_type} for image, file and voice.
    wire: what the platform knows of it and people do not see (ids, tokens, revisions).
    """

    message_id: str
    platform: str
    chat: str | None
    sender: str
    to: str | None
    kind: str
    text: str
    at: datetime
    card: dict[str, Any] | None = None
    file: dict[str, Any] | None = None
    recalled: bool = False
    updated_at: datetime | None = None
    wire: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    """A failure to play the next `times` calls of `api` ("*" for any).

    status: HTTP status to answer; errcode: platform code to answer (a number on WeCom and
    DingTalk's old API, a word such as "send.too.fast" on the new one); delay: seconds to
    wait before answering; drop: close the connection without an answer; after: act first,
    then fail, so that the caller cannot know.
    """

    platform: str
    api: str
    status: int | None = None
    errcode: int | str | None = None
    delay: float = 0.0
    times: int = 1
    drop: bool = False
    after: bool = False


async def _not_yet(*_: object) -> Any:
    raise LookupError("nobody is beside the sandbox yet")


async def _as_it_is(data: bytes, media_type: str) -> tuple[bytes, str]:
    return data, media_type


@dataclass(slots=True)
class Hooks:
    """How the sandbox reaches the bot beside it without knowing it."""

    now: Callable[[], datetime]
    jump: Callable[[datetime], Awaitable[datetime]] = _not_yet  # runs what becomes due
    quiesce: Callable[[float], Awaitable[bool]] = _not_yet  # seconds -> drained?
    customers: Callable[[], Awaitable[list[dict[str, Any]]]] = _not_yet  # [{id, name, owner}]
    stream: Callable[[int], Awaitable[dict[str, Any]]] = _not_yet  # a customer's page, plain
    # A stored file by its hash: bytes, name, media type. Raises LookupError.
    evidence: Callable[[str], Awaitable[tuple[bytes, str, str]]] = _not_yet
    # A recording and its media type -> the same as browsers play it, as far as that can be.
    play: Callable[[bytes, str], Awaitable[tuple[bytes, str]]] = _as_it_is
    # (platform, user id, path): the link by which that person opens that page of the bot.
    # Raises LookupError.
    open_page: Callable[[str, str, str], Awaitable[str]] = _not_yet


class Emulator(Protocol):
    """What the control API asks of one platform's emulator."""

    def routes(self) -> list[web.RouteDef]:
        """The platform's server API below /sandbox/<platform>."""
        ...

    async def say(self, sender: str, chat: str | None, text: str) -> Said:
        """A member says something; the callback to the bot is on its way afterwards.

        Raises ValueError with a readable reason (no such member, not in that chat, ...).
        """
        ...

    async def say_file(
        self, sender: str, chat: str | None, kind: str, name: str, data: bytes
    ) -> Said:
        """kind: "voice", "file" or "image"."""
        ...

    async def press(
        self, said: Said, sender: str, action: str, values: dict[str, str]
    ) -> dict[str, Any]:
        """Press a button; answers the card as it now stands for the presser."""
        ...

    async def stop(self) -> None:
        """Wait for callbacks under way, then close."""
        ...

    def busy(self) -> bool:
        """Whether callbacks (retries included) are still under way."""
        ...


class World:
    """Everything the emulators know."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.members: list[Member] = []
        self.depts: list[Dept] = []
        self.chats: list[Chat] = []
        self.apps: list[App] = []
        self.leaves: list[Leave] = []
        self.bills: list[Bill] = []
        self.check_ins: list[CheckIn] = []
        self.said: list[Said] = []
        self.faults: list[Fault] = []
        self.files: dict[str, tuple[bytes, str, str]] = {}  # key -> bytes, name, media type
        self.counters: dict[str, int] = {}  # e.g. "wecom:message/send", "wecom:dropped"
        self.attempts: list[dict[str, Any]] = []  # callbacks made: url, status, tries, at
        self.changes = 0  # rises with every message said, changed or taken back
        self._ids = itertools.count(1)
        self._heard = asyncio.Condition()

    def now(self) -> datetime:
        return self.hooks.now()

    def next_id(self) -> int:
        return next(self._ids)

    def member(self, platform: str, user_id: str) -> Member | None:
        """WeCom compares user ids without case."""
        fold = str.lower if platform == "wecom" else str
        return next(
            (
                member
                for member in self.members
                if member.platform == platform and fold(member.user_id) == fold(user_id)
            ),
            None,
        )

    def members_of(self, platform: str, department: str) -> list[Member]:
        """Those directly in a department, who have not left."""
        return [
            member
            for member in self.members
            if (member.platform, member.department) == (platform, department) and member.status != 5
        ]

    def chat(self, platform: str, chat_id: str) -> Chat | None:
        return next((c for c in self.chats if (c.platform, c.chat_id) == (platform, chat_id)), None)

    def app(self, platform: str) -> App:
        """The platform's (first) application. Raises LookupError."""
        found = next((app for app in self.apps if app.platform == platform), None)
        if found is None:
            raise LookupError(f"no application on {platform}")
        return found

    def count(self, name: str) -> int:
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]

    def fault(self, platform: str, api: str) -> Fault | None:
        """The next fault to play for this call, used up by asking.

        "*" means the server API; the platform's own ways to the bot must be named. On
        "callback" drop loses the push, after loses the answer, and both make the platform push
        again; the others are for DingTalk's Stream mode.
        """
        named = api in _WAYS_TO_THE_BOT or api in ("ping", "aibot_subscribe")
        names = {api} if named else {api, "*"}
        for fault in self.faults:
            if fault.platform == platform and fault.api in names and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    async def add(self, said: Said) -> Said:
        """Put a message into its chat and wake whoever waits for one."""
        self.said.append(said)
        await self.changed()
        return said

    async def changed(self) -> None:
        self.changes += 1
        async with self._heard:
            self._heard.notify_all()

    async def wait_for_change(self, timeout_s: float, *, since: int) -> None:
        """Until `changes` is no longer `since`, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                async with self._heard:
                    await self._heard.wait_for(lambda: self.changes != since)
        except TimeoutError:
            return

    def message(self, message_id: str) -> Said | None:
        return next((said for said in self.said if said.message_id == message_id), None)
