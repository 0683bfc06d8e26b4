"""What the canvas sends, broken in every place: refused in words, and nothing breaks."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.handlers.payouts.payout_company import FLAT
from tests.pages.rule_world import WHOLE, RuleWorld, world

__all__ = ["world"]

GARBAGE: list[Any] = [
    None, True, 0, -1, 10**30, 1.5, "", "\0", "规则", "9" * 300, [], {}, [None], {"a": 1},
    {"type": "functionNode"}, [[[]]], "2026-13-01", "20260101", "$ == $", "<script>", "in", "cap",
]  # fmt: skip


async def test_garbage_is_refused_in_words_and_nothing_breaks(world: RuleWorld) -> None:
    """Every value of a request, and of a graph, is replaced by something else in turn."""
    number = await world.draft(FLAT)
    rule = {
        **WHOLE,
        "when": [{"field": "kind", "op": "in", "value": ["new", 1]}],
        "collab": {"when": "kind==upsell", "share_bp": 1, "to": "lead_provider"},
        "penalty": {"per_complaint_fen": 1},
        "stack": "exclusive",
        "group": "组",
        "priority": 1,
    }
    body = {
        "rules": [rule],
        "revision": 99,
        "layout": {"a": [1, 2]},
        "trial": {"contract_fen": 1, "paid_fen": 1, "fields": {"kind": "new"}},
    }
    status, text = await world.get("he", f"/rules/{number}/graph.json")
    graph = json.loads(text)
    dice = random.Random(7)
    for path, whole in (("check", body), ("save", body), ("graph", graph)):
        for place in _places(whole):
            broken = _with(whole, place, dice.choice(GARBAGE))
            status, told = await world.call("he", f"/rules/{number}/{path}", broken)
            assert status in (200, 400, 409, 422), (path, place, broken)
            assert told
    raw = [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"rules": [' + b"[" * 900 + b"]" * 900 + b"]}",
        b"1" * 300_000,
        b"null",
    ]
    for data in raw:
        for path in ("check", "save", "graph"):
            status, told = await world.call("he", f"/rules/{number}/{path}", data)
            assert status in (400, 409, 422) or told["problems"], (path, data[:40])
            assert told.get("words") or told["problems"]
    change = await world.stored(number)
    assert (change.revision, list(change.rules)) == (0, [FLAT])


def _places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [before, *(place for key, one in inner for place in _places(one, (*before, key)))]


def _with(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _with(value[place[0]], place[1:], new)
    return copy
