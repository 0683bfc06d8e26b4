"""A draft as a card: what was understood, what is missing, what can be pressed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from bot.domain.activities import OBJECTIONS, Draft, Moment
from bot.domain.calendar import WorkingCalendar
from bot.domain.library import ActionUnit, SlotSpec
from bot.messages import Button, Card, Field, Option
from handlers.conversation import own_fields
from handlers.texts import dialog

_FACT_ORDER = (
    "contact",
    "duration_min",
    "objections",
    "next_contact",
    "amount_fen",
    "loss_reason",
    "loss_note",
    "customer_received",
    "intent_level",
    "promise_date",
    "ref",
)
MOST_FACTS = 6
EDIT, UNDO = "edit", "undo"  # the buttons of a stored record
_HOURS = (9, 10, 11, 13, 14, 15, 16, 17)
_MINUTES = (5, 10, 15, 20, 30, 45, 60, 90)
_COMMON_OBJECTIONS = (
    "price_high", "budget", "lead_time", "competitor", "decision_process", "timing", "no_need",
    "other",
)  # fmt: skip
# A drop-down of WeCom holds ten, of which one says "please choose"; the rest is said in words.
_OBJECTION_OPTIONS = (
    Option("none", "没有异议"),
    *(Option(code, OBJECTIONS[code]) for code in _COMMON_OBJECTIONS),
)


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft with all that its card shows.

    choices: (button action, label) pairs for an unclear customer; then `question` asks for
    it. file_names: of what is attached. happened: when, in words, where that was not today.
    warnings: what to know before confirming. notes: what to look at closely.
    """

    draft: Draft
    title: str
    unit: ActionUnit | None = None
    customer: str = ""
    missing: tuple[SlotSpec, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    question: str = ""
    file_names: tuple[str, ...] = ()
    happened: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def render(view: DraftView, *, today: date, calendar: WorkingCalendar) -> Card:
    """The card of an open draft."""
    facts = _facts(view)
    return Card(
        card_id=view.draft.card_id,
        title=_title(view),
        lines=(*_lines(view), *(f"{name}：{value}" for name, value in facts[MOST_FACTS:])),
        facts=tuple(facts[:MOST_FACTS]),
        fields=() if view.question else tuple(_fields(view, today, calendar)),
        buttons=tuple(_buttons(view)),
    )


def stored(view: DraftView, note: str) -> Card:
    """The card of what was stored without a press: it can be taken back or changed."""
    facts = _facts(view)
    return Card(
        card_id=view.draft.card_id,
        title=_title(view),
        lines=(note, *view.notes, *(f"{name}：{value}" for name, value in facts[MOST_FACTS:])),
        facts=tuple(facts[:MOST_FACTS]),
        buttons=(Button(EDIT, "修改"), Button(UNDO, "撤销", style="danger")),
    )


def closed(view: DraftView, note: str) -> Card:
    """The same card with nothing left to press."""
    facts = _facts(view)
    return Card(
        card_id=view.draft.card_id,
        title=_title(view),
        lines=tuple(f"{name}：{value}" for name, value in facts[MOST_FACTS:]),
        facts=tuple(facts[:MOST_FACTS]),
        closed=note,
    )


def _title(view: DraftView) -> str:
    mention = view.draft.slots.get("customer_mention")
    name = view.customer or (f"{mention}（待确认）" if mention else "客户待定")
    return dialog.shorten(f"{view.title} · {name}", 36)


def _lines(view: DraftView) -> list[str]:
    lines = [*view.warnings]
    if view.question:
        return [*lines, view.question]
    if view.missing:
        return [*lines, dialog.missing_words(view.missing), *view.notes]
    return [*lines, dialog.CHECK_AND_CONFIRM, *view.notes]


def _facts(view: DraftView) -> list[tuple[str, str]]:
    slots = view.draft.slots
    facts = [("客户", view.customer)] if view.customer else []
    if view.happened:
        facts.append(("时间", view.happened))
    if slots.get("connected") is False:
        facts.append(("接通", "未接通"))
    facts += [
        (label(view.unit, key), dialog.slot_words(key, slots[key]))
        for key in _FACT_ORDER
        if key in slots
    ]
    facts += [
        (spec.label, own_fields.words(spec, slots[spec.key]))
        for spec in (view.unit.slots if view.unit is not None else ())
        if spec.kind is not None and spec.key in slots
    ]
    if view.file_names:
        facts.append(("附件", "、".join(view.file_names)))
    if "remark" in slots:
        facts.append(("备注", str(slots["remark"])))
    return facts


def label(unit: ActionUnit | None, key: str) -> str:
    """面访时间 rather than 下次联系, where the unit says so."""
    spec = unit.slot(key) if unit is not None else None
    return spec.label if spec is not None else dialog.SLOT_LABELS[key]


def _fields(view: DraftView, today: date, calendar: WorkingCalendar) -> list[Field]:
    """A form input for each missing slot that a list of options can fill."""
    fields = []
    for spec in view.missing:
        if spec.key == "duration_min":
            options = tuple(Option(str(minutes), f"{minutes}分钟") for minutes in _MINUTES)
            fields.append(Field(spec.key, spec.label, options=options))
        elif spec.key == "objections":
            fields.append(Field(spec.key, spec.label, options=_OBJECTION_OPTIONS))
        elif spec.key == "next_contact":
            options = tuple(_moments(view, today, calendar))
            fields.append(Field(spec.key, spec.label, options=options))
        elif spec.key == "customer_received":
            options = (Option("yes", "客户已查收"), Option("no", "还没查收"))
            fields.append(Field(spec.key, spec.label, options=options))
        elif spec.key in ("contact", "amount_fen") or spec.kind is not None:
            fields.append(own_fields.form_field(spec))
    return fields


def _buttons(view: DraftView) -> list[Button]:
    cancel = Button("cancel", "取消", style="danger")
    if view.question:
        picks = [Button(action, dialog.short_name(label)) for action, label in view.choices]
        return [*picks[:5], cancel]
    if view.choices:
        picks = [Button(action, label) for action, label in view.choices]
        return [*picks[:4], Button("force", "先记下"), cancel]
    confirm = Button("confirm", "确认", style="primary")
    if view.missing:
        return [confirm, Button("force", "先记下，不计有效"), cancel]
    return [confirm, cancel]


def _moments(view: DraftView, today: date, calendar: WorkingCalendar) -> list[Option]:
    """The coming working days; the hours of the day, where only the hour is wanted."""
    known = view.draft.slots.get("next_contact")
    if isinstance(known, str):
        day = Moment.parse(known).day
        moments = [Moment(day, time(hour)) for hour in _HOURS]
    else:
        moments = [Moment(day) for day in _coming_workdays(today, calendar)]
    return [Option(str(moment), dialog.day_words(moment)) for moment in moments]


def _coming_workdays(today: date, calendar: WorkingCalendar) -> list[date]:
    days = []
    day = today
    for _ in range(8):
        day = calendar.next_workday(day)
        days.append(day)
    return days
