"""An evidence pack for people's eyes: one page, as HTML and, the same blocks again, as a PDF.

The page says nothing of its own: every sentence stands in a JSON part of the pack, so that whoever
checks the pack can have the page written anew and compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.domain.payouts.money import yuan
from bot.domain.payouts.recipients import without_numbers
from handlers.payouts.collaboration import ranked
from handlers.texts import disputes as dispute_texts
from handlers.texts import packs as texts
from handlers.texts.payouts import KINDS

PAGE, PAPER, PICTURE = "readable.html", "readable.pdf", "collaboration.png"
MOST_LINES = 400


class Look(StrEnum):
    """What a block is."""

    TITLE = "title"
    HEADING = "heading"
    LINE = "line"
    ITEM = "item"
    SMALL = "small"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a readable statement. right: what stands at the end of its line, such as an
    amount."""

    look: Look
    text: str
    right: str = ""


def blocks(parts: Mapping[str, Any], *, person: str, previous: str) -> list[Block]:
    """parts: the JSON parts of a pack by name. Raises KeyError, TypeError, ValueError,
    AttributeError for parts that are no pack's."""
    result, facts = parts["result.json"], parts["facts.json"]
    name = without_numbers(person)
    found = [
        Block(Look.TITLE, texts.title(name)),
        Block(Look.LINE, texts.TOTAL, yuan(result["total_fen"])),
        Block(Look.SMALL, texts.previous(previous)),
    ]
    found += _section(texts.LINES, _lines(result))
    found += _section(texts.OPEN, [_item(one["why"]) for one in result["needs_review"]])
    found += _section(texts.RULES, [_item(words) for words in _words(parts["words.json"])])
    found += _section(texts.FACTS, _facts(facts))
    found += _section(texts.WORK, _work(parts["collaboration.json"]))
    found += _section(texts.PAPERS, _papers(parts["papers.json"]))
    found += _section(texts.STEPS, _steps(parts["steps.json"]))
    attached = [
        _item(f"{one['name']}（{one['sha256'][:12]}…）") for one in parts["attachments.json"]
    ]
    found += _section(texts.ATTACHED, attached)
    return [*found, Block(Look.SMALL, texts.HOW_TO_VERIFY)]


def to_html(found: Sequence[Block], *, title: str) -> bytes:
    return _TEMPLATE.render(title=title, blocks=found, picture=PICTURE).encode()


def _section(heading: str, body: list[Block]) -> list[Block]:
    if not body:
        return []
    if len(body) > MOST_LINES:
        more = len(body) - MOST_LINES
        body = [*body[:MOST_LINES], Block(Look.SMALL, texts.more(more))]
    return [Block(Look.HEADING, heading), *body]


def _item(text: str) -> Block:
    return Block(Look.ITEM, without_numbers(text))


def _signed(fen: int) -> str:
    """As in every pack so far: a page is compared letter by letter."""
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)


def _lines(result: Mapping[str, Any]) -> list[Block]:
    found = []
    for one in result["lines"]:
        what = f"{one['deal'] or ''} {KINDS.get(one['kind'], one['kind'])}".strip()
        found.append(Block(Look.LINE, what, _signed(one["fen"])))
        found.append(Block(Look.SMALL, without_numbers(one["why"])))
    return found


def _words(document: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one["words"]) for one in document]


def _facts(facts: Mapping[str, Any]) -> list[Block]:
    found = []
    for deal in facts["deals"]:
        words = dispute_texts.contract_fact(
            str(deal["id"]),
            deal["contract_fen"],
            str(deal["signed_at"])[:10],
            str(deal.get("customer") or ""),
        )
        found.append(Block(Look.LINE, words))
        for event in facts["events"]:
            if event["type"] in ("payment", "refund") and event["deal"] == deal["id"]:
                fen = event["fen"] if event["type"] == "payment" else -event["fen"]
                receipt = str(event.get("receipt") or texts.UNNAMED)
                told = dispute_texts.receipt_fact(str(event["at"])[:10], fen, receipt)
                found.append(_item(told))
            elif event["type"] == "complaint" and event["deal"] == deal["id"]:
                found.append(_item(texts.complaint(str(event["at"])[:10])))
    return found


def _work(document: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The picture, and the same in words for who cannot see it."""
    found = [Block(Look.PICTURE, texts.PICTURE)] if document else []
    for one in document:
        for person in one["people"]:
            did = "、".join(f"{what} {count}次" for what, count in ranked(person["did"]))
            roles = "、".join(person["roles"])
            told = "，".join(part for part in (roles, did) if part)
            found.append(_item(f"{one['deal']} {person['person']}：{told}"))
    return found


def _papers(document: Sequence[Mapping[str, Any]]) -> list[Block]:
    found = []
    for one in document:
        found.append(Block(Look.LINE, texts.paper(str(one["deal"]), str(one["name"]))))
        found += [_item(f"{label}：{value}") for label, value in one["fields"]]
        found.append(Block(Look.SMALL, texts.machine_read(int(one["lowest_bp"]))))
    return found


def _steps(document: Sequence[Mapping[str, Any]]) -> list[Block]:
    found = []
    for one in document:
        conditions = [str(condition) for condition in one["conditions"]]
        if conditions:
            found.append(_item(f"{one['deal']}「{one['rule_id']}」{'；'.join(conditions)}"))
    return found


_TEMPLATE = Environment(
    loader=PackageLoader("handlers.payouts", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("readable.html")
