"""Rules and facts that could pay wrongly: each is refused, and the refusal names the place."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.payouts.checking import absent_fields, check_fields, check_rules, notices
from bot.domain.payouts.computing import compute
from bot.domain.payouts.problems import UnusableInput
from bot.domain.payouts.reading_facts import read_facts
from bot.domain.payouts.reading_rules import read_rules
from bot.domain.payouts.versions import RuleBook
from tests.domain.payouts.worked_cases import deal, rule

FLAT = {"mode": "flat", "rate_bp": 300}


def tiered(*rows: dict[str, Any], mode: str = "marginal") -> dict[str, Any]:
    return rule(mode=mode, tiers=list(rows))


def when(*conditions: tuple[str, str, object]) -> dict[str, Any]:
    named = [{"field": field, "op": op, "value": value} for field, op, value in conditions]
    return rule(**FLAT, when=named)


def collab(expression: str, share_bp: int = 3000) -> dict[str, Any]:
    return rule(**FLAT, collab={"when": expression, "share_bp": share_bp, "to": "lead_provider"})


def problems_of(*rules: object) -> list[tuple[str, str]]:
    """(key, place) of everything that is wrong."""
    try:
        check_rules(read_rules(list(rules)))
    except UnusableInput as refused:
        return [(problem.key, problem.place) for problem in refused.problems]
    return []


A, B = {"from_fen": 0, "rate_bp": 100}, {"from_fen": 100, "rate_bp": 200}

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("first tier not from 0", tiered(B), "tier_not_from_0", "tiers[0] from_fen"),
    ("no tier", tiered(), "no_tiers", "tiers"),
    ("tiers out of order", tiered(A, B, {**B, "from_fen": 50}), "tier_overlap", "tiers[2]"),
    ("two tiers from one bound", tiered(A, B, B), "tier_unreachable", "tiers[2]"),
    ("gap between tiers", tiered({**A, "to_fen": 90}, B), "tier_gap", "tiers[0] to_fen"),
    ("overlap of tiers", tiered({**A, "to_fen": 110}, B), "tier_overlap", "tiers[0] to_fen"),
    ("last tier ends", tiered(A, {**B, "to_fen": 900}), "tier_gap", "tiers[1] to_fen"),
    ("rate over 100 %", rule(mode="flat", rate_bp=10_001), "too_large", "rate_bp"),
    ("negative rate", rule(mode="flat", rate_bp=-1), "too_small", "rate_bp"),
    ("rate as a fraction", rule(mode="flat", rate_bp=2.5), "not_an_integer", "rate_bp"),
    ("rate as a text", rule(mode="flat", rate_bp="300"), "not_an_integer", "rate_bp"),
    ("rate as a flag", rule(mode="flat", rate_bp=True), "not_an_integer", "rate_bp"),
    ("rate missing", rule(mode="flat"), "not_an_integer", "rate_bp"),
    ("tier rate over 100 %", tiered({**A, "rate_bp": 10_001}), "too_large", "tiers[0] rate_bp"),
    ("share over 100 %", collab("kind==new", 10_001), "too_large", "collab share_bp"),
    ("fund over 100 %", rule(**FLAT, fund_bp=10_001), "too_large", "fund_bp"),
    ("amount as a float", rule(mode="fixed", amount_fen=1e5), "not_an_integer", "amount_fen"),
    ("unknown mode", rule(mode="flatt", rate_bp=1), "unknown_value", "mode"),
    ("unknown key", rule(**FLAT, bonus=1), "unknown_key", "bonus"),
    ("key of another mode", rule(**FLAT, cap_fen=1), "unknown_key", "cap_fen"),
    ("unknown base", rule(mode="flat", rate_bp=1, base="profit_fen"), "unknown_value", "base"),
    ("unknown scope", rule(**FLAT, scope="team"), "unknown_value", "scope"),
    ("cap of a month", rule(mode="cap", cap_fen=1, scope="rep_month"), "cap_of_month", "scope"),
    ("unknown operator", when(("kind", "=~", "x")), "unknown_op", "when[0] op"),
    ("ratio as a text", when(("paid_ratio_bp", ">=", "95%")), "not_comparable", "when[0] value"),
    ("ratio as a fraction", when(("paid_ratio_bp", ">=", 0.95)), "not_comparable", "when[0]"),
    ("order without value", when(("region", ">", None)), "not_comparable", "when[0] value"),
    ("`in` without a list", when(("kind", "in", "new")), "not_a_list", "when[0] value"),
    ("`in` an empty list", when(("kind", "in", [])), "not_a_list", "when[0] value"),
    ("never satisfied", when(("contract_fen", ">=", 9), ("contract_fen", "<", 9)),
     "unreachable", "when"),
    ("two kinds at once", when(("kind", "==", "new"), ("kind", "==", "upsell")),
     "unreachable", "when"),
    ("a kind and not", when(("kind", "==", "new"), ("kind", "!=", "new")), "unreachable", "when"),
    ("division by zero", collab("contract_fen / 0 > 1"), "bad_expression", "collab when"),
    ("no expression", collab(""), "not_a_text", "collab when"),
    ("half an expression", collab("kind=="), "bad_expression", "collab when"),
    ("open parenthesis", collab("(kind==new"), "bad_expression", "collab when"),
    ("value on the left", collab("1==kind"), "bad_expression", "collab when"),
    ("a call", collab("__import__('os')"), "bad_expression", "collab when"),
    ("endless nesting", collab("(" * 200 + "kind==new"), "bad_expression", "collab when"),
    ("both penalties", rule(**FLAT, penalty={"per_complaint_fen": 1, "per_complaint_bp": 1}),
     "one_of", "penalty"),
    ("no penalty", rule(**FLAT, penalty={"floor_fen": 1}), "one_of", "penalty"),
    ("group without exclusive", rule(**FLAT, group="g"), "unused_key", "group"),
    ("exclusive without group", rule(**FLAT, stack="exclusive", priority=1), "not_a_text", "group"),
    ("exclusive without priority", rule(**FLAT, stack="exclusive", group="g"),
     "not_an_integer", "priority"),
    ("ends before it begins", rule(**FLAT, effective_to="2025-12-31"), "empty_period", ""),
    ("no such day", rule(**{**rule(**FLAT), "effective_from": "2026-02-30"}), "not_readable", ""),
    ("no id", rule(**{**rule(**FLAT), "id": ""}), "not_a_text", "id"),
    ("retroactive", rule(**FLAT, published_at="2026-02-01T09:00:00+08:00"), "retroactive", ""),
    ("supersedes nothing", rule(**FLAT, supersedes=7, published_at="2026-02-01"),
     "superseded_unknown", "supersedes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "key", "place"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_rule_is_refused_at_its_place(body: dict[str, Any], key: str, place: str) -> None:
    found = problems_of(body)

    assert [each for each, where in found if place in where].count(key) == 1, found
    assert all(where.startswith("规则 ") or "条规则" in where for _, where in found)


def test_a_tier_above_what_the_conditions_allow_is_refused() -> None:
    below = [{"field": "contract_fen", "op": "<", "value": 100}]
    assert problems_of({**tiered(A, B), "when": below}) == [
        ("tier_unreachable", "规则 R 第1版 tiers[1]")
    ]


def test_the_same_version_twice_is_refused() -> None:
    assert problems_of(rule(**FLAT), rule(**FLAT)) == [("duplicate_version", "规则 R 第1版")]


def test_versions_that_overlap_are_refused() -> None:
    later = rule(**FLAT, version=2) | {"effective_from": "2026-03-16"}
    assert problems_of(rule(**FLAT, effective_to="2026-03-17"), later) == [
        ("version_overlap", "规则 R 第2版 effective_from")
    ]


def test_versions_that_meet_are_fine() -> None:
    later = rule(**FLAT, version=2) | {"effective_from": "2026-03-16"}
    assert problems_of(rule(**FLAT, effective_to="2026-03-16"), later) == []


def test_a_superseding_version_needs_its_moment() -> None:
    assert problems_of(rule(**FLAT), rule(**FLAT, version=2, supersedes=1)) == [
        ("published_at_missing", "规则 R 第2版 published_at")
    ]


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(UnusableInput, match=r"规则 R 第1版 rate_bp：.*规则 S 第1版 tiers\[0\]"):
        read_rules([rule(mode="flat", rate_bp=-1), tiered(B) | {"id": "S"}])


@pytest.mark.parametrize("document", [{}, "x", None, [1], [None], [[]]])
def test_what_is_no_list_of_rules_is_refused(document: object) -> None:
    with pytest.raises(UnusableInput):
        read_rules(document)


FACTS: list[tuple[str, dict[str, Any], str]] = [
    ("contract as a float", {"deals": [deal(contract_fen=1e5)]}, "合同 D1 contract_fen"),
    ("contract as a text", {"deals": [deal(contract_fen="1万")]}, "合同 D1 contract_fen"),
    ("no contract", {"deals": [deal()]}, "合同 D1 contract_fen"),
    ("no day of signing", {"deals": [{"id": "D1", "contract_fen": 1}]}, "合同 D1 signed_at"),
    ("no such day", {"deals": [deal(contract_fen=1, signed_at="2026-13-01")]}, "signed_at"),
    ("the same deal twice", {"deals": [deal(contract_fen=1), deal(contract_fen=1)]}, "合同 D1"),
    ("closer as a number", {"deals": [deal(contract_fen=1, closer=7)]}, "合同 D1 closer"),
    ("weight as a fraction",
     {"deals": [deal(contract_fen=1, split=[{"person": "A", "weight": 0.5}])]}, "split[0] weight"),
    ("unknown event", {"deals": [], "events": [{"type": "gift"}]}, "events[0] type"),
    ("payment without amount",
     {"deals": [], "events": [{"type": "payment", "deal": "D1", "at": "2026-03-01"}]}, "[0] fen"),
    ("complaint without answer",
     {"deals": [], "events": [{"type": "complaint", "deal": "D", "at": "2026-03-01"}]}, "upheld"),
    ("no such quarter",
     {"deals": [], "events": [{"type": "quarter_close", "quarter": "Q5", "at": "2026-03-01"}]},
     "events[0] quarter"),
    ("no such month",
     {"deals": [], "events": [{"type": "payroll", "person": "A", "month": "2026-13",
                               "gross_fen": 1, "min_wage_fen": 1}]}, "events[0] month"),
    ("deduct more than the wage", {"deals": [], "policy": {"deduct_limit_bp": 10_001}}, "policy"),
    ("unknown policy", {"deals": [], "policy": {"clawback": "half"}}, "policy clawback"),
    ("unknown key of policy", {"deals": [], "policy": {"refunds": "no"}}, "policy refunds"),
    ("version by another day", {"deals": [], "policy": {"version_by": "paid_at"}}, "version_by"),
    ("no deals", {}, "deals"),
    ("no object", {"deals": [7]}, "deals[0]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "place"), [row[1:] for row in FACTS], ids=[row[0] for row in FACTS]
)
def test_facts_that_cannot_be_read_are_refused(document: dict[str, Any], place: str) -> None:
    with pytest.raises(UnusableInput) as refused:
        read_facts(document)

    assert any(place in problem.place for problem in refused.value.problems)


def test_a_field_that_no_deal_has_is_pointed_out_and_holds_for_none() -> None:
    facts = read_facts({"deals": [deal(contract_fen=1)]})
    rules = read_rules([when(("regoin", "==", "north"))])
    (notice,) = absent_fields(rules, facts.deals)
    assert "没有一份合同有字段「regoin」" in str(notice)
    assert compute(RuleBook(rules), facts).lines == ()


def test_a_field_of_another_kind_than_its_value_is_refused() -> None:
    facts = read_facts({"deals": [deal(contract_fen=1, region="3")]})
    with pytest.raises(UnusableInput, match="合同 D1 的 region"):
        check_fields(read_rules([when(("region", ">=", 3))]), facts.deals)


def test_cliffs_are_pointed_out_with_the_amount() -> None:
    rows = ({"from_fen": 0, "rate_bp": 200}, {"from_fen": 10_000_000, "rate_bp": 300})
    found = notices(read_rules([tiered(*rows, mode="whole")]))

    assert [(notice.key, notice.fen) for notice in found] == [("cliff", 300_000 - 200_000)]
    assert "满10万元时，比差一分钱多发 1,000.00元" in str(found[0])


def test_marginal_tiers_have_no_cliff() -> None:
    assert notices(read_rules([tiered(A, B)])) == []


def test_a_rule_that_another_always_beats_is_pointed_out() -> None:
    first = rule(**FLAT, stack="exclusive", group="g", priority=1)
    second = rule(**FLAT, stack="exclusive", group="g", priority=2) | {"id": "S"}
    assert [notice.key for notice in notices(read_rules([first, second]))] == ["always_beaten"]
    second["priority"] = 1
    assert [notice.key for notice in notices(read_rules([first, second]))] == ["equal_priority"]
