"""Mails that are attached to a mail, as people forward them by hand."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

from connectors.mail.heads import decoded

KIND = "message/rfc822"


def attached(data: bytes, *, is_cut: bool = False) -> list[Message]:
    """Those that can be read, in order, without what is attached to them in turn. is_cut: `data`
    is the beginning of a mail; a head that may go on after it is left out."""
    found = [_mail_in(part) for part in _parts(message_from_bytes(data))]
    return [one for one in found if one is not None and not (is_cut and not one.get_payload())]


def count(data: bytes) -> int:
    """Of all parts of that kind, at any depth, as a server counts them."""
    return sum(part.get_content_type() == KIND for part in message_from_bytes(data).walk())


def _parts(mail: Message) -> Iterator[Message]:
    payload = mail.get_payload()
    if mail.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _parts(part)
    else:
        yield mail


def _mail_in(part: Message) -> Message | None:
    payload = part.get_payload()
    if part.get_content_type() == KIND and isinstance(payload, list):
        inner = payload[0] if payload else None
        if isinstance(inner, Message) and "from" in inner:
            return inner
        return _parsed(_uncoded(inner)) if isinstance(inner, Message) else None
    if decoded(part.get_filename() or "").casefold().endswith(".eml"):
        data = part.get_payload(decode=True)
        return _parsed(data) if isinstance(data, bytes) else None
    return None


def _uncoded(inner: Message) -> bytes:
    """RFC 2046 section 5.2.1 forbids base64 for such a part; some programs do it all the same."""
    text = "".join(str(inner.get_payload()).split())
    try:
        return base64.b64decode(text[: len(text) // 4 * 4])
    except ValueError:
        return b""


def _parsed(data: bytes) -> Message | None:
    mail = message_from_bytes(data)
    return mail if "from" in mail else None
