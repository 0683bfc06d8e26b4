"""Contracts drawn for tests: as a picture, a scan, a PDF with and without its text."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pylopdf_fonts_zh_cn
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent
SANS, SERIF = FONTS / "NotoSansSC-Regular.otf", FONTS / "NotoSerifSC-Regular.otf"

CONTRACT = (
    "工业品买卖合同",
    "合同编号：HT-2026-018",
    "甲方（买方）：杭州恒锐机电有限公司",
    "乙方（卖方）：上海精测仪器有限公司",
    "签订日期：2026年1月20日",
    "一、产品名称、数量：三坐标测量机 2台，单价 194,000.00元",
    "二、合同总金额：人民币叁拾捌万捌仟元整（¥388,000.00）",
    "三、付款方式：合同签订后7日内预付30%，发货前付60%，",
    "验收合格后付10%。",
    "四、交货期限：2026年3月31日前",
)


def picture(lines: Sequence[str] = CONTRACT, *, font: Path = SANS, size: int = 26) -> Image.Image:
    """An upright page."""
    page = Image.new("RGB", (1240, 200 + 70 * len(lines)), "white")
    pen, face = ImageDraw.Draw(page), ImageFont.truetype(str(font), size)
    for place, line in enumerate(lines):
        pen.text((100, 80 + 70 * place), line, font=face, fill="black")
    return page


def scan(lines: Sequence[str] = CONTRACT) -> Image.Image:
    """Serif, a little askew, noisy, with a red seal over the last lines."""
    page = picture(lines, font=SERIF)
    ImageDraw.Draw(page).ellipse((700, 560, 960, 820), outline=(200, 30, 30), width=6)
    page = page.rotate(1.0, fillcolor="white", resample=Image.Resampling.BICUBIC)
    dice = random.Random(7)
    dots = page.load()
    assert dots is not None
    for _ in range(6000):
        dots[dice.randrange(page.width), dice.randrange(page.height)] = (120, 120, 120)
    return page.filter(ImageFilter.GaussianBlur(0.6))


def as_bytes(page: Image.Image, kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    page.save(target, kind)
    return target.getvalue()


def pdf_with_text(lines: Sequence[str] = CONTRACT) -> bytes:
    """As a program writes it: the text can be taken out."""
    figure = Figure(figsize=(8.27, 11.69))
    for place, line in enumerate(lines):
        figure.text(0.1, 0.92 - 0.05 * place, line, fontproperties=FontProperties(fname=str(SANS)))
    target = io.BytesIO()
    FigureCanvasPdf(figure).print_pdf(target)
    return target.getvalue()


def as_bytes_of_pages(pages: Sequence[Image.Image]) -> bytes:
    """A PDF that is nothing but pictures."""
    target = io.BytesIO()
    pages[0].save(target, "PDF", save_all=True, append_images=list(pages[1:]), resolution=150)
    return target.getvalue()


def claimed_png(width: int, height: int) -> bytes:
    """A PNG whose head claims that size, with next to nothing behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
