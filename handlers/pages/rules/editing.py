"""The canvas: what it opens with, what it is told while somebody edits, and saving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from bot.domain.payouts import graphs
from bot.domain.payouts.checking import Notice
from bot.domain.payouts.computing import compute
from bot.domain.payouts.days import local_day
from bot.domain.payouts.problems import Problem, UnusableInput
from bot.domain.payouts.reading_rules import place_of, read_rules
from bot.domain.payouts.rule_changes import (
    AUTHORS,
    Change,
    Document,
    as_if_always,
    effective_on,
    refusal_to_edit,
)
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.versions import RuleBook
from bot.domain.payouts.words import in_words
from bot.domain.people import Person, Role
from bot.errors import InvalidInput, NotFound, Refused
from handlers.desk import Office
from handlers.pages.rules import reading
from handlers.payouts import deal_facts, documents, rights, rule_cards, rule_engine, rule_import
from handlers.payouts.exact_json import parse
from handlers.payouts.rule_engine import Contract
from handlers.payouts.rule_import import RefusedRules
from handlers.texts import payout_rules
from handlers.texts import rule_pages as texts
from handlers.texts.money import yuan
from storage.unit_of_work import UnitOfWork

Json = dict[str, Any]
MOST_BYTES = 256_000
MOST_RULES = 40
FARTHEST = 20_000  # pixels from the corner of the canvas
MOST_PLACES = 400
MOST_TEXT = 200
MOST_TRIED = rule_import.LARGEST
_LEFT_OUT = ("published_at", "effective_to", "supersedes", "legal_approval")


class SavedMeanwhile(Refused):
    """Somebody else saved the draft since the canvas was opened."""


@dataclass(frozen=True, slots=True)
class Board:
    """opens: all that the canvas needs, as JSON values."""

    number: int
    title: str
    opens: Json


async def start(tx: UnitOfWork, office: Office, writer: Person, rule_id: str, at: datetime) -> int:
    """A draft of the next version of a published rule, or of a new rule where the id is "". Its
    number. Raises NotAllowed, NotFound."""
    rights.refuse_others(writer, AUTHORS, payout_rules.AUTHORS_ONLY)
    today = office.calendar.day_of(at)
    documents_now = await deal_facts.rules_document(tx)
    alive = [rule for change in await tx.payout_rules.alive() for rule in change.rules]
    if rule_id:
        same = [rule for rule in documents_now if rule["id"] == rule_id]
        if not same:
            raise NotFound(texts.NO_RULE)
        taken = [rule["version"] for rule in [*same, *alive] if rule["id"] == rule_id]
        begins = max(
            _next_month(today), _next_month(date.fromisoformat(same[-1]["effective_from"]))
        )
        rule = {key: value for key, value in same[-1].items() if key not in _LEFT_OUT}
        rule |= {"version": max(taken) + 1, "effective_from": begins.isoformat()}
    else:
        rule = _fresh({str(rule["id"]) for rule in [*documents_now, *alive]}, _next_month(today))
    change = await tx.payout_rules.add([rule], author_id=writer.id, at=at)
    await _note(tx, writer, change, "start_payout_rules", at)
    return change.id


async def board(tx: UnitOfWork, writer: Person, number: int) -> Board:
    """Raises NotAllowed, NotFound."""
    change = await _mine(tx, writer, number)
    published = deal_facts.book_of(await deal_facts.rules_document(tx)).rules
    lawyers = sorted({one.name for one in await tx.people.list_by_role(Role.LEGAL)})
    return Board(
        number,
        "、".join(f"「{rule['id']}」" for rule in change.rules),
        {
            "number": number,
            "revision": change.revision,
            "rules": [dict(rule) for rule in change.rules],
            "layout": dict(change.layout or {}),
            "fields": [[key, *told] for key, told in texts.FIELDS.items()],
            "published": _replaceable(published, {str(rule["id"]) for rule in change.rules}),
            "lawyers": lawyers,
        },
    )


def _replaceable(published: Sequence[Rule], ids: set[str]) -> dict[str, list[list[Any]]]:
    """By rule: [version, its days in words], the newest first."""
    found: dict[str, list[list[Any]]] = {}
    for rule in reversed(published):
        if rule.id in ids:
            days = texts.period(rule.effective_from, rule.effective_to)
            found.setdefault(rule.id, []).append([rule.version, days])
    return found


async def examine(tx: UnitOfWork, writer: Person, number: int, data: bytes, at: datetime) -> Json:
    """What the canvas is told while somebody edits; nothing is kept. Raises NotAllowed, NotFound,
    InvalidInput for what no canvas sends."""
    await _mine(tx, writer, number)
    body = read_body(data)
    told = body["rules"]
    try:
        rules = await rule_import.check(tx, told, at)
    except RefusedRules as refused:
        return {"problems": [placed(one, told) for one in refused.problems]}
    except InvalidInput as error:
        return {"problems": [{"rule": None, "at": "", "text": str(error)}]}
    found = {"problems": [], **_told(rules, told)}
    if body["trial"] is not None:
        found["trial"] = _try(await deal_facts.rules_document(tx), told, body["trial"], at)
    return found


async def save(
    tx: UnitOfWork, office: Office, writer: Person, number: int, data: bytes, *, at: datetime
) -> tuple[Json, Change]:
    """Checked as an import is, and kept as a draft. Raises NotAllowed, NotFound, InvalidInput
    (RefusedRules), SavedMeanwhile."""
    body = read_body(data)
    change = await tx.payout_rules.get(number)
    _refuse_to_edit(change, writer)
    if body["revision"] != change.revision:
        raise SavedMeanwhile(await _who_saved(tx, office, change))
    told = [rule_import.as_kept(rule) if isinstance(rule, dict) else rule for rule in body["rules"]]
    rules = await rule_import.check(tx, told, at)
    was = change
    change = await tx.payout_rules.edit(change, told, body["layout"], by=writer.id, at=at)
    await _note(tx, writer, change, "edit_payout_rules", at, was=was)
    return {"revision": change.revision, "problems": [], **_told(rules, told)}, change


def as_graph(change: Change) -> graphs.Graph:
    """The draft in the format of GoRules. Raises InvalidInput where no engine could decide it."""
    why = graphs.unfit(read_rules([dict(rule) for rule in change.rules]))
    if why:
        raise InvalidInput("；".join(one.text for one in why))
    return graphs.to_graph(change.rules, _pixels(change))


async def take_graph(tx: UnitOfWork, writer: Person, number: int, data: bytes) -> Json:
    """The rules of a graph, for the canvas; not kept yet. Raises NotAllowed, NotFound,
    InvalidInput."""
    await _mine(tx, writer, number)
    _refuse_large(data)
    try:
        graph = parse(data, "图")
        told = graphs.from_graph(graph)
        rule_engine.Engine(graph)
    except UnusableInput as problem:
        raise InvalidInput(
            "；".join(f"{one.place}：{one.text}" for one in problem.problems)
        ) from None
    except RecursionError:
        raise InvalidInput(texts.NO_SHAPE) from None
    _refuse_count(told)
    return {"rules": told, "layout": {}}


def read_body(data: bytes) -> Json:
    """{"rules": [...], "revision", "layout", "trial"}; the rules are not looked into. Raises
    InvalidInput."""
    _refuse_large(data)
    body = parse(data, "画布")
    if not isinstance(body, dict) or not isinstance(body.get("rules"), list):
        raise InvalidInput(texts.NO_SHAPE)
    told, trial = body["rules"], body.get("trial")
    _refuse_count(told)
    ids = [rule.get("id") for rule in told if isinstance(rule, dict)]
    for one in ids:
        if isinstance(one, str) and ids.count(one) > 1:
            raise InvalidInput(texts.TWICE.format(id=one[:60]))
    return {
        "rules": told,
        "revision": body.get("revision"),
        "layout": _layout(body.get("layout")),
        "trial": trial if isinstance(trial, dict) else None,
    }


def _refuse_large(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise InvalidInput(texts.TOO_LARGE)


def _refuse_count(told: Sequence[Any]) -> None:
    if not told:
        raise InvalidInput(texts.EMPTY)
    if len(told) > MOST_RULES:
        raise InvalidInput(texts.TOO_MANY.format(most=MOST_RULES))


def _layout(told: object) -> Json:
    """Places that make no sense are left out: the canvas finds others."""
    if not isinstance(told, dict):
        return {}
    return {
        str(key)[:80]: place
        for key, place in list(told.items())[:MOST_PLACES]
        if isinstance(place, list)
        and len(place) == 2
        and all(type(one) is int and abs(one) <= FARTHEST for one in place)
        and "\0" not in key
    }


def _pixels(change: Change) -> dict[str, graphs.Position]:
    """Nodes of the graph stand where the parts of the rule stand on the canvas."""
    layout = change.layout or {}
    return {
        f"{theirs}-{n}": (layout[key][0], layout[key][1])
        for n, rule in enumerate(change.rules)
        for ours, theirs in (("when", "when"), ("pays", "tiers"), ("more", "terms"))
        if (key := f"{ours}:{rule['id']}") in layout
    }


def _fresh(taken: set[str], begins: date) -> Json:
    names = (texts.NEW_ID if n == 1 else f"{texts.NEW_ID}{n}" for n in range(1, len(taken) + 2))
    return {
        "id": next(name for name in names if name not in taken),
        "version": 1,
        "effective_from": begins.isoformat(),
        "base": "paid_fen",
        "mode": "marginal",
        "tiers": [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 10_000_000, "rate_bp": 300}],
    }


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


async def _mine(tx: UnitOfWork, writer: Person, number: int) -> Change:
    change = await reading.look_at(tx, writer, number)
    _refuse_to_edit(change, writer)
    return change


def _refuse_to_edit(change: Change, writer: Person) -> None:
    """Who may not write rules does not learn whether there is such a change."""
    rights.refuse_others(writer, AUTHORS, payout_rules.AUTHORS_ONLY)
    why = refusal_to_edit(change, writer)
    if why is not None:
        raise Refused(payout_rules.unfit(why, change.state))


async def _who_saved(tx: UnitOfWork, office: Office, change: Change) -> str:
    last = change.writers[-1] if change.writers else change.author_id
    name = (await tx.people.get(last)).name
    at = (change.edited_at or change.created_at).astimezone(office.zone)
    return texts.saved_meanwhile(name, at.strftime("%H:%M"))


def _told(rules: Sequence[Rule], told: Sequence[Document]) -> Json:
    """What is not wrong and should be seen; and each rule as its sentence."""
    places = {(rule["id"], rule["version"]): n for n, rule in enumerate(told)}
    return {
        "notices": [
            {**placed(one, told), "key": one.key, "fen": one.fen}
            for one in rule_import.surprises(rules)
        ],
        "sentences": [
            {"rule": places[rule.id, rule.version], "text": in_words(rule)} for rule in rules
        ],
        "first": effective_on(told).isoformat(),
    }


def placed(found: Problem | Notice, told: Sequence[Any]) -> Json:
    """Which rule it is about, and where in it."""
    for n, rule in enumerate(told):
        named = isinstance(rule, dict) and isinstance(rule.get("id"), str)
        place = place_of(rule["id"], rule.get("version", "?")) if named else f"第{n + 1}条规则"
        if found.place == place or found.place.startswith(f"{place} "):
            return {"rule": n, "at": found.place.removeprefix(place).strip(), "text": found.text}
    return {"rule": None, "at": "", "text": f"{found.place}：{found.text}"}


def _try(published: Sequence[Document], told: Sequence[Document], trial: Json, at: datetime) -> Any:
    """One contract under these rules and all others in force: who says what, and the amounts."""
    contract = _contract(trial)
    day = local_day(at).replace(day=1)
    facts = documents.to_facts(_trial_facts(contract, at))
    book = RuleBook(documents.to_rules(as_if_always(published, told, day)))
    lines = compute(book, facts).lines
    judged = []
    for n, (document, rule) in enumerate(zip(told, read_rules(list(told)), strict=True)):
        own = [line for line in lines if line.rule_id == rule.id]
        judged.append(
            {
                "rule": n,
                "holds": [
                    rule_engine.applies(_only(rule, k), contract) for k in range(len(rule.when))
                ],
                "applies": rule_engine.applies(rule, contract),
                "engine": _by_engine(document, rule, contract),
                "amount": yuan(sum(line.fen for line in own)),
                "why": [line.why for line in own],
            }
        )
    return {"rules": judged, "total": yuan(sum(line.fen for line in lines))}


def _only(rule: Rule, place: int) -> Rule:
    return replace(rule, when=(rule.when[place],))


def _by_engine(document: Document, rule: Rule, contract: Contract) -> bool | None:
    """None: nothing that the engine could decide."""
    if not rule.when or graphs.unfit([rule]):
        return None
    return rule_engine.Engine(graphs.to_graph([document])).judge(contract)[0]


def _contract(trial: Json) -> Contract:
    contract_fen, paid_fen = _amount(trial, "contract_fen"), _amount(trial, "paid_fen")
    told = trial.get("fields")
    fields = {
        key: value
        for key, value in (told.items() if isinstance(told, dict) else ())
        if value is None
        or (isinstance(value, str) and len(value) <= MOST_TEXT)
        or (isinstance(value, int) and abs(value) <= MOST_TRIED)
    }
    return Contract(contract_fen, paid_fen, fields)


def _amount(trial: Json, key: str) -> int:
    value = trial.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_TRIED:
        raise InvalidInput(texts.NO_AMOUNT)
    return value


def _trial_facts(contract: Contract, at: datetime) -> Json:
    moment = deal_facts.iso(at)
    deal = {
        "kind": "new",
        "original_seller": "原销售",
        "lead_provider": "线索提供人",
        **contract.fields,
        "id": texts.TRIAL_NUMBER,
        "contract_fen": contract.contract_fen,
        "signed_at": moment,
        "closer": "签单人",
    }
    paid = {"type": "payment", "deal": texts.TRIAL_NUMBER, "fen": contract.paid_fen, "at": moment}
    return {"deals": [deal], "events": [paid] if contract.paid_fen else []}


async def _note(
    tx: UnitOfWork, writer: Person, change: Change, action: str, at: datetime, *, was: Any = None
) -> None:
    await tx.audit.append(
        at=at,
        actor=f"person:{writer.id}",
        action=action,
        subject=rule_cards.subject_of(change),
        before={"rules": list(was.rules)} if was is not None else None,
        after={"rules": list(change.rules), "revision": change.revision},
    )
