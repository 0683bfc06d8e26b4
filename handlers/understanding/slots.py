"""Everything one stretch of a message holds, before it is known what the stretch is for."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bot.domain.calendar import WorkingCalendar
from handlers.understanding.appointments import Appointments, sort_out
from handlers.understanding.attachments import find_attachments
from handlers.understanding.contacts import find_contacts
from handlers.understanding.dates import find_moments
from handlers.understanding.durations import find_durations
from handlers.understanding.levels import LevelSaid, read_level
from handlers.understanding.objections import find_objections
from handlers.understanding.spans import Found, blanked, choose
from handlers.understanding.strangers import find_reference
from handlers.understanding.tenses import tell_apart


class Slots(NamedTuple):
    """A message prepared for reading its slots. text: customers hidden. priced: `text` without
    numbers that are no money.

    told, planned: see tenses.
    """

    text: str
    told: str
    planned: str
    priced: str
    duration: Found[int] | None
    durations: list[Found[int]]
    appointments: Appointments
    objections: list[Found[str]]
    attachments: list[Found[str]]
    level: LevelSaid
    reference: Found[str] | None
    contact: Found[str] | None
    contacts: list[Found[str]]

    @property
    def looks_ahead(self) -> bool:
        return bool(self.appointments.ahead)


def read_slots(text: str, original: str, now: datetime, calendar: WorkingCalendar) -> Slots:
    """`text` is normalised; `original` has the same length and the sender's spelling."""
    reference = find_reference(text, original)
    plain = blanked(text, [reference] if reference else [])
    durations = find_durations(plain)
    dated = blanked(plain, durations)
    moments = find_moments(dated, now, calendar)
    appointments = sort_out(dated, moments, now, spent=bool(durations))
    to_come = [(one.start, one.end) for one in appointments.ahead]
    to_come += [(one.start, one.end) for one in moments if one.value is None]
    told, planned = tell_apart(text, to_come)
    contacts = find_contacts(text)
    return Slots(
        text=text,
        told=told,
        planned=planned,
        priced=blanked(dated, moments),
        duration=choose(plain, durations),
        durations=durations,
        appointments=appointments,
        objections=find_objections(text),
        attachments=find_attachments(text),
        level=read_level(text),
        reference=reference,
        contact=choose(text, contacts),
        contacts=contacts,
    )
