"""The engine judges conditions as our own computation does, and runs nothing but tables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.payouts.graphs import to_graph
from bot.domain.payouts.problems import UnusableInput
from bot.domain.payouts.reading_rules import read_rules
from handlers.payouts.rule_engine import Contract, Engine, applies, disagreements
from tests.domain.payouts.rule_documents import CONDITIONS, LARGE, SCALARS, documents

RULE: dict[str, Any] = {
    "id": "提成",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "flat",
    "base": "contract_fen",
    "rate_bp": 300,
}


@st.composite
def meetings(draw: st.DrawFn) -> tuple[dict[str, Any], Contract]:
    """A rule and a contract that has something to do with it: on its bounds, or with its values,
    as often as not."""
    when = draw(st.lists(CONDITIONS, min_size=1, max_size=4))
    amounts = {"contract_fen": draw(st.integers(0, LARGE)), "paid_fen": draw(st.integers(0, LARGE))}
    fields = {}
    for one in when:
        values = one["value"] if isinstance(one["value"], list) else [one["value"]]
        value = draw(st.sampled_from(values))
        if one["field"] == "paid_ratio_bp":
            amounts["contract_fen"] = draw(st.sampled_from([0, 1, 3, 10_000, 30_000, LARGE]))
            near = abs(value) * amounts["contract_fen"] // 10_000 + draw(st.integers(-1, 1))
            amounts["paid_fen"] = min(max(near, 0), LARGE)
        elif one["field"] in amounts:
            amounts[one["field"]] = max(value + draw(st.integers(-1, 1)), 0)
        elif draw(st.booleans()):
            near = value + draw(st.integers(-1, 1)) if type(value) is int else value
            fields[one["field"]] = draw(st.one_of(st.just(near), SCALARS))
    return {**RULE, "when": when}, Contract(**amounts, fields=fields)


@settings(max_examples=400)
@given(meetings())
def test_the_engine_and_our_own_conditions_judge_alike(
    met: tuple[dict[str, Any], Contract],
) -> None:
    told, contract = met
    (rule,) = read_rules([told])
    assert Engine(to_graph([told])).judge(contract) == {0: applies(rule, contract)}


@settings(max_examples=60)
@given(st.lists(documents(), min_size=1, max_size=3))
def test_no_rule_of_the_schema_makes_them_differ(told: list[dict[str, Any]]) -> None:
    assert disagreements(told, read_rules(told)) == []


def test_a_difference_is_told_with_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {**RULE, "when": [{"field": "contract_fen", "op": ">=", "value": 500}]}
    wrong = {**RULE, "when": [{"field": "contract_fen", "op": ">", "value": 500}]}
    (found,) = disagreements([wrong], read_rules([told]))
    assert found.key == "engine_differs"
    assert "合同 500 分" in found.text


@pytest.mark.parametrize("cell", [">= (", "))", '"', "$ ==", "a b c", ">= " + "9" * 40])
def test_a_broken_cell_is_found_before_it_silently_never_hits(cell: str) -> None:
    graph = to_graph([{**RULE, "when": [{"field": "contract_fen", "op": ">", "value": 1}]}])
    graph["nodes"][1]["content"]["rules"][0]["c0"] = cell
    with pytest.raises(UnusableInput, match="这一格写得不对"):
        Engine(graph)


@pytest.mark.parametrize("cell", ["[0.." * 30, "[0..1000" + "[" * 3_000, "not in [0.." * 40])
def test_ranges_in_ranges_are_refused_before_the_engine_drowns_in_them(cell: str) -> None:
    graph = to_graph([{**RULE, "when": [{"field": "contract_fen", "op": ">", "value": 1}]}])
    graph["nodes"][1]["content"]["rules"][0]["c0"] = cell
    with pytest.raises(UnusableInput, match="方括号套得太深，最多 8 层"):
        Engine(graph)


def test_a_program_is_not_even_loaded() -> None:
    graph = to_graph([RULE])
    source = "import http from 'http'; export const handler = () => { while (true) {} }"
    graph["nodes"].append({"id": "f", "type": "functionNode", "name": "f", "content": source})
    graph["edges"].append({"id": "e", "sourceId": "input", "targetId": "f", "type": "edge"})
    with pytest.raises(UnusableInput, match="能上网的程序"):
        Engine(graph)


def test_amounts_beyond_floats_are_judged_to_the_fen() -> None:
    edge = 9_007_199_254_740_993 // 10  # near the largest that is kept
    told = {**RULE, "when": [{"field": "contract_fen", "op": "==", "value": edge}]}
    engine = Engine(to_graph([told]))
    assert engine.judge(Contract(edge, 0, {})) == {0: True}
    assert engine.judge(Contract(edge - 1, 0, {})) == {0: False}
