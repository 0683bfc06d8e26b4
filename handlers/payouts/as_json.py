"""Results, rule words and steps in the shapes of the payout files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.payouts.lines import Line, Result, Review
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.steps import Step
from bot.domain.payouts.words import in_words


def result_to_json(result: Result) -> dict[str, Any]:
    """Keys that do not apply are left out."""
    body: dict[str, Any] = {
        "lines": [line_to_json(line) for line in result.lines],
        "by_person": dict(result.by_person),
    }
    if result.needs_review:
        body["needs_review"] = [review_to_json(review) for review in result.needs_review]
    for name in ("fund_fen", "cash_fen", "carry_fen"):
        amounts: Mapping[str, int] | None = getattr(result, name)
        if amounts is not None:
            body[name] = dict(amounts)
    return body


def line_to_json(line: Line) -> dict[str, Any]:
    body: dict[str, Any] = {
        "deal": line.deal,
        "person": line.person,
        "kind": line.kind.value,
        "fen": line.fen,
        "rule_id": line.rule_id,
        "rule_version": line.rule_version,
    }
    if line.run is not None:
        body["run"] = line.run.isoformat()
    body["why"] = line.why
    return body


def review_to_json(review: Review) -> dict[str, Any]:
    return {"deal": review.deal, "reason": str(review.reason), "why": review.why}


def words_to_json(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    return [{"id": rule.id, "version": rule.version, "words": in_words(rule)} for rule in rules]


def steps_to_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """exact_per_10000: the exact amount in ten-thousandths of a fen."""
    return [
        {
            "deal": step.deal,
            "rule_id": step.rule_id,
            "rule_version": step.rule_version,
            "conditions": list(step.conditions),
            "pays": step.pays,
            "exact_per_10000": step.exact,
            "text": step.text,
        }
        for step in steps
    ]


def printed(body: Mapping[str, Any]) -> Iterator[str]:
    """The JSON text with one line for each item of a list, so that it can be read and
    compared, and written without holding all of it."""
    yield "{"
    for n, (key, value) in enumerate(body.items()):
        comma = "," if n else ""
        if isinstance(value, list) and value:
            yield f"{comma}\n  {_text(key)}: ["
            yield from (f"{',' if m else ''}\n    {_text(each)}" for m, each in enumerate(value))
            yield "\n  ]"
        else:
            yield f"{comma}\n  {_text(key)}: {_text(value)}"
    yield "\n}\n"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
