"""RapidOCR with the models that come in its wheel, and PDFium: bytes of a PDF or picture -> lines.

Runs in a process of its own (`speech.workers.child`): it takes 0.8 GB and a core for seconds, and
reads what strangers made. A PDF that holds its text is read without recognising anything.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import astuple
from typing import Any

from bot.domain.paper import PaperLine
from speech.ocr.errors import DamagedPaper, NotPaper, TooLarge
from speech.ocr.rows import Box, lines_of
from speech.workers.errors import EngineMissing

PACKAGES = ("rapidocr", "onnxruntime", "pypdfium2")
MOST_BYTES = 20 * 1024 * 1024
MOST_PAGES = 12  # what a contract agrees on stands in front; what is annexed behind is not read
MOST_SCANNED = 6
MOST_PIXELS = 50_000_000  # 150 MB once they are made; a photo larger than that is a JPEG, see below
LONGEST_SIDE = 2000  # pixels: A4 at 170 dpi, at which nothing is lost
_LEAST_TEXT = 20  # characters of a page that make its own text worth believing
_READABLE = re.compile(r"[\s\x21-\x7e\u3000-\u303f\u4e00-\u9fff\uff01-\uffee¥×·—–…“”‘’]")

Recognise = Callable[[Any], list[Box]]


def load(threads: str) -> Callable[[bytes], bytes]:
    """Bytes -> JSON [[text, confidence, page], …]. Raises EngineMissing."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        told = f"请运行 {sys.executable} -m pip install 'gendan[ocr]'"
        raise EngineMissing(f"没有安装 {'、'.join(missing)}，{told}")

    @functools.cache
    def engine() -> Any:
        """Loaded with the first picture: most PDFs hold their text."""
        from rapidocr import RapidOCR

        options = {"EngineConfig.onnxruntime.intra_op_num_threads": int(threads),
                   "Global.log_level": "warning"}  # fmt: skip
        return RapidOCR(params=options)

    def read(data: bytes) -> bytes:
        lines = _read(data, lambda picture: _boxes(engine()(_as_array(picture))))
        return json.dumps([astuple(line) for line in lines], ensure_ascii=False).encode()

    return read


def _read(data: bytes, recognise: Recognise) -> list[PaperLine]:
    if len(data) > MOST_BYTES:
        raise TooLarge(f"文件超过 {MOST_BYTES >> 20} MB")
    if data.startswith(b"%PDF-") or b"%PDF-" in data[:1024]:
        return list(_read_pdf(data, recognise))
    return lines_of(recognise(open_picture(data)), page=1)


def _read_pdf(data: bytes, recognise: Recognise) -> Iterator[PaperLine]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        pages = min(len(document), MOST_PAGES)
    except pypdfium2.PdfiumError as error:
        raise DamagedPaper("PDF 打不开，可能加了密码或已损坏") from error
    scanned = 0
    for number in range(pages):
        page = document[number]
        text = page.get_textpage().get_text_bounded()
        if _is_text(text):
            yield from (PaperLine(line.strip(), 1.0, number + 1)
                        for line in text.splitlines() if line.strip())  # fmt: skip
        elif scanned < MOST_SCANNED:
            scanned += 1
            scale = LONGEST_SIDE / max(*page.get_size(), 1)
            picture = page.render(scale=scale).to_pil()
            yield from lines_of(recognise(picture), page=number + 1)


def _is_text(text: str) -> bool:
    """Some PDFs hold glyph numbers in place of characters, and scans hold next to nothing."""
    bare = "".join(text.split())
    strange = len(_READABLE.sub("", bare))
    return len(bare) >= _LEAST_TEXT and strange <= len(bare) / 10


def open_picture(data: bytes) -> Any:
    """A PIL image, upright, as its camera noted, and no larger than is of use.

    A JPEG is made small while it is read; of all else the head tells how much memory it wants.
    Raises NotPaper, DamagedPaper.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(data))
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        if opened.width * opened.height > MOST_PIXELS:
            raise DamagedPaper("图片过大")
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    except UnidentifiedImageError:
        raise NotPaper("不是 PDF，也不是认得的图片") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DamagedPaper("图片打不开，可能已损坏或过大") from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture


def _as_array(picture: Any) -> Any:
    """As OpenCV has it: blue, green, red."""
    import numpy

    return numpy.asarray(picture.convert("RGB"))[:, :, ::-1]


def _boxes(found: Any) -> list[Box]:
    if found.txts is None or found.boxes is None:
        return []
    return [
        Box(
            left=float(box[:, 0].min()),
            top=float(box[:, 1].min()),
            bottom=float(box[:, 1].max()),
            text=text,
            confidence=round(float(score), 4),
        )
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
    ]
