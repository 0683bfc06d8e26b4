"""Rules as graphs: nothing is lost on the way there and back, and nothing else gets in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.payouts import graph_cells
from bot.domain.payouts.conditions import Condition
from bot.domain.payouts.graphs import ALLOWED, from_graph, to_graph, unfit
from bot.domain.payouts.problems import UnusableInput
from bot.domain.payouts.reading_rules import read_rules
from tests.domain.payouts.rule_documents import CONDITIONS, documents

RULE = {
    "id": "大单奖",
    "version": 2,
    "effective_from": "2026-04-01",
    "mode": "fixed",
    "amount_fen": 300_000,
    "when": [{"field": "contract_fen", "op": ">=", "value": 50_000_000}],
}


@given(st.lists(documents(), min_size=1, max_size=3))
def test_a_graph_gives_back_the_rules_that_it_was_made_of(rules: list[dict[str, Any]]) -> None:
    read_rules(rules)
    graph = json.loads(json.dumps(to_graph(rules)))
    back = from_graph(graph)
    assert back == rules
    assert read_rules(back) == read_rules(rules)
    assert {node["type"] for node in graph["nodes"]} <= ALLOWED


@given(CONDITIONS)
def test_a_cell_gives_back_its_condition(told: dict[str, Any]) -> None:
    value = tuple(told["value"]) if isinstance(told["value"], list) else told["value"]
    condition = Condition(told["field"], told["op"], value)
    field = graph_cells.field_of(graph_cells.column(condition.field))
    back = graph_cells.condition_of(field, graph_cells.cell(condition))
    assert repr(back) == repr(condition)  # 1 and true are equal, and not the same


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        (">= 500000", ">=", 500_000),
        ("<5", "<", 5),
        ('"new"', "==", "new"),
        ("'new'", "==", "new"),
        ('!= "new"', "!=", "new"),
        ('in ["new", "upsell"]', "in", ("new", "upsell")),
        ("null", "==", None),
        ("true", "==", True),
    ],
)
def test_plain_cells_of_other_editors_are_understood(text: str, op: str, value: object) -> None:
    assert graph_cells.condition_of("kind", text) == Condition("kind", op, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [">= (", ">=", "$ >= 5 or true", "len($) > 5", '"a", "b"', 'in "a"', "in []", "in [1",
     ">= 5 and deal.x == 1", "[0..5)", ">= 1.5", '>= "b"', '"a" + $', "not in [1]", "`a`"],
)  # fmt: skip
def test_any_other_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[一-龥]"):
        graph_cells.condition_of("kind", text)


@pytest.mark.parametrize(
    "kind", ["functionNode", "switchNode", "decisionNode", "customNode", "", None, 7]
)
def test_nodes_that_could_do_more_than_decide_are_refused(kind: object) -> None:
    graph = to_graph([RULE])
    graph["nodes"].append({"id": "x", "type": kind, "name": "坏节点", "content": {"source": "…"}})
    with pytest.raises(UnusableInput, match=r"节点 坏节点：不能用"):
        from_graph(graph)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g["nodes"].pop(2), "少了这个节点"),
        (lambda g: g["nodes"][1]["content"]["rules"].reverse(), "只能有一行条件和一行默认"),
        (lambda g: g["nodes"][1]["content"]["rules"][0].update(applies="false"), "应是 true"),
        (lambda g: g["nodes"][1]["content"]["outputs"].append({"field": "x"}), "只有一个结果"),
        (lambda g: g["nodes"][1].pop("content"), "内容不完整"),
        (lambda g: g["nodes"][1].update(id="mine"), "不认识这个节点"),
        (lambda g: g["nodes"].append(dict(g["nodes"][1])), "id 相同"),
        (lambda g: g["nodes"].extend({"id": n, "type": "inputNode"} for n in range(999)), "太多"),
        (lambda g: g.clear(), "应是 JDM 图"),
    ],
)
def test_a_graph_that_says_something_else_is_refused_in_words(change: Any, words: str) -> None:
    graph = to_graph([RULE])
    change(graph)
    with pytest.raises(UnusableInput, match=words):
        from_graph(graph)


def test_texts_in_order_have_no_graph() -> None:
    told = {**RULE, "when": [{"field": "signed_at", "op": ">=", "value": "2026-03"}]}
    assert [one.text for one in unfit(read_rules([told]))] == [
        "「signed_at」是文字比大小，决策引擎比不了"
    ]


def test_nodes_stand_where_they_were_put_and_else_far_enough_apart() -> None:
    graph = to_graph([RULE, RULE], {"when-0": (500, 600)})
    places = {node["id"]: (node["position"]["x"], node["position"]["y"]) for node in graph["nodes"]}
    assert places.pop("when-0") == (500, 600)
    apart = [
        max(abs(one[0] - other[0]), abs(one[1] - other[1]))
        for name, one in places.items()
        for another, other in places.items()
        if name != another
    ]
    assert min(apart) >= 260
