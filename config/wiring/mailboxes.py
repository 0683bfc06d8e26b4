"""The mailboxes: how they are reached, and what reads them."""

from __future__ import annotations

from collections.abc import Mapping

from bot.clock import Clock
from bot.domain.identifiers import one_domain
from bot.domain.mails import Ours
from bot.messages import Platform
from bot.ports import Accept, AppKey, EnvelopeReader
from config.settings import Settings
from connectors.mail.heads import HeadReader
from connectors.mail.mailbox import Mailbox
from connectors.mail.session import MailAccess
from handlers.desk import Office
from handlers.mails.keeping import MailKeeper
from handlers.mails.reading import MailReading
from handlers.mails.watching import MailWatch
from storage.database import Database


def mailboxes_of(settings: Settings) -> dict[str, Mailbox]:
    """By their names. Nothing is opened yet."""
    readers = _head_readers(settings)
    return {
        name: Mailbox(MailAccess(name=name, **one.access()), readers[name])
        for name, one in settings.mail.items()
    }


def mail_readers(settings: Settings) -> dict[AppKey, EnvelopeReader]:
    return {(Platform.MAIL.value, name): one for name, one in _head_readers(settings).items()}


def most_bytes(settings: Settings) -> dict[str, int]:
    return {name: one.max_mb * 1024 * 1024 for name, one in settings.mail.items()}


def mail_keeper(
    settings: Settings,
    office: Office,
    mailboxes: Mapping[str, Mailbox],
    *,
    database: Database,
    clock: Clock,
    accept: Accept,
) -> MailKeeper:
    readings = [
        MailReading(
            mailboxes[name],
            accept=accept,
            begin=database.begin,
            clock=clock,
            poll_s=one.poll_s,
            first_days=one.first_days,
            wake=office.wake_inbox,
        )
        for name, one in settings.mail.items()
    ]
    keep_days = {name: one.keep_days for name, one in settings.mail.items()}
    return MailKeeper(readings, MailWatch(office, readings, keep_days=keep_days))


def _head_readers(settings: Settings) -> dict[str, HeadReader]:
    """Who writes from an address of a mailbox of ours, or from its company's domain, is one of
    us."""
    addresses = frozenset(each for one in settings.mail.values() for each in one.own_addresses)
    domains = frozenset(domain for each in addresses if (domain := one_domain(each)))
    return {name: HeadReader(name, Ours(addresses, domains)) for name in settings.mail}
