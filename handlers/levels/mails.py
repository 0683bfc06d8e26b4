"""Mails that were saved as files (.eml): their head and their words."""

from __future__ import annotations

import email.policy
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime

from bot.domain.calendar import WorkingCalendar
from bot.domain.mail_checks import MailChecks, read_checks
from bot.domain.paper import MailHead, PaperLine

ENDING = ".eml"
MOST_BYTES = 20 * 1024 * 1024
MOST_LINES = 400


def read(data: bytes, calendar: WorkingCalendar) -> tuple[MailHead, tuple[PaperLine, ...]] | None:
    """None for what is no mail: it has no sender."""
    mail = message_from_bytes(data[:MOST_BYTES], policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    sender = parseaddr(header(mail, "From"))[1].casefold()
    if "@" not in sender:
        return None
    try:
        sent_on = calendar.day_of(parsedate_to_datetime(header(mail, "Date")).astimezone())
    except (TypeError, ValueError, OverflowError):
        sent_on = None
    head = MailHead(sender, header(mail, "Subject"), sent_on, checks_of(mail, sender))
    words = [head.subject, *_body(mail).splitlines()]
    lines = [PaperLine(line.strip()) for line in words[:MOST_LINES] if line.strip()]
    return head, tuple(lines)


def header(mail: EmailMessage, name: str) -> str:
    """The first of that name; "" for none, and for one over which the library falls. A mail comes
    from strangers, and Python's reader of headers raises what it likes for some of theirs."""
    try:
        return str(mail.get(name, ""))
    except (ValueError, TypeError, LookupError, AttributeError):
        return ""


def checks_of(mail: EmailMessage, sender: str) -> MailChecks:
    """The first note is the last server's; those below may have come with the mail."""
    return read_checks(header(mail, "Authentication-Results"), sender)


def _body(mail: EmailMessage) -> str:
    try:
        part = mail.get_body(("plain", "html"))
        return str(part.get_content()) if part is not None else ""
    except (ValueError, TypeError, LookupError, AttributeError):
        return ""
