"""The readable page on A4 sheets, as a PDF.

The sheets are drawn and put into the file as pictures. To embed the letters instead, a font of ten
megabytes would have to be cut down for each pack, which takes matplotlib and fpdf2 (both by
fontTools) seconds; who wants to search or copy has the HTML beside it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

import pylopdf_fonts_zh_cn
from PIL import Image, ImageDraw, ImageFont

from handlers.payouts.readable import Block, Look
from handlers.texts import packs as texts

MOST_PAGES = 8
"""What goes beyond stands in the HTML; drawing a sheet takes some 30 ms."""

_DPI = 130
_WIDTH, _HEIGHT, _MARGIN = 1075, 1520, 96
_SIZES = {Look.TITLE: 36, Look.HEADING: 25, Look.LINE: 20, Look.ITEM: 19, Look.SMALL: 17}
_ABOVE = {Look.TITLE: 0, Look.HEADING: 26, Look.LINE: 10, Look.ITEM: 4, Look.SMALL: 2}
_INK, _GREY, _RULE, _SHEET = 26, 96, 210, 255  # of grey
_SPACING = 1.5
_NO_TIME = time.struct_time((1980, 1, 1, 0, 0, 0, 1, 1, 0))  # the same pack is the same bytes


def to_pdf(blocks: Sequence[Block], picture: bytes, *, title: str) -> bytes:
    """picture: a PNG for the block that asks for it."""
    pages = list(islice(_pages(blocks, picture), MOST_PAGES + 1))
    if len(pages) > MOST_PAGES:
        pages.pop()
        last = (_WIDTH // 2, _HEIGHT - _MARGIN // 2)
        pen = ImageDraw.Draw(pages[-1])
        pen.text(last, texts.REST_ON_PAGE, font=_font(17), fill=_GREY, anchor="mm")
    out = io.BytesIO()
    pages[0].save(
        out, "PDF", save_all=True, append_images=pages[1:], resolution=_DPI, quality=82,
        title=title, creationDate=_NO_TIME, modDate=_NO_TIME,
    )  # fmt: skip
    return out.getvalue()


def _pages(blocks: Sequence[Block], picture: bytes) -> Iterator[Image.Image]:
    page, y = _blank(), _MARGIN
    for block in blocks:
        lines = _wrapped(block)
        height = _picture_of(picture).height + 20 if block.look is Look.PICTURE else (
            _ABOVE[block.look] + len(lines) * _step(block.look)
        )  # fmt: skip
        keep = height + (60 if block.look is Look.HEADING else 0)
        if y + keep > _HEIGHT - _MARGIN and y > _MARGIN:
            yield page
            page, y = _blank(), _MARGIN
        _draw(page, block, lines, y, picture)
        y += height
    yield page


def _draw(page: Image.Image, block: Block, lines: Sequence[str], y: int, picture: bytes) -> None:
    if block.look is Look.PICTURE:
        page.paste(_picture_of(picture), (_MARGIN, y + 10))
        return
    pen = ImageDraw.Draw(page)
    font, color = _font(_SIZES[block.look]), _GREY if block.look is Look.SMALL else _INK
    x = _MARGIN + (22 if block.look is Look.ITEM else 0)
    top = y + _ABOVE[block.look]
    for n, line in enumerate(lines):
        pen.text((x, top + n * _step(block.look)), line, font=font, fill=color)
    if block.right:
        pen.text((_WIDTH - _MARGIN, top), block.right, font=font, fill=color, anchor="ra")
    if block.look is Look.HEADING:
        under = top + _step(block.look) - 2
        pen.line([(_MARGIN, under), (_WIDTH - _MARGIN, under)], fill=_RULE, width=1)


def _wrapped(block: Block) -> list[str]:
    if block.look is Look.PICTURE:
        return []
    room = _WIDTH - 2 * _MARGIN - (22 if block.look is Look.ITEM else 0)
    font = _font(_SIZES[block.look])
    if block.right:
        room -= int(font.getlength(block.right)) + 24
    lines, line, used = [], "", 0.0
    for letter in block.text:
        wide = _width(letter, _SIZES[block.look])
        if used + wide > room:
            lines.append(line)
            line, used = "", 0.0
        line += letter
        used += wide
    return [*lines, line]


def _step(look: Look) -> int:
    return int(_SIZES[look] * _SPACING)


def _blank() -> Image.Image:
    return Image.new("L", (_WIDTH, _HEIGHT), _SHEET)


@lru_cache(maxsize=4)
def _picture_of(picture: bytes) -> Image.Image:
    """As wide as a sheet's text, never higher than half of it."""
    drawn = Image.open(io.BytesIO(picture)).convert("L")
    drawn.thumbnail((_WIDTH - 2 * _MARGIN, _HEIGHT // 2), Image.Resampling.LANCZOS)
    return drawn


@lru_cache(maxsize=20_000)
def _width(letter: str, size: int) -> float:
    return _font(size).getlength(letter)


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        pylopdf_fonts_zh_cn.sans_path(), size, layout_engine=ImageFont.Layout.BASIC
    )
