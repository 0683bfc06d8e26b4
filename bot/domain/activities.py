"""Activities: what a rep did with a customer, as drafted and as recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum


class Intent(StrEnum):
    """What a sentence is for. Vocabulary of the record schema (docs/understanding.md)."""

    LOG_CALL = "log_call"
    LOG_VISIT = "log_visit"
    LOG_MESSAGE = "log_message"
    LOG_PROPOSAL = "log_proposal"
    LOG_QUOTE = "log_quote"
    BOOK_VISIT = "book_visit"
    SET_NEXT = "set_next"
    SET_INTENT = "set_intent"
    LOG_WIN = "log_win"
    LOG_LOSS = "log_loss"
    LOG_PAYMENT = "log_payment"
    SUBMIT_FORECAST = "submit_forecast"
    CORRECT = "correct"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    QUERY = "query"
    APPEAL = "appeal"
    SNOOZE = "snooze"
    CREATE_CUSTOMER = "create_customer"
    CHITCHAT = "chitchat"


OBJECTIONS: dict[str, str] = {
    "price_high": "价格高",
    "budget": "预算",
    "lead_time": "交期/实施周期",
    "no_industry_template": "缺行业模板/案例",
    "competitor": "有竞品",
    "feature_gap": "功能缺口",
    "no_need": "暂无需求",
    "decision_process": "决策流程",
    "timing": "时机",
    "trust_risk": "信任/风险",
    "payment_terms": "付款方式",
    "contract_terms": "合同条款",
    "integration": "系统对接",
    "other": "其他",
}

ATTACHMENTS: dict[str, str] = {
    "proposal_pdf": "方案PDF",
    "quote_file": "报价单",
    "contract": "合同",
    "tech_confirmation": "盖章技术确认函",
    "purchase_email": "采购邮件",
    "po": "PO",
    "photo": "照片",
    "recording": "录音",
    "minutes": "纪要",
    "payment_slip": "付款回单",
    "other": "其他附件",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, with a clock time if one was said. Local to the team's zone."""

    day: date
    clock: time | None = None

    def __str__(self) -> str:
        """ "2026-03-09" or "2026-03-09T10:00", as the record schema writes it."""
        if self.clock is None:
            return self.day.isoformat()
        return f"{self.day.isoformat()}T{self.clock:%H:%M}"

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Read what `str` wrote. Raises ValueError for anything else."""
        day, _, clock = text.partition("T")
        return cls(date.fromisoformat(day), time.fromisoformat(clock) if clock else None)


@dataclass(frozen=True, slots=True)
class Record:
    """What one sentence said: the eight slots of the record schema, and the optional ones.

    customer: full name out of the names offered, or None. duration_min: whole minutes.
    amount_fen: integer fen, refunds negative. Absent is None or empty.
    words: slot -> the words of the message it was read from. confidence: slot -> 0..1.
    habit: the words that stand for the customer only because of earlier choices.
    """

    intent: Intent
    customer: str | None = None
    duration_min: int | None = None
    objections: tuple[str, ...] = ()
    next_contact: Moment | None = None
    amount_fen: int | None = None
    attachments_claimed: tuple[str, ...] = ()
    intent_level: str | None = None
    intent_alt: tuple[Intent, ...] = ()
    connected: bool | None = None
    customer_received: bool | None = None
    vague_intent: bool = False
    level_refused: str | None = None
    ambiguous: tuple[str, ...] = ()
    customer_mention: str | None = None
    needs_confirm: bool = False
    not_valid_reason: str | None = None
    query_topic: str | None = None
    correct_slot: str | None = None
    until: date | None = None
    promise_date: date | None = None
    ref: str | None = None
    amount_approx: bool = False
    contact: str | None = None
    stated_on: date | None = None
    habit: str = ""
    words: dict[str, str] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)


class Grade(StrEnum):
    """How well an action is proven."""

    SELF_REPORTED = "E0"
    FILE_ATTACHED = "E1"
    PLATFORM_PROVEN = "E2"


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of a customer's stream; never edited, corrected by a later one.

    unit: key of an action unit of the library ("" for entries that are none).
    source_id: unique; the delivery or draft it came from. occurred_at: when it happened;
    recorded_at: when we learnt it. valid: counts as a valid action; else invalid_reason.
    slots: the record as JSON-ready values. file_hashes: SHA-256 of attached files.
    retracts_id: the entry this one takes back. late: recorded past the allowed hours.
    library: the `ActionLibrary.ref` by which it was judged.
    """

    id: int
    account_id: int
    opportunity_id: int | None
    actor_id: int | None
    unit: str
    title: str
    text: str
    occurred_at: datetime
    recorded_at: datetime
    source_id: str
    slots: dict[str, object] = field(default_factory=dict)
    file_hashes: tuple[str, ...] = ()
    valid: bool = False
    invalid_reason: str = ""
    grade: Grade = Grade.SELF_REPORTED
    late: bool = False
    retracts_id: int | None = None
    library: str = ""


class DraftState(StrEnum):
    """What became of a draft."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


def withdrawal_of(original: Activity, text: str, *, source_id: str, at: datetime) -> Activity:
    """What stands in the stream where a platform no longer stands by what it told."""
    return Activity(
        id=0,
        account_id=original.account_id,
        opportunity_id=None,
        actor_id=None,
        unit="",
        title=original.title,
        text=text,
        occurred_at=at,
        recorded_at=at,
        source_id=source_id,
        grade=Grade.PLATFORM_PROVEN,
        retracts_id=original.id,
    )


def retraction_of(original: Activity, text: str, *, by: int, at: datetime) -> Activity:
    """What stands in the stream where a person takes an entry back. by: id of that person."""
    return Activity(
        id=0,
        account_id=original.account_id,
        opportunity_id=original.opportunity_id,
        actor_id=by,
        unit="",
        title=f"撤回：{original.title}",
        text=text,
        occurred_at=at,
        recorded_at=at,
        source_id=f"retract:{original.id}",
        retracts_id=original.id,
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """What the bot understood and has not yet stored. Survives a restart.

    conversation: `Address.key` of the chat it belongs to. unit: action unit key, or an
    intent that is none ("create_customer"). slots: slot name -> JSON-ready value
    (Moment and date as text). awaiting: the slot we asked for last, or "".
    candidates: account ids offered for an unclear customer. touched_at orders open drafts.
    confidence: slot -> 0..1, how sure the reading was; what a person pressed or answered when
    asked is 1 and is left out. library: the `ActionLibrary.ref` it was begun with, and stays with.
    """

    id: int
    conversation: str
    person_id: int
    unit: str
    source_id: str
    text: str
    state: DraftState
    occurred_at: datetime
    created_at: datetime
    expires_at: datetime
    account_id: int | None = None
    opportunity_id: int | None = None
    slots: dict[str, object] = field(default_factory=dict)
    confidence: dict[str, float] = field(default_factory=dict)
    file_hashes: tuple[str, ...] = ()
    candidates: tuple[int, ...] = ()
    awaiting: str = ""
    revision: int = 1
    touched_at: datetime | None = None
    activity_id: int | None = None
    card_no: int = 0
    library: str = ""

    @property
    def card_id(self) -> str:
        """Of the card that shows the draft now; a new number for each fresh card."""
        return f"draft-{self.id}-{self.card_no}"
