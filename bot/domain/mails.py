"""Mails with people outside: who wrote to whom, what answers what, and which words are new.

A mail's head is written by its sender and proves nothing by itself; what the receiving server
noted of the sender stands in `mail_checks`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.identifiers import one_domain
from bot.domain.mail_checks import MailChecks

IN, OUT = "in", "out"
FORWARDED = "fwd"  # by hand, by one of us to ourselves: whose words it holds, no head says

MOST_WORDS = 1000  # characters of a mail that stand in a stream

_REPLY = re.compile(r"^\s*(?:re|aw|sv|回复|答复|回覆|答覆)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]", re.I)
_FORWARD = re.compile(
    r"^\s*(?:fwd?|wg|tr|转发|轉發|转寄|轉寄)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]", re.I
)
_QUOTED = re.compile(
    r"^\s*(?:>|-{2,}\s*(?:original message|原始邮件|原邮件|forwarded message|转发邮件|转发的邮件)"
    r"|_{10,}\s*$|on .{4,200} wrote:\s*$|(?:在|于).{4,200}(?:写道|寫道)[:：]\s*$"
    r"|.{4,200}(?:写道|寫道)[:：]\s*$)",
    re.I,
)
_HEAD_OF_QUOTED = re.compile(r"^\s*(?:from|发件人|寄件者|發件人)\s*[:：]", re.I)
_SENT_OF_QUOTED = re.compile(
    r"^\s*(?:sent|date|to|发送时间|发送日期|日期|时间|收件人)\s*[:：]", re.I
)
_MACHINES = (
    "mailer-daemon@",
    "postmaster@",
    "no-reply@",
    "noreply@",
    "do-not-reply@",
    "donotreply@",
)


@dataclass(frozen=True, slots=True)
class Ours:
    """Who counts as one of us: addresses, and domains that nobody else writes from."""

    addresses: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def __contains__(self, address: str) -> bool:
        return address in self.addresses or (one_domain(address) or "") in self.domains


@dataclass(frozen=True, slots=True)
class MailPlace:
    """Up to where a folder was read. A UID says something only within its UIDVALIDITY."""

    validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """The mail of one of us to which a mail was attached, as people forward by hand. part: which
    of those attached to it, from 1."""

    message_id: str
    sender: str
    sender_name: str
    part: int


@dataclass(frozen=True, slots=True)
class Mail:
    """The head of a mail that lies in a mailbox of ours.

    box: the mailbox's name in the configuration. key: of the mail itself, the same in every
    mailbox and after a new UIDVALIDITY. place: where it lies; size: in bytes. direction: IN, OUT
    or FORWARDED. outsiders: who wrote it (IN), or whom it went to (OUT), without ours, no address
    twice.
    message_id: "" where it has none. answers: digests of the ids that it answers, the nearest
    first. subject: "" where it is not kept. automatic: a machine wrote it. carrier: what it is
    attached to; place and size are that one's then.
    """

    box: str
    key: str
    place: MailPlace
    size: int
    direction: str
    sender: str
    sender_name: str
    outsiders: tuple[str, ...]
    sent_at: datetime | None
    message_id: str = ""
    answers: tuple[str, ...] = ()
    subject: str = ""
    is_reply: bool = False
    automatic: bool = False
    carrier: Carrier | None = None


@dataclass(frozen=True, slots=True)
class WholeMail:
    """What was fetched of a known customer's mail. text: the new words of it. files: (name, bytes)
    of what is attached. left_out: how many more were too many or too large. checks: what our
    server noted of the sender. trouble: why there is no text."""

    subject: str = ""
    text: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    left_out: int = 0
    checks: MailChecks = field(default_factory=MailChecks)
    trouble: str = ""


def key_of(message_id: str, sender: str, date: str, head: bytes) -> str:
    """A mail keeps its id wherever it is copied to. Sender and day stand beside the id, so that a
    stranger's mail with a known id is no known mail; without an id the head has to do."""
    told = f"{message_id}\n{sender}\n{date}".encode() if message_id else head
    return hashlib.sha256(told).hexdigest()


def thread_of(message_id: str) -> str:
    """Ids of mails are kept as digests: they only have to be found again."""
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()


def outsiders_of(sender: str, recipients: Iterable[str], ours: Ours) -> tuple[str, tuple[str, ...]]:
    """(direction, people outside). A mail among ourselves has none."""
    if sender not in ours:
        return IN, (sender,)
    return OUT, tuple(dict.fromkeys(one for one in recipients if one not in ours))


def is_reply(subject: str, answers: Collection[str]) -> bool:
    return bool(answers) or bool(_REPLY.match(subject))


def is_forward(subject: str) -> bool:
    return bool(_FORWARD.match(subject))


def is_machine(sender: str) -> bool:
    return sender.startswith(_MACHINES)


def new_words(text: str) -> str:
    """Without what is quoted of earlier mails, which stands in the stream already, and without
    blank lines in a row. Cut at MOST_WORDS."""
    kept: list[str] = []
    lines = text.replace("\r\n", "\n").split("\n")
    for place, line in enumerate(lines):
        if _QUOTED.match(line) or _begins_quoted_head(lines[place : place + 4]):
            break
        if line.strip() or (kept and kept[-1]):
            kept.append(line.strip())
    words = "\n".join(kept).strip()
    return words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"


def _begins_quoted_head(lines: list[str]) -> bool:
    """Outlook's way: «发件人: …» with a day or an addressee right below it."""
    return bool(_HEAD_OF_QUOTED.match(lines[0])) and any(
        _SENT_OF_QUOTED.match(line) for line in lines[1:]
    )


def domain_key(address: str) -> str | None:
    """How a company's domain is filed beside addresses; None for public mailboxes."""
    domain = one_domain(address)
    return f"@{domain}" if domain else None
