"""`/rules`, its versions, and `/rules/{number}`: what everybody may read, and what those see who
decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.payouts.checking import Notice
from bot.domain.payouts.money import percent, short_yuan
from bot.domain.payouts.recipients import without_numbers
from bot.domain.payouts.rule_changes import (
    APPROVERS,
    AUTHORS,
    Change,
    Move,
    State,
    combine,
    effective_on,
    refusal_of,
    refusal_to_edit,
)
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.words import in_words
from bot.domain.people import Person
from bot.errors import NotFound, UserError
from handlers.desk import Office
from handlers.pages.rules import differences
from handlers.payouts import deal_facts, rule_cards, rule_import, simulating
from handlers.texts import payout_rules
from handlers.texts import rule_pages as texts
from handlers.texts.money import signed, yuan
from storage.unit_of_work import UnitOfWork

MOST_PEOPLE, MOST_VERSIONS = 100, 50
_RULE = re.compile(r"规则 (?P<id>.+) (?P<version>第\d+版)(?: [^版]*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One tier: where it begins, its rate, and how long its bar is (0..100)."""

    begins: str
    rate: str
    width: int


@dataclass(frozen=True, slots=True)
class Version:
    """key: in_force, coming, over."""

    id: str
    version: int
    key: str
    state: str
    period: str
    words: str
    tiers: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """A change of rules that is not published yet."""

    number: int
    rules: tuple[str, ...]
    state: str
    author: str
    first: str


@dataclass(frozen=True, slots=True)
class RuleList:
    """living: in force or coming, one by one. over: those that ended. writes: whether the reader
    may write rules; coming: changes on their way, for those who decide; None for everybody else."""

    living: tuple[Version, ...]
    over: tuple[Version, ...]
    coming: tuple[OnTheWay, ...] | None
    writes: bool


@dataclass(frozen=True, slots=True)
class Versions:
    """count: of all; versions: a page of them, the newest first, and before: where the next goes
    on. old, new: which two are compared; None where there is only one."""

    id: str
    count: int
    versions: tuple[Version, ...]
    before: int | None
    old: int | None
    new: int
    words: tuple[differences.Line, ...]
    code: tuple[differences.Line, ...]


@dataclass(frozen=True, slots=True)
class ChangedRule:
    """A rule before and after a change."""

    id: str
    version: int
    words: str
    before: int | None
    difference: tuple[differences.Line, ...]
    code: tuple[differences.Line, ...]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """rise: signed; tone: green, red or "" ; width: 0..100 against the largest."""

    name: str
    before: str
    after: str
    rise: str
    tone: str
    width: int


@dataclass(frozen=True, slots=True)
class Press:
    """A button by which somebody may move a change on."""

    move: str
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class Hint:
    """Not wrong, but to be known. lines: where it is so. meaning: what comes of it, and what to do
    for who does not want that."""

    title: str
    lines: tuple[str, ...] = ()
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ChangePage:
    """steps: (words, done, here, todo or off). people: None for who may not see others' pay.
    left_out: people beyond those who are listed."""

    number: int
    title: str
    state: str
    ended: bool
    author: str
    first: str
    steps: tuple[tuple[str, str], ...]
    hint: str
    rules: tuple[ChangedRule, ...]
    hints: tuple[Hint, ...]
    found: tuple[str, ...]
    people: tuple[PersonRow, ...] | None
    left_out: int
    presses: tuple[Press, ...]
    edits: bool
    note: str
    trouble: str


async def listed(tx: UnitOfWork, office: Office, reader: Person, at: datetime) -> RuleList:
    today = office.calendar.day_of(at)
    rules = deal_facts.book_of(await deal_facts.rules_document(tx)).rules
    versions = sorted(
        (_version(rule, today) for rule in rules), key=lambda one: one.key != "in_force"
    )
    coming = None
    if reader.roles & APPROVERS:
        alive = await tx.payout_rules.alive()
        names = await tx.people.names(one.author_id for one in alive)
        coming = tuple(_on_the_way(one, names[one.author_id]) for one in alive)
    return RuleList(
        living=tuple(one for one in versions if one.key != "over"),
        over=tuple(one for one in versions if one.key == "over"),
        coming=coming,
        writes=bool(reader.roles & AUTHORS),
    )


async def versions(
    tx: UnitOfWork,
    office: Office,
    rule_id: str,
    *,
    old: int | None,
    new: int | None,
    before: int | None,
    at: datetime,
) -> Versions:
    """Published ones alone. old, new: which two to compare; by default the last two. before: only
    earlier ones are listed. Raises NotFound."""
    documents = await deal_facts.rules_document(tx)
    rules = [one for one in deal_facts.book_of(documents).rules if one.id == rule_id]
    if not rules:
        raise NotFound(texts.NO_RULE)
    numbers = [one.version for one in rules]
    new = numbers[-1] if new is None else new
    if old is None and numbers.index(new) if new in numbers else 0:
        old = numbers[numbers.index(new) - 1]
    if new not in numbers or (old is not None and old not in numbers):
        raise NotFound(texts.NO_RULE)
    told = {rule["version"]: rule for rule in documents if rule["id"] == rule_id}
    by_number = {one.version: one for one in rules}
    older = by_number[old] if old is not None else None
    today = office.calendar.day_of(at)
    listed = [one for one in reversed(rules) if before is None or one.version < before]
    shown = listed[:MOST_VERSIONS]
    return Versions(
        id=rule_id,
        count=len(rules),
        versions=tuple(_version(one, today) for one in shown),
        before=shown[-1].version if len(listed) > len(shown) else None,
        old=old,
        new=new,
        words=differences.in_words(older, by_number[new]),
        code=differences.in_code(told[old] if old is not None else None, told[new]),
    )


async def page(
    tx: UnitOfWork, reader: Person, number: int, at: datetime, *, trouble: str = ""
) -> ChangePage:
    """Raises NotFound, also where it is not the reader's to see."""
    change = await look_at(tx, reader, number)
    decides = bool(reader.roles & APPROVERS)
    author = (await tx.people.get(change.author_id)).name
    found = simulating.from_json(change.simulation) if change.simulation else None
    people = _people(found) if found and decides else None
    first = effective_on(change.rules)
    changed, hints = await _changed(tx, change, at)
    presses = _presses(change, reader)
    wrote = change.was_written_by(reader.id)
    waits = decides and wrote and change.state is State.SUBMITTED
    return ChangePage(
        number=number,
        title="、".join(f"「{rule['id']}」第{rule['version']}版" for rule in change.rules),
        state=payout_rules.STATES[change.state],
        ended=change.state in (State.PUBLISHED, State.DROPPED),
        author=author,
        first=payout_rules.day(first),
        steps=_steps(change.state),
        hint=payout_rules.next_step(change.state, is_author=wrote) if decides else "",
        rules=changed,
        hints=hints,
        found=tuple(rule_cards.found_lines(found)) if found else (),
        people=people[:MOST_PEOPLE] if people is not None else None,
        left_out=max(len(people) - MOST_PEOPLE, 0) if people is not None else 0,
        presses=presses,
        edits=refusal_to_edit(change, reader) is None,
        note=texts.WAITS_FOR_OTHER if waits else "",
        trouble=trouble,
    )


async def look_at(tx: UnitOfWork, reader: Person, number: int) -> Change:
    """What is not published is for those who decide. Raises NotFound."""
    change = await tx.payout_rules.look_at(number)
    if change.state is not State.PUBLISHED and not reader.roles & APPROVERS:
        raise NotFound(texts.NO_CHANGE)
    return change


def _version(rule: Rule, today: date) -> Version:
    key, state = "in_force", texts.IN_FORCE
    if rule.effective_to is not None and rule.effective_to <= today:
        key, state = "over", texts.OVER
    elif rule.effective_from > today:
        key, state = "coming", texts.COMING
    most = max((tier.rate_bp for tier in rule.tiers), default=0) or 1
    return Version(
        id=rule.id,
        version=rule.version,
        key=key,
        state=state,
        period=texts.period(rule.effective_from, rule.effective_to),
        words=differences.body_of(rule),
        tiers=tuple(
            Step(f"{short_yuan(one.from_fen)}起", percent(one.rate_bp), one.rate_bp * 100 // most)
            for one in rule.tiers
        ),
    )


def _on_the_way(change: Change, author: str) -> OnTheWay:
    return OnTheWay(
        number=change.id,
        rules=tuple(f"「{rule['id']}」第{rule['version']}版" for rule in change.rules),
        state=payout_rules.STATES[change.state],
        author=author,
        first=payout_rules.day(effective_on(change.rules)),
    )


async def _changed(
    tx: UnitOfWork, change: Change, at: datetime
) -> tuple[tuple[ChangedRule, ...], tuple[Hint, ...]]:
    """Each rule beside the published version before it, and what to know of them."""
    until = change.published_at
    published = await tx.payout_rules.published(until=until)
    before = [one for one in published if one[0] != tuple(change.rules)]
    older = {str(rule["id"]): rule for rule in combine(before)}
    try:
        whole = deal_facts.book_of(combine([*before, (change.rules, until or at)])).rules
    except UserError as error:  # another change was published meanwhile; publishing says so too
        return (), (Hint(str(error)),)
    keys = {(rule["id"], rule["version"]): rule for rule in change.rules}
    new = [rule for rule in whole if (rule.id, rule.version) in keys]
    read = {str(one.id): one for one in deal_facts.book_of(list(older.values())).rules}
    return tuple(
        ChangedRule(
            id=rule.id,
            version=rule.version,
            words=in_words(rule),
            before=read[rule.id].version if rule.id in read else None,
            difference=differences.in_words(read.get(rule.id), rule),
            code=differences.in_code(older.get(rule.id), keys[rule.id, rule.version]),
        )
        for rule in new
    ), _hints(rule_import.surprises(new))


def _hints(found: Sequence[Notice]) -> tuple[Hint, ...]:
    """One of each kind for each rule."""
    told: dict[tuple[str, str], list[str]] = {}
    for one in found:
        told.setdefault((_whose(one), one.key), []).append(one.text.removeprefix("断崖："))
    return tuple(
        Hint(texts.hint_title(whose, key, len(lines)), tuple(lines), texts.HINTS[key])
        for (whose, key), lines in told.items()
    )


def _whose(notice: Notice) -> str:
    """Its rule; the place in its code is for the canvas."""
    found = _RULE.fullmatch(notice.place)
    return f"「{found['id']}」{found['version']}" if found else notice.place


def _people(found: simulating.Simulation) -> tuple[PersonRow, ...]:
    """Those whose amount changes, the largest change first."""
    impact = found.impact
    rows = [(one, impact.before.get(one, 0), impact.after.get(one, 0)) for one in impact.changed]
    rows.sort(key=lambda row: -abs(row[2] - row[1]))
    most = abs(rows[0][2] - rows[0][1]) if rows else 1
    return tuple(
        PersonRow(
            name=without_numbers(one),
            before=yuan(was),
            after=yuan(now),
            rise=signed(now - was),
            tone="green" if now > was else "red",
            width=abs(now - was) * 100 // most,
        )
        for one, was, now in rows
    )


def _steps(state: State) -> tuple[tuple[str, str], ...]:
    order = [one for one, _ in texts.STEPS]
    here = order.index(state) if state in order else -1
    return tuple(
        (words, "here" if n == here else "done" if n < here else "todo")
        for n, (one, words) in enumerate(texts.STEPS)
        if one is not State.TESTING or state is State.TESTING
    )


def _presses(change: Change, reader: Person) -> tuple[Press, ...]:
    """By right; who wrote it takes it back instead of refusing it."""
    wrote = change.was_written_by(reader.id)
    skipped = Move.REFUSE if wrote else Move.DROP if change.state is State.SUBMITTED else None
    return tuple(
        Press(str(move), _label(move, change.state), _style(move, change.state))
        for move in texts.LABELS
        if move is not skipped and refusal_of(change, move, reader) is None
    )


def _label(move: Move, state: State) -> str:
    if move is Move.SIMULATE and state is State.TESTING:
        return payout_rules.COMPARE
    if move is Move.SIMULATE and state is State.SIMULATED:
        return payout_rules.AGAIN
    return texts.LABELS[move]


def _style(move: Move, state: State) -> str:
    if move in (Move.DROP, Move.REFUSE):
        return "danger"
    return "primary" if _leads(move, state) else ""


def _leads(move: Move, state: State) -> bool:
    """Whether it is the step that comes next."""
    return move is {
        State.DRAFT: Move.SIMULATE,
        State.SIMULATED: Move.SUBMIT,
        State.SUBMITTED: Move.APPROVE,
        State.APPROVED: Move.PUBLISH,
        State.TESTING: Move.PUBLISH,
    }.get(state)
