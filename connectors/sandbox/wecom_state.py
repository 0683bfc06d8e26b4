"""What the emulated WeCom server remembers beyond the shared World."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import secrets
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import filetype

from .wecom_archive import ArchiveState
from .wecom_cardview import show_card
from .wecom_contactbook import ContactBook
from .wecom_errors import WecomError
from .world import App, Dept, Member, Said, World

TOKEN_LIFE = timedelta(seconds=7200)
MEDIA_LIFE = timedelta(days=3)
CODE_LIFE = timedelta(hours=72)


@dataclass(slots=True)
class Token:
    """An access token. scope: "app", or "contacts" for the contact-sync secret's,
    "archive" for the chat archive's."""

    value: str
    app: App
    scope: str
    expires_at: datetime
    revoked: bool = False


@dataclass(slots=True)
class Media:
    """An uploaded or received file; its bytes are in World.files under the same id.

    robot: the webhook key it belongs to, "" when it is the corporation's.
    """

    media_id: str
    kind: str
    expires_at: datetime
    robot: str = ""


@dataclass(slots=True)
class UpdateCode:
    """The right to change one card once."""

    msgid: str
    app: App
    expires_at: datetime
    used: bool = False


class Meter:
    """Counts calls in sliding windows of the sandbox's time."""

    def __init__(self) -> None:
        self._taken: dict[str, deque[datetime]] = {}

    def take(self, key: str, now: datetime, limits: Iterable[tuple[int, int]]) -> bool:
        """Whether one more fits. limits: (calls, seconds); what does not fit is not counted."""
        limits = list(limits)
        taken = self._taken.setdefault(key, deque())
        longest = timedelta(seconds=max(seconds for _, seconds in limits))
        while taken and taken[0] <= now - longest:
            taken.popleft()
        for calls, seconds in limits:
            since = now - timedelta(seconds=seconds)
            if len(taken) >= calls and taken[-calls] > since:
                return False
        taken.append(now)
        return True


@dataclass(slots=True)
class WecomState:
    """The server's memory, and the few acts that several calls share.

    contact_secret: the directory's own secret; only its token may list all user ids.
    trusted_ips: callers allowed, None for any. refused: API families (path beginnings)
    the administrator has not granted. gives_mobile: an application made before
    2022-06-20 still sees mobile numbers; newer ones do not. unlicensed: members without
    a licence. calls_per_minute: the corporation's limit for one API, None for none.
    """

    world: World
    contact_secret: str = "sandbox-contact-sync-secret"
    gives_mobile: bool = True
    trusted_ips: set[str] | None = None
    refused: set[str] = field(default_factory=set)
    unlicensed: set[str] = field(default_factory=set)
    calls_per_minute: int | None = 10_000
    meter: Meter = field(default_factory=Meter)
    tokens: dict[str, Token] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    codes: dict[str, UpdateCode] = field(default_factory=dict)
    sent: dict[str, list[Said]] = field(default_factory=dict)  # msgid -> each member's copy
    senders: dict[str, App] = field(default_factory=dict)  # msgid -> application
    task_ids: dict[tuple[str, str], str] = field(default_factory=dict)  # (agent, task) -> msgid
    repeats: dict[str, tuple[datetime, dict[str, Any]]] = field(default_factory=dict)
    menus: dict[str, dict[str, Any]] = field(default_factory=dict)  # by agent id
    contacts: ContactBook = field(default_factory=ContactBook)
    archive: ArchiveState = field(init=False)

    def __post_init__(self) -> None:
        self.archive = ArchiveState(self.world)

    def token_for(self, app: App, scope: str) -> Token:
        """The valid token of this secret, or a new one."""
        now = self.world.now()
        for token in self.tokens.values():
            if (token.app, token.scope) == (app, scope) and self._holds(token, now):
                return token
        token = Token(secrets.token_urlsafe(96), app, scope, now + TOKEN_LIFE)
        self.tokens[token.value] = token
        return token

    def check_token(self, value: str) -> Token:
        """Raises WecomError 41001, 40014 or 42001."""
        if not value:
            raise WecomError(41001)
        token = self.tokens.get(value)
        if token is None or token.revoked:
            raise WecomError(40014)
        if not self._holds(token, self.world.now()):
            raise WecomError(42001)
        return token

    def revoke_tokens(self) -> None:
        """The platform takes back its tokens early, as it may: 40014 on their next use."""
        for token in self.tokens.values():
            token.revoked = True

    @staticmethod
    def _holds(token: Token, now: datetime) -> bool:
        return not token.revoked and now < token.expires_at

    def store_media(self, kind: str, name: str, data: bytes, *, robot: str = "") -> Media:
        media = Media(
            media_id=secrets.token_urlsafe(48),
            kind=kind,
            expires_at=self.world.now() + MEDIA_LIFE,
            robot=robot,
        )
        self.media[media.media_id] = media
        self.world.files[media.media_id] = (data, name, media_type_of(name, data))
        return media

    def find_media(self, media_id: object, *, robot: str = "") -> Media:
        """Raises WecomError 40007 for one unknown, expired, or another robot's."""
        media = self.media.get(media_id) if isinstance(media_id, str) else None
        if media is None or media.robot != robot or self.world.now() >= media.expires_at:
            raise WecomError(40007)
        return media

    def shown_file(self, media: Media) -> dict[str, Any]:
        """A file as `Said.file` shows it."""
        data, name, media_type = self.world.files[media.media_id]
        url = f"/sandbox/api/files/{media.media_id}"
        return {"name": name, "size": len(data), "url": url, "media_type": media_type}

    def new_code(self, msgid: str, app: App) -> str:
        code = secrets.token_urlsafe(32)
        self.codes[code] = UpdateCode(msgid, app, self.world.now() + CODE_LIFE)
        return code

    async def put(
        self,
        *,
        kind: str,
        sender: str,
        to: str | None = None,
        chat: str | None = None,
        text: str = "",
        card: dict[str, Any] | None = None,
        file: dict[str, Any] | None = None,
        wire: dict[str, Any] | None = None,
    ) -> Said:
        """Show a message in its chat."""
        return await self.world.add(
            Said(
                message_id=f"wecom-{self.world.next_id()}",
                platform="wecom",
                chat=chat,
                sender=sender,
                to=to,
                kind=kind,
                text=text,
                at=self.world.now(),
                card=card,
                file=file,
                wire=wire or {},
            )
        )

    async def replace_card(self, said: Said, card: dict[str, Any]) -> None:
        """Show another card in the same place. card: as message/send takes it."""
        said.wire["template_card"] = card
        if card.get("task_id"):
            said.wire["task_id"] = card["task_id"]
        await self._show(said, show_card(card))

    async def grey_buttons(self, said: Said, note: str) -> None:
        """Nothing more to press; `note` stands where the buttons were."""
        shown = {key: value for key, value in (said.card or {}).items() if key != "fields"}
        await self._show(said, {**shown, "buttons": [], "closed": note})

    async def _show(self, said: Said, card: dict[str, Any]) -> None:
        said.card = card
        said.text = card["title"]
        said.updated_at = self.world.now()
        await self.world.changed()

    def members(self) -> list[Member]:
        return [member for member in self.world.members if member.platform == "wecom"]

    def depts(self) -> list[Dept]:
        return [dept for dept in self.world.depts if dept.platform == "wecom"]

    def below(self, dept_id: str) -> list[Dept]:
        """The department and all under it, parents first. Raises WecomError 60123."""
        depts = self.depts()
        found = [dept for dept in depts if dept.id == dept_id]
        if not found:
            raise WecomError(60123)
        for dept in found:
            found.extend(child for child in depts if child.parent == dept.id)
        return found


def reachable(member: Member | None) -> bool:
    """Only who has activated the account can be written to."""
    return member is not None and member.status == 1


def fingerprint(body: dict[str, Any]) -> str:
    """Equal for equal requests."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def media_type_of(name: str, data: bytes) -> str:
    if data.startswith(b"#!AMR"):
        return "audio/amr"
    guess = filetype.guess_mime(data)
    return guess or mimetypes.guess_type(name)[0] or "application/octet-stream"
