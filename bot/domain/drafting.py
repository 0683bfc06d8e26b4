"""Drafts: what a record says becomes a draft, what it lacks, what an answer adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from bot.domain import losses
from bot.domain.activities import Activity, Draft, DraftState, Intent, Moment, Record
from bot.domain.library import ActionLibrary, ActionUnit, SlotSpec

# What a rep may tell us that is no action unit of a library, yet belongs into the stream.
NOTES: dict[Intent, str] = {
    Intent.SET_NEXT: "约定下次联系",
    Intent.SET_INTENT: "意向说明",
    Intent.LOG_WIN: "赢单",
    Intent.LOG_LOSS: "丢单",
    Intent.LOG_PAYMENT: "回款说明",
}

AMOUNT_BEFORE = "amount_before"
"""The slot of an entry that set its deal's amount, with what that had been."""

RESERVED_SLOTS = frozenset(
    {
        "customer", "customer_mention", "not_these", "replaces", "vague_intent", "remark", "habit",
        "intent", "connected", "intent_level", "promise_date", "ref", "state_before",
        "amount_before", "loss_reason", "loss_note", "minutes", "reason",
    }
)  # fmt: skip
"""Slots that mean something to the bot itself: a library's own may not be called so."""

END_OF_DAY = time(18)
"""When something happened on an earlier day whose hour nobody said."""


def choose_unit(
    library: ActionLibrary, intent: Intent, units_done: Iterable[str], text: str = ""
) -> ActionUnit | None:
    """The action unit for an intent: the one whose words the text holds, the longest first.
    Of those without words a library may have two (first and follow-up call): the first until
    one of them was done with this opportunity, then the second."""
    of_kind = [unit for unit in library.units if unit.intent is intent]
    named = named_unit(of_kind, text)
    if named is not None:
        return named
    fitting = [unit for unit in of_kind if not unit.words] or of_kind[:1]
    if not fitting:
        return None
    done = set(units_done)
    if len(fitting) > 1 and any(unit.key in done for unit in fitting):
        return fitting[1]
    return fitting[0]


def named_unit(units: Iterable[ActionUnit], text: str) -> ActionUnit | None:
    """The unit that the text calls by a word of the trade; of several the longest word's."""
    found = [(len(word), unit) for unit in units for word in unit.words if word in text]
    return max(found, key=lambda one: one[0])[1] if found else None


def units_done(past: Iterable[Activity]) -> set[str]:
    """The units that really took place: not what was taken back, nor a call that nobody
    answered."""
    entries = list(past)
    taken_back = {one.retracts_id for one in entries}
    return {one.unit for one in entries if one.id not in taken_back and _reached(one)}


def pending_visit(past: Iterable[Activity], booking: ActionUnit, today: date) -> dict[str, object]:
    """Whom to meet, by the last booking that is still to come: a visit that is moved keeps
    its host."""
    entries = list(past)
    taken_back = {one.retracts_id for one in entries}
    for one in reversed(entries):
        day = str(one.slots.get("next_contact", ""))[:10]
        pending = one.unit == booking.key and one.id not in taken_back
        if pending and day >= today.isoformat() and "contact" in one.slots:
            return {"contact": one.slots["contact"]}
    return {}


def slots_of(record: Record) -> dict[str, object]:
    """What a record says, as the JSON-ready slots of a draft. Nothing said, no key.

    "objections" is present and empty where the rep said there are none.
    """
    slots: dict[str, object] = {}
    if record.duration_min is not None:
        slots["duration_min"] = record.duration_min
    if record.objections or "objections" in record.words:
        slots["objections"] = list(record.objections)
    if record.next_contact is not None:
        slots["next_contact"] = str(record.next_contact)
    if record.amount_fen is not None:
        slots["amount_fen"] = record.amount_fen
    for name in ("contact", "ref", "intent_level", "customer_received", "connected"):
        value = getattr(record, name)
        if value is not None:
            slots[name] = value
    if record.promise_date is not None:
        slots["promise_date"] = record.promise_date.isoformat()
    if record.vague_intent:
        slots["vague_intent"] = True
    return losses.settled(slots) if record.intent is Intent.LOG_LOSS else slots


def confidence_of(record: Record, slots: Mapping[str, object]) -> dict[str, float]:
    """How sure the reading was of what a draft takes over: its slots, customer and purpose."""
    taken = {*slots, "customer", "intent"}
    return {slot: sure for slot, sure in record.confidence.items() if slot in taken}


def missing_slots(
    unit: ActionUnit | None, slots: Mapping[str, object], media_types: Sequence[str]
) -> list[SlotSpec]:
    """What a unit requires and a draft does not have yet, in the unit's order.

    An unanswered call has nothing to tell.
    """
    if unit is None or slots.get("connected") is False:
        return []
    lacking = []
    for spec in unit.slots:
        if not spec.required:
            continue
        if not _has(spec, slots, media_types):
            lacking.append(spec)
    return lacking


def accepts_file(spec: SlotSpec, media_type: str) -> bool:
    """Whether a file of that type is one the slot asks for."""
    return not spec.file_kinds or any(fnmatchcase(media_type, kind) for kind in spec.file_kinds)


def lacks_hour(unit: ActionUnit | None, slots: Mapping[str, object]) -> bool:
    """A visit is booked for a day, and nobody said for what hour."""
    booked = slots.get("next_contact")
    is_visit = unit is not None and unit.intent is Intent.BOOK_VISIT
    return is_visit and isinstance(booked, str) and Moment.parse(booked).clock is None


def fill(
    draft: Draft,
    slots: Mapping[str, object],
    *,
    at: datetime,
    ttl: timedelta,
    confidence: Mapping[str, float] | None = None,
) -> Draft:
    """The draft with more or other slots; it lives anew.

    confidence: of what was read out of a sentence; an answer to a question is certain.
    """
    assert draft.state is DraftState.OPEN
    filled = {**draft.slots, **slots}
    if draft.unit == Intent.LOG_LOSS:
        filled = losses.settled(filled)
    told = confidence or {}
    kept = {slot: sure for slot, sure in draft.confidence.items() if slot not in slots}
    return replace(
        draft,
        slots=filled,
        confidence=kept | {slot: told[slot] for slot in slots if slot in told},
        revision=draft.revision + 1,
        touched_at=at,
        expires_at=at + ttl,
    )


def occurred_at(
    record: Record, sent_at: datetime, zone: ZoneInfo, clock: time | None = None
) -> datetime:
    """When it happened: the day the rep named, at the hour they named, else when they said it.

    A named earlier day without an hour counts as its end of office hours; a later day than
    today keeps its date, for the rules to refuse.
    """
    local = sent_at.astimezone(zone)
    today = record.stated_on is None or record.stated_on == local.date()
    if today and (clock is None or clock >= local.time()):
        return sent_at
    day = record.stated_on or local.date()
    return datetime.combine(day, clock or END_OF_DAY, zone).astimezone(sent_at.tzinfo)


def starts_at(moment: Moment, zone: ZoneInfo) -> datetime:
    """A moment as an instant; a day without an hour begins at 09:00."""
    return datetime.combine(moment.day, moment.clock or time(9), zone)


def standing_promise(stream: Iterable[Activity], zone: ZoneInfo) -> datetime | None:
    """The next contact that a customer may still expect, by what was recorded in any order.

    A later promise takes the place of an earlier one; a contact on the promised day or after
    it has kept the promise. What was taken back never happened.
    """
    entries = sorted(stream, key=lambda one: (one.occurred_at, one.id))
    taken_back = {one.retracts_id for one in entries}
    promise: datetime | None = None
    for one in entries:
        said = one.slots.get("next_contact")
        if one.id in taken_back:
            continue
        if isinstance(said, str):
            promise = starts_at(Moment.parse(said), zone)
        elif promise is not None and _reached(one):
            kept = one.occurred_at.astimezone(zone).date() >= promise.date()
            promise = None if kept else promise
    return promise


def standing_amount(stream: Iterable[Activity]) -> int | None:
    """What a deal is worth, in fen, by its quotes and its win in the order in which they
    happened; what it was worth before the first of them, if all were taken back."""
    entries = sorted(stream, key=lambda one: (one.occurred_at, one.id))
    taken_back = {one.retracts_id for one in entries}
    telling = [one for one in entries if AMOUNT_BEFORE in one.slots]
    standing = [one for one in telling if one.id not in taken_back]
    told = standing[-1].slots["amount_fen"] if standing else None
    if not standing and telling:
        told = min(telling, key=lambda one: one.id).slots[AMOUNT_BEFORE]
    return told if isinstance(told, int) else None


def _reached(entry: Activity) -> bool:
    """Whether the customer was really spoken to; notes and attachments are no contact."""
    return bool(entry.unit) and entry.slots.get("connected") is not False


def _has(spec: SlotSpec, slots: Mapping[str, object], media_types: Sequence[str]) -> bool:
    if spec.key == "files":
        return any(accepts_file(spec, media_type) for media_type in media_types)
    if spec.key == "customer_received":
        return slots.get(spec.key) is True
    return spec.key in slots
