"""Rules from JSON: the keys of the schema, their types and bounds. What follows from several
rules together is for `checking.py`."""

from __future__ import annotations

from bot.domain.payouts import expressions
from bot.domain.payouts.conditions import NUMERIC, OPS, ORDERED, Condition
from bot.domain.payouts.facts import Scalar
from bot.domain.payouts.money import BP
from bot.domain.payouts.problems import Problem, UnusableInput
from bot.domain.payouts.reading import ObjectReader
from bot.domain.payouts.rules import Base, Collab, Exclusive, Mode, Penalty, Rule, Scope, Tier

_KEYS = frozenset(
    ("id", "version", "effective_from", "effective_to", "base", "mode", "scope", "when", "collab",
     "penalty", "stack", "group", "priority", "fund_bp", "supersedes", "published_at",
     "legal_approval")
)  # fmt: skip
_MODE_KEYS: dict[Mode, str] = {
    Mode.FLAT: "rate_bp",
    Mode.MARGINAL: "tiers",
    Mode.WHOLE: "tiers",
    Mode.FIXED: "amount_fen",
    Mode.CAP: "cap_fen",
}


def read_rules(value: object) -> tuple[Rule, ...]:
    """From the list of rules of a rules file, in its order. Raises UnusableInput."""
    if not isinstance(value, list):
        raise UnusableInput([Problem("not_a_list", "规则文件", "应是规则的列表 […]")])
    problems: list[Problem] = []
    rules = tuple(_read_rule(body, n, problems) for n, body in enumerate(value))
    if problems:
        raise UnusableInput(problems)
    return rules


def place_of(rule_id: object, version: object) -> str:
    """How every message names a rule."""
    return f"规则 {rule_id} 第{version}版"


def _read_rule(value: object, position: int, problems: list[Problem]) -> Rule:
    named = value if isinstance(value, dict) else {}
    place = (
        place_of(named["id"], named.get("version", "?"))
        if isinstance(named.get("id"), str)
        else f"第{position + 1}条规则"
    )
    reader = ObjectReader(value, place, problems)
    mode = reader.choice("mode", Mode)
    reader.only(_KEYS | {_MODE_KEYS[mode]})
    effective_to = reader.day("effective_to") if reader.has("effective_to") else None
    published_at = reader.moment("published_at") if reader.has("published_at") else None
    rule = Rule(
        id=reader.text("id"),
        version=reader.integer("version", least=0),
        effective_from=reader.day("effective_from"),
        effective_to=effective_to,
        mode=mode,
        base=_base(reader, mode),
        scope=_scope(reader, mode),
        when=tuple(_conditions(reader, problems)),
        rate_bp=reader.integer("rate_bp", least=0, most=BP) if mode is Mode.FLAT else 0,
        tiers=_tiers(reader, problems) if _MODE_KEYS[mode] == "tiers" else (),
        amount_fen=reader.integer("amount_fen", least=0) if mode is Mode.FIXED else 0,
        cap_fen=reader.integer("cap_fen", least=0) if mode is Mode.CAP else 0,
        collab=_collab(reader, problems) if reader.has("collab") else None,
        penalty=_penalty(reader, problems) if reader.has("penalty") else None,
        exclusive=_exclusive(reader),
        fund_bp=reader.integer("fund_bp", least=0, most=BP, required=False),
        supersedes=reader.integer("supersedes") if reader.has("supersedes") else None,
        published_at=published_at,
        legal_approval=reader.text("legal_approval", required=False),
        position=position,
    )
    if effective_to is not None and effective_to <= rule.effective_from:
        reader.refuse("empty_period", "effective_to", "应晚于 effective_from(当天不含在内)")
    return rule


def _base(reader: ObjectReader, mode: Mode) -> Base:
    """A fixed amount and a cap need none."""
    return reader.choice(
        "base", Base, default=Base.CONTRACT if mode in (Mode.FIXED, Mode.CAP) else None
    )


def _scope(reader: ObjectReader, mode: Mode) -> Scope:
    scope = reader.choice("scope", Scope, default=Scope.DEAL)
    if mode is Mode.CAP and scope is Scope.REP_MONTH:
        reader.refuse("cap_of_month", "scope", "封顶只限单笔合同的合计，scope 应是 deal")
    return scope


def _conditions(reader: ObjectReader, problems: list[Problem]) -> list[Condition]:
    if "when" not in reader.body:
        return []
    return [
        _condition(ObjectReader(body, f"{reader.place} when[{n}]", problems))
        for n, body in enumerate(reader.items("when"))
    ]


def _condition(reader: ObjectReader) -> Condition:
    reader.only(("field", "op", "value"))
    field, op = reader.text("field"), reader.text("op")
    value = reader.body.get("value")
    if op and op not in OPS:
        reader.refuse("unknown_op", "op", f"没有这个比较符「{op}」；可用：{'、'.join(OPS)}")
    if op == "in":
        return Condition(field, op, _listed(reader, field, value))
    if not _fits(field, value):
        reader.refuse("not_comparable", "value", f"「{field}」应与整数比较，其他字段与文字或整数")
    elif op in ORDERED and (isinstance(value, bool) or value is None):
        reader.refuse("not_comparable", "value", f"「{op}」应与整数或文字比较")
    return Condition(field, op, value if isinstance(value, str | int) else None)


def _listed(reader: ObjectReader, field: str, value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, list) or not value or not all(_fits(field, each) for each in value):
        reader.refuse("not_a_list", "value", 'in 应与非空列表比较，如 ["new", "upsell"]')
        return ()
    return tuple(value)


def _fits(field: str, value: object) -> bool:
    if field in NUMERIC:
        return isinstance(value, int) and not isinstance(value, bool)
    return value is None or isinstance(value, str | int)


def _tiers(reader: ObjectReader, problems: list[Problem]) -> tuple[Tier, ...]:
    """Rows say where they begin, and may say where they end (`to_fen`, exclusive): then that
    must be where the next one begins."""
    rows = [
        ObjectReader(body, f"{reader.place} tiers[{n}]", problems)
        for n, body in enumerate(reader.items("tiers"))
    ]
    tiers = []
    for row in rows:
        row.only(("from_fen", "rate_bp", "to_fen"))
        start, rate = row.integer("from_fen", least=0), row.integer("rate_bp", least=0, most=BP)
        tiers.append(Tier(start, rate))
    if not tiers:
        reader.refuse("no_tiers", "tiers", "至少要有一档")
    elif tiers[0].from_fen != 0:
        rows[0].refuse("tier_not_from_0", "from_fen", "第一档应从 0 开始，否则低于它的金额没有档")
    for n in range(1, len(tiers)):
        _check_neighbours(rows[n], tiers[n - 1], tiers[n])
    for n, row in enumerate(rows):
        if row.has("to_fen"):
            _check_end(row, tiers[n + 1] if n + 1 < len(tiers) else None)
    return tuple(tiers)


def _check_neighbours(row: ObjectReader, before: Tier, tier: Tier) -> None:
    if tier.from_fen == before.from_fen:
        row.refuse("tier_unreachable", "from_fen", "与上一档起点相同，上一档永远达不到")
    elif tier.from_fen < before.from_fen:
        row.refuse("tier_overlap", "from_fen", "小于上一档的起点，两档重叠；请从低到高排列")


def _check_end(row: ObjectReader, following: Tier | None) -> None:
    end = row.integer("to_fen")
    if following is None:
        row.refuse("tier_gap", "to_fen", "最后一档不能有终点，否则超过它的金额没有档")
    elif end < following.from_fen:
        row.refuse("tier_gap", "to_fen", f"{end} 到 {following.from_fen} 分之间没有档")
    elif end > following.from_fen:
        row.refuse("tier_overlap", "to_fen", f"{following.from_fen} 到 {end} 分之间两档重叠")


def _collab(reader: ObjectReader, problems: list[Problem]) -> Collab:
    inner = ObjectReader(reader.body["collab"], f"{reader.place} collab", problems)
    inner.only(("when", "share_bp", "to"))
    when = expressions.parse("kind==kind")
    try:
        when = expressions.parse(inner.text("when") or when.text)
    except ValueError as error:
        inner.refuse("bad_expression", "when", str(error))
    return Collab(when, inner.integer("share_bp", least=0, most=BP), inner.text("to"))


def _penalty(reader: ObjectReader, problems: list[Problem]) -> Penalty:
    inner = ObjectReader(reader.body["penalty"], f"{reader.place} penalty", problems)
    inner.only(("per_complaint_fen", "per_complaint_bp", "floor_fen"))
    if inner.has("per_complaint_fen") == inner.has("per_complaint_bp"):
        inner.refuse("one_of", "", "per_complaint_fen 与 per_complaint_bp 应恰有一个")
    return Penalty(
        inner.integer("per_complaint_fen", least=0, required=False),
        inner.integer("per_complaint_bp", least=0, most=BP, required=False),
        inner.integer("floor_fen", least=0, required=False),
    )


def _exclusive(reader: ObjectReader) -> Exclusive | None:
    stack = reader.body.get("stack", "add")
    if stack == "exclusive":
        return Exclusive(reader.text("group"), reader.integer("priority"))
    if stack != "add":
        reader.refuse("unknown_value", "stack", "应是 add、exclusive 之一")
    for name in ("group", "priority"):
        if reader.has(name):
            reader.refuse("unused_key", name, "只有 stack 为 exclusive 时才有意义")
    return None
