"""The real engine, where it is installed: print to lines, in a process that may die."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image

from config.policy import load_calendar
from handlers.understanding.paper_contracts import read_paper
from speech.ocr.engine import open_picture
from speech.ocr.errors import DamagedPaper, NotPaper, TooLarge
from speech.ocr.scanner import Scanner
from speech.workers.errors import TooSlow
from tests.speech.ocr import papers

INSTALLED = all(importlib.util.find_spec(name) for name in ("rapidocr", "pypdfium2"))
if not INSTALLED and os.environ.get("CI"):
    pytest.fail("the extra ocr is not installed")

pytestmark = [
    pytest.mark.ocr,
    pytest.mark.skipif(not INSTALLED, reason="needs the extra ocr"),
    pytest.mark.asyncio(loop_scope="module"),
]
CALENDAR = load_calendar()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scanner() -> AsyncIterator[Scanner]:
    """One engine for all: loading it takes seconds."""
    running = Scanner(threads=2, timeout_s=300)
    yield running
    await running.close()


async def test_a_picture_of_a_contract_gives_all_its_facts(scanner: Scanner) -> None:
    lines = await scanner.read(papers.as_bytes(papers.picture()))
    read = read_paper(lines, CALENDAR)
    assert (read.number, read.buyer) == ("HT-2026-018", "杭州恒锐机电有限公司")
    assert (read.amount_fen, read.prepayment_fen) == (38_800_000, 11_640_000)
    assert f"{read.signed_on} {read.prepayment_due_on}" == "2026-01-20 2026-01-27"
    assert min(line.confidence for line in lines) > 0.9


async def test_a_scan_with_a_seal_is_read_as_well(scanner: Scanner) -> None:
    read = read_paper(await scanner.read(papers.as_bytes(papers.scan(), "JPEG")), CALENDAR)
    assert (read.number, read.amount_fen) == ("HT-2026-018", 38_800_000)
    assert read.buyer == "杭州恒锐机电有限公司"


async def test_a_pdf_that_holds_its_text_is_not_recognised_but_read(scanner: Scanner) -> None:
    lines = await scanner.read(papers.pdf_with_text())
    assert {line.confidence for line in lines} == {1.0}
    assert read_paper(lines, CALENDAR).amount_fen == 38_800_000


async def test_a_pdf_of_pictures_is_recognised_page_by_page(scanner: Scanner) -> None:
    pages = [papers.picture(papers.CONTRACT[:5]), papers.picture(papers.CONTRACT[5:])]
    target = papers.as_bytes_of_pages(pages)
    lines = await scanner.read(target)
    assert {line.page for line in lines} == {1, 2}
    assert read_paper(lines, CALENDAR).amount_fen == 38_800_000


async def test_an_empty_page_has_no_lines(scanner: Scanner) -> None:
    assert await scanner.read(papers.as_bytes(Image.new("RGB", (300, 200), "white"))) == ()
    await scanner.check()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"not a picture", NotPaper),
        (b"", NotPaper),
        (papers.as_bytes(papers.picture())[:3000], DamagedPaper),
        (b"%PDF-1.7\nand then nothing", DamagedPaper),
        (b"%PDF-" + b"0" * (21 << 20), TooLarge),
    ],
    ids=["words", "nothing", "half a picture", "half a pdf", "too large"],
)
async def test_what_cannot_be_read_is_told_and_the_next_paper_is_read(
    scanner: Scanner, data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await scanner.read(data)
    assert await scanner.read(papers.pdf_with_text())


async def test_what_takes_too_long_is_ended() -> None:
    hurried = Scanner(threads=1, timeout_s=0.001)
    with pytest.raises(TooSlow):
        await hurried.read(papers.as_bytes(papers.picture()))
    await hurried.close()


@pytest.mark.parametrize("size", [(12_000, 12_000), (60_000, 60_000), (65_000, 1_200)])
async def test_a_picture_that_would_fill_the_memory_is_refused_by_its_head(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some kilobytes that claim to be hundreds of megabytes; not a pixel of them is made."""
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("its pixels were asked for"))
    with pytest.raises(DamagedPaper):
        open_picture(papers.claimed_png(*size))
