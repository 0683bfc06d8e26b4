"""The evidence pack of one person's payout: one zip that can be checked without the database.

Parts, in the order of the chain: rules, the rules in words, the facts that matter to the
person, the calculation steps, the result, who did what, what a machine read on contracts, the
list of attachments, all of it for people's eyes, the attachments by content hash. `manifest.json`
names each with its SHA-256 and the chain over them; its `head` stands for the whole pack and is
the `previous` of the next one. docs/payouts.md describes the format.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.payouts.computing import compute, group_cases
from bot.domain.payouts.facts import Facts
from bot.domain.payouts.lines import Result
from bot.domain.payouts.rules import Rule
from bot.domain.payouts.screening import screen
from bot.domain.payouts.steps import steps
from bot.domain.payouts.versions import RuleBook
from bot.domain.payouts.words import WORDING
from bot.errors import NotFound
from handlers.payouts import as_json, collaboration, documents, readable
from handlers.payouts.exact_json import canonical
from handlers.payouts.readable_pdf import to_pdf

FORMAT = "gendan-payout-pack"
FORMAT_VERSION = 2
MANIFEST = "manifest.json"
JSON_PARTS = (
    "rules.json", "words.json", "facts.json", "steps.json", "result.json", "collaboration.json",
    "papers.json", "attachments.json",
)  # fmt: skip
READABLE = (readable.PAGE, readable.PAPER, readable.PICTURE)
PARTS_OF = {
    1: tuple(one for one in JSON_PARTS if one not in ("collaboration.json", "papers.json")),
    2: (*JSON_PARTS, *READABLE),
}
"""Of each version of the format, in the order of the chain; attachments follow."""
FOLDER = "attachments/"
FIRST = "0" * 64
"""`previous` of the first pack of a chain."""

_THEIR_OWN = ("clawback_due", "payroll")
_EVERYBODYS = ("payout_run", "quarter_close")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same pack is always the same bytes


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that supports the payout, such as a page of the contract."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Pack:
    """An evidence pack as written. head: SHA-256 that stands for all of it, in hex."""

    content: bytes
    head: str


def write_pack(
    rules_document: list[Any],
    facts_document: Mapping[str, Any],
    person: str,
    *,
    attachments: Sequence[Attachment] = (),
    work: collaboration.Work | None = None,
    papers: Sequence[Mapping[str, Any]] = (),
    previous: str = FIRST,
) -> Pack:
    """The pack of one person's payout.

    rules_document, facts_document: JSON of the payout schema. papers: what a machine read on
    contracts ("deal", "name", "sha256", "fields", "lowest_bp"). previous: head of the pack before
    in the chain. Raises InvalidInput, and NotFound when nothing concerns the person.
    """
    rules = documents.to_rules(rules_document)
    facts = documents.to_facts(facts_document)
    documents.check_together(rules, facts)
    kept = narrow(rules, facts, facts_document, person)
    body = recomputed(rules, documents.to_facts(kept), person)
    listed, blobs = _attached(attachments)
    told = {
        "rules.json": rules_document,
        "words.json": body["words"],
        "facts.json": kept,
        "steps.json": body["steps"],
        "result.json": body["result"],
        "collaboration.json": collaboration.document(kept, work or {}),
        "papers.json": [dict(one) for one in papers],
        "attachments.json": listed,
    }
    shown = readable.blocks(told, person=person, previous=previous)
    title, picture = shown[0].text, collaboration.draw(told["collaboration.json"])
    parts = [
        *((name, canonical(told[name])) for name in JSON_PARTS),
        (readable.PAGE, readable.to_html(shown, title=title)),
        (readable.PAPER, to_pdf(shown, picture, title=title)),
        (readable.PICTURE, picture),
        *blobs,
    ]
    manifest = manifest_of(parts, person=person, previous=previous, wording=WORDING)
    return Pack(_zipped([(MANIFEST, canonical(manifest)), *parts]), manifest["head"])


def recomputed(rules: tuple[Rule, ...], facts: Facts, person: str) -> dict[str, Any]:
    """What a pack must say: the person's result, the rules in words, the steps."""
    book = RuleBook(rules)
    return {
        "words": as_json.words_to_json(rules),
        "steps": as_json.steps_to_json(steps(book, facts)),
        "result": _of_person(compute(book, facts), person),
    }


def manifest_of(
    parts: Sequence[tuple[str, bytes]],
    *,
    person: str,
    previous: str,
    wording: int,
    version: int = FORMAT_VERSION,
) -> dict[str, Any]:
    """Each link of the chain is the SHA-256 of the link before, the part's hash and its name;
    the first link is that of the pack's own description."""
    about = {
        "format": FORMAT,
        "format_version": version,
        "person": person,
        "previous": previous,
        "wording": wording,
    }
    link = hashlib.sha256(canonical(about)).hexdigest()
    listed = []
    for name, content in parts:
        sha256 = hashlib.sha256(content).hexdigest()
        link = hashlib.sha256(f"{link} {sha256} {name}".encode()).hexdigest()
        listed.append({"chain": link, "name": name, "sha256": sha256, "size": len(content)})
    return {**about, "head": link, "parts": listed}


def narrow(
    rules: tuple[Rule, ...], facts: Facts, document: Mapping[str, Any], person: str
) -> dict[str, Any]:
    """Of the facts only what the person's amounts depend on: their deals, and those that are
    added up with them. Raises NotFound when there is nothing."""
    deals = _deals_of(rules, facts, person)
    events = [each for each in document.get("events") or () if _concerns(each, deals, person)]
    if not deals and not any(each["type"] in _THEIR_OWN for each in events):
        raise NotFound(f"单据里没有与「{person}」有关的合同或扣款")
    return {
        "deals": [deal for deal in document["deals"] if deal["id"] in deals],
        "events": events,
        "policy": document.get("policy") or {},
    }


def _deals_of(rules: tuple[Rule, ...], facts: Facts, person: str) -> set[str]:
    roles = {rule.collab.to for rule in rules if rule.collab}
    found: set[str] = set()
    for cases in group_cases(screen(facts).cases, rules):
        if any(
            case.deal.closer == person
            or any(share.person == person for share in case.deal.split)
            or any(case.deal.fields.get(role) == person for role in roles)
            or any(opening.person == person for opening in case.openings)
            for case in cases
        ):
            found |= {case.deal.id for case in cases}
    return found


def _concerns(event: Mapping[str, Any], deals: set[str], person: str) -> bool:
    if event["type"] in _EVERYBODYS:
        return True
    if event["type"] in _THEIR_OWN:
        return bool(event["person"] == person)
    return event["deal"] in deals


def _of_person(result: Result, person: str) -> dict[str, Any]:
    body = as_json.result_to_json(result)
    kept: dict[str, Any] = {
        "lines": [line for line in body["lines"] if line["person"] == person],
        "total_fen": body["by_person"].get(person, 0),
        "needs_review": body.get("needs_review", []),
    }
    for name in ("fund_fen", "cash_fen", "carry_fen"):
        if person in body.get(name, {}):
            kept[name] = body[name][person]
    return kept


def _attached(
    attachments: Sequence[Attachment],
) -> tuple[list[dict[str, Any]], list[tuple[str, bytes]]]:
    listed, blobs = [], {}
    for each in attachments:
        sha256 = hashlib.sha256(each.content).hexdigest()
        about = {"media_type": each.media_type, "name": each.name, "sha256": sha256}
        listed.append({**about, "size": len(each.content)})
        blobs[f"{FOLDER}{sha256}"] = each.content
    return listed, sorted(blobs.items())


def _zipped(parts: Sequence[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            entry = zipfile.ZipInfo(name, date_time=_LONG_AGO)
            dense = name.endswith((".pdf", ".png"))
            entry.compress_type = zipfile.ZIP_STORED if dense else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
