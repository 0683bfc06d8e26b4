"""Conditions as cells of a decision table, in the expression language of ZEN (GoRules).

A cell says exactly what `conditions.py` computes, the awkward corners included: a missing field is
neither above nor below anything, a contract of 0 has no ratio, and a flag counts as 1 or 0. Texts
can only be compared for being equal, since ZEN cannot put them in order.
"""

from __future__ import annotations

import re

from bot.domain.payouts.conditions import (
    COMPARE,
    CONTRACT,
    OPS,
    ORDERED,
    PAID,
    PAID_RATIO,
    Condition,
)
from bot.domain.payouts.facts import Scalar

LARGEST = 10**15
"""Of any number in a cell: decimals of 28 digits compare products of such numbers exactly."""

_RATIO = "contract_fen > 0 ? paid_fen * 10000 / contract_fen : null"
_COLUMNS = {CONTRACT: "contract_fen", PAID: "paid_fen", PAID_RATIO: _RATIO}
_LITERAL = re.compile(
    r"""(?P<text>"[^"]*"|'[^']*')|(?P<number>-?\d{1,28})|(?P<word>true|false|null)"""
)
_BETWEEN = re.compile(r"\s*\+\s*")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}
_GUARDED = re.compile(r"type\(\$\) == \"number\" and \$ (?P<op>>=|>|<=|<) (?P<number>-?\d+)")
_COMPARED = re.compile(r"(?:\$\s*)?(?P<op>>=|<=|==|!=|>|<|in\b)\s*(?P<rest>.*)", re.DOTALL)


def column(field: str) -> str:
    """The expression that a column of the table compares."""
    return _COLUMNS.get(field) or f"deal[{literal(field)}]"


def field_of(expression: str) -> str:
    """The field whose column that is. Raises ValueError, in Chinese."""
    for field, own in _COLUMNS.items():
        if own == expression:
            return field
    if expression.startswith("deal[") and expression.endswith("]"):
        name = value_of(expression.removeprefix("deal[").removesuffix("]"))
        if isinstance(name, str) and name not in _COLUMNS:
            return name
    raise ValueError(f"看不懂这一列「{expression[:40]}」")


def literal(value: Scalar) -> str:
    """ZEN knows no escapes: a text with both kinds of quotes is put together."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if '"' not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    parts = re.findall(r'[^"]+|"+', value)
    return " + ".join(f"'{part}'" if part[0] == '"' else f'"{part}"' for part in parts)


def value_of(text: str) -> Scalar:
    """A cell that is one value -> that value. Raises ValueError, in Chinese."""
    value, end = _read_value(text, 0)
    if end != len(text):
        raise ValueError(f"多余的「{text[end : end + 20]}」")
    return value


def unfit(condition: Condition) -> str:
    """Why no cell can say it; "" if one can."""
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if condition.op in ORDERED and isinstance(condition.value, str):
        return f"「{condition.field}」是文字比大小，决策引擎比不了"
    if any(isinstance(one, int) and abs(one) > LARGEST for one in values):
        return f"「{condition.field}」比较的数字太大"
    return ""


def cell(condition: Condition) -> str:
    """The condition as a cell under its column. It must not be `unfit`."""
    op, value = condition.op, condition.value
    if condition.field in (CONTRACT, PAID):
        return f"{op} {_listed(value)}"
    if condition.field == PAID_RATIO:
        if op in ORDERED:
            return f'type($) == "number" and $ {op} {_listed(value)}'
        return f"$ {op} {_listed(value)}" + (" and $ != null" if op == "!=" else "")
    plain = f"$ {op} {_listed(value)}"
    if op in ORDERED:
        plain = f'type($) == "number" and {plain}'
    return plain + _flags(op, value)


def condition_of(field: str, text: str) -> Condition:
    """What a cell says: one that `cell` wrote, or a plain one (`>= 5`, `"new"`, `in ["a"]`). Raises
    ValueError, in Chinese."""
    text = text.strip()
    guarded = _GUARDED.match(text)
    if guarded is not None:
        return _same(Condition(field, guarded["op"], int(guarded["number"])), text)
    compared = _COMPARED.match(text)
    op, rest = (compared["op"], compared["rest"]) if compared else ("==", text)
    value: Scalar | tuple[Scalar, ...]
    value, end = _read_list(rest) if op == "in" else _read_value(rest, 0)
    found = Condition(field, op, value)
    if op not in OPS:
        raise ValueError(f"没有这个比较符「{op}」")
    if end != len(rest):
        return _same(found, text)
    if op in ORDERED and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"「{op}」应与整数比较")
    return found


def _same(found: Condition, text: str) -> Condition:
    """Anything beyond a plain comparison must be exactly what we would have written."""
    if unfit(found) or cell(found) != text:
        raise ValueError(f"看不懂「{text[:40]}」")
    return found


def _listed(value: Scalar | tuple[Scalar, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(literal(each) for each in value)}]"
    return literal(value)


def _flags(op: str, value: Scalar | tuple[Scalar, ...]) -> str:
    """What a flag among the facts, or among the values, adds: it counts as 1 or 0."""
    values = value if isinstance(value, tuple) else (value,)
    numbers = [each for each in values if isinstance(each, int)]
    joined = ""
    for flag in (True, False):
        if op in ORDERED:
            if numbers and COMPARE[op](int(flag), numbers[0]):
                joined += f" or $ == {literal(flag)}"
        elif int(flag) in numbers:
            for twin in (flag, int(flag)):
                joined += (
                    f" and $ != {literal(twin)}" if op == "!=" else f" or $ == {literal(twin)}"
                )
    return joined


def _read_value(text: str, at: int) -> tuple[Scalar, int]:
    match = _LITERAL.match(text, at)
    if match is None:
        raise ValueError(f"看不懂「{text[at : at + 40]}」")
    if match["number"]:
        return int(match["number"]), match.end()
    if match["word"]:
        return _WORDS[match["word"]], match.end()
    value, end = match["text"][1:-1], match.end()
    while (joint := _BETWEEN.match(text, end)) is not None:
        more = _LITERAL.match(text, joint.end())
        if more is None or not more["text"]:
            break
        value, end = value + more["text"][1:-1], more.end()
    return value, end


def _read_list(text: str) -> tuple[tuple[Scalar, ...], int]:
    if not text.startswith("["):
        raise ValueError('in 后面应是列表，如 ["new", "upsell"]')
    values: list[Scalar] = []
    at = 1
    while True:
        value, at = _read_value(text, at)
        values.append(value)
        if text[at : at + 1] == "]":
            return tuple(values), at + 1
        if text[at : at + 1] != ",":
            raise ValueError(f"列表没有写完「{text[:40]}」")
        at += 1 + len(text[at + 1 :]) - len(text[at + 1 :].lstrip(" "))
