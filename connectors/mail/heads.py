"""A mail's head as an envelope, and read again.

Kept are the few headers by which a mail is filed; of somebody's own mailbox not even the subject.
The rest stays where it is until it is known to be a customer's.
"""

from __future__ import annotations

import email
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from bot.domain import mails as rules
from bot.domain.mails import FORWARDED, Carrier, Mail, MailPlace, Ours
from bot.errors import InvalidInput
from bot.messages import Address, Envelope, InboundMessage, Kind, Platform

DOOR = "imap"

_KEPT = frozenset({"from", "to", "cc", "date", "message-id", "in-reply-to", "references"})
_LONGEST = 8_000  # characters of one header; a mass mail's addressees may be more
_MOST_ADDRESSES = 200
_MOST_ANSWERS = 30
_MOST_ID = 500
_ID = re.compile(r"<[^<>\s]{3,500}>")
_AUTOMATIC_SUBJECT = re.compile(
    r"^\s*(?:自动回复|自动答复|automatic reply|auto(?:matic)?[ -]?reply|out of office)", re.I
)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})

Headers = Sequence[tuple[str, str]]
"""As they were sent, in order; what is no ASCII as the library's surrogates."""


def channel_of(box: str) -> str:
    return f"{Platform.MAIL}:{box}:{DOOR}"


def to_envelope(
    box: str,
    place: MailPlace,
    size: int,
    headers: Headers,
    *,
    with_subject: bool,
    at: datetime,
    carrier: Carrier | None = None,
    holds_unread: bool = False,
) -> Envelope:
    """Never fails, or a mail that cannot be read would be lost without a trace. with_subject: of
    the company's mailbox. holds_unread: mails are attached to it whose heads cannot be had."""
    told = [(name.lower(), _as_text(value)[:_LONGEST]) for name, value in headers]
    subject = next((decoded(value) for name, value in told if name == "subject"), "")
    body = {
        "validity": place.validity,
        "uid": place.uid,
        "size": size,
        "head": [one for one in told if one[0] in _KEPT],
        "subject": subject[:300] if with_subject else "",
        "reply": rules.is_reply(subject, ()),
        "automatic": _is_automatic(told, subject),
        "forward": with_subject and (holds_unread or rules.is_forward(subject)),
        "carrier": carrier and asdict(carrier),
    }
    head = _message(told)
    key = rules.key_of(
        _message_id(head), _first(head, "from"), _first(head, "date"), repr(told).encode()
    )
    channel, sent_at = channel_of(box), min(_sent_at(head) or at, at)
    stored = json.dumps(body, ensure_ascii=False).encode()
    return Envelope(channel, key, channel, sent_at, at, stored)


def unreadable(box: str, place: MailPlace, why: str, *, at: datetime) -> Envelope:
    """Of a mail whose head the server does not give: a dead letter from birth."""
    channel, where = channel_of(box), f"{place.validity}-{place.uid}"
    body = json.dumps({"validity": place.validity, "uid": place.uid}).encode()
    return Envelope(channel, where, channel, at, at, body, f"the head cannot be had: {why}")


class HeadReader:
    """`bot.ports.EnvelopeReader` of one mailbox."""

    def __init__(self, box: str, ours: Ours) -> None:
        self._box = box
        self._ours = ours

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Raises InvalidInput, which makes it a dead letter with its reason."""
        mail = self._read(envelope)
        kind = Kind.MAIL if _concerns_us(mail) else Kind.IGNORED
        return InboundMessage(
            platform=Platform.MAIL,
            app=self._box,
            message_id=envelope.delivery_id,
            origin=Address(Platform.MAIL, self._box, user_id=""),
            sender_id="",
            sent_at=envelope.sent_at,
            kind=kind,
            mail=mail,
        )

    def concerns_nobody(self, envelope: Envelope) -> bool:
        """A mail among ourselves, which is none of our business."""
        try:
            return not _concerns_us(self._read(envelope))
        except InvalidInput:
            return False  # let it be set aside where somebody sees it

    def carrier_of(self, envelope: Envelope, part: int) -> Carrier | None:
        """Of a mail that may be attached to this one: None unless this is among ourselves."""
        try:
            mail = self._read(envelope)
        except InvalidInput:
            return None
        if mail.outsiders:
            return None
        return Carrier(mail.message_id, mail.sender, mail.sender_name, part)

    def _read(self, envelope: Envelope) -> Mail:
        try:
            told = json.loads(envelope.body)
            head = _message([(str(name), str(value)) for name, value in told["head"]])
            place = MailPlace(int(told["validity"]), int(told["uid"]))
            sender, name = _sender(head)
            recipients = [
                one for _, one in _addresses(head.get_all("to", []), head.get_all("cc", []))
            ]
            direction, outsiders = rules.outsiders_of(sender, recipients, self._ours)
            carrier = told.get("carrier")
            if not outsiders and not carrier and told.get("forward"):
                direction = FORWARDED
            answers = _answers(head)
            return Mail(
                box=self._box,
                key=envelope.delivery_id,
                place=place,
                size=int(told["size"]),
                direction=direction,
                sender=sender,
                sender_name=name,
                outsiders=outsiders[:_MOST_ADDRESSES],
                sent_at=_sent_at(head),
                message_id=_message_id(head),
                answers=tuple(map(rules.thread_of, answers)),
                subject=str(told["subject"]),
                is_reply=bool(told["reply"] or answers),
                automatic=bool(told["automatic"]) or rules.is_machine(sender),
                carrier=Carrier(**carrier) if carrier else None,
            )
        except (ValueError, TypeError, LookupError, AttributeError, MessageError) as error:
            raise InvalidInput(f"{type(error).__name__}: {error}") from None


def _concerns_us(mail: Mail) -> bool:
    return bool(mail.outsiders) or mail.direction == FORWARDED


def _sender(head: Message) -> tuple[str, str]:
    """Raises InvalidInput for a mail without one."""
    found = _addresses(head.get_all("from", []))
    if not found:
        raise InvalidInput("the mail has no sender")
    name, address = found[0]
    return address, name[:100]


def _addresses(*values: Iterable[str]) -> list[tuple[str, str]]:
    """(name, address in small letters); what is no address is passed over."""
    parsed = getaddresses([str(value) for some in values for value in some])
    return [
        (decoded(name).strip(), address.strip().casefold())
        for name, address in parsed
        if re.fullmatch(r"[^\s@<>]{1,200}@[^\s@<>]{1,200}", address.strip())
    ]


def _answers(head: Message) -> list[str]:
    """What it answers itself, then what that had answered, the nearest first."""
    direct = _ID.findall(_first(head, "in-reply-to"))
    before = _ID.findall(_first(head, "references"))
    return list(dict.fromkeys([*direct, *reversed(before)]))[:_MOST_ANSWERS]


def _message_id(head: Message) -> str:
    found = _ID.search(_first(head, "message-id"))
    return found[0] if found else _first(head, "message-id").strip()[:_MOST_ID]


def _sent_at(head: Message) -> datetime | None:
    try:
        sent = parsedate_to_datetime(_first(head, "date"))
        return (sent if sent.tzinfo else sent.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _is_automatic(told: Headers, subject: str) -> bool:
    """RFC 3834, and what programs do that do not know it."""
    heads = dict(told)
    submitted = heads.get("auto-submitted", "no").strip().lower()
    return (
        not submitted.startswith("no")
        or heads.get("precedence", "").strip().lower() in _BULK
        or heads.get("return-path", "").strip() == "<>"
        or not heads.keys().isdisjoint(("list-id", "list-unsubscribe", "x-autoreply"))
        or bool(_AUTOMATIC_SUBJECT.match(subject))
    )


def _message(told: Headers) -> Message:
    """Without a parser in between: values hold whatever they held."""
    head = email.message.Message()
    for name, value in told:
        head[name] = re.sub(r"[\r\n]+\s*", " ", value)
    return head


def _first(head: Message, name: str) -> str:
    return str(head.get(name, ""))


def _as_text(value: str) -> str:
    """Servers send what they got: unencoded Chinese, in UTF-8 or GBK."""
    raw = value.encode("utf-8", "surrogateescape")
    for charset in ("utf-8", "gb18030"):
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def decoded(value: str) -> str:
    """Encoded words (RFC 2047) as text; what cannot be read stays as it is."""
    try:
        parts = decode_header(re.sub(r"[\r\n]+\s*", " ", value))
    except (ValueError, TypeError, LookupError, MessageError):
        return value
    return "".join(_part(*part) for part in parts)


def _part(value: bytes | str, charset: str | None) -> str:
    if isinstance(value, str):
        return value
    if charset is None:
        return value.decode("raw_unicode_escape", "replace")
    wider = "gb18030" if charset.lower() in ("gb2312", "gbk") else charset
    try:
        return value.decode(wider, "replace")
    except LookupError:
        return value.decode("utf-8", "replace")
