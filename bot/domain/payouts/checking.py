"""Rules that could pay wrongly: refused. Rules that could surprise: pointed out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.payouts.conditions import CONTRACT, NUMERIC, PAID, Condition
from bot.domain.payouts.days import local_day
from bot.domain.payouts.expressions import DEAL_FIELDS
from bot.domain.payouts.facts import Deal
from bot.domain.payouts.money import BP, rounded, short_yuan, yuan
from bot.domain.payouts.problems import Problem, UnusableInput
from bot.domain.payouts.reading_rules import place_of
from bot.domain.payouts.rules import Base, Mode, Rule, Scope


@dataclass(frozen=True, slots=True)
class Notice:
    """Not wrong, but to be known before publishing. fen: how much one fen can move, of a
    cliff; else 0."""

    key: str
    place: str
    text: str
    fen: int = 0

    def __str__(self) -> str:
        return f"{self.place}：{self.text} ({self.key})"


def check_rules(rules: Sequence[Rule]) -> None:
    """Raises UnusableInput with everything that is wrong between rules and inside one."""
    problems = [*_version_problems(rules)]
    for rule in rules:
        problems += _reach_problems(rule)
    if problems:
        raise UnusableInput(problems)


def check_fields(rules: Sequence[Rule], deals: Sequence[Deal]) -> None:
    """Raises UnusableInput where a rule compares a field of a deal with a value of another
    kind: such a rule would silently never pay."""
    problems = [
        problem
        for rule in rules
        for n, condition in enumerate(rule.when)
        for problem in _kind_problems(f"{_place(rule)} when[{n}]", condition, deals)
    ]
    if problems:
        raise UnusableInput(problems)


def absent_fields(rules: Sequence[Rule], deals: Sequence[Deal]) -> list[Notice]:
    """Fields that a rule asks for and none of the deals has. It may be misspelt, or none of
    this month's deals may be of that kind, so the run goes on: the condition holds for none."""
    if not deals:
        return []
    known = DEAL_FIELDS.union(NUMERIC, *(deal.fields for deal in deals))
    return [
        Notice("absent_field", f"{_place(rule)} {where}", f"没有一份合同有字段「{name}」")
        for rule in rules
        for where, name in _named_fields(rule)
        if name not in known
    ]


def _named_fields(rule: Rule) -> list[tuple[str, str]]:
    named = [(f"when[{n}]", each.field) for n, each in enumerate(rule.when)]
    if rule.collab:
        named += [("collab when", name) for name in sorted(rule.collab.when.fields())]
        named.append(("collab to", rule.collab.to))
    return named


def notices(rules: Sequence[Rule]) -> list[Notice]:
    """Cliffs with their amounts, rules that others always beat, months cut by a version."""
    found = [notice for rule in rules for notice in _cliffs(rule)]
    return [*found, *_beaten(rules), *_cut_months(rules)]


def _place(rule: Rule) -> str:
    return place_of(rule.id, rule.version)


def _version_problems(rules: Sequence[Rule]) -> Iterator[Problem]:
    seen: dict[str, list[Rule]] = {}
    for rule in rules:
        for other in seen.setdefault(rule.id, []):
            if other.version == rule.version:
                yield Problem("duplicate_version", _place(rule), "同一版本出现两次")
            elif _overlap(rule, other) and not _replaces(rule, other, rules):
                text = f"与第{other.version}版的生效日期重叠，又没有写明取代它(supersedes)"
                yield Problem("version_overlap", f"{_place(rule)} effective_from", text)
        seen[rule.id].append(rule)
    for rule in rules:
        yield from _publication_problems(rule, seen[rule.id])


def _publication_problems(rule: Rule, versions: Sequence[Rule]) -> Iterator[Problem]:
    if rule.supersedes is None:
        retroactive = rule.published_at and local_day(rule.published_at) > rule.effective_from
        if retroactive and not rule.legal_approval:
            text = (
                "发布晚于生效日，是追溯生效；"
                "应写明取代哪一版(supersedes)，或法务批准人(legal_approval)"
            )
            yield Problem("retroactive", f"{_place(rule)} published_at", text)
        return
    if rule.published_at is None:
        text = "取代旧版本时应写明发布时间，此前的发放保持不变"
        yield Problem("published_at_missing", f"{_place(rule)} published_at", text)
    older = [other for other in versions if other.version == rule.supersedes]
    if not older or rule.supersedes == rule.version:
        text = f"没有可取代的第{rule.supersedes}版"
        yield Problem("superseded_unknown", f"{_place(rule)} supersedes", text)


def _overlap(one: Rule, other: Rule) -> bool:
    return (one.effective_to is None or other.effective_from < one.effective_to) and (
        other.effective_to is None or one.effective_from < other.effective_to
    )


def _replaces(one: Rule, other: Rule, rules: Sequence[Rule]) -> bool:
    """Directly, or by way of versions between."""
    older = {(rule.id, rule.version): rule.supersedes for rule in rules}
    for newest, oldest in ((one, other), (other, one)):
        version, steps = newest.supersedes, 0
        while version is not None and steps <= len(older):
            if version == oldest.version:
                return True
            version, steps = older.get((newest.id, version)), steps + 1
    return False


def _reach_problems(rule: Rule) -> Iterator[Problem]:
    """Conditions that exclude each other, and tiers above what the conditions allow."""
    for field in NUMERIC:
        least, most = bounds(rule.when, field)
        if most is not None and least > most:
            text = f"对 {field} 的条件互相矛盾，永远不会满足"
            yield Problem("unreachable", f"{_place(rule)} when", text)
    for field, values in _fixed_values(rule.when).items():
        if not values:
            text = f"对 {field} 的条件互相矛盾，永远不会满足"
            yield Problem("unreachable", f"{_place(rule)} when", text)
    if rule.scope is Scope.DEAL:
        _, most = bounds(rule.when, CONTRACT if rule.base is Base.CONTRACT else PAID)
        for n, tier in enumerate(rule.tiers):
            if most is not None and tier.from_fen > most:
                text = f"条件使基数不超过 {yuan(most)}，这一档永远达不到"
                yield Problem("tier_unreachable", f"{_place(rule)} tiers[{n}]", text)


def bounds(when: Sequence[Condition], field: str) -> tuple[int, int | None]:
    """The least and the most that the conditions let the field be; None: no upper bound."""
    least, most = 0, None
    for condition in when:
        value = condition.value
        if condition.field != field or not isinstance(value, int):
            continue
        if condition.op in (">=", ">", "=="):
            least = max(least, value + (condition.op == ">"))
        if condition.op in ("<=", "<", "=="):
            above = value - (condition.op == "<")
            most = above if most is None else min(most, above)
    return least, most


def _fixed_values(when: Sequence[Condition]) -> dict[str, set[object]]:
    """By field that is asked to be one of some values: those that remain."""
    found: dict[str, set[object]] = {}
    for condition in when:
        if condition.op in ("==", "in"):
            values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            found[condition.field] = found.get(condition.field, set(values)) & set(values)
    for condition in when:
        if condition.op == "!=":
            found.get(condition.field, set()).discard(condition.value)
    return found


def _kind_problems(place: str, condition: Condition, deals: Sequence[Deal]) -> Iterator[Problem]:
    if condition.field in NUMERIC:
        return
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    kinds = {isinstance(value, str) for value in values if value is not None}
    for deal in deals:
        value = deal.fields.get(condition.field)
        if value is not None and kinds and isinstance(value, str) not in kinds:
            text = f"合同 {deal.id} 的 {condition.field} 与比较的值一个是文字、一个是数字"
            yield Problem("not_comparable", place, text)
            return


def _cliffs(rule: Rule) -> Iterator[Notice]:
    """Where one fen more of the base jumps to another rate for the whole of it."""
    if rule.mode is not Mode.WHOLE:
        return
    for n, tier in enumerate(rule.tiers[1:], 1):
        reached, below = (rounded(rule.exact_bp(tier.from_fen - less), BP) for less in (0, 1))
        if abs(reached - below) > 1:
            word = "多发" if reached > below else "少发"
            jump = yuan(abs(reached - below))
            text = f"断崖：满{short_yuan(tier.from_fen)}时，比差一分钱{word} {jump}"
            yield Notice("cliff", f"{_place(rule)} tiers[{n}]", text, reached - below)


def _beaten(rules: Sequence[Rule]) -> Iterator[Notice]:
    for rule in rules:
        if rule.exclusive is None:
            continue
        for other in rules:
            if other.exclusive is None or other.id == rule.id or not _overlap(rule, other):
                continue
            if other.exclusive.group != rule.exclusive.group:
                continue
            if other.exclusive.priority == rule.exclusive.priority:
                if other.position > rule.position:
                    text = f"与规则 {other.id} 同组同优先级，两条都满足时只按写在前面的这一条"
                    yield Notice("equal_priority", f"{_place(rule)} priority", text)
            elif other.exclusive.priority < rule.exclusive.priority and not other.when:
                text = f"同组的规则 {other.id} 没有条件且更优先，两条都生效的日子里这一条从不发放"
                yield Notice("always_beaten", f"{_place(rule)} priority", text)


def _cut_months(rules: Sequence[Rule]) -> Iterator[Notice]:
    for rule in rules:
        if rule.scope is Scope.REP_MONTH and rule.supersedes is None:
            begins_inside = rule.effective_from.day != 1 and any(
                other.id == rule.id and other.effective_to == rule.effective_from for other in rules
            )
            if begins_inside:
                text = "在月中换版，这个月前后两版的合同各自累计"
                yield Notice("month_cut", f"{_place(rule)} effective_from", text)
