"""A contract that comes as PDF or picture: read, checked by a person, and only then on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bot.domain.paper import PaperLine
from bot.errors import PermanentError
from bot.messages import StoredFile
from handlers import Handlers
from handlers.receivables.paper_reading import PaperReading
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.speech.ocr.papers import CONTRACT

HENGRUI = "杭州恒锐机电有限公司"


@dataclass
class Engine:
    """Reads what it is told to read. asked: how often."""

    lines: Sequence[str] = CONTRACT
    confidence: float = 0.98
    error: Exception | None = None
    asked: int = 0

    async def read(self, data: bytes) -> tuple[PaperLine, ...]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return tuple(PaperLine(line, self.confidence) for line in self.lines)


class Shelf:
    """Every file there is."""

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        raise NotImplementedError

    async def get(self, sha256: str) -> bytes:
        return b"%PDF-"


@dataclass
class Office:
    """The company with an engine that reads papers."""

    chat: Chat
    engine: Engine = field(default_factory=Engine)

    async def open(self, *, installed: bool = True) -> Office:
        chat = self.chat
        await chat.open()
        reader = self.engine if installed else None
        chat.preparations = [PaperReading(reader, Shelf(), read=chat.database.read)]
        chat.office = replace(chat.office, reads_papers=installed)
        chat.handlers = Handlers(chat.office)
        return self


@pytest.fixture
async def office(database: Database) -> Office:
    return await Office(Chat(database)).open()


@pytest.fixture
def chat(office: Office) -> Chat:
    return office.chat


async def test_a_contract_fills_a_card_and_a_press_puts_it_on_record(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    said = await chat.say("zhang", "", files=("恒锐合同.pdf",))
    assert "机器识别，可能有错" in said
    assert "请特别核对：预付款（分几期付，只核对第一期）" in said
    assert "识别把握：98%" in said
    assert "原文付款条件：合同签订后7日内预付30%" in said
    card = chat.card()
    facts = dict(card.facts)
    assert (facts["客户"], facts["合同号"]) == (HENGRUI, "HT-2026-018")
    assert (facts["金额"], facts["预付款"]) == ("38.8万元", "11.64万元")
    assert "1月20日" in facts["签订"]
    async with chat.database.begin() as tx:
        assert await tx.contracts.find("HT-2026-018") is None  # nothing before the press
    assert "合同 HT-2026-018 已登记" in await chat.press("zhang", card, "确认登记")
    async with chat.database.begin() as tx:
        known = await tx.contracts.find("HT-2026-018")
        waiting = await tx.drafts.loose_of(card_address(chat), chat.people["zhang"].id)
    assert known is not None
    assert known.terms.prepayment_fen == 11_640_000
    assert not waiting  # the file is no longer looking for its customer
    entry = (await chat.stream(account))[0]
    assert (entry.title, len(entry.file_hashes)) == ("合同登记", 1)


def card_address(chat: Chat) -> str:
    return next(one.to.key for one in chat.said if one.to.user_id == "zhang")


async def test_dropping_the_card_keeps_the_file_for_whoever_wants_it(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "", files=("恒锐合同.pdf",))
    await chat.press("zhang", chat.card(), "取消")
    async with chat.database.begin() as tx:
        assert await tx.contracts.find("HT-2026-018") is None
    await chat.say("zhang", "恒锐机电通了25分钟电话，王总要看样机，下周三再联系")
    await chat.say("zhang", "确认")
    assert (await chat.stream(account))[0].file_hashes


async def test_a_picture_without_a_name_is_read_when_somebody_asks(office: Office) -> None:
    chat = office.chat
    await chat.customer(HENGRUI)
    await chat.say("zhang", "", files=("IMG_0001.jpg",))
    assert office.engine.asked == 0  # a photo may be of anything
    said = await chat.press("zhang", chat.card(), "按合同识别")
    assert "机器识别" in said
    assert office.engine.asked == 1


async def test_the_order_reads_the_paper_sent_last(office: Office) -> None:
    chat = office.chat
    await chat.customer(HENGRUI)
    assert "没有等着处理的" in await chat.say("zhang", "识别合同")
    await chat.say("zhang", "", files=("IMG_0001.jpg",))
    assert "机器识别" in await chat.say("zhang", "识别合同")
    assert "没有等着处理的" in await chat.say("chen", "识别合同")  # 张伟's, not 陈静's


async def test_what_is_missing_comes_back_as_an_order_to_complete(office: Office) -> None:
    office.engine.lines = [line for line in CONTRACT if "编号" not in line]
    chat = office.chat
    await chat.customer(HENGRUI)
    said = await chat.say("zhang", "", files=("恒锐合同.pdf",))
    assert "还缺合同号" in said
    order = said.split("：")[-1].replace("〔合同号〕", "HT-2026-018")
    await chat.say("zhang", order)
    facts = dict(chat.card().facts)
    assert (facts["金额"], facts["预付款"]) == ("38.8万元", "11.64万元")
    assert "1月20日" in facts["签订"]


async def test_a_customer_we_do_not_know_is_asked_for(chat: Chat) -> None:
    said = await chat.say("zhang", "", files=("恒锐合同.pdf",))
    assert "还缺客户" in said
    assert f"客户 {HENGRUI}" in said  # as it stands on the paper


async def test_doubtful_print_and_amounts_that_differ_are_pointed_out(office: Office) -> None:
    office.engine.lines = [line.replace("388,000", "338,000") for line in CONTRACT]
    office.engine.confidence = 0.62
    chat = office.chat
    await chat.customer(HENGRUI)
    said = await chat.say("zhang", "", files=("恒锐合同.pdf",))
    assert "金额（大写和小写不一致）" in said
    assert "合同号（字迹认得不太准）" in said
    assert "识别把握：62%" in said


async def test_without_an_engine_the_file_is_kept_and_the_rep_is_asked_to_type(
    database: Database,
) -> None:
    office = await Office(Chat(database)).open(installed=False)
    chat = office.chat
    account = await chat.customer(HENGRUI)
    said = await chat.say("zhang", "", files=("恒锐合同.pdf",))
    assert "没能识别：这里没有安装识别组件。请直接告诉我内容" in said
    assert "按合同识别" not in said
    await chat.press("zhang", chat.card(), "杭州恒锐机电")
    assert (await chat.stream(account))[0].file_hashes


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermanentError("PDF 打不开，可能加了密码或已损坏"), "可能加了密码"),
        (PermanentError("KeyError: 'x'"), "识别组件出错了"),
    ],
)
async def test_what_cannot_be_read_is_said(office: Office, error: Exception, words: str) -> None:
    office.engine.error = error
    await office.chat.customer(HENGRUI)
    said = await office.chat.say("zhang", "", files=("恒锐合同.pdf",))
    assert words in said
    assert "这是给哪家客户的" in said


async def test_a_paper_that_is_no_contract_is_a_file_like_any_other(office: Office) -> None:
    office.engine.lines = ["合同模板使用说明", "第一步：填写"]
    await office.chat.customer(HENGRUI)
    said = await office.chat.say("zhang", "", files=("合同模板.pdf",))
    assert "没有读到合同的金额、编号和双方" in said
    assert "这是给哪家客户的" in said


async def test_a_contract_on_record_is_not_recorded_twice_and_the_file_stays(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "登记合同 恒锐机电 HT-2026-018，35万，预付30%，1月30日前付")
    await chat.press("zhang", chat.card(), "确认登记")
    assert "已经登记过" in await chat.say("zhang", "", files=("恒锐合同.pdf",))
    await chat.say("zhang", "恒锐机电通了25分钟电话，王总要看样机，下周三再联系")
    await chat.say("zhang", "确认")
    assert (await chat.stream(account))[0].file_hashes


async def test_somebody_elses_customer_is_none_of_theirs(chat: Chat) -> None:
    await chat.customer(HENGRUI)
    said = await chat.say("chen", "", files=("恒锐合同.pdf",))
    assert "确认登记" not in said
    assert "张伟" in said


async def test_a_contract_goes_onto_the_draft_that_wants_it_and_is_read_too(chat: Chat) -> None:
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "陪恒锐机电签约了，成交38.8万")
    said = await chat.say("zhang", "", files=("恒锐合同.pdf",))
    assert "机器识别" in said
    await chat.press("zhang", chat.card(), "确认登记")
    await chat.say("zhang", "确认")
    assert sum(bool(one.file_hashes) for one in await chat.stream(account)) >= 1


async def test_what_was_read_stays_with_the_contract(office: Office) -> None:
    chat = office.chat
    account = await chat.customer(HENGRUI)
    await chat.say("zhang", "", files=("恒锐合同.pdf",))
    await chat.press("zhang", chat.card(), "确认登记")
    (entry,) = [one for one in await chat.stream(account) if one.title == "合同登记"]
    read = entry.slots["read"]
    assert isinstance(read, dict)
    assert ["合同号", "HT-2026-018"] in read["fields"]
    assert read["lowest_bp"] <= 10_000
