"""`/admin/audit`: who did what, searched; and whether the chain holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import InvalidInput
from handlers.desk import Desk
from handlers.pages.admin import choosing
from handlers.pages.admin.choosing import Given
from handlers.pages.admin.rooms import Asked, Room
from handlers.pages.people import Names
from handlers.texts import admin as texts
from handlers.texts import audit_words as words
from storage.audit_search import AuditEntry, Wanted
from storage.unit_of_work import UnitOfWork

PAGE = 50
MOST_TOLD = 300


@dataclass(frozen=True, slots=True)
class EntryLine:
    """link: the page of what it is about, "" where there is none. holds: as it was sealed."""

    seq: int
    when: str
    who: str
    action: str
    subject: str
    link: str
    before: str
    after: str
    holds: bool


@dataclass(frozen=True, slots=True)
class AuditPage:
    """who … until: the form as filled in. before: where older ones begin. seal: the beginning
    of the newest entry's hash. trouble: why it could not be searched for."""

    who: str
    action: str
    subject: str
    since: str
    until: str
    actions: tuple[tuple[str, str], ...]
    rows: tuple[EntryLine, ...]
    before: int | None
    first: bool
    head: int
    seal: str
    trouble: str


async def listed(room: Room, asked: Asked) -> AuditPage:
    """What cannot be searched for is said, and everything shown."""
    trouble = ""
    try:
        wanted = await _wanted(room, asked)
    except InvalidInput as error:
        wanted, trouble = Wanted(), str(error)
    before = choosing.number(asked.get("before", ""))
    found = await room.tx.audit_search.search(wanted, before=before, limit=PAGE)
    head, seal = await room.tx.audit.head()
    asked_for = {name: asked.get(name, "").strip() for name in ("who", "action", "subject")}
    days = {name: asked.get(name, "").strip() for name in ("since", "until")}
    return AuditPage(
        **asked_for,
        **days,
        actions=tuple((one, texts.action(one)) for one in await room.tx.audit_search.actions()),
        rows=await _lines(room, found.entries),
        before=found.before,
        first=before is None,
        head=head,
        seal=seal[:12],
        trouble=trouble,
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of the chain as far as it went then. broken: the first entry that does not fit."""

    head: int
    seal: str
    broken: int | None


async def look_through(tx: UnitOfWork) -> Verdict:
    """Entry by entry; in a transaction that only reads, since nobody must wait for it."""
    head, seal = await tx.audit.head()
    return Verdict(head, seal, await tx.audit.verify())


async def verify(desk: Desk, _: Given) -> None:
    """Tell what was found; that somebody looked stands in the chain too."""
    found = desk.incoming.looked_up
    assert isinstance(found, Verdict)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="verify_audit",
        subject="audit",
        before=None,
        after={"until": found.head, "broken": found.broken},
    )
    if found.broken is None:
        desk.say(texts.CHAIN_HOLDS.format(count=found.head, head=found.seal[:12]))
    else:
        desk.say(texts.CHAIN_BROKEN.format(seq=found.broken))


async def _wanted(room: Room, asked: Asked) -> Wanted:
    """Raises InvalidInput."""
    who, actor = asked.get("who", "").strip(), ""
    if who:
        actor = who if ":" in who or who == "system" else f"person:{await _person_id(room, who)}"
    since, until = choosing.day(asked.get("since", "")), choosing.day(asked.get("until", ""))
    calendar = room.office.calendar
    return Wanted(
        actor=actor[:80],
        action=asked.get("action", "").strip()[:60],
        subject=words.asked_subject(asked.get("subject", "").strip()[:120]),
        since=calendar.midnight(since) if since else None,
        until=calendar.midnight(until + timedelta(days=1)) if until else None,
    )


async def _person_id(room: Room, words: str) -> int:
    """Also of those who have left."""
    named = await room.tx.people.named(words)
    if len(named) == 1:
        return named[0].id
    return (await choosing.person(room.tx, words)).id


async def _lines(room: Room, entries: Sequence[AuditEntry]) -> tuple[EntryLine, ...]:
    names = Names(room.tx)
    await names.learn(_person(word) for one in entries for word in (one.actor, one.subject))
    known = _labels(room)
    return tuple([await _line(room, names, known, one) for one in entries])


def _labels(room: Room) -> dict[str, str]:
    """Of every library and its action units, by key."""
    libraries = room.office.libraries.newest()
    units = {unit.key: unit.label for one in libraries for unit in (*one.units, *one.past)}
    return {**units, **{one.key: one.label for one in libraries}}


async def _line(room: Room, names: Names, known: Mapping[str, str], one: AuditEntry) -> EntryLine:
    person, subject = _person(one.actor), one.subject
    about = _person(subject)
    kind, _, rest = subject.partition(":")
    link = f"/customers/{rest}" if kind == "account" and rest.isdecimal() else ""
    return EntryLine(
        seq=one.seq,
        when=_moment(room, one.at),
        who=await names.of(person) or one.actor,
        action=texts.action(one.action),
        subject=await names.of(about) or words.subject(subject, known),
        link=f"/admin/people/{about}" if about is not None else link,
        before=_told(one.before, known),
        after=_told(one.after, known),
        holds=one.holds,
    )


def _moment(room: Room, at: datetime) -> str:
    local = at.astimezone(room.office.zone)
    return f"{local:%Y-%m-%d %H:%M:%S}"


def _person(word: str) -> int | None:
    kind, _, number = word.partition(":")
    return int(number) if kind == "person" and number.isdecimal() and len(number) < 19 else None


def _told(text: str, known: Mapping[str, str]) -> str:
    """JSON as a person reads it."""
    if text in ("", "null", "{}"):
        return ""
    told = words.facts(json.loads(text), known)
    return told if len(told) <= MOST_TOLD else f"{told[:MOST_TOLD]}…"
