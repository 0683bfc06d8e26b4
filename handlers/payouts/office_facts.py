"""Fields of a contract that come out of approvals and attendance, by the names rules ask for.

Told only where there is something: a condition on what nobody recorded does not hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from bot.domain.approvals import MEANINGS
from bot.domain.attendance import Fact, month_of, visits_to
from bot.domain.payouts.facts import Scalar
from bot.domain.payouts.words import APPROVAL
from storage.approvals import StoredApproval
from storage.payout_facts import DealFacts
from storage.unit_of_work import UnitOfWork

OF_ATTENDANCE = (
    "attendance_days", "late_days", "early_days", "absent_days", "outside_checkins",
)  # fmt: skip
AT_THE_CUSTOMER = "customer_checkins"
NAMES = (*OF_ATTENDANCE, AT_THE_CUSTOMER, *(f"{APPROVAL}{meaning}" for meaning in MEANINGS))


async def of(tx: UnitOfWork, deals: Sequence[DealFacts]) -> dict[int, dict[str, Scalar]]:
    """contract -> name of the field -> value; an empty one where nothing was recorded."""
    found: dict[int, dict[str, Scalar]] = {one.contract_id: {} for one in deals}
    if not deals:
        return found
    by_account = defaultdict(list)
    for approval in await tx.approvals.of_accounts({one.account_id for one in deals}):
        by_account[approval.account_id].append(approval)
    months = await _months(tx, deals)
    visits = await _visits(tx, deals)
    for deal in deals:
        fields = found[deal.contract_id]
        fields |= _approved(by_account[deal.account_id], deal.contract_id)
        closer = deal.people.closer_id
        if closer is not None:
            fields |= _attended(months.get((closer, deal.signed_on.replace(day=1)), ()))
            own = visits.get(closer, ())
            if own:
                fields[AT_THE_CUSTOMER] = visits_to(own, {deal.account_id})
    return found


def _approved(approvals: Iterable[StoredApproval], contract_id: int) -> dict[str, Scalar]:
    """The latest application of each meaning; those that name this contract count before those
    that name its customer alone."""
    told: dict[str, Scalar] = {}
    named = [one for one in approvals if one.contract_id in (None, contract_id)]
    for one in sorted(named, key=lambda one: one.contract_id is not None):
        told[f"{APPROVAL}{one.meaning}"] = str(one.state)
    return told


def _attended(facts: Sequence[Fact]) -> dict[str, Scalar]:
    if not facts:
        return {}
    month = month_of(facts)
    told = (month.days, month.late, month.early, month.absent, month.visits)
    return dict(zip(OF_ATTENDANCE, told, strict=True))


async def _months(
    tx: UnitOfWork, deals: Sequence[DealFacts]
) -> Mapping[tuple[int, date], list[Fact]]:
    """(closer, first day of the month of signing) -> what stands of it."""
    wanted = {
        (one.people.closer_id, one.signed_on.replace(day=1))
        for one in deals
        if one.people.closer_id is not None
    }
    by_month: dict[date, set[int]] = defaultdict(set)
    for closer, month in wanted:
        by_month[month].add(closer)
    found: dict[tuple[int, date], list[Fact]] = defaultdict(list)
    for month, closers in sorted(by_month.items()):
        last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        for fact in await tx.attendance.of_people(closers, month, last):
            found[fact.person_id, month].append(fact)
    return found


async def _visits(tx: UnitOfWork, deals: Sequence[DealFacts]) -> Mapping[int, list[Fact]]:
    """By person: their records that name one of these customers."""
    found: dict[int, list[Fact]] = defaultdict(list)
    for fact in await tx.attendance.at_customers({one.account_id for one in deals}):
        found[fact.person_id].append(fact)
    return found
