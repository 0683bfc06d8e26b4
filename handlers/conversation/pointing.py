"""Which draft is meant: by its place in the message that told of several, or by a customer who is
not named in full."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.activities import Draft, Record
from bot.domain.opportunities import Account
from handlers.desk import Desk

_BY_NUMBER = re.compile(
    r"^(?:那个|那)?第(?P<place>[一二三四五1-5])(?:个|家|条)[ ，,:：]*(?P<rest>[^ ，,:：].+)$"
)
_DROPS = re.compile(r"(?:别|不要|不用|先不)记")


def by_number(text: str, open_drafts: Sequence[Draft]) -> tuple[list[Draft], str] | None:
    """«第二个 嫌交期长» after a message about several customers: its draft, none where that one is
    not open, and the other words. None where nothing is numbered so."""
    match = _BY_NUMBER.match(text)
    if match is None or not open_drafts or open_drafts[0].awaiting == "customer":
        return None
    message = _message_and_place(open_drafts[0])[0]
    together = [draft for draft in open_drafts if _message_and_place(draft)[0] == message]
    if len(together) < 2:  # the message told of one
        return None
    place = str("12345一二三四五".index(match["place"]) % 5)
    found = [draft for draft in together if _message_and_place(draft)[1] == place]
    return found, match["rest"]


def names_in(desk: Desk, record: Record, text: str) -> list[str]:
    """The customers that may be meant; «先别记恒锐那个» names them too, though the reader takes
    such names for taken back."""
    if record.ambiguous or record.customer:
        return list(record.ambiguous) or [str(record.customer)]
    if not _DROPS.search(text):
        return []
    found = desk.office.customers.index.find(text)
    return [candidate.name for mention in found for candidate in mention.candidates]


async def customer_meant(
    desk: Desk, names: Sequence[str], open_drafts: Sequence[Draft]
) -> Account | None:
    """Whose draft is the only one that these names fit; else the only one named."""
    named = [await desk.tx.accounts.find_by_name(name) for name in names]
    accounts = [account for account in named if account is not None]
    waiting = {draft.account_id for draft in open_drafts}
    fitting = [account for account in accounts if account.id in waiting]
    for those in (fitting, accounts):
        if len(those) == 1:
            return those[0]
    return None


def _message_and_place(draft: Draft) -> tuple[str, str]:
    message, _, place = draft.source_id.rpartition(":")
    return message, place
