"""Whose a mail is: by the addresses of known people, by the thread, by the company's domain."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.mails import Mail, domain_key
from storage.unit_of_work import UnitOfWork


async def customer_of(tx: UnitOfWork, mail: Mail) -> int | None:
    """The one customer it can be with; None for nobody's, and for several customers', since a
    mail to many says nothing of one. An address says more than the thread, in which somebody else
    may have been asked for help; the thread more than a domain, which two companies may share."""
    by_address = await _by_address(tx, mail.outsiders)
    if by_address:
        return _only(by_address)
    thread = await tx.mails.customers_in_thread(mail.answers) if mail.answers else []
    if thread:
        return thread[0]
    return _only(await _by_domain(tx, mail.outsiders))


async def holders_of_domain(tx: UnitOfWork, key: str) -> set[int]:
    """key: "@domain". The customers that have it: by what was learnt of it and of addresses under
    it, or by their cards."""
    domain = key.removeprefix("@")
    cards = await tx.mails.customers_with_domain([domain])
    return {*await tx.mails.customers_at(key), *cards.get(domain, ())}


async def _by_address(tx: UnitOfWork, outsiders: Sequence[str]) -> set[int]:
    found = await tx.mails.customers_of(outsiders)
    return {number for number in found.values() if number is not None}


async def _by_domain(tx: UnitOfWork, outsiders: Sequence[str]) -> set[int]:
    """A domain that several customers have says nothing."""
    keys = list(dict.fromkeys(key for one in outsiders if (key := domain_key(one))))
    learnt = await tx.mails.customers_of(keys)
    cards = await tx.mails.customers_with_domain(key.removeprefix("@") for key in keys)
    found: set[int] = set()
    for key in keys:
        holders = set(cards.get(key.removeprefix("@"), ()))
        if key in learnt:
            number = learnt[key]
            holders = {*holders, number} if number is not None else set()
        found |= holders if len(holders) == 1 else set()
    return found


def _only(numbers: set[int]) -> int | None:
    return next(iter(numbers)) if len(numbers) == 1 else None
