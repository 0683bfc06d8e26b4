"""One connection to one folder of a mailbox, by imap-tools. It blocks."""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import socket
import ssl
import threading
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import imap_tools
from imap_tools import AND, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools import UidRange as U

from bot.domain.mails import Mail, MailPlace, is_forward
from connectors.mail.attached import attached, count
from connectors.mail.heads import decoded

T = TypeVar("T")

AT_ONCE = 100
"""Heads that are asked for before the bookmark moves."""

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


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one mail, as the server has it."""

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
class Inside:
    """Heads of the mails that are attached to one. holds_more: there are others, which could not
    be read."""

    heads: list[list[tuple[str, str]]]
    holds_more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a look into the folder has found, up to `place`."""

    heads: list[Head]
    place: MailPlace
    more: bool


class Session:
    """One connection. Everything but `cut` blocks, and raises what the libraries raise."""

    def __init__(self, access: MailAccess) -> None:
        self._access = access
        self._box: imap_tools.BaseMailBox | None = None
        self._is_cut = False

    def opened(self) -> Session:
        if self._box is None:
            self._box = self._connect()
            if self._is_cut:  # meanwhile nobody waits for it any more
                self.cut()
            self._log_in(self._there)
        return self

    def look(self, after: MailPlace | None, since: date) -> Found:
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
        return Found(heads, MailPlace(validity, last), more)

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

    def inside(self, uid: int, *, is_forward: bool) -> Inside | None:
        """None where nothing is attached that could be a mail. is_forward: the subject says so;
        some programs attach mails as files of no kind, which only their names show."""
        self.open_folder()
        expected = 0
        try:
            expected = self._count_attached(str(uid))
            if not expected and not is_forward:
                return None
            data = self._bytes_of(str(uid), MOST_LOOKED_INTO) or b""
            is_cut = len(data) == MOST_LOOKED_INTO
            heads = [list(one.raw_items()) for one in attached(data, is_cut=is_cut)]
            missing = not heads or (is_cut and expected > count(data))
        except (imaplib.IMAP4.abort, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - of this mail alone; the others go on
            fields = {"action": "read_mail", "error": type(error).__name__}
            log.warning("what is attached to a mail cannot be read", extra=fields)
            return Inside([], holds_more=expected > 0)
        return Inside(heads, holds_more=missing and expected > 0)

    def _count_attached(self, uid: str) -> int:
        told = self._fetched(uid, "(BODYSTRUCTURE)")
        flat = b" ".join(b" ".join(part) if isinstance(part, tuple) else part for part in told)
        return len(_ATTACHED.findall(flat))

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

    def _head(self, uid: int) -> Head | None:
        """None for one that is gone by now. One at a time: an answer about another mail in
        between would else shift all that follow."""
        asked = self._there.fetch(uid_list=[str(uid)], headers_only=True, mark_seen=False)
        try:
            for found in asked:
                return Head(uid, found.size_rfc822, list(found.obj.raw_items()))
        except (imaplib.IMAP4.abort, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - of this mail alone; the others go on
            told = said(error) if isinstance(error, imap_tools.UnexpectedCommandStatusError) else ""
            return Head(uid, 0, [], trouble=f"{type(error).__name__} {told}".strip())
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
    with contextlib.suppress(Exception):  # imaplib raises many kinds on a socket that is gone
        box.client.shutdown()


def said(error: imap_tools.UnexpectedCommandStatusError) -> str:
    """The server's own words."""
    result = error.command_result
    words = result[1][0] if len(result) > 1 and result[1] else b""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.split())[:120] or str(result[0])
