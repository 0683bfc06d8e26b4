"""One folder of one mailbox over IMAP, by imap-tools in a thread of its own.

A server may hang, drip, or answer nonsense. Each piece of work has a deadline; what misses it is
left behind with its connection, in a thread that keeps nobody from leaving.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

import imap_tools
from imap_tools import AND, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools import UidRange as U

from bot.domain.mails import Mail, MailPlace, is_forward
from bot.errors import AuthFailed, BotError, Rejected, TimedOut, Unavailable
from bot.messages import Envelope
from bot.ports import MailLook
from connectors.mail.attached import attached, count
from connectors.mail.heads import HeadReader, decoded, to_envelope, unreadable

T = TypeVar("T")

AT_ONCE = 100
"""Heads that are asked for before the bookmark moves."""

DEADLINE_S = 120.0
"""Of one look or one mail, however the server drips."""

MOST_LOOKED_INTO = 512 * 1024
"""Bytes of a mail among ourselves in which the heads of attached mails are looked for."""

_ATTACHED = re.compile(rb'\(\s*"message"\s+"rfc822"', re.I)  # in a BODYSTRUCTURE

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailAccess:
    """How a mailbox is reached. tls: "tls" from the first byte, "starttls", or "none". is_own:
    somebody's own mailbox, of which not even subjects are kept."""

    name: str
    host: str
    port: int
    tls: str
    user: str
    password: str = field(repr=False)
    folder: str
    timeout_s: float = 30.0
    is_own: bool = False


class Mailbox:
    """A `bot.ports.MailFolder`. reader: of its envelopes. deadline_s: see DEADLINE_S."""

    def __init__(
        self, access: MailAccess, reader: HeadReader, *, deadline_s: float = DEADLINE_S
    ) -> None:
        self._access = access
        self._reader = reader
        self._deadline_s = deadline_s
        self._turn = asyncio.Lock()
        self._session: _Session | None = None
        self._at_work: _Session | None = None

    @property
    def name(self) -> str:
        return self._access.name

    async def look(self, after: MailPlace | None, *, since: date, at: datetime) -> MailLook:
        found = await self._do(lambda session: session.look(after, since))
        envelopes = [(one, self._envelope(one, found.place.validity, at)) for one in found.heads]
        inside = await self._look_inside(envelopes)
        heard = [
            one
            for head, envelope in envelopes
            for one in self._opened(head, envelope, inside.get(head.uid), found.place.validity, at)
        ]
        outside = [one for one in heard if not self._reader.concerns_nobody(one)]
        return MailLook(outside, found.place, found.more)

    async def whole(self, mail: Mail, *, most_bytes: int) -> bytes | None:
        return await self._do(lambda session: session.whole(mail, most_bytes))

    async def _look_inside(
        self, envelopes: Sequence[tuple[_Head, Envelope]]
    ) -> Mapping[int, _Inside]:
        """By UID, of mails among ourselves in the company's mailbox to which mails may be
        attached."""
        if self._access.is_own:
            return {}
        wanted = {
            head.uid: head.is_forward
            for head, envelope in envelopes
            if head.is_mixed and self._reader.carrier_of(envelope, 1) is not None
        }
        return await self._do(lambda session: session.inside(wanted)) if wanted else {}

    def _opened(
        self, head: _Head, envelope: Envelope, inside: _Inside | None, validity: int, at: datetime
    ) -> list[Envelope]:
        """The mails that were forwarded with it instead of it; itself where some cannot be
        had."""
        if inside is None:
            return [envelope]
        place = MailPlace(validity, head.uid)
        opened: list[Envelope] = []
        for part, headers in enumerate(inside.heads, start=1):
            carrier = self._reader.carrier_of(envelope, part)
            opened.append(
                to_envelope(
                    self.name, place, head.size, headers, with_subject=True, at=at, carrier=carrier
                )
            )
        if inside.holds_more:
            opened.append(
                to_envelope(
                    self.name, place, head.size, head.headers, with_subject=True, at=at,
                    holds_unread=True,
                )
            )  # fmt: skip
        return opened or [envelope]

    async def check(self) -> None:
        """Log in and open the folder, on a connection of its own. Raises BotError."""
        await self._do(lambda session: session.open_folder())
        await self.close()

    async def close(self) -> None:
        """Whoever still waits for the server waits no longer."""
        if self._at_work is not None:
            self._at_work.cut()
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(BotError):
                await self._in_time(session.leave, 5.0)
            session.cut()

    def _envelope(self, one: _Head, validity: int, at: datetime) -> Envelope:
        place = MailPlace(validity, one.uid)
        if one.trouble:
            return unreadable(self.name, place, one.trouble, at=at)
        return to_envelope(
            self.name, place, one.size, one.headers, with_subject=not self._access.is_own, at=at
        )

    async def _do(self, work: Callable[[_Session], T]) -> T:
        """A connection that failed is not used again."""
        async with self._turn:
            session = self._session or _Session(self._access)
            self._session, self._at_work = None, session
            try:
                done = await self._in_time(lambda: work(session.opened()), self._deadline_s)
            except BaseException:
                session.cut()
                raise
            finally:
                self._at_work = None
            self._session = session
            return done

    async def _in_time(self, work: Callable[[], T], limit_s: float) -> T:
        try:
            async with asyncio.timeout(limit_s):
                return await _in_thread(work, f"mail {self.name}")
        except TimeoutError as error:
            raise TimedOut(f"邮箱 {self.name}：{limit_s:g} 秒内没有答完") from error
        except BotError:
            raise
        except Exception as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> BotError:
        """In words that say what to mend. Whatever is no known failure is a server that answers
        nonsense, and may answer sense the next time."""
        access = self._access
        where = f"邮箱 {access.name}（{access.host}:{access.port}）"
        match error:
            case imap_tools.MailboxLoginError():
                return AuthFailed(
                    f"{where} 拒绝登录 {access.user}：请核对用户名；密码处要填邮箱设置里生成的"
                    f"授权码（客户端专用密码），并在那里开启 IMAP 服务（{_said(error)}）"
                )
            case imap_tools.MailboxFolderSelectError():
                return Rejected(
                    f"{where} 打不开文件夹「{access.folder}」：请核对 folder，"
                    f"它要和邮箱里的名字完全一致（{_said(error)}）"
                )
            case imap_tools.UnexpectedCommandStatusError():
                return Unavailable(f"{where} 没有照办：{_said(error)}")
            case ssl.SSLCertVerificationError():
                return Unavailable(
                    f"{where} 的证书不可信（{error.verify_message}）：请核对 host，"
                    "自签证书要先装进本机的信任列表"
                )
            case ssl.SSLError():
                return Unavailable(
                    f"{where} TLS 握手失败：请核对 port 和 tls（993 用 tls，143 用 starttls）"
                )
            case OSError():
                return Unavailable(f"{where} 连不上：{error.strerror or type(error).__name__}")
            case imaplib.IMAP4.error():
                return Unavailable(f"{where} 中断了：{str(error)[:120]}")
        return Unavailable(f"{where} 的应答读不懂：{type(error).__name__} {str(error)[:80]}")


@dataclass(frozen=True, slots=True)
class _Head:
    uid: int
    size: int
    headers: list[tuple[str, str]]
    trouble: str = ""

    @property
    def is_mixed(self) -> bool:
        """Something may be attached to it (RFC 2046), unless a program calls that otherwise."""
        kind = self._first("content-type").strip().lower()
        return kind.startswith(("multipart/mixed", "message/rfc822"))

    @property
    def is_forward(self) -> bool:
        return is_forward(decoded(self._first("subject")))

    def _first(self, wanted: str) -> str:
        return next((value for name, value in self.headers if name.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class _Inside:
    """Heads of the mails that are attached to one. holds_more: there are others, which could not
    be read."""

    heads: list[list[tuple[str, str]]]
    holds_more: bool


@dataclass(frozen=True, slots=True)
class _Found:
    heads: list[_Head]
    place: MailPlace
    more: bool


class _Session:
    """One connection. Everything but `cut` blocks, and raises what the libraries raise."""

    def __init__(self, access: MailAccess) -> None:
        self._access = access
        self._box: imap_tools.BaseMailBox | None = None
        self._is_cut = False

    def opened(self) -> _Session:
        if self._box is None:
            self._box = self._connect()
            if self._is_cut:  # meanwhile nobody waits for it any more
                self.cut()
            self._log_in(self._there)
        return self

    def look(self, after: MailPlace | None, since: date) -> _Found:
        validity = self.open_folder()
        box = self._there
        known = after is not None and after.validity == validity
        last = after.uid if known and after is not None else 0
        criteria = AND(uid=U(str(last + 1), "*")) if known else AND(date_gte=since)
        # «n:*» names the last one even where that is older.
        uids = sorted(uid for uid in map(int, box.uids(criteria, charset=None)) if uid > last)
        taken = uids[:AT_ONCE]
        heads = [head for uid in taken if (head := self._head(uid)) is not None]
        more = len(uids) > len(taken)
        last = taken[-1] if taken else last
        if not (known or more):
            last = max(last, self._newest())  # or the next look would begin with the oldest
        return _Found(heads, MailPlace(validity, last), more)

    def whole(self, mail: Mail, most_bytes: int) -> bytes | None:
        """Of what it is attached to, where that is too large."""
        carrier = mail.carrier
        validity = self.open_folder()
        uid: str | None = str(mail.place.uid)
        if validity != mail.place.validity:
            uid = self._by_id(carrier.message_id if carrier else mail.message_id)
        data = self._bytes_of(uid, most_bytes + 1) if uid is not None else None
        if data is None or carrier is None or len(data) > most_bytes:
            return data
        found = attached(data)[carrier.part - 1 : carrier.part]
        return found[0].as_bytes() if found else None

    def inside(self, wanted: Mapping[int, bool]) -> dict[int, _Inside]:
        """wanted: UID -> its subject says that something is forwarded with it."""
        self.open_folder()
        found: dict[int, _Inside] = {}
        for uid, says_so in wanted.items():
            try:
                inside = self._inside(uid, says_so=says_so)
            except (imaplib.IMAP4.abort, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - of this mail alone; the others go on
                fields = {"action": "read_mail", "error": type(error).__name__}
                log.warning("what is attached to a mail cannot be read", extra=fields)
                continue
            if inside is not None:
                found[uid] = inside
        return found

    def _inside(self, uid: int, *, says_so: bool) -> _Inside | None:
        """Some programs attach mails as files of no kind, which only their names show."""
        told = self._fetched(str(uid), "(BODYSTRUCTURE)")
        flat = b" ".join(b" ".join(part) if isinstance(part, tuple) else part for part in told)
        expected = len(_ATTACHED.findall(flat))
        if not expected and not says_so:
            return None
        data = self._bytes_of(str(uid), MOST_LOOKED_INTO) or b""
        is_cut = len(data) == MOST_LOOKED_INTO
        heads = [list(one.raw_items()) for one in attached(data, is_cut=is_cut)]
        unread = bool(expected) and not heads
        return _Inside(heads, holds_more=unread or (is_cut and expected > count(data)))

    def _bytes_of(self, uid: str, most: int) -> bytes | None:
        parts = self._fetched(uid, f"(BODY.PEEK[]<0.{most}>)")
        bodies = [part[1] for part in parts if isinstance(part, tuple)]
        return bytes(bodies[0]) if bodies else None

    def _fetched(self, uid: str, items: str) -> list[Any]:
        status, parts = self._there.client.uid("fetch", uid, items)
        if status != "OK":
            raise imaplib.IMAP4.error(f"FETCH: {status}")
        return [part for part in parts if part is not None]

    def open_folder(self) -> int:
        """Its UIDVALIDITY. Opened by EXAMINE, under which the server lets nobody change it."""
        box = self._there
        box.folder.set(self._access.folder, readonly=True)
        _, told = box.client.response("UIDVALIDITY")
        return int(told[-1]) if told and told[-1] else 0

    def leave(self) -> None:
        if self._box is not None:
            self._box.logout()

    def cut(self) -> None:
        """Whoever still waits for the server in another thread is woken."""
        self._is_cut = True
        box, self._box = self._box, None
        if box is not None:
            with contextlib.suppress(OSError):
                box.client.socket().shutdown(socket.SHUT_RDWR)
            # Closing waits for whoever still reads from it.
            threading.Thread(target=_close, args=(box,), name="mail closing", daemon=True).start()

    @property
    def _there(self) -> imap_tools.BaseMailBox:
        if self._box is None:
            raise imaplib.IMAP4.abort("the connection was cut")
        return self._box

    def _newest(self) -> int:
        """The highest UID that the folder has given, 0 if none."""
        _, told = self._there.client.response("UIDNEXT")
        if told and told[-1]:
            return int(told[-1]) - 1
        return max(map(int, self._there.uids(AND(uid=U("*", "*")), charset=None)), default=0)

    def _head(self, uid: int) -> _Head | None:
        """None for one that is gone by now. One at a time: an answer about another mail in
        between would else shift all that follow."""
        asked = self._there.fetch(uid_list=[str(uid)], headers_only=True, mark_seen=False)
        try:
            for found in asked:
                return _Head(uid, found.size_rfc822, list(found.obj.raw_items()))
        except (imaplib.IMAP4.abort, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - of this mail alone; the others go on
            told = (
                _said(error) if isinstance(error, imap_tools.UnexpectedCommandStatusError) else ""
            )
            return _Head(uid, 0, [], trouble=f"{type(error).__name__} {told}".strip())
        return None

    def _by_id(self, message_id: str) -> str | None:
        if not message_id.isascii() or not message_id:
            return None
        found = self._there.uids(AND(header=imap_tools.H("Message-ID", message_id)), charset=None)
        return found[-1] if found else None

    def _connect(self) -> imap_tools.BaseMailBox:
        access = self._access
        if access.tls == "none":
            return MailBoxUnencrypted(access.host, access.port, timeout=access.timeout_s)
        context = ssl.create_default_context()
        kind = MailBox if access.tls == "tls" else MailBoxStartTls
        return kind(access.host, access.port, timeout=access.timeout_s, ssl_context=context)

    def _log_in(self, box: imap_tools.BaseMailBox) -> None:
        access = self._access
        plain = access.user.isascii() and access.password.isascii()
        log_in = box.login if plain else box.login_utf8
        log_in(access.user, access.password, initial_folder=None)
        if "ID" in box.client.capabilities:
            # NetEase (163, 126, yeah) opens no folder for who has not said who they are.
            box.client.xatom("ID", '("name" "gendan" "vendor" "gendan")')


def _close(box: imap_tools.BaseMailBox) -> None:
    with contextlib.suppress(Exception):
        box.client.shutdown()


async def _in_thread(work: Callable[[], T], name: str) -> T:
    """A daemon thread for this alone: a pool's would be waited for when the program ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            result, error = work(), None
        except BaseException as raised:  # noqa: BLE001 - handed to whoever waits
            result, error = None, raised
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future


def _said(error: imap_tools.UnexpectedCommandStatusError) -> str:
    """The server's own words."""
    result = error.command_result
    words = result[1][0] if len(result) > 1 and result[1] else b""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.split())[:120] or str(result[0])
