"""«奖金健康度»: 人均激励兑现率, 规则变更影响面, 申诉关闭时效, each with n and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain.payouts import health
from bot.domain.payouts.health import Closing, Realisation
from bot.domain.payouts.ledger import month_name
from bot.domain.payouts.rule_changes import window
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.payouts import rights, simulating
from handlers.texts import payout_health as texts
from handlers.texts import payouts as payout_texts
from storage.unit_of_work import UnitOfWork

MONTHS = 3
DISPUTES_SINCE = timedelta(days=90)
MOST_CHANGES = 3


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of rules, as it was tried before it was published. changed: of the people, those
    who get another amount."""

    day: date
    names: str
    changed: int
    people: int


@dataclass(frozen=True, slots=True)
class Health:
    """How healthy bonuses are, over some months. since, until: months. changes: the newest
    first."""

    since: str
    until: str
    paid: Realisation
    changes: tuple[Changed, ...]
    closing: Closing
    still_open: int


async def figures(tx: UnitOfWork, office: Office, at: datetime) -> Health:
    """For who may see everybody's; the caller asks."""
    today = office.calendar.day_of(at)
    since, until = month_name(window(today, MONTHS)), month_name(today)
    decided = await tx.payout_disputes.decided(at - DISPUTES_SINCE, at)
    return Health(
        since=since,
        until=until,
        paid=health.realisation(await tx.payout_ledger.realised(since, until)),
        changes=await _changes(tx, office),
        closing=health.closing(one.clock.worked for one in decided),
        still_open=await tx.payout_disputes.count_open(),
    )


async def _changes(tx: UnitOfWork, office: Office) -> tuple[Changed, ...]:
    changes = []
    for change in await tx.payout_rules.last_published(limit=MOST_CHANGES):
        if change.simulation is None or change.published_at is None:
            continue
        impact = simulating.from_json(change.simulation).impact
        names = "、".join(str(rule["id"]) for rule in change.rules)
        day = office.calendar.day_of(change.published_at)
        changes.append(Changed(day, names, len(impact.changed), len(impact.people)))
    return tuple(changes)


async def show(desk: Desk, _: str) -> None:
    """Raises NotAllowed."""
    rights.refuse_others(desk.rep, rights.OVERSEERS, payout_texts.OVERSEERS_ONLY)
    found = await figures(desk.tx, desk.office, desk.at)
    changes = [texts.change(one.day, one.names, one.changed, one.people) for one in found.changes]
    lines = [
        texts.TITLE,
        *texts.realisation(found.paid, found.since, found.until),
        *texts.impacts(changes),
        *texts.closing(found.closing, still_open=found.still_open),
    ]
    customers.tell_alone(desk, "奖金健康度", "\n".join(lines))
