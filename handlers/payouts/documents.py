"""Rules and facts from JSON documents, refused in words for the person who wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.domain.payouts.checking import check_fields, check_rules
from bot.domain.payouts.facts import Facts
from bot.domain.payouts.problems import UnusableInput
from bot.domain.payouts.reading_facts import read_facts
from bot.domain.payouts.reading_rules import read_rules
from bot.domain.payouts.rules import Rule
from bot.errors import InvalidInput
from handlers.payouts import exact_json

MAX_BYTES = 512 * 1024 * 1024


def load(file: Path) -> Any:
    """A JSON file, strictly. Raises InvalidInput."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"{file}：超过 {MAX_BYTES // 1024 // 1024} MB")
        data = file.read_bytes()
    except OSError as problem:
        raise InvalidInput(f"{file}：读不了 ({problem.strerror})") from None
    return exact_json.parse(data, str(file))


def to_rules(document: object) -> tuple[Rule, ...]:
    """Read and checked. Raises InvalidInput with everything that is wrong, in one line."""
    try:
        rules = read_rules(document)
        check_rules(rules)
    except UnusableInput as problem:
        raise InvalidInput(f"规则不能用：{problem}") from None
    return rules


def to_facts(document: object) -> Facts:
    try:
        return read_facts(document)
    except UnusableInput as problem:
        raise InvalidInput(f"单据不能用：{problem}") from None


def check_together(rules: tuple[Rule, ...], facts: Facts) -> None:
    """Raises InvalidInput where the rules ask for what the deals do not have."""
    try:
        check_fields(rules, facts.deals)
    except UnusableInput as problem:
        raise InvalidInput(f"规则与单据不符：{problem}") from None
