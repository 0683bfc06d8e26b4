"""The table of worked cases: TOML files with what each case leaves out filled in.

A rule is "R", version 1, in force from 2026-01-01, on the contract, for the deal. A deal is
D1, new, signed by A on 10 March 2026. A line is "deal person kind fen [run]".
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.payouts.checking import check_rules
from bot.domain.payouts.computing import compute
from bot.domain.payouts.lines import Line, Result
from bot.domain.payouts.reading_facts import read_facts
from bot.domain.payouts.reading_rules import read_rules
from bot.domain.payouts.versions import RuleBook

HERE = Path(__file__).parent

RULE = {
    "id": "R",
    "version": 1,
    "effective_from": "2026-01-01",
    "base": "contract_fen",
    "scope": "deal",
    "when": [],
}
DEAL = {"id": "D1", "kind": "new", "signed_at": "2026-03-10T10:00:00+08:00", "closer": "A"}


@dataclass(frozen=True)
class WorkedCase:
    """expected: keys of the result file that the case fixes; lines as written in the table."""

    name: str
    rules: list[dict[str, Any]]
    facts: dict[str, Any]
    lines: list[str]
    expected: dict[str, Any]

    def compute(self) -> Result:
        return compute_documents(self.rules, self.facts)


def compute_documents(rules: list[dict[str, Any]], facts: dict[str, Any]) -> Result:
    """Read, checked and computed, as the command does."""
    read = read_rules(rules)
    check_rules(read)
    return compute(RuleBook(read), read_facts(facts))


def all_cases() -> Iterator[WorkedCase]:
    for file in sorted((HERE / "cases").glob("*.toml")):
        for body in tomllib.loads(file.read_text(encoding="utf-8"))["case"]:
            yield _worked(f"{file.stem}: {body['title']}", body)


def sample_cases() -> list[dict[str, Any]]:
    """The six cases that the payout schema comes with."""
    file = HERE / "cases" / "payouts_sample.json"
    cases: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cases"]
    return cases


def written(line: Line) -> str:
    """A line as the table writes it."""
    said = f"{line.deal or '-'} {line.person} {line.kind.value} {line.fen}"
    return f"{said} {line.run}" if line.run else said


def rule(**more: Any) -> dict[str, Any]:
    return {**RULE, **more}


def deal(**more: Any) -> dict[str, Any]:
    return {**DEAL, **more}


def _worked(name: str, body: dict[str, Any]) -> WorkedCase:
    facts = {
        "deals": [deal(**each) for each in body["deals"]],
        "events": body.get("events", []),
        "policy": body.get("policy", {}),
    }
    keys = ("needs_review", "fund_fen", "cash_fen", "carry_fen")
    expected = {key: body.get(key) for key in keys}
    return WorkedCase(
        name, [rule(**each) for each in body["rules"]], facts, body["lines"], expected
    )
