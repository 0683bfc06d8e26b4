"""One folder of one mailbox over IMAP, by imap-tools in a thread of its own.

A server may hang, drip, or answer nonsense. Each piece of work has a deadline; what misses it is
left behind with its connection, in a thread that keeps nobody from leaving.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import ssl
import threading
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import TypeVar

import imap_tools

from bot.domain.mails import Mail, MailPlace
from bot.errors import AuthFailed, BotError, Rejected, TimedOut, Unavailable
from bot.messages import Envelope
from bot.ports import MailLook
from connectors.mail.heads import HeadReader, to_envelope, unreadable
from connectors.mail.session import Head, Inside, MailAccess, Session, said

T = TypeVar("T")

DEADLINE_S = 120.0
"""Of one look or one mail, however the server drips."""


class Mailbox:
    """One folder of a mailbox over IMAP. A `bot.ports.MailFolder`. reader: of its envelopes.
    deadline_s: see DEADLINE_S."""

    def __init__(
        self, access: MailAccess, reader: HeadReader, *, deadline_s: float = DEADLINE_S
    ) -> None:
        self._access = access
        self._reader = reader
        self._deadline_s = deadline_s
        self._turn = asyncio.Lock()
        self._session: Session | None = None
        self._at_work: Session | None = None

    @property
    def name(self) -> str:
        return self._access.name

    async def look(self, after: MailPlace | None, *, since: date, at: datetime) -> MailLook:
        found = await self._do(lambda session: session.look(after, since))
        heard: list[Envelope] = []
        for head in found.heads:
            envelope = self._envelope(head, found.place.validity, at)
            inside = await self._look_inside(head, envelope)
            heard += self._opened(head, envelope, inside, found.place.validity, at)
        outside = [one for one in heard if not self._reader.concerns_nobody(one)]
        return MailLook(outside, found.place, found.more)

    async def whole(self, mail: Mail, *, most_bytes: int) -> bytes | None:
        return await self._do(lambda session: session.whole(mail, most_bytes))

    async def _look_inside(self, head: Head, envelope: Envelope) -> Inside | None:
        """Of a mail among ourselves in the company's mailbox to which mails may be attached."""
        if self._access.is_own or not head.is_mixed:
            return None
        if self._reader.carrier_of(envelope, 1) is None:
            return None
        return await self._do(lambda session: session.inside(head.uid, is_forward=head.is_forward))

    def _opened(
        self, head: Head, envelope: Envelope, inside: Inside | None, validity: int, at: datetime
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

    def _envelope(self, head: Head, validity: int, at: datetime) -> Envelope:
        place = MailPlace(validity, head.uid)
        if head.trouble:
            return unreadable(self.name, place, head.trouble, at=at)
        return to_envelope(
            self.name, place, head.size, head.headers, with_subject=not self._access.is_own, at=at
        )

    async def _do(self, work: Callable[[Session], T]) -> T:
        """A connection that failed is not used again."""
        async with self._turn:
            session = self._session or Session(self._access)
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
                    f"授权码（客户端专用密码），并在那里开启 IMAP 服务（{said(error)}）"
                )
            case imap_tools.MailboxFolderSelectError():
                return Rejected(
                    f"{where} 打不开文件夹「{access.folder}」：请核对 folder，"
                    f"它要和邮箱里的名字完全一致（{said(error)}）"
                )
            case imap_tools.UnexpectedCommandStatusError():
                return Unavailable(f"{where} 没有照办：{said(error)}")
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


async def _in_thread(work: Callable[[], T], name: str) -> T:
    """A daemon thread for this alone: a pool's would be waited for when the program ends."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def unless_done(settle: Callable[[], None]) -> None:
        if not future.done():
            settle()

    def run() -> None:
        settle: Callable[[], None]
        try:
            settle = partial(future.set_result, work())
        except BaseException as raised:  # noqa: BLE001 - handed to whoever waits
            settle = partial(future.set_exception, raised)
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(unless_done, settle)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future
