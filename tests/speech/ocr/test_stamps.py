"""Red seals are told from red headings, logos, pen strokes and photographs of anything red."""

from __future__ import annotations

import importlib.util
import math
import random

import pytest
from PIL import Image, ImageDraw, ImageFont

from speech.ocr import stamps
from tests.speech.ocr import papers

RED = (200, 30, 40)


def seal(page: Image.Image, x: int, y: int, size: int, *, worn: float = 0.0) -> Image.Image:
    """A round company seal: ring, star, name along the rim. worn: share of the ink that is
    missing."""
    layer = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    pen.ellipse((4, 4, size - 5, size - 5), outline=(*RED, 230), width=max(3, size // 40))
    face = ImageFont.truetype(str(papers.SANS), size // 9)
    for place, char in enumerate("杭州恒锐机电有限公司"):
        turn = math.radians(150 + 26 * place)
        at = (size / 2 + 0.36 * size * math.cos(turn), size / 2 + 0.36 * size * math.sin(turn))
        pen.text(at, char, font=face, fill=(*RED, 230), anchor="mm")
    pen.regular_polygon((size / 2, size / 2, size // 8), 5, fill=(*RED, 230))
    dice, dots = random.Random(size), layer.load()
    assert dots is not None
    for _ in range(int(worn * size * size)):
        dots[dice.randrange(size), dice.randrange(size)] = (0, 0, 0, 0)
    page = page.convert("RGBA")
    page.alpha_composite(layer, (x, y))
    return page.convert("RGB")


def square(page: Image.Image) -> Image.Image:
    """The seal of a person: a frame with two characters."""
    pen = ImageDraw.Draw(page)
    pen.rectangle((820, 500, 960, 640), outline=RED, width=7)
    face = ImageFont.truetype(str(papers.SERIF), 56)
    pen.text((835, 530), "建国", font=face, fill=RED)
    return page


def heading(page: Image.Image) -> Image.Image:
    pen = ImageDraw.Draw(page)
    pen.text((160, 20), "杭州恒锐机电有限公司文件", fill=RED,
             font=ImageFont.truetype(str(papers.SERIF), 70))  # fmt: skip
    pen.line((100, 120, 1140, 120), fill=RED, width=5)
    return page


def logo(page: Image.Image) -> Image.Image:
    ImageDraw.Draw(page).ellipse((100, 20, 240, 160), fill=RED)
    return page


def pen_strokes(page: Image.Image) -> Image.Image:
    pen = ImageDraw.Draw(page)
    pen.line((300, 300, 520, 420), fill=RED, width=6)
    pen.line((300, 420, 520, 300), fill=RED, width=6)
    return page


@pytest.mark.parametrize(
    ("page", "seals"),
    [
        (papers.picture(), 0),
        (seal(papers.picture(), 700, 520, 230), 1),
        (seal(papers.picture(), 700, 520, 230, worn=0.5), 1),
        (seal(seal(papers.picture(), 200, 520, 220), 760, 520, 240), 2),
        (seal(papers.picture(), 700, 520, 230).rotate(3, fillcolor="white"), 1),
        (square(papers.picture()), 1),
        (heading(papers.picture()), 0),
        (logo(papers.picture()), 0),
        (pen_strokes(papers.picture()), 0),
        (seal(heading(papers.picture()), 700, 520, 230), 1),
        (papers.scan(), 1),
        (Image.new("RGB", (900, 900), RED), 0),
        (seal(papers.picture(), 700, 520, 230).convert("L"), 0),  # a copy has no red ink
    ],
)  # fmt: skip
def test_seals_are_counted(page: Image.Image, seals: int) -> None:
    assert stamps.count(page) == seals


@pytest.mark.parametrize("quality", [30, 60, 90])
def test_a_photo_that_a_chat_has_compressed_keeps_its_seal(quality: int) -> None:
    import io

    target = io.BytesIO()
    seal(papers.picture(), 700, 520, 230).save(target, "JPEG", quality=quality)
    assert stamps.load()(target.getvalue()) == b"1"


@pytest.mark.skipif(not importlib.util.find_spec("pypdfium2"), reason="needs the extra ocr")
def test_the_pages_of_a_pdf_are_looked_at() -> None:
    pages = [papers.picture(), seal(papers.picture(), 700, 520, 230)]
    assert stamps.load()(papers.as_bytes_of_pages(pages)) == b"1"
