"""What the sandbox's page shows of customers: queries to plain data, no HTML."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from bot.domain.calendar import WorkingCalendar
from bot.domain.opportunities import Opportunity
from handlers.libraries.libraries import LibraryShelf
from handlers.texts import alerts, customers
from handlers.texts.money import amount_words
from storage.unit_of_work import UnitOfWork

ENTRIES = 30
"""Of a customer's stream."""


async def customer_stream(
    tx: UnitOfWork,
    account_id: int,
    *,
    libraries: LibraryShelf,
    calendar: WorkingCalendar,
    at: datetime,
) -> dict[str, Any]:
    """One customer with opportunities and the newest entries of its stream. Raises NotFound."""
    account = await tx.accounts.get(account_id)
    owner = await tx.people.get(account.owner_id)
    deals = await tx.opportunities.of_account(account_id)
    today = at.astimezone(calendar.zone).date()
    return {
        "customer": {
            "id": account.id,
            "name": account.name,
            "owner": owner.name,
            "industry": account.industry,
        },
        "opportunities": [_opportunity(deal, libraries, calendar, today) for deal in deals],
        "activities": await _newest(tx, account_id),
    }


async def customer_list(tx: UnitOfWork) -> list[dict[str, Any]]:
    """Every customer with its owner's name."""
    names = {person.id: person.name for person in await tx.people.list_active()}
    return [
        {"id": account.id, "name": account.name, "owner": names.get(account.owner_id, "")}
        for account in await tx.accounts.list_all()
    ]


def _opportunity(
    deal: Opportunity, libraries: LibraryShelf, calendar: WorkingCalendar, today: date
) -> dict[str, Any]:
    stage = libraries.stage(deal)
    followed_up_at = deal.last_valid_at or deal.assigned_at
    return {
        "id": deal.id,
        "name": deal.name,
        "stage": stage.label if stage else deal.stage,
        "amount": amount_words(deal.amount_fen) if deal.amount_fen else "",
        "light": str(deal.light),
        "gap_days": calendar.workdays_between(
            followed_up_at.astimezone(calendar.zone).date(), today
        ),
        "stuck": deal.stuck,
        "state": customers.STATES[deal.state],
    }


async def _newest(tx: UnitOfWork, account_id: int) -> list[dict[str, Any]]:
    page, _ = await tx.activities.page(account_id, limit=ENTRIES, before=None)
    taken_back = await tx.activities.retracted_among([one.id for one in page])
    locked = await tx.deadlines.locked_among([one.id for one in page])
    return [
        {
            "id": one.id,
            "at": one.occurred_at.isoformat(),
            "title": one.title,
            "text": one.text,
            "actor": (await tx.people.get(one.actor_id)).name if one.actor_id else "",
            "valid": one.valid and one.id not in taken_back,
            "reason": alerts.entry_mark(
                one.invalid_reason, taken_back=one.id in taken_back, locked=one.id in locked
            ),
            "late": one.late,
            "files": await _files(tx, one.file_hashes),
        }
        for one in page
    ]


async def _files(tx: UnitOfWork, hashes: tuple[str, ...]) -> list[dict[str, str]]:
    found = [await tx.files.get(sha256) for sha256 in hashes]
    return [
        {"name": file.name, "sha256": file.sha256, "media_type": file.media_type}
        for file in found
        if file is not None
    ]
