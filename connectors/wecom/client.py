"""One self-built application, as the engine drives it.

Sources: developer.work.weixin.qq.com/document/path/90236 (send), 94888 (card updates),
90248 (application groups), 99110 (group robots), 90231 (menu).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.clock import Clock
from bot.domain.leaves import Leave
from bot.domain.people import Directory
from bot.errors import AuthFailed, Rejected
from bot.messages import (
    Address,
    Attachment,
    Card,
    CardUpdate,
    Content,
    Envelope,
    FileContent,
    InboundMessage,
    Markdown,
    Platform,
    Receipt,
    Text,
)
from bot.ports import FileStore, TokenStore
from connectors.http import Http
from connectors.limits import Window, take_all
from connectors.wecom import directory, group_chats, parse, render
from connectors.wecom.api import Api
from connectors.wecom.approval_bills import Bills
from connectors.wecom.approvals import Approvals
from connectors.wecom.checkins import CheckIns
from connectors.wecom.contacts import Contacts
from connectors.wecom.crypto import Crypto
from connectors.wecom.errors import MEDIA_GONE, RESPONSE_CODE_USED, TASK_ID_USED, WecomRejected
from connectors.wecom.knocking import knock
from connectors.wecom.media import WEBHOOK_IMAGE_BYTES, Media, kind_for
from connectors.wecom.repeats import Repeats
from connectors.wecom.settings import WecomApp
from connectors.wecom.webview import Webview

_DOWNLOAD_BYTES = 25 * 1024 * 1024

_Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of the application's menu: `key` comes back in a Kind.MENU message, `url`
    opens a page, `entries` (at most 5) open below it."""

    name: str
    key: str = ""
    url: str = ""
    entries: tuple[MenuEntry, ...] = ()


class WecomClient:
    """One self-built application, sent through and read from. A bot.ports.ChatConnector.

    Limits of the platform whose excess is dropped without a word are kept here and raise
    RateLimited: 30 a minute and 1000 an hour to a member, 200 a minute to a group of the
    application, 20 a minute through a group robot.

    check_ins: 打卡, likewise. approvals: by the templates that the configuration names.
    contacts: 客户联系, where the configuration says that the application may read it.
    webview: pages in the client, where it says that they may sign in by this application.
    """

    def __init__(
        self,
        app: WecomApp,
        http: Http,
        tokens: TokenStore,
        files: FileStore,
        clock: Clock,
        *,
        menu: Sequence[MenuEntry] = (),
    ) -> None:
        self._app = app
        self._menu = menu
        self._http = http
        self._clock = clock
        self._api = Api(app, http, tokens, clock)
        self._media = Media(self._api, files, clock)
        self._approvals = Approvals(self._api)
        self.approvals = Bills(app.name, app.approvals, self._api, clock) if app.approvals else None
        self.check_ins = CheckIns(app.name, self._api, clock) if app.checkins else None
        self.contacts = Contacts(app.name, self._api, clock) if app.contacts else None
        self.webview = Webview(app, self._api, tokens, clock) if app.pages else None
        self._repeats = Repeats(clock)
        self._member_windows = (Window(30, 60, clock), Window(1000, 3600, clock))
        self._chat_windows = (Window(200, 60, clock),)
        self._webhook_windows = (Window(20, 60, clock),)

    @property
    def platform(self) -> str:
        return Platform.WECOM

    @property
    def app(self) -> str:
        return self._app.name

    @property
    def refusal(self) -> str:
        """Why the platform gives us no token; "" while there is nothing to complain of."""
        return self._api.refusal

    async def introduce(self, public_url: str) -> None:
        """What the platform is to know of us: the menu, unless the configuration leaves it to
        somebody else. public_url: not needed here, the admin page has been told it."""
        if self._menu and self._app.menu:
            await self.create_menu(self._menu)

    def parse(self, envelope: Envelope) -> InboundMessage:
        return parse.parse(envelope)

    def split(self, content: Content) -> Sequence[Content]:
        return render.split(content)

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        """Raises TransientError or PermanentError. What a group cannot show (cards) is sent
        there as Markdown."""
        if to.user_id is not None:
            return await self._send_to_member(to.user_id, content, dedupe_key)
        if to.chat_id is not None:
            return await self._send_to_chat(to.chat_id, content)
        return await self._send_to_webhook(to.webhook or "", content)

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        data, name = await self._api.download(attachment.handle, limit_bytes=_DOWNLOAD_BYTES)
        return data, attachment.name or name or attachment.kind

    async def read_directory(self) -> Directory:
        return await directory.read_all(self._api)

    async def read_users(self, user_ids: Sequence[str]) -> Directory:
        return await directory.read_some(self._api, user_ids)

    @property
    def reads_leaves(self) -> bool:
        return self._app.leaves

    async def read_leaves(self, user_ids: Sequence[str], *, at: datetime) -> list[Leave] | None:
        """Everybody's; None where approvals are not ours to read."""
        return await self._approvals.leaves(at=at) if self._app.leaves else None

    @property
    def makes_groups(self) -> bool:
        return self._app.group_chats

    async def make_group(self, title: str, *, owner: str, members: Sequence[str], key: str) -> str:
        """A group of members to which the application may write; its chat id. key: the same one
        makes no second group."""
        return await group_chats.make(self._api, title, owner=owner, members=members, key=key)

    async def check_credentials(self) -> None:
        """Raises AuthFailed when they are wrong."""
        await self._api.check_credentials()

    async def check_address(self) -> None:
        """Raises AuthFailed when the platform does not know our address."""
        await self._api.get("get_api_domain_ip")

    async def check_agent(self) -> str:
        """Whether the AgentId is of the application whose Secret is ours; the domain that it
        trusts for pages, "" where it has no pages.

        Source: developer.work.weixin.qq.com/document/path/90227.
        """
        told = await self._api.get("agent/get", agentid=str(self._app.agent_id))
        if told.get("close"):
            raise AuthFailed("应用已被停用：请在管理后台「应用管理」中启用本应用")
        return str(told.get("redirect_domain") or "") if self._app.pages else ""

    async def check_door(self, url: str) -> None:
        """Whether a bot with our secrets answers there."""
        app = self._app
        crypto = Crypto(token=app.token, aes_key=app.aes_key, receive_id=app.corp_id)
        await knock(self._http, crypto, url, self._clock)

    @property
    def group_robots(self) -> Sequence[str]:
        return sorted(self._app.webhooks)

    async def check_group_robot(self, name: str) -> None:
        """Says nothing: a body without a type is refused after the key was looked at."""
        with contextlib.suppress(Rejected):
            await self._api.post_webhook(self._app.webhooks[name], {})

    async def count_people(self) -> int:
        """How many the application may see."""
        return len((await self.read_directory()).users)

    async def platform_time(self) -> datetime:
        """What time it is there, to the second."""
        return await self._api.platform_time()

    def note_sent(self, to: Address, at: datetime) -> None:
        """See `bot.ports.ChatConnector`. An update in place counts, too: here it may wait."""
        windows: tuple[Window, ...] = self._member_windows
        key = to.user_id or ""
        if to.webhook is not None:
            windows, key = self._webhook_windows, to.webhook
        elif to.chat_id is not None:
            windows, key = self._chat_windows, to.chat_id
        for window in windows:
            window.count(key, at)

    async def create_menu(self, entries: Sequence[MenuEntry]) -> None:
        """Replace the application's menu: at most 3 entries."""
        body = {"button": [_menu_button(entry) for entry in entries]}
        await self._api.post("menu/create", body, agentid=str(self._app.agent_id))

    async def _send_to_member(self, user_id: str, content: Content, dedupe_key: str) -> Receipt:
        if isinstance(content, CardUpdate) and content.response_code:
            return await self._update_card(user_id, content, dedupe_key)
        if isinstance(content, CardUpdate) and content.only_in_place:
            return Receipt()
        return await self._send_new(user_id, content, dedupe_key)

    async def _send_new(
        self, user_id: str, content: Content, dedupe_key: str, *, task_id: str = ""
    ) -> Receipt:
        """task_id: of a card that may be on screen by now; it is then refused."""
        take_all(self._member_windows, user_id)

        async def post(body: _Body) -> Receipt:
            if task_id:
                body = {**body, "template_card": {**body["template_card"], "task_id": task_id}}
            addressed = {"touser": user_id, "agentid": self._app.agent_id, **body}
            checked = self._repeats.protect(addressed, dedupe_key)
            return _receipt(await self._api.post("message/send", checked))

        return await self._post(content, post)

    async def _update_card(self, user_id: str, update: CardUpdate, dedupe_key: str) -> Receipt:
        """In place, or as a new card when the code is used up or older than 72 h."""
        body = {
            "userids": [user_id],
            "agentid": self._app.agent_id,
            "response_code": update.response_code,
            "template_card": render.render_replacement(update.card),
        }
        try:
            return _receipt(await self._api.post("message/update_template_card", body))
        except WecomRejected as refusal:
            if refusal.errcode != RESPONSE_CODE_USED:
                raise
        if update.only_in_place:
            return Receipt()
        try:
            shown = render.task_id(update.card)  # also of a closed card, which needs none
            return await self._send_new(user_id, update.card, dedupe_key, task_id=shown)
        except WecomRejected as refusal:
            if refusal.errcode != TASK_ID_USED:
                raise
            # Our own earlier try used the code, only its answer was lost: it is on screen.
            return Receipt()

    async def _send_to_chat(self, chat_id: str, content: Content) -> Receipt:
        """A group that the application has made."""
        take_all(self._chat_windows, chat_id)

        async def post(body: _Body) -> Receipt:
            return _receipt(await self._api.post("appchat/send", {"chatid": chat_id, **body}))

        return await self._post(_without_cards(content), post)

    async def _post(self, content: Content, post: Callable[[_Body], Awaitable[Receipt]]) -> Receipt:
        if isinstance(content, Text):
            return await post(render.text_body(content))
        if isinstance(content, Markdown):
            return await post(render.markdown_body(content))
        if isinstance(content, FileContent):
            return await self._post_file(content, post)
        card = content.card if isinstance(content, CardUpdate) else content
        return await post(render.card_body(card, link=self._app.card_url))

    async def _post_file(
        self, content: FileContent, post: Callable[[_Body], Awaitable[Receipt]]
    ) -> Receipt:
        try:
            return await post(await self._file_body(content))
        except WecomRejected as refusal:
            if refusal.errcode != MEDIA_GONE:
                raise
        self._media.forget(content)
        return await post(await self._file_body(content))

    async def _file_body(self, content: FileContent) -> _Body:
        kind, media_id = await self._media.media_id(content)
        return {"msgtype": kind, kind: {"media_id": media_id}}

    async def _send_to_webhook(self, name: str, content: Content) -> Receipt:
        key = self._app.webhooks.get(name)
        if key is None:
            raise Rejected(f"配置中没有名为「{name}」的群机器人")
        take_all(self._webhook_windows, name)
        content = _without_cards(content)
        if isinstance(content, FileContent):
            body = await self._webhook_file(key, content)
        elif isinstance(content, Markdown):
            body = render.markdown_body(content)
        else:
            body = render.text_body(content)
        await self._api.post_webhook(key, body)
        return Receipt()

    async def _webhook_file(self, key: str, content: FileContent) -> _Body:
        data = await self._media.read(content)
        if kind_for(content.kind, data, image_bytes=WEBHOOK_IMAGE_BYTES) == "image":
            digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
            picture = {"base64": base64.b64encode(data).decode(), "md5": digest}
            return {"msgtype": "image", "image": picture}
        media_id = await self._api.upload_webhook(key, data, content.name)
        return {"msgtype": "file", "file": {"media_id": media_id}}


def _without_cards(content: Content) -> Text | Markdown | FileContent:
    if isinstance(content, CardUpdate):
        content = content.card
    if isinstance(content, Card):
        return render.card_as_markdown(content)
    return content


def _receipt(answer: _Body) -> Receipt:
    """Refused receivers of a successful call; a list in one API, joined by "|" in another."""
    refused: list[str] = []
    for name in ("invaliduser", "unlicenseduser"):
        value = answer.get(name) or []
        refused += value.split("|") if isinstance(value, str) else value
    return Receipt(
        handle=str(answer.get("msgid", "")),
        response_code=str(answer.get("response_code", "")),
        undelivered=tuple(user_id.lower() for user_id in refused),
    )


def _menu_button(entry: MenuEntry) -> _Body:
    if entry.entries:
        return {"name": entry.name, "sub_button": [_menu_button(sub) for sub in entry.entries]}
    if entry.url:
        return {"type": "view", "name": entry.name, "url": entry.url}
    return {"type": "click", "name": entry.name, "key": entry.key}
