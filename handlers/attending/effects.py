"""What approvals and attendance say to the rules of bonuses (签到即计薪、审批即生效)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from bot.messages import OutboundMessage
from handlers.desk import Office
from handlers.payouts import deal_facts, following
from storage.approvals import StoredApproval
from storage.unit_of_work import UnitOfWork


async def follow(
    tx: UnitOfWork,
    office: Office,
    contract_ids: Collection[int],
    fields: Collection[str],
    at: datetime,
) -> list[OutboundMessage]:
    """These contracts are computed anew, where a published rule asks for one of the fields."""
    if not contract_ids:
        return []
    rules = await deal_facts.rules_document(tx)
    asked = deal_facts.fields_asked(rules) if rules else frozenset()
    if not asked & set(fields):
        return []
    return await following.follow(tx, office, contract_ids, at)


async def contracts_of(tx: UnitOfWork, approvals: Sequence[StoredApproval]) -> set[int]:
    found = {one.contract_id for one in approvals if one.contract_id is not None}
    for one in approvals:
        if one.contract_id is None and one.account_id is not None:
            found |= {each.id for each in await tx.contracts.of_account(one.account_id)}
    return found


async def contracts_of_days(tx: UnitOfWork, days: Iterable[tuple[int, date]]) -> set[int]:
    """days: (person, day). What they closed in the months of those days."""
    months = {(person_id, day.replace(day=1)) for person_id, day in days}
    found: set[int] = set()
    for person_id, month in sorted(months):
        found |= await following.month_of(tx, person_id, month)
    return found
