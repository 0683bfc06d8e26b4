"""Whom and what a form means: a name, or «#12» where several are called so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from bot.domain.opportunities import Account
from bot.domain.people import Person, PersonStatus
from bot.errors import InvalidInput, NotFound
from handlers.customers import customers
from handlers.desk import Desk
from handlers.pages.admin.counter import said
from handlers.texts import admin as texts
from storage.unit_of_work import UnitOfWork

_NUMBER = re.compile(r"#? *(?P<number>\d{1,18})")
Given = Mapping[str, str]


async def person(tx: UnitOfWork, words: str) -> Person:
    """Somebody who is at work here. Raises InvalidInput, with the numbers of those who share the
    name."""
    words = words.strip()
    if not words:
        raise InvalidInput(texts.WHO)
    match = _NUMBER.fullmatch(words)
    if match is not None:
        try:
            return await tx.people.get(int(match["number"]))
        except NotFound:
            raise InvalidInput(texts.nobody(words)) from None
    found = [one for one in await tx.people.named(words) if one.status is PersonStatus.ACTIVE]
    if not found:
        raise InvalidInput(texts.nobody(words))
    if len(found) > 1:
        raise InvalidInput(texts.several(words, [one.id for one in found]))
    return found[0]


async def customer(desk: Desk, words: str) -> Account:
    """As «客户 恒锐» finds it. Raises InvalidInput that says which there are."""
    words = words.strip()
    if not words:
        raise InvalidInput(texts.WHICH_CUSTOMER)
    match = _NUMBER.fullmatch(words)
    try:
        found = (
            await desk.tx.accounts.get(int(match["number"]))
            if match is not None
            else await customers.named(desk, words)
        )
    except NotFound as error:
        raise InvalidInput(str(error)) from None
    if found is None:
        raise InvalidInput(said(desk))
    return found


def day(words: str) -> date | None:
    """Of a date field; None where it is empty. Raises InvalidInput."""
    if not words.strip():
        return None
    try:
        return date.fromisoformat(words.strip())
    except ValueError:
        raise InvalidInput(texts.NO_DAY) from None


def number(words: str) -> int | None:
    """Raises InvalidInput."""
    if not words:
        return None
    if not re.fullmatch(r"\d{1,18}", words):
        raise InvalidInput(texts.NO_PAGE)
    return int(words)
