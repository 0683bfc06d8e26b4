"""New bonus rules, as a file or in chat: refused with all that is wrong, or kept as a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bot.domain.payouts.checking import Notice, absent_fields, check_rules, notices
from bot.domain.payouts.days import midnight
from bot.domain.payouts.facts import Deal
from bot.domain.payouts.problems import Problem, UnusableInput
from bot.domain.payouts.reading_rules import place_of, read_rules
from bot.domain.payouts.rule_changes import AUTHORS, combine, effective_on
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.words import in_words
from bot.domain.people import Role
from bot.errors import InvalidInput
from bot.messages import Fetched
from handlers.desk import Desk
from handlers.payouts import deal_facts, rights, rule_cards, rule_engine
from handlers.payouts.exact_json import parse
from handlers.texts import payout_rules as texts
from storage.unit_of_work import UnitOfWork

SUFFIX = ".json"
ORDER = "导入奖金规则"
LONGEST_ID = 60
LARGEST = 10**15
"""Of any number in a rule: ten trillion yuan in fen, far from what the database can hold."""
_TELLING = (b'"mode"', b'"effective_from"')


async def by_words(desk: Desk, words: str) -> None:
    """«导入奖金规则 [{…}]». Raises NotAllowed, InvalidInput."""
    rights.refuse_others(desk.rep, AUTHORS, texts.AUTHORS_ONLY)
    if not words:
        desk.say(texts.HOW_TO_IMPORT)
        return
    if not words.startswith(("[", "{")):
        raise InvalidInput(texts.NO_JSON)
    await _take(desk, words.encode(), "规则")


async def take_file(desk: Desk, file: Fetched, name: str) -> bool:
    """Whether the file was rules from somebody who may write them; then they are kept, or refused
    with all that is wrong in them (InvalidInput)."""
    if not desk.rep.roles & AUTHORS or not name.lower().endswith(SUFFIX):
        return False
    if not all(key in file.table for key in _TELLING):
        return False
    await _take(desk, file.table, name)
    return True


async def _take(desk: Desk, data: bytes, name: str) -> None:
    told = parse(data, name)
    told = told.get("rules", [told]) if isinstance(told, dict) else told
    if not told:
        raise InvalidInput(texts.EMPTY)
    new = await check(desk.tx, told, desk.at)
    change = await desk.tx.payout_rules.add(
        [as_kept(rule) for rule in told], author_id=desk.rep.id, at=desk.at
    )
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="import_payout_rules",
        subject=f"payout_rules:{change.id}",
        before=None,
        after={"rules": list(change.rules)},
    )
    first = effective_on(change.rules)
    found = [in_plain_words(one) for one in surprises(new)]
    told_words = texts.imported([in_words(rule) for rule in new], found, first)
    if first < desk.office.calendar.day_of(desk.at):
        told_words += f"\n{texts.backdated(first)}"
    desk.say_privately(texts.TITLE, told_words)
    await rule_cards.show(desk, change)


class RefusedRules(InvalidInput):
    """Rules that would pay wrongly. problems: where and what."""

    def __init__(self, words: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(words)
        self.problems = tuple(problems)


async def check(tx: UnitOfWork, told: Any, at: datetime) -> list[Rule]:
    """The new ones, as they will be among those that are published. Raises InvalidInput."""
    _refuse_unkeepable(told)
    try:
        read = read_rules(told)
        published = await tx.payout_rules.published()
        whole = read_rules(combine([*published, ([as_kept(rule) for rule in told], at)]))
        check_rules(whole)
        differing = rule_engine.disagreements(told, read)
        if differing:
            raise UnusableInput(differing)
    except UnusableInput as problem:
        listed = [_plain(str(one)) for one in problem.problems]
        raise RefusedRules(texts.refused(listed), problem.problems) from None
    await _check_lawyers(tx, told)
    keys = {(rule["id"], rule["version"]) for rule in told}
    return [rule for rule in whole if (rule.id, rule.version) in keys]


def surprises(new: Sequence[Rule]) -> list[Notice]:
    """Not wrong, but to be known: cliffs, rules that never pay, fields that no contract has."""
    return [*notices(new), *absent_fields(new, [_AN_EXAMPLE])]


def as_kept(rule: Mapping[str, Any]) -> dict[str, Any]:
    """When it is published, we say. Days in one way of writing, since they are compared as texts;
    what is no day is left for the reader to refuse."""
    kept = {key: value for key, value in rule.items() if key != "published_at"}
    for key in ("effective_from", "effective_to"):
        try:
            kept[key] = date.fromisoformat(kept[key]).isoformat()
        except (KeyError, TypeError, ValueError):
            continue
    return kept


def _refuse_unkeepable(told: Any) -> None:
    """What can be read and not be kept beside each line: endless names and numbers."""
    if isinstance(told, dict):
        if len(str(told.get("id", ""))) > LONGEST_ID:
            raise InvalidInput(texts.id_too_long(LONGEST_ID))
        for key, value in told.items():
            _refuse_unkeepable(key)
            _refuse_unkeepable(value)
    elif isinstance(told, list):
        for value in told:
            _refuse_unkeepable(value)
    elif isinstance(told, str) and "\0" in told:
        raise InvalidInput(texts.NO_JSON)
    elif isinstance(told, int) and abs(told) > LARGEST:
        raise InvalidInput(texts.too_large(told))


async def _check_lawyers(tx: UnitOfWork, told: Sequence[dict[str, Any]]) -> None:
    """A legal approval is one person's, by name. Raises RefusedRules."""
    named = {str(rule["legal_approval"]) for rule in told if rule.get("legal_approval")}
    if not named:
        return
    unknown = named - {one.name for one in await tx.people.list_by_role(Role.LEGAL)}
    problems = [
        Problem(
            "no_such_lawyer",
            f"{place_of(rule['id'], rule['version'])} legal_approval",
            texts.no_such_lawyer(str(rule["legal_approval"])),
        )
        for rule in told
        if str(rule.get("legal_approval")) in unknown
    ]
    if problems:
        raise RefusedRules(texts.refused([_plain(str(one)) for one in problems]), problems)


def in_plain_words(notice: Notice) -> str:
    return _plain(str(notice))


def _plain(text: str) -> str:
    """Without the key at the end, which is for programs."""
    return text.rpartition(" (")[0] or text


_AN_EXAMPLE = Deal("", 0, midnight(deal_facts.ANY_DAY), None, fields=deal_facts.FIELDS)
"""With every field that our contracts have."""
