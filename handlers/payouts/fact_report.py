"""《事实核查报告》: what the records say about a disputed line, word for word, in one reading.

It is built from the facts and rules that the line was computed with, and from the
customer's stream. What others are paid is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.activities import Activity
from bot.domain.calendar import ClockKind
from bot.domain.payouts.computing import compute
from bot.domain.payouts.recipients import id_of, key_of, without_numbers
from bot.domain.payouts.steps import Step, steps
from bot.domain.payouts.versions import RuleBook
from bot.domain.payouts.words import in_words
from bot.domain.people import Person
from handlers.desk import Office
from handlers.payouts import deal_facts, documents
from handlers.texts import attending
from handlers.texts import disputes as texts
from handlers.texts.dialog import shorten
from handlers.texts.payouts import share_words
from storage.payout_disputes import Dispute
from storage.payout_facts import DealPeople
from storage.payout_ledger import StoredLine
from storage.unit_of_work import UnitOfWork

MOST_ENTRIES = 20
LOOKED_AT = 300
MOST_APPROVALS = 10
BEFORE_SIGNING = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class _Case:
    """All that the report is made from. then: the facts at the lock. now: as they are."""

    person: Person
    line: StoredLine
    book: RuleBook
    then: dict[str, Any]
    now: dict[str, Any]
    locked_at: datetime
    names: Mapping[int, str]
    people: DealPeople
    entries: Mapping[int | None, int]

    @property
    def key(self) -> str:
        return key_of(self.person.id, self.person.name)


async def write(tx: UnitOfWork, office: Office, dispute: Dispute, at: datetime) -> str:
    line = await tx.payout_ledger.get(dispute.line_id)
    person = await tx.people.get(dispute.person_id)
    words = texts.line_words(line.number, line.kind, line.fen, line.month)
    sections: dict[str, Sequence[str]] = dict.fromkeys(texts.SECTIONS, ())
    case = await _read(tx, line, person, at)
    if case is not None:
        found = _judged(case)
        page = await _page(tx, line, case)
        sections = dict(
            zip(
                texts.SECTIONS,
                (
                    _calculation(case, found),
                    _money(case, office),
                    _who(case),
                    await _timeline(tx, office, page),
                    await _nodes(tx, office, line, at),
                    _for(case, found),
                    _against(case, found),
                ),
                strict=True,
            )
        )
    return texts.report(
        number=dispute.id, rep=person.name, line=words, reason=dispute.reason, sections=sections
    )


async def _read(tx: UnitOfWork, line: StoredLine, person: Person, at: datetime) -> _Case | None:
    """None for a line of no contract."""
    if line.contract_id is None or line.run_id is None or line.account_id is None:
        return None
    run = await tx.payout_ledger.get_run(line.run_id)
    locked_at = run.locked_at or at
    rules = await deal_facts.rules_document(tx, until=locked_at)
    then = (await tx.payout_facts.snapshots([line.contract_id], until=locked_at)).get(
        line.contract_id
    )
    closed = await tx.payout_ledger.closed()
    now = await deal_facts.deal_documents(tx, [line.contract_id], closed)
    if then is None or line.contract_id not in now:
        return None
    people = (await tx.payout_facts.people_of([line.contract_id]))[line.contract_id]
    signed = datetime.fromisoformat(then["deal"]["signed_at"])
    until = signed.astimezone(UTC) + timedelta(days=1)
    entries = await tx.payout_disputes.entries_by_actor(line.account_id, until)
    actors = {one for one in entries if one is not None}
    return _Case(
        person=person,
        line=line,
        book=deal_facts.book_of(rules),
        then=then,
        now=now[line.contract_id],
        locked_at=locked_at,
        names=await tx.people.names(actors | people.everybody),
        people=people,
        entries=entries,
    )


def _judged(case: _Case) -> list[Step]:
    facts = documents.to_facts(deal_facts.joined([case.then]))
    return steps(case.book, facts)


def _calculation(case: _Case, found: Sequence[Step]) -> list[str]:
    rules = [
        in_words(rule)
        for rule in case.book.rules
        if rule.id == case.line.rule_id and rule.version == case.line.rule_version
    ]
    own = [f"「{one.rule_id}」{'；'.join(one.conditions)}" for one in found if one.conditions]
    return [*rules, case.line.why, *own]


def _money(case: _Case, office: Office) -> list[str]:
    deal = case.then["deal"]
    lines = [
        texts.contract_fact(
            deal["id"], deal["contract_fen"], deal["signed_at"][:10], deal["customer"]
        )
    ]
    for event in case.then["events"]:
        if event["type"] in ("payment", "refund"):
            fen = event["fen"] if event["type"] == "payment" else -event["fen"]
            lines.append(texts.receipt_fact(event["at"][:10], fen, event["receipt"]))
    return lines


def _who(case: _Case) -> list[str]:
    deal = case.then["deal"]
    lines = [
        texts.people_fact(role, without_numbers(deal.get(field) or ""))
        for role, field in (
            ("签单人", "closer"),
            ("原销售", "original_seller"),
            ("线索提供人", "lead_provider"),
        )
    ]
    if deal.get("split"):
        shares = [
            (without_numbers(one["person"] or "未写"), one["weight"]) for one in deal["split"]
        ]
        lines.append(texts.split_fact(share_words(shares)))
    ranked = sorted(case.entries.items(), key=lambda one: -one[1])
    lines += [texts.entries_fact(case.names.get(actor or 0, ""), n) for actor, n in ranked[:5]]
    return lines


async def _page(tx: UnitOfWork, line: StoredLine, case: _Case) -> list[Activity]:
    """What was told of the customer around the contract, the newest first."""
    assert line.account_id is not None
    page, _ = await tx.activities.page(line.account_id, limit=LOOKED_AT, before=None)
    signed = datetime.fromisoformat(case.then["deal"]["signed_at"])
    return [one for one in page if one.occurred_at >= signed - BEFORE_SIGNING]


async def _timeline(tx: UnitOfWork, office: Office, page: Sequence[Activity]) -> list[str]:
    """Contracts, receipts and what has a file first, then the newest; told oldest first."""
    ranked = sorted(page, key=lambda one: (not _weighs(one), -one.occurred_at.timestamp()))
    kept = sorted(ranked[:MOST_ENTRIES], key=lambda one: (one.occurred_at, one.id))
    names = await tx.people.names(one.actor_id for one in kept if one.actor_id is not None)
    return [
        texts.timeline_fact(
            one.occurred_at.astimezone(office.zone),
            names.get(one.actor_id or 0, ""),
            one.title,
            shorten(one.text, 60),
        )
        for one in kept
    ]


def _weighs(entry: Activity) -> bool:
    return not entry.unit or bool(entry.file_hashes)


async def _nodes(tx: UnitOfWork, office: Office, line: StoredLine, at: datetime) -> list[str]:
    """How long approvals took, on the office clock."""

    def span(since: datetime, until: datetime) -> str:
        return texts.hours(office.calendar.elapsed(ClockKind.OFFICE, since, until))

    assert line.run_id is not None
    assert line.contract_id is not None
    run = await tx.payout_ledger.get_run(line.run_id)
    names = await tx.people.names(
        one for one in (run.proposed_by, run.locked_by) if one is not None
    )
    lines = []
    if run.locked_at is not None and run.locked_by is not None:
        who = f"{names[run.proposed_by]}提交、{names[run.locked_by]}批准"
        lines.append(texts.node("月度核算", span(run.proposed_at, run.locked_at), who))
    lines += await _approvals(tx, line, span, at)
    review = await tx.clause_reviews.of_contract(line.contract_id)
    if review is not None:
        until = review.decided_at or at
        state = "已结束" if review.decided_at is not None else "未结束"
        lines.append(texts.node("合同条款复核", span(review.opened_at, until), state))
    return lines


async def _approvals(
    tx: UnitOfWork, line: StoredLine, span: Callable[[datetime, datetime], str], at: datetime
) -> list[str]:
    """What was approved of the contract or its customer on a platform: how long it took in all, and
    each approver."""
    assert line.account_id is not None
    told = await tx.approvals.of_accounts([line.account_id])
    lines = []
    for one in told[-MOST_APPROVALS:]:
        if one.contract_id not in (None, line.contract_id):
            continue
        who = [
            attending.approver(await _approver(tx, one.platform, node.user_id),
                               span(node.since, node.until or at), node.outcome)
            for node in one.nodes
        ]  # fmt: skip
        until = one.decided_at or at
        name = attending.approval_node(one.meaning, str(one.state))
        lines.append(texts.node(name, span(one.applied_at, until), "；".join(who)))
    return lines


async def _approver(tx: UnitOfWork, platform: str, user_id: str) -> str:
    person = await tx.people.find_by_identity(platform, user_id)
    return person.name if person is not None else user_id


def _for(case: _Case, found: Sequence[Step]) -> list[str]:
    lines = []
    now, then = _due(case, case.now), _due(case, case.then)
    if now != then:
        lines.append(texts.recomputed_otherwise(now, then))
    late = len(_money_events(case.now)) - len(_money_events(case.then))
    if late > 0:
        lines.append(texts.late_receipts(late))
    total = sum(n for actor, n in case.entries.items() if actor is not None)
    own = case.entries.get(case.person.id, 0)
    if total and own * 2 >= total:
        lines.append(texts.most_entries(case.person.name, own, total))
    return lines


def _against(case: _Case, found: Sequence[Step]) -> list[str]:
    lines = []
    then = _due(case, case.then)
    if then == _due(case, case.now):
        lines.append(texts.recomputed_same(then))
    closer = id_of(case.then["deal"].get("closer") or "")
    if closer is not None and closer != case.person.id:
        lines.append(texts.closer_is_other(without_numbers(case.then["deal"]["closer"])))
    if not case.entries.get(case.person.id):
        lines.append(texts.no_entries(case.person.name))
    lines += [
        texts.unmet(condition)
        for one in found
        for condition in one.conditions
        if condition.endswith("不满足")
    ]
    return lines


def _due(case: _Case, document: dict[str, Any]) -> int:
    """What the rules give the person with the contract alone, by these facts."""
    facts = documents.to_facts(deal_facts.joined([document]))
    return compute(case.book, facts).by_person.get(case.key, 0)


def _money_events(document: dict[str, Any]) -> list[Any]:
    return [one for one in document["events"] if one["type"] in ("payment", "refund")]
