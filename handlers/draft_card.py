"""A draft as a card: what was understood, what is missing, what can be pressed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.activities import OBJECTIONS, Draft, Moment
from bot.domain.calendar import WorkingCalendar
from bot.domain.library import SlotSpec
from bot.messages import Button, Card, Field, Option
from handlers.texts import dialog

_FACT_ORDER = (
    "contact",
    "duration_min",
    "objections",
    "next_contact",
    "amount_fen",
    "customer_received",
)
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

    choices: (button action, label) pairs for an unclear customer or opportunity;
    then `question` asks for it. file_names: of what is attached.
    """

    draft: Draft
    title: str
    customer: str = ""
    missing: tuple[SlotSpec, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    question: str = ""
    file_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def render(view: DraftView, *, today: date, calendar: WorkingCalendar) -> Card:
    """The card of an open draft."""
    draft = view.draft
    name = view.customer or str(draft.slots.get("customer_mention") or "客户待定")
    return Card(
        card_id=draft.card_id,
        title=dialog.shorten(f"{view.title} · {name}", 36),
        lines=tuple(_lines(view)),
        facts=tuple(_facts(view)),
        fields=() if view.question else tuple(_fields(view, today, calendar)),
        buttons=tuple(_buttons(view)),
    )


def closed(view: DraftView, note: str, *, lines: Sequence[str] = ()) -> Card:
    """The same card with nothing left to press."""
    name = view.customer or "客户待定"
    return Card(
        card_id=view.draft.card_id,
        title=dialog.shorten(f"{view.title} · {name}", 36),
        lines=tuple(lines),
        facts=tuple(_facts(view)),
        closed=note,
    )


def _lines(view: DraftView) -> list[str]:
    lines = [*view.warnings]
    if view.question:
        return [*lines, view.question]
    if view.missing:
        return [*lines, dialog.missing_words(view.missing)]
    return [*lines, "请核对。没问题按「确认」；有错直接说，例如「不对，是下周四」。"]


def _facts(view: DraftView) -> list[tuple[str, str]]:
    facts = [("客户", view.customer)] if view.customer else []
    for key in _FACT_ORDER:
        if key in view.draft.slots:
            words = dialog.slot_words(key, view.draft.slots[key])
            facts.append((dialog.SLOT_LABELS[key], words))
    if view.file_names:
        facts.append(("附件", "、".join(view.file_names)))
    if view.draft.slots.get("connected") is False:
        facts.append(("接通", "未接通"))
    return facts[:6]


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
            days = _coming_workdays(today, calendar)
            options = tuple(Option(d.isoformat(), dialog.day_words(Moment(d))) for d in days)
            fields.append(Field(spec.key, spec.label, options=options))
        elif spec.key == "customer_received":
            options = (Option("yes", "客户已查收"), Option("no", "还没查收"))
            fields.append(Field(spec.key, spec.label, options=options))
        elif spec.key in ("contact", "amount_fen"):
            fields.append(Field(spec.key, spec.label, kind="text"))
    return fields


def _buttons(view: DraftView) -> list[Button]:
    cancel = Button("cancel", "取消", style="danger")
    if view.question:
        picks = [Button(action, dialog.shorten(label, 10)) for action, label in view.choices]
        return [*picks[:5], cancel]
    confirm = Button("confirm", "确认", style="primary")
    if view.missing:
        return [confirm, Button("force", "先记下，不计有效"), cancel]
    return [confirm, cancel]


def _coming_workdays(today: date, calendar: WorkingCalendar) -> list[date]:
    days = []
    day = today
    for _ in range(8):
        day = calendar.next_workday(day)
        days.append(day)
    return days
