"""Rules as a JDM graph (the open format of GoRules) and back, without loss.

Three nodes for each rule: a decision table of its conditions, one of its tiers where it has any,
and the rest of its terms as literals. A graph decides who and what a rule applies to; amounts are
computed by our own exact arithmetic alone, so no node holds any.

Only four kinds of node are allowed. A function node is a program with access to the network, which
holds up the whole process while it runs; it and everything unknown is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.payouts import graph_cells
from bot.domain.payouts.conditions import Condition
from bot.domain.payouts.problems import Problem, UnusableInput
from bot.domain.payouts.reading_rules import place_of
from bot.domain.payouts.rules import Rule

Graph = dict[str, Any]
Position = tuple[int, int]

INPUT, OUTPUT, TABLE, TERMS = "inputNode", "outputNode", "decisionTableNode", "expressionNode"
ALLOWED = frozenset((INPUT, OUTPUT, TABLE, TERMS))
MOST_NODES = 400
APPLIES = "applies"
_WHEN, _TIERS = "when", "tiers"
_NESTED = ("collab", "penalty")
_NODE = re.compile(r"(?P<part>when|tiers|terms)-(?P<number>\d{1,3})")
_STEP = 280  # pixels: nodes nearer than 260 overlap in GoRules' editor
_TIER_KEYS = ("from_fen", "rate_bp", "to_fen")


def unfit(rules: Sequence[Rule]) -> list[Problem]:
    """Conditions that no engine could decide; such rules have no graph."""
    return [
        Problem("no_graph", f"{place_of(rule.id, rule.version)} when[{n}]", why)
        for rule in rules
        for n, condition in enumerate(rule.when)
        if (why := graph_cells.unfit(condition))
    ]


def to_graph(
    documents: Sequence[Mapping[str, Any]], layout: Mapping[str, Position] | None = None
) -> Graph:
    """documents: rules as in a rules file, that `read_rules` accepts and that are not `unfit`.
    layout: where nodes stand, by id."""
    nodes: list[dict[str, Any]] = [_node("input", INPUT, "合同", (0, 0))]
    for n, rule in enumerate(documents):
        name = str(rule["id"])
        if _WHEN in rule:
            nodes.append(_node(f"when-{n}", TABLE, f"{name}·条件", (1, n), _when(n, rule[_WHEN])))
        if _TIERS in rule:
            nodes.append(_node(f"tiers-{n}", TABLE, f"{name}·档位", (2, n), _tiers(n, rule)))
        nodes.append(_node(f"terms-{n}", TERMS, f"{name}·约定", (3, n), _terms(n, rule)))
    nodes.append(_node("output", OUTPUT, "结果", (4, 0)))
    inner = [node["id"] for node in nodes[1:-1]]
    edges = [_edge("input", one) for one in inner] + [_edge(one, "output") for one in inner]
    for node in nodes:
        if layout and node["id"] in layout:
            x, y = layout[node["id"]]
            node["position"] = {"x": x, "y": y}
    return {"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges}


def from_graph(graph: object) -> list[dict[str, Any]]:
    """The rules of a graph; they still have to be read and checked. Raises UnusableInput with
    everything in it that is not ours."""
    problems: list[Problem] = []
    parts: dict[int, dict[str, Any]] = {}
    for node in allowed_nodes(graph):
        named = _NODE.fullmatch(str(node["id"]))
        if named is None:
            if node["type"] in (TABLE, TERMS):
                text = "不认识这个节点；规则的节点叫 when-0、tiers-0、terms-0"
                problems.append(Problem("unknown_node", f"节点 {_name(node)}", text))
            continue
        try:
            read = _READERS[named["part"]](node)
            parts.setdefault(int(named["number"]), {})[named["part"]] = read
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            why = str(error) if type(error) is ValueError else "内容不完整"
            problems.append(Problem("bad_node", f"节点 {_name(node)}", why))
    for number, found in sorted(parts.items()):
        if "terms" not in found:
            problems.append(Problem("no_terms", f"节点 terms-{number}", "少了这个节点"))
    if problems:
        raise UnusableInput(problems)
    return [_joined(found) for _, found in sorted(parts.items())]


def allowed_nodes(graph: object) -> list[dict[str, Any]]:
    """All nodes, when each is of an allowed kind. Raises UnusableInput."""
    nodes = graph.get("nodes") if isinstance(graph, dict) else None
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise UnusableInput([Problem("no_graph", "图", "应是 JDM 图：{nodes: […], edges: […]}")])
    if len(nodes) > MOST_NODES:
        raise UnusableInput([Problem("too_many", "图", f"节点太多，最多 {MOST_NODES} 个")])
    problems = [
        Problem("forbidden_node", f"节点 {_name(node)}", _why_forbidden(node.get("type")))
        for node in nodes
        if not isinstance(node.get("type"), str) or node["type"] not in ALLOWED
    ]
    ids = [str(node.get("id")) for node in nodes]
    if len(set(ids)) != len(ids):
        problems.append(Problem("twice", "图", "两个节点的 id 相同"))
    if problems:
        raise UnusableInput(problems)
    return [{**node, "id": str(node.get("id"))} for node in nodes]


def cells_of(graph: Graph) -> list[tuple[str, str, bool]]:
    """(where, text, whether it is a test and not a value) of every expression in the graph.
    Raises UnusableInput."""
    found: list[tuple[str, str, bool]] = []
    for node in graph["nodes"]:
        place = f"节点 {_name(node)}"
        try:
            cells = [(str(text), is_test) for text, is_test in _cells(node)]
        except (KeyError, TypeError, AttributeError):
            raise UnusableInput([Problem("bad_node", place, "内容不完整")]) from None
        found += [(place, text, is_test) for text, is_test in cells]
    return found


def _cells(node: Mapping[str, Any]) -> Iterator[tuple[object, bool]]:
    """Of a node as it came: raises what incomplete content makes it raise."""
    content = node.get("content") or {}
    if node["type"] == TERMS:
        for one in content["expressions"]:
            yield one["value"], False
    if node["type"] == TABLE:
        inputs = {one["id"]: one["field"] for one in content["inputs"]}
        outputs = {one["id"] for one in content["outputs"]}
        for field in inputs.values():
            yield field, False
        for row in content["rules"]:
            for key, text in row.items():
                if text and (key in inputs or key in outputs):
                    yield text, key in inputs


def _why_forbidden(kind: object) -> str:
    if kind == "functionNode":
        return "不能用函数节点：它是能上网的程序，还会卡住整个系统"
    return f"不能用「{str(kind)[:40]}」这种节点，只能用决策表和表达式"


def _name(node: Mapping[str, Any]) -> str:
    return str(node.get("name") or node.get("id") or "?")[:60]


def _node(key: str, kind: str, name: str, place: Position, content: Any = None) -> dict[str, Any]:
    """place: (column, row)."""
    position = {"x": 60 + place[0] * _STEP, "y": 60 + place[1] * _STEP}
    node: dict[str, Any] = {"id": key, "type": kind, "name": name, "position": position}
    return {**node, "content": content} if content is not None else node


def _edge(source: str, target: str) -> dict[str, str]:
    return {"id": f"{source}>{target}", "sourceId": source, "targetId": target, "type": "edge"}


def _when(number: int, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One row that all must hold for, and one for everything else."""
    inputs, row, rest = [], {"_id": "holds"}, {"_id": "else"}
    for n, told in enumerate(conditions):
        value = told["value"]
        condition = Condition(
            told["field"], told["op"], tuple(value) if isinstance(value, list) else value
        )
        key = f"c{n}"
        inputs.append(
            {"id": key, "name": condition.field, "field": graph_cells.column(condition.field)}
        )
        row[key], rest[key] = graph_cells.cell(condition), ""
    output = {"id": APPLIES, "name": "适用", "field": APPLIES}
    row[APPLIES], rest[APPLIES] = "true", "false"
    rows = [row, rest] if inputs else [row]
    return _table(f"when_{number}", inputs, [output], rows)


def _tiers(number: int, rule: Mapping[str, Any]) -> dict[str, Any]:
    """The tier that a base reaches; what it pays is not for the graph to say."""
    tiers = rule[_TIERS]
    base = str(rule.get("base", "contract_fen"))
    rows = []
    for n, tier in enumerate(tiers):
        start = tier["from_fen"]
        reached = f">= {start}"
        if n + 1 < len(tiers):
            reached = f"[{start}..{tiers[n + 1]['from_fen']})"
        cells = {key: graph_cells.literal(tier[key]) if key in tier else "" for key in _TIER_KEYS}
        rows.append({"_id": f"t{n}", "base": reached, **cells})
    outputs = [{"id": key, "name": key, "field": key} for key in _TIER_KEYS]
    return _table(f"tiers_{number}", [{"id": "base", "name": "基数", "field": base}], outputs, rows)


def _terms(number: int, rule: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in rule.items():
        if key in _NESTED and isinstance(value, dict):
            flat |= {f"{key}.{inner}": one for inner, one in value.items()}
        elif key not in (_WHEN, _TIERS):
            flat[key] = value
    told = [
        {"id": f"e{n}", "key": key, "value": graph_cells.literal(value)}
        for n, (key, value) in enumerate(flat.items())
    ]
    return {"expressions": told, "outputPath": f"terms_{number}"}


def _table(path: str, inputs: list[Any], outputs: list[Any], rows: list[Any]) -> dict[str, Any]:
    return {
        "hitPolicy": "first",
        "inputs": inputs,
        "outputs": outputs,
        "rules": rows,
        "outputPath": path,
    }


def _read_when(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first row; the last, without cells, is what happens otherwise."""
    content = node["content"]
    row, *others = content["rules"]
    if [one["field"] for one in content["outputs"]] != [APPLIES]:
        raise ValueError("条件表只有一个结果：applies")
    columns = content["inputs"]
    if len(others) > 1 or any(other.get(one["id"]) for other in others for one in columns):
        raise ValueError("条件表只能有一行条件和一行默认；「或」请写成另一条规则")
    if row[APPLIES] != "true" or any(other[APPLIES] != "false" for other in others):
        raise ValueError("第一行的结果应是 true，默认行应是 false")
    return [_condition(one, row[one["id"]]) for one in columns if row.get(one["id"])]


def _condition(column: Mapping[str, Any], text: str) -> dict[str, Any]:
    found = graph_cells.condition_of(graph_cells.field_of(column["field"]), text)
    value = list(found.value) if isinstance(found.value, tuple) else found.value
    return {"field": found.field, "op": found.op, "value": value}


def _read_tiers(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = node["content"]["rules"]
    return [
        {key: graph_cells.value_of(row[key]) for key in _TIER_KEYS if row.get(key)} for row in rows
    ]


def _read_terms(node: Mapping[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    for one in node["content"]["expressions"]:
        outer, dot, inner = str(one["key"]).partition(".")
        if dot and outer not in _NESTED:
            raise ValueError(f"没有「{one['key']}」这一项")
        value = graph_cells.value_of(str(one["value"]))
        if dot:
            rule.setdefault(outer, {})[inner] = value
        else:
            rule[outer] = value
    return rule


_READERS = {"when": _read_when, "tiers": _read_tiers, "terms": _read_terms}


def _joined(found: Mapping[str, Any]) -> dict[str, Any]:
    rule = dict(found["terms"])
    return rule | {key: found[key] for key in (_WHEN, _TIERS) if key in found}
