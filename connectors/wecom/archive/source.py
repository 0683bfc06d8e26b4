"""The chat archive of one company, a `bot.ports.Archive`: Tencent's library in a worker process,
the consents over HTTP with the archive's own secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson

from bot.clock import Clock
from bot.domain.archive import ArchivedMessage, Consent, Opened, Pair, Sealed, Slice, Status
from bot.domain.external import INTERNAL, ChatGroup, GroupMember
from bot.errors import BotError, PermanentError, RateLimited, Unavailable
from bot.ports import TokenStore
from connectors.http import Http
from connectors.limits import Window
from connectors.wecom.api import Api
from connectors.wecom.archive.child import LACKS_KEY
from connectors.wecom.archive.errors import PAGE_TOO_LARGE, of_code
from connectors.wecom.archive.read import read
from connectors.wecom.errors import NO_INTERNAL_ROOM, WecomRejected, in_shape, to_error
from connectors.wecom.settings import WecomApp

CALLS_PER_MINUTE = 600
PAIRS_AT_ONCE = 100
TRIES_ALONE = 2
"""So often a message may end the worker before it is set aside."""

_DECRYPTING_S = 60.0
"""Besides the network's time limit, for a page of a thousand messages on a busy machine."""

_AGREED = frozenset({"agree"})
_SILENT = "default_agree"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ArchiveAccess:
    """One company's archive as configured; its repr shows no secret.

    name: of the application in the configuration, for messages. library: absolute path of
    libWeWorkFinanceSdk_C.so. adapter: "module:factory" that makes a
    `connectors.wecom.archive.library.Library` of library, corp_id, secret, proxy and password.
    keys: version -> private key, PEM. page: messages fetched at once, 1 to 1000. silence_agrees:
    whether Default_Agree (told, and not refused) counts as consent.
    """

    name: str
    corp_id: str
    secret: str = field(repr=False)
    library: str
    keys: Mapping[int, str] = field(repr=False)
    adapter: str = "connectors.wecom.archive.library:load"
    proxy: str = ""
    proxy_password: str = field(default="", repr=False)
    base_url: str = "https://qyapi.weixin.qq.com"
    page: int = 200
    timeout_s: int = 15
    silence_agrees: bool = True

    def app(self) -> WecomApp:
        """Whose token the archive's calls over HTTP want."""
        return WecomApp(
            name=f"{self.name}.archive",
            corp_id=self.corp_id,
            agent_id=0,
            secret=self.secret,
            token="",
            aes_key="",
            base_url=self.base_url,
        )


class Process(Protocol):
    """A process that does `connectors.wecom.archive.child`'s jobs one by one, and is started anew
    when it died."""

    async def do(self, job: bytes, *, limit_s: float) -> bytes:
        """Raises Unavailable when it died over the job, PermanentError for anything else."""
        ...

    async def close(self) -> None: ...


class ProcessDied(Unavailable):
    """The worker's process ended over a job, as the library may make it do."""


class ArchiveSource:
    """The chat archive of one company, over the official library; a `bot.ports.Archive`. reader:
    fetches and decrypts. fetcher: gets files, beside it, because a long video must not keep
    messages waiting."""

    def __init__(
        self,
        access: ArchiveAccess,
        reader: Process,
        fetcher: Process,
        http: Http,
        tokens: TokenStore,
        *,
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        self._access = access
        self._reader = reader
        self._fetcher = fetcher
        self._api = Api(access.app(), http, tokens, clock)
        self._zone = zone
        self._window = Window(CALLS_PER_MINUTE, 60, clock)
        self._limit = access.page
        self._keys = {str(version): pem for version, pem in access.keys.items()}
        self._closed = False

    @property
    def corp(self) -> str:
        return self._access.corp_id

    @property
    def key_versions(self) -> Collection[int]:
        return self._access.keys.keys()

    def read(self, content: str) -> ArchivedMessage | None:
        return read(content, self._zone)

    async def page(self, after: int) -> Sequence[Opened]:
        """One exchange with the worker; when it dies over it, message by message."""
        try:
            return _to_opened(await self._fetch(after, keys=self._keys))
        except ProcessDied as error:
            log.warning("the archive is read in small steps", extra=_fields(error))
        sealed = await self._fetch(after, keys=None)
        return await self.open([_to_sealed(one) for one in sealed])

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[Opened]:
        try:
            return await self._open(sealed)
        except ProcessDied:
            pass
        return [await self._open_alone(one) for one in sealed]

    async def slice(self, handle: str, mark: str) -> Slice:
        answer = await self._ask(
            self._fetcher, "file", handle=handle, mark=mark, timeout_s=self._access.timeout_s
        )
        line, _, data = answer.partition(b"\n")
        told = _checked("GetMediaData", line)
        return Slice(data, told["mark"])

    async def consents(self, pairs: Sequence[Pair]) -> Mapping[Pair, Consent]:
        found = {pair: Consent(Status.UNKNOWN) for pair in pairs}
        single = [pair for pair in pairs if not pair.in_group]
        for start in range(0, len(single), PAIRS_AT_ONCE):
            found |= await self._single_consents(single[start : start + PAIRS_AT_ONCE])
        for room in dict.fromkeys(pair.party for pair in pairs if pair.in_group):
            found |= await self._room_consents(room)
        return found

    async def room(self, room: str) -> ChatGroup | None:
        """A group of members alone, with them; None where it is none, or no more."""
        try:
            answer = await self._api.post("msgaudit/groupchat/get", {"roomid": room})
        except WecomRejected as refusal:
            if refusal.errcode != NO_INTERNAL_ROOM:
                raise
            return None
        with in_shape("msgaudit/groupchat/get"):
            return _to_group(room, answer)

    async def check(self) -> None:
        """Whether the library and the keys are good and the platform answers, also about consents.
        Decrypts nothing. Raises BotError."""
        answer = await self._ask(self._reader, "keys", keys=self._keys)
        if bad := _checked("keys", answer)["bad"]:
            raise PermanentError(f"第 {'、'.join(bad)} 版私钥不是不带口令的 RSA 私钥，请核对 keys")
        await self._fetch(2**62, keys=None)
        await self._api.post("msgaudit/get_permit_user_list", {})

    async def close(self) -> None:
        """What is in work fails with Unavailable."""
        self._closed = True
        await self._reader.close()
        await self._fetcher.close()

    async def _fetch(self, after: int, *, keys: Mapping[str, str] | None) -> list[dict[str, Any]]:
        """Halves the page where the platform finds it too large, and stays with that."""
        while True:
            await self._wait_for_room()
            answer = await self._ask(
                self._reader,
                "page",
                seq=after,
                limit=self._limit,
                timeout_s=self._access.timeout_s,
                keys=keys,
            )
            told = _checked("GetChatData", answer)
            errcode = told.get("errcode", 0)
            if errcode == PAGE_TOO_LARGE and self._limit > 1:
                self._limit //= 2
                continue
            if errcode:
                raise to_error("archive GetChatData", 200, errcode, str(told.get("errmsg", "")))
            messages: list[dict[str, Any]] = told["messages"]
            return messages

    async def _wait_for_room(self) -> None:
        while True:
            try:
                self._window.take(self.corp)
            except RateLimited as full:
                await asyncio.sleep(full.retry_after_s or 1.0)
            else:
                return

    async def _open(self, sealed: Sequence[Sealed]) -> Sequence[Opened]:
        messages = [
            {
                "seq": one.seq,
                "msgid": one.msgid,
                "version": one.key_version,
                "key": one.key,
                "body": one.body,
            }
            for one in sealed
        ]
        answer = await self._ask(self._reader, "open", messages=messages, keys=self._keys)
        return _to_opened(_checked("DecryptData", answer)["messages"])

    async def _open_alone(self, sealed: Sealed) -> Opened:
        """What ends the process twice is set aside."""
        for _ in range(TRIES_ALONE):
            try:
                return (await self._open([sealed]))[0]
            except ProcessDied:
                continue
        log.error("a message ends the library", extra={**_fields(), "msgid": sealed.msgid})
        return Opened(sealed, why="decrypting it ends the library's process")

    async def _ask(self, process: Process, what: str, **asked: Any) -> bytes:
        access = self._access
        library = {
            "adapter": access.adapter,
            "library": access.library,
            "corp_id": access.corp_id,
            "secret": access.secret,
            "proxy": access.proxy,
            "password": access.proxy_password,
        }
        job = orjson.dumps({"do": what, "library": library, **asked})
        try:
            return await process.do(job, limit_s=access.timeout_s + _DECRYPTING_S)
        except Unavailable as error:
            if self._closed:
                raise
            raise ProcessDied(str(error)) from error

    async def _single_consents(self, pairs: Sequence[Pair]) -> dict[Pair, Consent]:
        """Somebody the platform does not know (301061) spoils the whole question, so then each is
        asked alone; of whom it says no more, nothing is known."""
        info = [{"userid": pair.party, "exteranalopenid": pair.outsider} for pair in pairs]
        try:
            told = await self._permits("check_single_agree", {"info": info})
        except WecomRejected as refusal:
            if len(pairs) == 1:
                log.info("no consent to be told", extra=_fields(refusal))
                return {}
            found: dict[Pair, Consent] = {}
            for pair in pairs:
                found |= await self._single_consents([pair])
            return found
        with in_shape("msgaudit/check_single_agree"):
            return {
                Pair(str(one.get("userid")).lower(), str(one.get("exteranalopenid"))): (
                    self._consent(one)
                )
                for one in told
            }

    async def _room_consents(self, room: str) -> dict[Pair, Consent]:
        try:
            told = await self._permits("check_room_agree", {"roomid": room})
        except WecomRejected as refusal:
            log.info("no consent to be told", extra=_fields(refusal))
            return {}
        with in_shape("msgaudit/check_room_agree"):
            return {
                Pair(room, str(one.get("exteranalopenid")), in_group=True): self._consent(one)
                for one in told
            }

    async def _permits(self, call: str, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        answer = await self._api.post(f"msgaudit/{call}", body)
        told = answer.get("agreeinfo")
        return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []

    def _consent(self, told: Mapping[str, Any]) -> Consent:
        word = str(told.get("agree_status", "")).lower()
        changed = told.get("status_change_time")
        at = datetime.fromtimestamp(changed, UTC) if isinstance(changed, int) and changed else None
        agreed = word in _AGREED or (word == _SILENT and self._access.silence_agrees)
        if agreed:
            return Consent(Status.AGREED, at)
        return Consent(Status.REFUSED if word == "disagree" else Status.UNKNOWN, at)


def _to_group(room: str, told: Mapping[str, Any]) -> ChatGroup:
    return ChatGroup(
        platform="wecom",
        chat_id=room,
        name=str(told.get("roomname") or "")[:200],
        owner=str(told.get("creator") or "").lower(),
        members=tuple(
            GroupMember(
                member_id=str(one.get("memberid")).lower(),
                is_staff=True,
                joined_at=_moment(one.get("jointime")),
            )
            for one in told.get("members") or ()
        ),
        version=INTERNAL,
        created_at=_moment(told.get("room_create_time")),
    )


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and seconds else None


def _checked(what: str, line: bytes) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(line)
    if missing := told.get("missing"):
        raise PermanentError(f"会话存档的库用不了：{missing}。请核对 library 和 adapter")
    if code := told.get("code", 0):
        raise of_code(what, code)
    return told


def _to_sealed(one: Mapping[str, Any]) -> Sealed:
    return Sealed(
        int(one["seq"]), one["msgid"], int(one["version"]), one.get("key", ""), one.get("body", "")
    )


def _to_opened(messages: Sequence[Mapping[str, Any]]) -> list[Opened]:
    return [
        Opened(
            _to_sealed(one),
            content=one.get("text"),
            why=one.get("why", ""),
            lacks_key=one.get("why") == LACKS_KEY,
        )
        for one in messages
    ]


def _fields(error: BotError | None = None) -> dict[str, str]:
    fields = {"action": "archive"}
    return fields | {"error": str(error)} if error else fields
