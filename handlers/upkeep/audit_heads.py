"""Once a day the audit chain's head goes to a group, where whoever can edit the database cannot
edit it. So a chain that was cut off at its end, or written anew from some entry on, shows later:
`gendan db verify --head`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from bot.domain.people import Role
from bot.errors import NotAllowed, Refused
from bot.messages import OutboundMessage, Text
from bot.router import Job
from handlers.desk import Desk, Office
from handlers.supply.groups import address_of
from handlers.texts import audit_heads as texts
from handlers.upkeep.daily import Daily
from storage.unit_of_work import UnitOfWork

SETTING = "audit.groups"
TOLD_AT = time(9, 5)
LATE_S = 14 * 3600
"""Until late in the evening: a head too many hours old is better than none of that day."""


def job(office: Office) -> Job[UnitOfWork]:
    """Each day, working or not: a chain may be cut on a Sunday."""

    async def tell(tx: UnitOfWork, at: datetime) -> Sequence[OutboundMessage]:
        keys = await _bound(tx)
        if not keys:
            return ()
        count, seal = await tx.audit.head()
        day, words = office.calendar.day_of(at), texts.head(at.astimezone(office.zone), count, seal)
        return [
            OutboundMessage(f"audit-head:{day}:{key}", address_of(key), Text(words)) for key in keys
        ]

    daily = Daily("audit heads", lambda: TOLD_AT, office.calendar, tell, LATE_S)
    return daily.job()


async def bind(desk: Desk, _: str) -> None:
    """«审计推送到本群»."""
    here, bound = _here(desk), await _bound(desk.tx)
    if here not in bound:
        await _save(desk, [*bound, here], bound)
    desk.say(texts.bound(TOLD_AT))


async def unbind(desk: Desk, _: str) -> None:
    """«审计不再推送到本群»."""
    here, bound = _here(desk), await _bound(desk.tx)
    if here not in bound:
        desk.say(texts.NOT_BOUND)
        return
    await _save(desk, [key for key in bound if key != here], bound)
    desk.say(texts.UNBOUND)


def _here(desk: Desk) -> str:
    """Key of the group in which an administrator speaks."""
    if Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.ONLY_ADMINS)
    if not desk.message.in_group:
        raise Refused(texts.ONLY_IN_A_GROUP)
    return desk.message.origin.key


async def _bound(tx: UnitOfWork) -> list[str]:
    found: list[str] | None = await tx.settings.get(SETTING)
    return found or []


async def _save(desk: Desk, keys: Sequence[str], before: Sequence[str]) -> None:
    await desk.tx.settings.put(SETTING, list(keys), desk.at)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="bind_audit_group",
        subject="audit:groups",
        before={"groups": list(before)},
        after={"groups": list(keys)},
    )
