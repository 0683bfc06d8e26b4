"""ZEN, GoRules' rule engine, as a second judge of conditions.

Nobody is paid by what it says: amounts, and the conditions they hang on, are computed by
bot.domain.payouts. Before rules are kept both judge the same contracts, chosen around every bound;
if they ever differ, the rules are refused.

Numbers go in as the digits of a JSON text, since its Python side would make floats of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import zen

from bot.domain.payouts import graphs
from bot.domain.payouts.conditions import CONTRACT, NUMERIC, PAID, PAID_RATIO, Condition
from bot.domain.payouts.days import midnight
from bot.domain.payouts.facts import Deal, Scalar
from bot.domain.payouts.graphs import Graph
from bot.domain.payouts.money import BP
from bot.domain.payouts.problems import Problem, UnusableInput
from bot.domain.payouts.reading_rules import place_of
from bot.domain.payouts.rules import Rule
from handlers.payouts import deal_facts

MOST_CELL = 20_000
"""Characters of one expression; a longer one is refused before the engine sees it."""
MOST_NESTED = 8
"""Square brackets in each other; the engine's parser takes twice the time and memory for each
more that stands in a range, and 30 of them were too much for any machine."""
MOST_CONTRACTS = 100
"""For each rule: 0.1 ms each, while the event loop waits."""
_USUAL = 10_000_000  # fen: a contract where no condition says anything about its size


@dataclass(frozen=True, slots=True)
class Contract:
    """What conditions are asked about."""

    contract_fen: int
    paid_fen: int
    fields: Mapping[str, Scalar]


class Engine:
    """One graph, checked and compiled."""

    def __init__(self, graph: Graph) -> None:
        """Raises UnusableInput for forbidden nodes and for expressions that are none."""
        graphs.allowed_nodes(graph)
        _check_cells(graph)
        try:
            self._decision = zen.ZenEngine().create_decision(json.dumps(graph, ensure_ascii=False))
            self._decision.validate()
        except Exception as error:  # noqa: BLE001 - the engine raises RuntimeError and its own
            raise UnusableInput([Problem("bad_graph", "图", _first_line(error))]) from None

    def judge(self, contract: Contract) -> dict[int, bool]:
        """By the rule's place: whether its conditions hold. A rule without conditions is left
        out. Raises UnusableInput where the engine fails."""
        context = {
            "contract_fen": contract.contract_fen,
            "paid_fen": contract.paid_fen,
            "deal": dict(contract.fields),
        }
        try:
            said = self._decision.evaluate(json.dumps(context, ensure_ascii=False))["result"]
        except Exception as error:  # noqa: BLE001 - as above
            raise UnusableInput([Problem("engine", "决策引擎", _first_line(error))]) from None
        return {
            int(key.removeprefix("when_")): value[graphs.APPLIES] is True
            for key, value in said.items()
            if key.startswith("when_")
        }


def disagreements(documents: Sequence[Mapping[str, Any]], rules: Sequence[Rule]) -> list[Problem]:
    """Where the engine and our own conditions judge a contract differently. rules: the documents
    as read, in the same order."""
    found = []
    for document, rule in zip(documents, rules, strict=True):
        if not rule.when or graphs.unfit([rule]):
            continue
        engine = Engine(graphs.to_graph([document]))
        for contract in islice(_around(rule), MOST_CONTRACTS):
            if engine.judge(contract)[0] != applies(rule, contract):
                text = f"两种算法对同一份合同判断不一样，请不要这样写（{_told(contract)}）"
                place = f"{place_of(rule.id, rule.version)} when"
                found.append(Problem("engine_differs", place, text))
                break
    return found


def applies(rule: Rule, contract: Contract) -> bool:
    """By our own conditions."""
    deal = Deal(
        "", contract.contract_fen, midnight(deal_facts.ANY_DAY), None, fields=contract.fields
    )
    return all(
        condition.compiled()(deal, contract.contract_fen, contract.paid_fen)
        for condition in rule.when
    )


def _around(rule: Rule) -> Iterator[Contract]:
    """Contracts on, just below and just above every bound, and with each value that is named."""
    usual = {one.field: _first(one) for one in rule.when if one.field not in NUMERIC}
    ratios = [_first(one) for one in rule.when if one.field == PAID_RATIO]
    asked = max((one for one in ratios if isinstance(one, int)), default=BP)
    paid = max(_USUAL * asked // BP, 0)
    yield Contract(_USUAL, paid, usual)
    yield Contract(0, 0, usual)
    yield Contract(_USUAL, paid, {})
    for condition in rule.when:
        yield from _at_bounds(condition, usual, paid)


def _at_bounds(condition: Condition, usual: Mapping[str, Scalar], paid: int) -> Iterator[Contract]:
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    for value in values:
        for number in (value - 1, value, value + 1) if isinstance(value, int) else ():
            if condition.field == CONTRACT:
                yield Contract(number, number * paid // _USUAL, usual)
            elif condition.field == PAID:
                yield Contract(_USUAL, number, usual)
            elif condition.field == PAID_RATIO:
                yield Contract(_USUAL, _USUAL * number // BP, usual)
        if condition.field not in NUMERIC:
            for told in (value, None, "", 0):
                yield Contract(_USUAL, paid, {**usual, condition.field: told})


def _first(condition: Condition) -> Scalar:
    value = condition.value
    return value[0] if isinstance(value, tuple) else value


def _check_cells(graph: Graph) -> None:
    """The engine compiles a table without looking into its cells, and a broken one never hits."""
    problems = []
    for place, text, is_test in graphs.cells_of(graph):
        if len(text) > MOST_CELL:
            problems.append(Problem("bad_cell", place, "表达式太长"))
            continue
        if _nesting(text) > MOST_NESTED:
            problems.append(Problem("bad_cell", place, f"方括号套得太深，最多 {MOST_NESTED} 层"))
            continue
        # validate_unary_expression takes ">= 5" for broken, so the cell is compiled instead.
        compiling = zen.compile_unary_expression if is_test else zen.compile_expression
        try:
            compiling(text)
        except Exception:  # noqa: BLE001 - as above
            problems.append(Problem("bad_cell", place, f"这一格写得不对：「{text[:40]}」"))
    if problems:
        raise UnusableInput(problems)


def _nesting(text: str) -> int:
    opened = accumulate((sign == "[") - (sign == "]") for sign in text)
    return max(opened, default=0)


def _told(contract: Contract) -> str:
    amounts = [f"合同 {contract.contract_fen} 分", f"回款 {contract.paid_fen} 分"]
    return "，".join([*amounts, *(f"{key}={value!r}" for key, value in contract.fields.items())])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
