"""Who did what for a contract: roles and shares as computed with, and what stands in the stream
before it was signed. As data for a pack, and as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import pylopdf_fonts_zh_cn
from PIL import Image, ImageDraw, ImageFont

from bot.domain.payouts.recipients import without_numbers
from handlers.texts import packs as texts

MOST_DEALS, MOST_PEOPLE = 4, 6
Work = Mapping[str, Mapping[str, Mapping[str, int]]]
"""contract -> person -> kind of action -> how often."""

_FINE = 2
"""Drawn so many times as large, so that slanting lines are smooth."""
_WIDTH, _ROW, _TOP, _GAP = 1080, 88, 36, 30
_LEFT, _BOX, _BEND, _RIGHT = 40, 220, 640, 800
_INK, _GREY, _LINE, _PAPER = "#1a1e27", "#566070", "#5b6be0", "#ffffff"
_DEAL, _PERSON, _FAINT = "#e9ecfd", "#f4f5f8", "#c3cbf7"


def document(facts: Mapping[str, Any], work: Work) -> list[dict[str, Any]]:
    """Of each deal: its people with roles and what they did, the busiest first."""
    return [
        {"deal": deal["id"], "people": _people(deal, work.get(str(deal["id"]), {}))}
        for deal in facts["deals"]
    ]


def _people(deal: Mapping[str, Any], did: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    roles: dict[str, list[str]] = {}
    for field, words in texts.ROLES.items():
        if deal.get(field):
            roles.setdefault(str(deal[field]), []).append(words)
    for one in deal.get("split") or ():
        if one.get("person"):
            roles.setdefault(str(one["person"]), []).append(texts.share(one["weight"]))
    people = dict.fromkeys([*roles, *did])
    order = sorted(people, key=lambda person: (-sum(did.get(person, {}).values()), person))
    return [
        {"person": one, "roles": roles.get(one, []), "did": dict(did.get(one, {}))} for one in order
    ]


def draw(found: Sequence[Mapping[str, Any]]) -> bytes:
    """A PNG: people on the left, contracts on the right, a line as thick as there was work."""
    shown = [{**one, "people": one["people"][:MOST_PEOPLE]} for one in found[:MOST_DEALS]]
    rows = sum(max(1, len(one["people"])) for one in shown)
    height = 2 * _TOP + rows * _ROW + _GAP * max(0, len(shown) - 1)
    picture = Image.new("RGB", (_WIDTH * _FINE, height * _FINE), _PAPER)
    pen = _Pen(ImageDraw.Draw(picture))
    y = _TOP
    for one in shown:
        y = _draw_deal(pen, one, y) + _GAP
    out = io.BytesIO()
    picture.reduce(_FINE).save(out, "PNG")
    return out.getvalue()


class _Pen:
    """Measures in pixels of the finished picture."""

    def __init__(self, pen: ImageDraw.ImageDraw) -> None:
        self._pen = pen

    def way(self, points: Sequence[tuple[int, int]], color: str, width: int) -> None:
        fine = [(x * _FINE, y * _FINE) for x, y in points]
        self._pen.line(fine, fill=color, width=width * _FINE, joint="curve")

    def box(self, left: int, top: int, right: int, bottom: int, *, fill: str) -> None:
        corners = (left * _FINE, top * _FINE, right * _FINE, bottom * _FINE)
        self._pen.rounded_rectangle(corners, 12 * _FINE, fill=fill, outline=_FAINT, width=_FINE)

    def text(
        self, x: int, y: int, words: str, *, size: int, color: str = _INK, anchor: str = "lm"
    ) -> None:
        font = _font(size * _FINE)
        self._pen.text((x * _FINE, y * _FINE), words, font=font, fill=color, anchor=anchor)


def _draw_deal(pen: _Pen, one: Mapping[str, Any], y: int) -> int:
    """Gives where it ends."""
    people = one["people"]
    end = y + _ROW * max(1, len(people))
    middle = (y + end) // 2
    most = max((sum(person["did"].values()) for person in people), default=0) or 1
    for n, person in enumerate(people):
        count = sum(person["did"].values())
        at = y + n * _ROW + _ROW // 2
        width = 2 + 7 * count // most if count else 1
        way = [(_LEFT + _BOX, at), (_BEND, at), (_RIGHT, middle)]
        pen.way(way, _LINE if count else _FAINT, width)
        _draw_person(pen, person, at)
    pen.box(_RIGHT, middle - 34, _WIDTH - _LEFT, middle + 34, fill=_DEAL)
    center = (_RIGHT + _WIDTH - _LEFT) // 2
    pen.text(center, middle, _short(str(one["deal"]), 16), size=22, anchor="mm")
    return end


def _draw_person(pen: _Pen, person: Mapping[str, Any], at: int) -> None:
    pen.box(_LEFT, at - 32, _LEFT + _BOX, at + 32, fill=_PERSON)
    pen.text(_LEFT + 16, at - 13, _short(without_numbers(str(person["person"])), 8), size=22)
    roles = _short("、".join(person["roles"]), 13)
    pen.text(_LEFT + 16, at + 15, roles, size=15, color=_GREY)
    did = "、".join(f"{what} {times}" for what, times in ranked(person["did"]))
    words = _short(did or texts.NOTHING_DONE, 24)
    pen.text(_LEFT + _BOX + 18, at - 18, words, size=16, color=_GREY)


def ranked(did: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent first, whatever order a file has them in."""
    return sorted(did.items(), key=lambda one: (-one[1], one[0]))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        pylopdf_fonts_zh_cn.sans_path(), size, layout_engine=ImageFont.Layout.BASIC
    )
