"""Leaves that were approved on a platform: who is away by one has no lights, as by word of the
supervisor. What people say in chat goes before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.leaves import Leave, back_at
from bot.domain.people import Person, Role
from bot.messages import OutboundMessage, Text
from handlers.desk import Office
from handlers.people.leaders import leaders_of
from handlers.texts import team as texts
from storage.unit_of_work import UnitOfWork

_COVERED = frozenset({Role.REP, Role.SUPERVISOR, Role.CSM})


async def whose(tx: UnitOfWork, platform: str) -> list[str]:
    """The user ids of those whose leaves matter to us."""
    people = [one for one in await tx.people.list_active() if one.roles & _COVERED]
    return sorted(
        one.user_id for person in people for one in person.identities if one.platform == platform
    )


async def take(
    tx: UnitOfWork, office: Office, platform: str, told: Sequence[Leave], at: datetime
) -> list[OutboundMessage]:
    """All that the platform says now. A leave begins or moves with its approval and ends with
    its withdrawal; the person is told, and the supervisor where nobody stands in. One that
    somebody set or ended in chat stays as they said."""
    own: dict[str, list[Leave]] = defaultdict(list)
    for leave in told:
        own[leave.user_id].append(leave)
    row = f"leaves.{platform}"
    before: dict[str, str] = await tx.settings.get(row) or {}
    now: dict[str, str] = {}
    changing = _Changing(tx, office, platform, at)
    messages: list[OutboundMessage] = []
    for person in await tx.people.list_active():
        ids = [one.user_id for one in person.identities if one.platform == platform]
        until = back_at((one for id_ in ids for one in own[id_]), at, office.calendar)
        noted = before.get(str(person.id))
        ours = noted is not None and person.on_leave(at) and _iso(person.on_leave_until) == noted
        if until is not None and noted == _iso(until):
            now[str(person.id)] = noted  # known, whatever was said of it since
        elif until is not None and (ours or not person.on_leave(at)):
            now[str(person.id)] = _iso(until)
            messages += await changing.set(person, until)
        elif until is None and ours:
            messages += await changing.set(person, None)
    if now != before:
        await tx.settings.put(row, now, at)
    return messages


@dataclass(frozen=True, slots=True)
class _Changing:
    """Of leaves, by what one platform says at a moment."""

    tx: UnitOfWork
    office: Office
    platform: str
    at: datetime

    async def set(self, person: Person, until: datetime | None) -> list[OutboundMessage]:
        """The deputy of a leave that moves stays; who is to stand in for a new one is not
        known."""
        goes_on = until is not None and person.on_leave(self.at)
        deputy_id = person.deputy_id if goes_on else None
        await self.tx.people.set_leave(person.id, until, deputy_id)
        was = person.on_leave_until if person.on_leave(self.at) else None
        await self.tx.audit.append(
            at=self.at,
            actor=f"platform:{self.platform}",
            action="set_leave",
            subject=f"person:{person.id}",
            before={"until": _iso(was) or None, "deputy": person.deputy_id},
            after={"until": _iso(until) or None, "deputy": deputy_id},
        )
        await self.office.lights.on_leave_changed(self.tx, person, self.at)
        told = await self._words(person, until, covered=deputy_id is not None)
        morning = self.office.first_allowed(self.at)
        key = f"leave:{person.id}:{_iso(until)}:{self.at.isoformat()}"
        return [
            OutboundMessage(f"{key}:{one.id}", to, Text(words), not_before=morning)
            for one, words in told
            if (to := self.office.address_of(one)) is not None
        ]

    async def _words(
        self, person: Person, until: datetime | None, *, covered: bool
    ) -> list[tuple[Person, str]]:
        """To the person; to who stood in; to the supervisor where nobody stands in."""
        if until is None:
            told = [(person, texts.LEAVE_WITHDRAWN)]
            if person.deputy_id is not None:
                deputy = await self.tx.people.get(person.deputy_id)
                told.append((deputy, texts.you_deputise_no_more(person.name)))
            return told
        last_day = self.office.calendar.day_of(until) - timedelta(days=1)
        told = [(person, texts.leave_approved(last_day))]
        owned = len(await self.tx.accounts.list_of_owner(person.id))
        if owned and not covered:
            words = texts.leave_of(person.name, last_day, owned)
            leaders = await leaders_of(self.tx, person.id, self.at)
            told += [(leader, words) for leader in leaders if leader.id != person.id]
        return told


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else ""
