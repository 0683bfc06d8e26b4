"""Everyday Chinese sales talk read into records, by rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.activities import Intent, Record
from bot.domain.calendar import WorkingCalendar
from handlers.understanding import answers, lexicon
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.intents import find_purpose
from handlers.understanding.names import vocabulary
from handlers.understanding.normal import normalise, without_addressees, without_unseen
from handlers.understanding.opinions import learnt, learnt_objections
from handlers.understanding.purposes import MENTION, Purpose, Said
from handlers.understanding.records import Named, compose, name_of, stranger_named
from handlers.understanding.segments import Segment, cut
from handlers.understanding.slots import Slots, read_slots
from handlers.understanding.snoozes import find_until
from handlers.understanding.sounds import sound_of

LONGEST_MESSAGE = 2_000
"""Longer texts are pasted documents, not reports; nothing is read from them."""

_WEAK_BELOW = 0.86
"""An intent less sure than this gives way to that of the stretch before."""
_REHEARSAL = "刚和王总通了25分钟电话，嫌价格高，下周三再联系"
"""Read at start, so that nobody waits for what the first reading puts together."""


class Reader:
    """Reads messages by rules. Holds no state but the calendar."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._calendar = calendar
        vocabulary()
        sound_of("")
        lexicon.load()
        learnt()
        learnt_objections()
        self.read(_REHEARSAL, now=datetime(2026, 1, 5, tzinfo=UTC), customers=CustomerIndex())

    def read(
        self,
        text: str,
        *,
        now: datetime,
        customers: CustomerIndex,
        visible: Callable[[str], bool] | None = None,
    ) -> tuple[Record, ...]:
        """The records that `text` reports, at least one; chitchat when there is nothing.

        visible: whether the sender may see a customer; others are not recognised. Never
        raises for any text.
        """
        text = without_unseen(text)
        if len(text) > LONGEST_MESSAGE or not text.strip():
            return (Record(Intent.CHITCHAT),)
        here = now.astimezone(self._calendar.zone)
        plain = without_addressees(normalise(text))
        records: list[Record] = []
        for segment in cut(plain, customers.find(plain, visible)):
            first = records[0] if records else None
            records += self._read_segment(segment, text, here, first)
        return tuple(records)

    def read_answer(self, text: str, slot: str, *, now: datetime) -> object | None:
        """A bare answer to what was asked about `slot`; None when the text is no answer to it.

        duration_min and amount_fen give int, next_contact a Moment, objections a tuple of
        codes, contact a str, customer_received a bool.
        """
        here = now.astimezone(self._calendar.zone)
        return answers.read_answer(normalise(without_unseen(text)), slot, here, self._calendar)

    def _read_segment(
        self, segment: Segment, original: str, now: datetime, first: Record | None
    ) -> list[Record]:
        text = _with_names_hidden(segment)
        source = original[segment.start : segment.start + len(segment.text)]
        if segment.shared:
            text, source = f"{text},{segment.shared}", f"{source},{segment.shared}"
        slots = read_slots(text, source, now, self._calendar)
        stranger = stranger_named(text, creating=False) if not segment.mentions else Named()
        purpose = find_purpose(_said(slots, bool(segment.mentions) or bool(stranger.mention)))
        purpose = _inherited(purpose, slots, first)
        named: Sequence[Named] = [name_of(mention) for mention in segment.mentions]
        if purpose.intent is Intent.CREATE_CUSTOMER:
            named = _to_create(segment, text, named)
        records = [compose(slots, purpose, one) for one in named or [stranger]]
        if purpose.intent is Intent.SNOOZE and not records[0].next_contact:
            until = find_until(text, now, self._calendar)
            records = [replace(record, until=until) for record in records]
        return records


def _to_create(segment: Segment, text: str, named: Sequence[Named]) -> Sequence[Named]:
    """新客户 大江水泵, with 大江阀门 in the book: a name that is only like a known one, or goes on
    after it, is that of another customer."""
    if not named:
        return [stranger_named(text, creating=True)]
    told = stranger_named(segment.text, creating=True)
    [one, *others] = named
    if others or told.mention is None or one.words not in told.mention:
        return named
    is_known = one.customer is not None and not one.needs_confirm and one.words == told.mention
    return named if is_known else [told]


def _with_names_hidden(segment: Segment) -> str:
    text = segment.text
    for mention in segment.named:
        start, end = mention.start - segment.start, mention.end - segment.start
        text = text[:start] + MENTION * (end - start) + text[end:]
    return text


def _said(slots: Slots, names_customer: bool) -> Said:
    return Said(
        text=slots.text,
        told=slots.told,
        planned=slots.planned,
        names_customer=names_customer,
        duration=slots.duration is not None,
        ahead=slots.looks_ahead,
        level_named=slots.level.named,
        level_known=slots.level.level is not None,
        vague=slots.level.vague,
        objections=bool(slots.objections),
    )


def _inherited(purpose: Purpose, slots: Slots, first: Record | None) -> Purpose:
    """预测 栖霞46万 丹徒20万: what the first stretch was for holds for a bare later one."""
    if first is None or purpose.sure > _WEAK_BELOW or slots.looks_ahead:
        return purpose
    if first.intent in (Intent.QUERY, Intent.CHITCHAT):
        return purpose
    if {first.intent, purpose.intent} == {Intent.LOG_WIN, Intent.LOG_LOSS}:
        return purpose
    connected = True if slots.duration else first.connected
    return Purpose(first.intent, connected=connected, sure=0.7)
