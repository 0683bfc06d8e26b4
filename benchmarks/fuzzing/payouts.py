"""Bonus rules, the canvas's calls, graphs, facts, and packs of evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from benchmarks.fuzzing.mutating import JSON
from benchmarks.fuzzing.target import AT, FIXTURES, ROOT, Target, files, text, told
from bot.domain.payouts import expressions, graphs
from bot.domain.payouts.checking import check_rules
from bot.domain.payouts.problems import UnusableInput
from bot.domain.payouts.reading_rules import read_rules
from bot.domain.payouts.rules import Rule
from bot.errors import BotError
from handlers.pages.rules import editing
from handlers.payouts import archives, documents, exact_json, packs, rule_engine, rule_import
from handlers.payouts.verifying import verify

RULE_FILE = ROOT / "handlers" / "demo_payout_rules.json"
PACK = FIXTURES / "payouts" / "pack_of_format_1.zip"
TRIAL = {"contract_fen": 60_000_000, "paid_fen": 60_000_000, "fields": {"kind": "new"}}
LAYOUT = {"when:大单奖": [10, 20], "more:大单奖": [30, 40]}
EXPRESSIONS = (
    "amount >= 100000 and level in ['L1', \"L2\"]",
    "(paid == 'x' or not (a < 1.5))",
    "kind==upsell and closer!=original_seller",
)


def rules(data: bytes) -> None:
    """A file of new rules, as far as it is checked without a database."""
    listed = exact_json.parse(data, "规则")
    _checked(listed.get("rules", [listed]) if isinstance(listed, dict) else listed)


def rules_by_engine(data: bytes) -> None:
    """And judged by the second engine."""
    told_rules = exact_json.parse(data, "规则")
    rule_engine.disagreements(told_rules, _checked(told_rules))


def _checked(told_rules: object) -> tuple[Rule, ...]:
    rule_import._refuse_unkeepable(told_rules)
    read = read_rules(told_rules)
    check_rules(read)
    for rule in told_rules if isinstance(told_rules, list) else ():
        rule_import.as_kept(rule)
    rule_import.surprises(read)
    return read


def canvas(data: bytes) -> None:
    """What its script sends: kept, and tried on one contract."""
    body = editing.read_body(data)
    _checked(body["rules"])
    if body["trial"] is not None:
        editing._try([], body["rules"], body["trial"], AT)


def graph(data: bytes) -> None:
    told_graph = exact_json.parse(data, "图")
    _checked(graphs.from_graph(told_graph))


def graph_by_engine(data: bytes) -> None:
    told_graph = exact_json.parse(data, "图")
    graphs.from_graph(told_graph)
    rule_engine.Engine(told_graph)


def facts(data: bytes) -> None:
    documents.to_facts(exact_json.parse(data, "单据"))


def pack_of_parts(data: bytes) -> None:
    """A pack whose hashes hold, whatever is in its documents: one of them is `data`."""
    for name in ("rules.json", "facts.json", "words.json", "attachments.json", "steps.json"):
        parts = {**_parts(), name: _canonical(data)}
        about = json.loads(_parts()[packs.MANIFEST])
        ordered = [(each, parts[each]) for each in packs.PARTS_OF[about["format_version"]]]
        manifest = packs.manifest_of(
            ordered,
            person=about["person"],
            previous=about["previous"],
            wording=about["wording"],
            version=about["format_version"],
        )
        verify(packs._zipped([(packs.MANIFEST, exact_json.canonical(manifest)), *ordered]))


def _canonical(data: bytes) -> bytes:
    try:
        return exact_json.canonical(json.loads(data))
    except (ValueError, RecursionError):
        return data


@cache
def _parts() -> dict[str, bytes]:
    return archives.read_parts(PACK.read_bytes())


def _rules() -> list[bytes]:
    return [RULE_FILE.read_bytes()]


def _canvas() -> list[bytes]:
    body = {"rules": json.loads(RULE_FILE.read_text("utf-8")), "revision": 1}
    return [json.dumps({**body, "layout": LAYOUT, "trial": TRIAL}).encode()]


def _graph() -> list[bytes]:
    return [json.dumps(graphs.to_graph(json.loads(RULE_FILE.read_text("utf-8")))).encode()]


def _documents() -> list[bytes]:
    return [_parts()[name] for name in ("rules.json", "facts.json", "words.json", "steps.json")]


_UNUSABLE = (BotError, UnusableInput)

TARGETS: Mapping[str, Target] = {
    "rules": Target(rules, _rules, _UNUSABLE, form=JSON, share=30),
    "rules-engine": Target(rules_by_engine, _rules, _UNUSABLE, form=JSON, share=10),
    "canvas": Target(canvas, _canvas, _UNUSABLE, form=JSON, share=10),
    "graph": Target(graph, _graph, _UNUSABLE, form=JSON, share=10),
    "graph-engine": Target(graph_by_engine, _graph, _UNUSABLE, form=JSON, share=10),
    "facts": Target(facts, lambda: [_parts()["facts.json"]], form=JSON, share=30),
    "expression": Target(
        lambda raw: expressions.parse(text(raw)), told(*EXPRESSIONS), (ValueError,)
    ),
    "pack": Target(verify, files("payouts/*.zip"), ()),
    "pack-parts": Target(pack_of_parts, _documents, (), form=JSON, share=4),
}
