"""From the slots of a stretch and what it is for to a Record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.activities import Intent, Moment, Record
from handlers.understanding import confidence
from handlers.understanding.amounts import Owner, find_amount, find_amounts, find_missing, owner_of
from handlers.understanding.customers import SURE, Mention
from handlers.understanding.lexicon import lists, says
from handlers.understanding.purposes import Purpose
from handlers.understanding.slots import Slots
from handlers.understanding.spans import Found
from handlers.understanding.strangers import find_stranger

VALID_CALL_MIN = 3
"""Shorter calls are no valid action (the three-minute rule)."""

_TALK_ONLY = frozenset({Intent.CONFIRM, Intent.CANCEL, Intent.QUERY, Intent.CHITCHAT})
_WITH_LENGTH = frozenset({Intent.LOG_CALL, Intent.LOG_VISIT, Intent.LOG_MESSAGE, Intent.CORRECT})
_RECEIPT_MEANS_SOMETHING_ELSE = frozenset(
    {Intent.LOG_PAYMENT, Intent.CORRECT, Intent.SUBMIT_FORECAST, Intent.SNOOZE}
)
_PREFERRED = {
    Intent.LOG_PAYMENT: re.compile(
        r"(?:到账|回款|打款|付款|付了|收到|首付款?|尾款|预付款?|定金|汇了|转了|打了|退款?了?"
        r"|退还|进度款)\D{0,4}$|^(?:元|块)?(?:的)?(?:已经?|都|全)?(?:到账|入账|落袋|进账|已到|到了|打过来|预付|首付"
        r"|定金)"
    ),
    Intent.LOG_WIN: re.compile(
        r"(?:合同额|合同金额|合同价|总价|总额|成交价?|一共|总共|合计|签了?)\D{0,4}$"
    ),
    Intent.LOG_QUOTE: re.compile(
        r"(?:总价|总共|一共|合计|优惠后|最终|最后|最新|现在|改报|折后)\D{0,5}$"
    ),
    Intent.SUBMIT_FORECAST: re.compile(
        r"(?:预测|预计|预估|预报|滚动|报|填|目标|能做到?|能签|冲|保底?|commit|承诺|改成|调成|调到)\D{0,4}$"
    ),
}
_GENERAL_FILE = re.compile(r"截图|单子|扫描件|原件|电子版|附件|文件|pdf")
_FILE_OF = {
    Intent.LOG_PAYMENT: "payment_slip",
    Intent.LOG_QUOTE: "quote_file",
    Intent.LOG_PROPOSAL: "proposal_pdf",
    Intent.LOG_WIN: "contract",
}
"""What a file without a name is, by what the message is for."""

_ACTS = re.compile(
    r"(?:上午|下午|早上|晚上)?(?:我|就|再|会|要|一定|马上)*(?:打(?!开)|去|联系|拜访|跟进|回访|上门|见|约)"
)
_CORRECTABLE = ("duration_min", "next_contact", "amount_fen", "objections", "contact")


@dataclass(frozen=True, slots=True)
class Named:
    """How a record names its customer."""

    customer: str | None = None
    ambiguous: tuple[str, ...] = ()
    mention: str | None = None
    needs_confirm: bool = False
    words: str = ""
    score: float = 1.0


def name_of(mention: Mention) -> Named:
    """Who is meant; several when the words fit several, a stranger when they fit none."""
    sure = mention.sure
    if sure is None:
        names = tuple(sorted(candidate.name for candidate in mention.candidates))
        return Named(ambiguous=names, words=mention.words, score=0.4)
    return Named(
        customer=sure.name,
        needs_confirm=sure.score < SURE,
        words=mention.words,
        score=sure.score,
    )


def compose(slots: Slots, purpose: Purpose, named: Named) -> Record:
    """The record, with only those slots that its intent has."""
    words = {"intent": purpose.words, "customer": named.words}
    sure = {"intent": purpose.sure} | ({"customer": named.score} if named.words else {})
    values: dict[str, Any] = {
        "customer": None if _is_small_talk(purpose) else named.customer,
        "ambiguous": named.ambiguous,
    }
    if purpose.intent not in _TALK_ONLY:
        figures, of_figures = _figures(slots, purpose, words)
        sure |= of_figures
        values |= figures
        values |= _judgements(values, slots, purpose.intent, words)
    return Record(
        intent=purpose.intent,
        customer_mention=named.mention,
        needs_confirm=named.needs_confirm,
        query_topic=purpose.topic,
        confidence=sure,
        words={slot: said.strip() for slot, said in words.items() if said.strip()},
        **values,
    )


def _is_small_talk(purpose: Purpose) -> bool:
    """午饭去栖霞吃吗: recognised as talk among colleagues, whoever seems to be named."""
    return purpose.intent is Intent.CHITCHAT and bool(purpose.words)


def _confidence(
    slots: Slots,
    duration: Found[int] | None,
    amount: Found[int] | None,
    ahead: Found[Moment] | None,
) -> dict[str, float]:
    """Of the figures, where they were said."""
    text, sure = slots.text, {}
    if duration:
        sure["duration_min"] = confidence.of(text, duration, slots.durations)
    if amount:
        amounts = [
            one for one in find_amounts(slots.priced) if owner_of(slots.priced, one) is Owner.OURS
        ]
        sure["amount_fen"] = confidence.of(text, amount, amounts)
    if ahead:
        sure["next_contact"] = confidence.of(text, ahead, slots.appointments.ahead)
    if slots.contact:
        sure["contact"] = confidence.of(text, slots.contact, slots.contacts)
    return sure


def _figures(
    slots: Slots, purpose: Purpose, words: dict[str, str]
) -> tuple[dict[str, Any], dict[str, float]]:
    """What can be counted or dated, and how sure it is; the words behind it go into `words`."""
    intent = purpose.intent
    asks_only = intent in (Intent.APPEAL, Intent.SNOOZE, Intent.CREATE_CUSTOMER)
    duration = slots.duration if intent in _WITH_LENGTH else None
    amount = _amount(slots, intent)
    ahead = None if asks_only else slots.appointments.next_contact
    if intent is Intent.SNOOZE:
        ahead = acting_day(slots)
    promise = None if asks_only else slots.appointments.promise
    past = slots.appointments.past
    for slot, found in (
        ("duration_min", duration),
        ("amount_fen", amount),
        ("next_contact", ahead),
        ("promise_date", promise),
        ("ref", slots.reference),
        ("contact", slots.contact),
    ):
        if found:
            words[slot] = _said(slots.text, found)
    short = intent is Intent.LOG_CALL and duration is not None and duration.value < VALID_CALL_MIN
    figures = {
        "connected": purpose.connected if intent is Intent.LOG_CALL else None,
        "duration_min": duration.value if duration else None,
        "amount_fen": amount.value if amount else None,
        "amount_approx": bool(amount and amount.approximate),
        "next_contact": ahead.value if ahead else None,
        "promise_date": promise.value.day if promise else None,
        "not_valid_reason": "under_3_minutes" if short else None,
        "ref": slots.reference.value if slots.reference else None,
        "contact": slots.contact.value if slots.contact else None,
        "stated_on": past.value.day if past else None,
    }
    return figures, _confidence(slots, duration, amount, ahead)


def acting_day(slots: Slots) -> Found[Moment] | None:
    """红灯我认了，今天就打: a light that is answered by a day to act on."""
    said = slots.appointments.next_contact
    return said if said and _ACTS.match(slots.text, said.end) else None


def _amount(slots: Slots, intent: Intent) -> Found[int] | None:
    if intent is Intent.APPEAL:
        return find_missing(slots.priced)
    if intent in (Intent.SNOOZE, Intent.CREATE_CUSTOMER):
        return None
    return find_amount(slots.priced, prefer=_PREFERRED.get(intent), bare=intent in _PREFERRED)


def _judgements(
    figures: Mapping[str, Any], slots: Slots, intent: Intent, words: dict[str, str]
) -> dict[str, Any]:
    objections = () if intent in (Intent.SNOOZE, Intent.APPEAL) else tuple(slots.objections)
    level = slots.level
    words["objections"] = " ".join(_said(slots.text, one) for one in objections)
    words["attachments_claimed"] = " ".join(_said(slots.text, one) for one in slots.attachments)
    words["intent_level"] = level.words
    if intent is Intent.APPEAL:
        return {"attachments_claimed": tuple(one.value for one in slots.attachments)}
    return {
        "objections": tuple(one.value for one in objections),
        "attachments_claimed": _files(slots, intent),
        "intent_level": level.level,
        "level_refused": level.refused,
        "vague_intent": level.vague,
        "customer_received": _received(slots.text, intent),
        "correct_slot": _corrected(figures, slots) if intent is Intent.CORRECT else None,
    }


def _files(slots: Slots, intent: Intent) -> tuple[str, ...]:
    codes = [
        _FILE_OF.get(intent, one.value)
        if one.value == "other" and _GENERAL_FILE.fullmatch(_said(slots.text, one))
        else one.value
        for one in slots.attachments
    ]
    return tuple(dict.fromkeys(codes))


def _received(text: str, intent: Intent) -> bool | None:
    if intent in _RECEIPT_MEANS_SOMETHING_ELSE:
        return None
    if says("intents", "received", "no", text):
        return None
    return True if says("intents", "received", "yes", text) else None


def _corrected(figures: Mapping[str, Any], slots: Slots) -> str | None:
    """Which slot a correction is about: the one it gives, else the one it speaks of."""
    given = {
        "next_contact": figures["next_contact"] is not None,
        "duration_min": figures["duration_min"] is not None,
        "amount_fen": figures["amount_fen"] is not None,
        "objections": bool(slots.objections),
        "contact": figures["contact"] is not None,
        "customer": bool(figures["customer"] or figures["ambiguous"]),
    }
    for slot in (*_CORRECTABLE, "customer"):
        if given[slot]:
            return slot
    for slot, pattern in lists("intents", "correct_slots").items():
        if pattern.search(slots.text):
            return slot
    return None


def _said(text: str, found: Found[str] | Found[int] | Found[Moment]) -> str:
    return text[found.start : found.end]


def stranger_named(text: str, *, creating: bool) -> Named:
    """A customer that is not in the book, as written."""
    stranger = find_stranger(text, creating=creating)
    if stranger is None:
        return Named()
    return Named(mention=stranger.value, words=stranger.value, score=0.0)
