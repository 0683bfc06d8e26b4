"""`/disputes`: who disputes what, and one dispute with its facts and the arbiter's form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.payouts.disputes import DECIDED, State, may_move
from bot.domain.people import Person
from bot.errors import InvalidInput, NotFound
from handlers.desk import Desk, Office
from handlers.pages import payouts
from handlers.pages.people import Names
from handlers.payouts import arbitrating, rights
from handlers.texts import disputes as texts
from handlers.texts import pages as page_texts
from handlers.texts.money import yuan
from storage.payout_disputes import QUESTION, Dispute
from storage.unit_of_work import UnitOfWork

PAGE = 50
LIVING, ALL = "", "all"
NO_SUCH_DISPUTE = "没有这次申诉，或者它不在你能看的范围里。"

_YUAN = re.compile(r"(?P<yuan>\d{1,9})(?:\.(?P<fen>\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """tone: green, yellow, red or "" as the state is."""

    id: int
    person: str
    line: str
    state: str
    tone: str
    arbiter: str
    mine: bool


@dataclass(frozen=True, slots=True)
class DisputeList:
    """before: where the next page goes on, None on the last."""

    rows: tuple[DisputeLine, ...]
    kind: str
    others: bool
    before: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened with a dispute."""

    when: str
    who: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the fact report."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisputePage:
    """sections: of the fact report but for what speaks for and against. decides: whether the
    visitor has the form. waited: on the office clock."""

    id: int
    person_id: int
    person: str
    month: str
    line: str
    reason: str
    files: int
    state: str
    tone: str
    arbiter: str
    waited: str
    sections: tuple[Section, ...]
    speaks_for: tuple[str, ...]
    against: tuple[str, ...]
    steps: tuple[Step, ...]
    ruling: str
    awarded: str
    decides: bool
    may_ask: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the form says."""

    outcome: str
    yuan: str
    words: str


@dataclass(frozen=True, slots=True)
class ReadRuling:
    """The same as what it would do. award: in words."""

    outcome: State
    label: str
    fen: int
    award: str
    words: str


async def listed(tx: UnitOfWork, reader: Person, *, kind: str, before: str) -> DisputeList:
    """Raises InvalidInput for a place or a kind that is none."""
    if kind not in (LIVING, ALL) or not re.fullmatch(r"\d{0,18}", before, re.ASCII):
        raise InvalidInput(payouts.NO_SUCH_PLACE)
    only = await payouts.reach(tx, reader)
    found = await tx.payout_views.disputes(
        only=only,
        arbiter=reader.id,
        open_only=kind == LIVING,
        before=int(before or 0),
        limit=PAGE + 1,
    )
    names = Names(tx)
    await names.learn(person for one in found for person in (one.person_id, one.arbiter_id))
    rows = [
        DisputeLine(
            id=one.id,
            person=await names.of(one.person_id),
            line=texts.line_words(one.number, one.kind, one.fen, one.month),
            state=texts.STATES[one.state],
            tone=_TONES.get(one.state, ""),
            arbiter=await names.of(one.arbiter_id),
            mine=one.arbiter_id == reader.id and one.state not in DECIDED,
        )
        for one in found[:PAGE]
    ]
    return DisputeList(
        tuple(rows), kind, only != {reader.id}, rows[-1].id if len(found) > PAGE else None
    )


async def page(
    tx: UnitOfWork, office: Office, reader: Person, number: int, at: datetime
) -> DisputePage:
    """Raises NotFound also for what is there and not theirs to see."""
    dispute = await visible(tx, reader, number)
    names = Names(tx)
    line = await tx.payout_ledger.get(dispute.line_id)
    sections = _sections(dispute.report)
    decides = dispute.arbiter_id == reader.id
    return DisputePage(
        id=dispute.id,
        person_id=dispute.person_id,
        person=await names.of(dispute.person_id),
        month=line.month,
        line=texts.line_words(line.number, line.kind, line.fen, line.month),
        reason=dispute.reason,
        files=len(dispute.file_hashes),
        state=texts.STATES[dispute.state],
        tone=_TONES.get(dispute.state, ""),
        arbiter=await names.of(dispute.arbiter_id),
        waited=texts.hours(dispute.clock.ran(at, office.calendar)),
        sections=tuple(one for one in sections if one.title not in _SIDES),
        speaks_for=_lines_of(sections, _SIDES[0]),
        against=_lines_of(sections, _SIDES[1]),
        steps=await _steps(tx, office, dispute, names, at),
        ruling=dispute.ruling,
        awarded=yuan(dispute.awarded_fen) if dispute.awarded_fen else "",
        decides=decides and may_move(dispute.state, State.REJECTED),
        may_ask=decides and may_move(dispute.state, State.ASKED),
    )


async def visible(tx: UnitOfWork, reader: Person, number: int) -> Dispute:
    """The disputer, whoever may see their bonuses, and the arbiter. Raises NotFound."""
    try:
        dispute = await tx.payout_disputes.look_at(number)
    except NotFound:
        raise NotFound(NO_SUCH_DISPUTE) from None
    is_draft = dispute.state is State.DRAFT and dispute.person_id != reader.id
    shown = dispute.arbiter_id == reader.id or await rights.may_see(tx, reader, dispute.person_id)
    if is_draft or not shown:
        raise NotFound(NO_SUCH_DISPUTE)
    return dispute


def read_ruling(told: Ruling) -> ReadRuling:
    """Raises InvalidInput, in words for the arbiter."""
    outcomes = {str(state): state for state in DECIDED}
    outcome = outcomes.get(told.outcome)
    if outcome is None:
        raise InvalidInput("请选支持、部分支持或驳回。")
    words = told.words.strip()
    if not words:
        raise InvalidInput(texts.REASON_MISSING)
    fen = 0
    if outcome is not State.REJECTED:
        match = _YUAN.fullmatch(told.yuan.strip().replace(",", ""))
        fen = int(match["yuan"]) * 100 + int((match["fen"] or "").ljust(2, "0")) if match else 0
        if fen <= 0:
            raise InvalidInput("请填补发多少元，例如 800 或 800.50。")
    award = f"补发 {yuan(fen)}" if fen else "不补发"
    return ReadRuling(outcome, texts.STATES[outcome], fen, award, words[: arbitrating.TEXT_LIMIT])


async def decide(desk: Desk, number: int, told: Ruling) -> None:
    """What then must be sent stands on the desk. Raises NotFound, NotAllowed, Refused,
    InvalidInput."""
    ruling = read_ruling(told)
    await visible(desk.tx, desk.rep, number)
    dispute = await desk.tx.payout_disputes.get(number)
    await arbitrating.decide(desk, dispute, ruling.outcome, ruling.fen, ruling.words)


async def ask(desk: Desk, number: int, words: str) -> None:
    """The arbiter's question. Raises as `decide`."""
    if not words.strip():
        raise InvalidInput("请写要他补充什么。")
    await visible(desk.tx, desk.rep, number)
    await arbitrating.ask(desk, await desk.tx.payout_disputes.get(number), words.strip())


_SIDES = texts.SECTIONS[-2:]
_TONES = {
    State.SUBMITTED: "yellow",
    State.REPORTED: "yellow",
    State.IN_REVIEW: "yellow",
    State.ASKED: "yellow",
    State.UPHELD: "green",
    State.PARTLY_UPHELD: "green",
    State.REJECTED: "red",
}


def _sections(report: str) -> list[Section]:
    """The fact report, as far as it has headings and lists."""
    found: list[tuple[str, list[str]]] = []
    for line in report.splitlines()[1:]:
        if line.startswith("**"):
            found.append((line.strip("*"), []))
        elif found and line.startswith("- "):
            found[-1][1].append(line[2:])
    return [Section(title, tuple(lines)) for title, lines in found]


def _lines_of(sections: Sequence[Section], title: str) -> tuple[str, ...]:
    lines = next((one.lines for one in sections if one.title == title), ())
    return tuple(one for one in lines if one != "没有记录")


async def _steps(
    tx: UnitOfWork, office: Office, dispute: Dispute, names: Names, at: datetime
) -> tuple[Step, ...]:
    today = office.calendar.day_of(at)

    def when(moment: datetime) -> str:
        return page_texts.moment(moment.astimezone(office.zone), today)

    steps = []
    if dispute.submitted_at is not None:
        who = await names.of(dispute.person_id)
        steps.append(Step(when(dispute.submitted_at), who, "提交申诉", dispute.reason))
    for note in await tx.payout_disputes.notes(dispute.id):
        what = "要求补充" if note.kind == QUESTION else "补充"
        steps.append(Step(when(note.at), await names.of(note.person_id), what, note.text))
    if dispute.decided_at is not None:
        who = await names.of(dispute.decided_by)
        what = f"裁定：{texts.STATES[dispute.state]}"
        steps.append(Step(when(dispute.decided_at), who, what, dispute.ruling))
    return tuple(steps)
