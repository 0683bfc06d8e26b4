"""`collab.when`: an expression over the deal, such as
`kind==upsell and closer!=original_seller`.

Comparisons (>= > <= < == != in) joined by and, or, not and parentheses. On the left of a
comparison stands a field; on the right a number, a text, a list for `in`, or a field if the
deal has one of that name. There is no arithmetic, so nothing can be divided by zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bot.domain.payouts.conditions import compared
from bot.domain.payouts.facts import Deal, Scalar

MAX_LENGTH = 1_000
MAX_DEPTH = 20

DEAL_FIELDS = frozenset(
    ("id", "kind", "contract_fen", "signed_at", "closer", "original_seller", "lead_provider")
)
"""Fields that a deal may have by the schema, whether or not one has them."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>>=|<=|==|!=|>|<)|(?P<mark>[()\[\],])|(?P<text>'[^']*'|"[^"]*")"""
    r"""|(?P<number>-?\d+(?![\w.]))|(?P<word>[^\W\d][\w.-]*))"""
)

Holds = Callable[[Deal], bool]
Decide = Callable[[Deal], bool | None]


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word: a field if the deal has it, else a text."""

    name: str

    def value(self, deal: Deal) -> Scalar:
        if self.name in deal.fields or self.name in DEAL_FIELDS:
            return deal.fields.get(self.name)
        return self.name


Operand = Word | str | int | tuple[Word | str | int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field of the deal held against a value."""

    field: str
    op: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts of an expression joined by a word. op: and, or, not (of one part)."""

    op: str
    parts: tuple[Node, ...]


Node = Comparison | Junction
Comparer = Callable[[Comparison, Deal], bool | None]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. names: the schema fields it asks for. holds: decides it for a deal;
    a missing field differs from every value. certain: whether the answer is the same whatever
    the missing fields may be."""

    text: str
    tree: Node
    names: tuple[str, ...]
    holds: Holds = field(compare=False, repr=False)
    certain: Holds = field(compare=False, repr=False)

    def fields(self) -> frozenset[str]:
        """The names on the left of comparisons."""
        return frozenset(_fields(self.tree))

    def missing(self, deal: Deal) -> list[str]:
        """The schema fields that it names and the deal has not."""
        return [name for name in self.names if deal.fields.get(name) is None]


def parse(text: str) -> Expression:
    """Raises ValueError with what is wrong, in Chinese."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"表达式超过 {MAX_LENGTH} 个字符")
    parser = _Parser(text)
    tree = parser.either(0)
    if parser.peek() is not None:
        raise ValueError(f"多余的「{parser.peek()}」")
    decide = _compiled(tree, _naive)
    kleene = _compiled(tree, _knowing)
    return Expression(
        text,
        tree,
        tuple(dict.fromkeys(name for name in _names(tree) if name in DEAL_FIELDS)),
        holds=lambda deal: decide(deal) is True,
        certain=lambda deal: kleene(deal) is not None,
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def either(self, depth: int) -> Node:
        parts = [self._both(depth)]
        while self._skip("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _both(self, depth: int) -> Node:
        parts = [self._single(depth)]
        while self._skip("and"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _single(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ValueError("括号嵌套太深")
        if self._skip("not"):
            return Junction("not", (self._single(depth + 1),))
        if self._skip("("):
            inside = self.either(depth + 1)
            self._require(")")
            return inside
        return self._comparison()

    def _comparison(self) -> Comparison:
        kind, name = self._next("字段名")
        if kind != "word":
            raise ValueError(f"比较的左边应是字段名，不是「{name}」")
        kind, op = self._next("比较符")
        if kind != "op" and op != "in":
            raise ValueError(f"「{name}」后面应是比较符，不是「{op}」")
        return Comparison(name, op, self._list() if op == "in" else self._operand())

    def _list(self) -> tuple[Word | str | int, ...]:
        closing = {"(": ")", "[": "]"}.get(self._next("列表")[1])
        if closing is None:
            raise ValueError("in 后面应是列表，如 (new, upsell)")
        found = [self._operand()]
        while self._skip(","):
            found.append(self._operand())
        self._require(closing)
        return tuple(found)

    def _operand(self) -> Word | str | int:
        kind, token = self._next("比较的值")
        if kind == "number":
            return int(token)
        if kind == "text":
            return token[1:-1]
        if kind == "word" and token not in ("and", "or", "not", "in"):
            return Word(token)
        raise ValueError(f"比较的右边应是值或字段名，不是「{token}」")

    def _next(self, wanted: str) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ValueError(f"结尾缺少{wanted}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, token: str) -> bool:
        if self.peek() == token and self._tokens[self._at][0] != "text":
            self._at += 1
            return True
        return False

    def _require(self, token: str) -> None:
        if not self._skip(token):
            raise ValueError(f"缺少「{token}」")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            if rest[0] in "+*/%":
                raise ValueError(f"不能做运算「{rest[0]}」，只能比较")
            raise ValueError(f"看不懂「{rest[:10]}」")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


def _compiled(node: Node, compare: Comparer) -> Decide:
    """Three-valued: None is unknown."""
    if isinstance(node, Comparison):
        return partial(compare, node)
    tests = [_compiled(part, compare) for part in node.parts]
    if node.op == "not":
        return lambda deal: _opposite(tests[0](deal))
    settling = node.op == "or"  # one part with this answer settles the whole

    def junction(deal: Deal) -> bool | None:
        answers = [test(deal) for test in tests]
        if settling in answers:
            return settling
        return None if None in answers else not settling

    return junction


def _opposite(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _naive(node: Comparison, deal: Deal) -> bool | None:
    left = deal.fields.get(node.field)
    if isinstance(node.right, tuple):
        return left in [_value(each, deal) for each in node.right]
    return compared(left, node.op, _value(node.right, deal))


def _knowing(node: Comparison, deal: Deal) -> bool | None:
    rights = node.right if isinstance(node.right, tuple) else (node.right,)
    sides = [deal.fields.get(node.field), *(_value(each, deal) for each in rights)]
    return None if None in sides else _naive(node, deal)


def _value(operand: Word | str | int, deal: Deal) -> Scalar:
    return operand.value(deal) if isinstance(operand, Word) else operand


def _fields(node: Node) -> list[str]:
    if isinstance(node, Comparison):
        return [node.field]
    return [name for part in node.parts for name in _fields(part)]


def _names(node: Node) -> list[str]:
    if isinstance(node, Junction):
        return [name for part in node.parts for name in _names(part)]
    right = node.right if isinstance(node.right, tuple) else (node.right,)
    return [node.field, *(each.name for each in right if isinstance(each, Word))]
