"""The one place where the intent level of an opportunity changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from bot.domain import levels as rules
from bot.domain.levels import Cause, Evidence, Level, LevelChange
from bot.domain.opportunities import Opportunity
from bot.errors import Refused
from bot.messages import OutboundMessage
from handlers.desk import Office
from handlers.erp import erp_entries, erp_forecasts
from handlers.supply import notices
from handlers.texts import levels as texts
from storage.unit_of_work import UnitOfWork

Follower = Callable[
    [UnitOfWork, Office, Opportunity, LevelChange], Awaitable[list[OutboundMessage]]
]

FOLLOWERS: tuple[Follower, ...] = (notices.on_level, erp_forecasts.on_level)
"""What must happen, in the same transaction, when a level has changed; they give the messages
that are to be sent."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of it. messages: what the followers want to have sent."""

    change: LevelChange
    messages: list[OutboundMessage] = field(default_factory=list)


async def set_level(
    tx: UnitOfWork,
    office: Office,
    deal: Opportunity,
    after: Level | None,
    *,
    cause: Cause,
    at: datetime,
    by: int | None = None,
    reason: str = "",
) -> Changed:
    """Write a change, its entry in the customer's stream and in the audit chain, and tell the
    followers. deal: locked by `get_for_update`. by: None for a rule. Whether that person may is
    the caller's to know. Raises Refused where the rules do not allow it."""
    held = await tx.levels.evidence_of(deal.id)
    known = await tx.levels.changes_of(deal.id)
    before = known[-1].after if known else None
    why = rules.refusal_of(before, after, cause, evidence=held, now=at, reason=reason)
    if why is not None:
        wanted = after if after in rules.ENTERED else None
        missing = rules.missing_for(wanted, held, at) if wanted is not None else []
        raise Refused(texts.refused(why, missing if why is rules.Refusal.NO_EVIDENCE else ()))
    lowered = cause is Cause.LOWERED and after is not None
    change = await tx.levels.append(
        LevelChange(
            id=0,
            opportunity_id=deal.id,
            before=before,
            after=after,
            cause=cause,
            at=at,
            by=by,
            reason=reason,
            stands_until=end_of_evidence(office, at) if lowered else None,
        )
    )
    await _note(tx, deal, change)
    messages: list[OutboundMessage] = []
    for follower in FOLLOWERS:
        messages += await follower(tx, office, deal, change)
    return Changed(change, messages)


async def settle(
    tx: UnitOfWork, office: Office, deal: Opportunity, *, cause: Cause, at: datetime,
    by: int | None = None, reason: str = "",
) -> Changed | None:  # fmt: skip
    """Evidence has ended: the level that now holds, if it is another. None if it is not."""
    stands, holds = await standing(tx, deal.id, at)
    if stands is holds:
        return None
    return await set_level(tx, office, deal, holds, cause=cause, at=at, by=by, reason=reason)


async def standing(
    tx: UnitOfWork, opportunity_id: int, at: datetime
) -> tuple[Level | None, Level | None]:
    """(the level as it was last noted, the level that holds by the evidence)."""
    changes = await tx.levels.changes_of(opportunity_id)
    held = await tx.levels.evidence_of(opportunity_id)
    noted = changes[-1].after if changes else None
    return noted, rules.level_at(changes, held, at)


def end_of_evidence(office: Office, at: datetime) -> datetime:
    """Evidence of today counts to the end of its last day."""
    days = office.policy.forecasts.evidence_days
    last = office.calendar.day_of(at) + timedelta(days=days + 1)
    return office.calendar.moment(last, time.min)


def holding(evidence: list[Evidence], at: datetime) -> list[Evidence]:
    return [one for one in evidence if one.holds(at)]


async def _note(tx: UnitOfWork, deal: Opportunity, change: LevelChange) -> None:
    await erp_entries.enter(
        tx,
        deal.account_id,
        texts.ENTRY,
        texts.change_line(change),
        occurred_at=change.at,
        at=change.at,
        key=f"level:{change.id}",
        by=change.by,
        opportunity_id=deal.id,
    )
    await tx.audit.append(
        at=change.at,
        actor=f"person:{change.by}" if change.by is not None else "system",
        action="change_level",
        subject=f"opportunity:{deal.id}",
        before={"level": change.before},
        after={"level": change.after, "cause": str(change.cause), "reason": change.reason},
    )
