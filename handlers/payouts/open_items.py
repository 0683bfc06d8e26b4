"""What a person must settle before an amount can be right: asked of somebody by name.

Whose money it is, HRBPs say; what came in and went out, finance says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.payouts.lines import Review
from bot.domain.payouts.recipients import without_numbers
from bot.domain.people import Person, Role
from bot.errors import NotAllowed
from bot.messages import OutboundMessage, Text
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.payouts import rights
from handlers.texts import payouts as texts
from storage.payout_ledger import Review as Open
from storage.unit_of_work import UnitOfWork

_MONEY = ("foreign_currency", "amount_not_positive", "refund_exceeds_paid", "unknown_deal",
          "negative_contract", "opening_without_deal")  # fmt: skip
WHY_LIMIT = 400
REASON_LIMIT = 60


async def keep(
    tx: UnitOfWork,
    office: Office,
    found: Sequence[tuple[int, Review]],
    touched: set[int],
    at: datetime,
) -> list[OutboundMessage]:
    """found: (contract, what is open of it), of all that were touched; whoever is asked is told
    of what is new."""
    who = {role: await _asked(tx, role, at) for role in {_role(one) for _, one in found}}
    rows = [
        (
            number,
            str(one.reason)[:REASON_LIMIT],
            without_numbers(one.why)[:WHY_LIMIT],
            _id(who[_role(one)]),
        )
        for number, one in found
    ]
    opened = await tx.payout_ledger.keep_reviews(touched, rows, at)
    return [message for one in opened for message in await _tell(tx, office, one, at)]


async def list_open(desk: Desk, _: str) -> None:
    """«奖金待办»: what waits for the speaker; who oversees bonuses sees all of it."""
    if not desk.rep.roles & rights.OVERSEERS:
        raise NotAllowed(texts.OVERSEERS_ONLY)
    found = await desk.tx.payout_ledger.open_reviews()
    names = await desk.tx.people.names(one.person_id for one in found if one.person_id)
    lines = [
        texts.open_item(one.number, one.why, names.get(one.person_id or 0, ""), _how(one.reason))
        for one in found
    ]
    customers.tell_alone(desk, "奖金待办", texts.open_items(lines))


def _role(review: Review) -> Role:
    return Role.FINANCE if review.reason in _MONEY else Role.HRBP


def _how(reason: str) -> str:
    return texts.HOW_MONEY if reason in _MONEY else texts.HOW_PEOPLE


async def _asked(tx: UnitOfWork, role: Role, at: datetime) -> Person | None:
    """Somebody with the role who is at work, else an administrator."""
    for one in (role, Role.ADMIN):
        people = list(await tx.people.list_by_role(one))
        there = [person for person in people if not person.on_leave(at)] or people
        if there:
            return min(there, key=lambda person: person.id)
    return None


def _id(person: Person | None) -> int | None:
    return person.id if person is not None else None


async def _tell(
    tx: UnitOfWork, office: Office, review: Open, at: datetime
) -> list[OutboundMessage]:
    if review.person_id is None:
        return []
    to = office.address_of(await tx.people.get(review.person_id))
    if to is None:
        return []
    morning = office.first_allowed(at)
    key = f"payout-review:{review.id}:{at:%Y-%m-%dT%H:%M:%S}"
    words = Text(texts.please_settle(review.why, _how(review.reason)))
    return [OutboundMessage(key, to, words, not_before=morning)]
