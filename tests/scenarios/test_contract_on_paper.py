"""A rep sends a contract: the real engine reads it, the rep checks, and it is on record."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.speech.ocr import papers
from tests.speech.ocr.test_scanner import INSTALLED

pytestmark = [
    pytest.mark.ocr,
    pytest.mark.skipif(not INSTALLED, reason="needs the extra ocr"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reading(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A sandbox of its own that reads papers."""
    running = Sandbox(tmp_path_factory.mktemp("reading"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GENDAN_OCR__ENGINE", "rapidocr")
        await running.start()
    yield running
    await running.stop()


async def test_a_pdf_becomes_a_contract_on_record_by_one_press(reading: Sandbox) -> None:
    rep = Speaker(reading, "wecom", "zhangwei")
    answers = await rep.send_file("恒锐采购合同.pdf", papers.pdf_with_text())
    card = last_card(answers)
    for part in ("机器识别", "杭州恒锐机电有限公司", "HT-2026-018", "38.8万元", "11.64万元"):
        assert part in words([card])
    assert "已登记" in words(await rep.press(card, "确认登记"))
    assert "HT-2026-018" in words(await rep.say("回款 恒锐机电"))


async def test_a_photo_is_read_when_the_rep_asks(reading: Sandbox) -> None:
    rep = Speaker(reading, "wecom", "zhangwei")
    lines = [line.replace("HT-2026-018", "HT-2026-019") for line in papers.CONTRACT]
    photo = papers.as_bytes(papers.picture(lines), "JPEG")
    asked = await rep.send_file("IMG_0001.jpg", photo, kind="image")
    offered = [message for message in asked if "按合同识别" in words([message])]
    read = await rep.press(last_card(offered), "按合同识别")  # a mail may have come meanwhile
    assert "HT-2026-019" in words(read)
    assert "机器识别" in words(read)
