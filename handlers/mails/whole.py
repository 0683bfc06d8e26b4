"""A whole mail as it lies on the server: its new words, and what is attached."""

from __future__ import annotations

import email.policy
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.utils import parseaddr
from html.parser import HTMLParser

from bot.domain.mails import WholeMail, new_words
from handlers.levels.mails import checks_of, header

MOST_FILES = 20
LEAST_PICTURE_BYTES = 12 * 1024
"""A picture within the text that is smaller is a logo or a signature."""

_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030"}
_AS_SENT = email.policy.default.clone(refold_source="none")
"""Headers are not folded anew: the library never ends over some that have long parameters."""
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "hr"})
_SILENT = frozenset({"script", "style", "head", "title", "blockquote"})


def read(data: bytes) -> WholeMail:
    """Raises whatever the parser raises over a mail that breaks all rules."""
    mail = message_from_bytes(data, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    sender = parseaddr(header(mail, "From"))[1].casefold()
    files = list(_files(mail))
    return WholeMail(
        subject=" ".join(header(mail, "Subject").split())[:300],
        text=new_words(_words(mail)),
        files=tuple(files[:MOST_FILES]),
        left_out=len(files[MOST_FILES:]),
        checks=checks_of(mail, sender),
    )


def _words(mail: EmailMessage) -> str:
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ""
    text = _text_of(part)
    return _without_tags(text) if part.get_content_type() == "text/html" else text


def _text_of(part: MIMEPart) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = (part.get_content_charset() or "utf-8").lower()
    try:
        return data.decode(_WIDER.get(charset, charset), "replace")
    except LookupError:
        return data.decode("gb18030", "replace")


def _files(mail: EmailMessage) -> Iterator[tuple[str, bytes]]:
    """(name, bytes). A forwarded mail is one file, with all that is in it."""
    for number, part in enumerate(_attached(mail), start=1):
        name = _name(part)
        if part.get_content_type() == "message/rfc822":
            yield name or f"转发的邮件{number}.eml", _forwarded(part)
            continue
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        inline = part.get_content_disposition() != "attachment"
        picture = part.get_content_maintype() == "image"
        if data and not (inline and picture and len(data) < LEAST_PICTURE_BYTES):
            yield name or f"附件{number}", data


def _attached(part: EmailMessage) -> Iterator[EmailMessage]:
    """Without looking into forwarded mails."""
    if part.get_content_maintype() == "multipart":
        for inner in part.iter_parts():
            assert isinstance(inner, EmailMessage)
            yield from _attached(inner)
        return
    kind, within = part.get_content_type(), part.get_content_maintype() in ("text", "message")
    attached = part.get_filename() is not None or part.get_content_disposition() == "attachment"
    if attached or kind == "message/rfc822" or not within:
        yield part


def _forwarded(part: EmailMessage) -> bytes:
    inner = next(iter(part.iter_parts()), None)
    return inner.as_bytes(policy=_AS_SENT) if inner is not None else b""


def _name(part: EmailMessage) -> str:
    return " ".join((part.get_filename() or "").split())


class _Words(HTMLParser):
    """What a reader sees, without what is quoted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(re.sub(r"\s+", " ", data))


def _without_tags(html: str) -> str:
    words = _Words()
    words.feed(html)
    words.close()
    return re.sub(r"\n\s*\n+", "\n\n", "".join(words.parts))
