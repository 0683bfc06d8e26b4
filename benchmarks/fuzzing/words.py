"""What people say in chat, what a model answers about it, and what is read off paper."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from benchmarks.fuzzing.mutating import JSON, SAID
from benchmarks.fuzzing.target import AT, ZONE, Target, text, told
from bot.domain.paper import PaperLine
from config.policy import load_calendar
from handlers.understanding import command
from handlers.understanding.amounts import find_amounts, read_amount
from handlers.understanding.contacts import find_contacts
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.dates import find_moments
from handlers.understanding.durations import find_durations
from handlers.understanding.model_answers import ground
from handlers.understanding.model_prompt import Question
from handlers.understanding.normal import normalise
from handlers.understanding.numbers import to_lower_number, to_number
from handlers.understanding.paper_contracts import read_paper
from handlers.understanding.reader import Reader
from handlers.understanding.snoozes import find_until

NOW = AT.astimezone(ZONE)
SLOTS = (
    "duration_min", "next_contact", "objections", "contact", "amount_fen", "customer_received"
)  # fmt: skip
SAID_OF_CUSTOMERS = (
    "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系",
    "恒锐机电产值报了35万，少发了我800",
    "今天上午去了甬江轴承，见了李经理1小时，报价38.8万，明天下午三点半再去",
    "跟进恒锐 没接 下周一",
    "恒锐签了，117300，首付30%，周五十点，说错了，是两点",
    "甬江轴承和恒锐机电都嫌贵，节后再说",
)
AMOUNTS = ("38.8万", "三十八万八千六百元", "１１７，３００元整", "壹拾万元", "2千3", "35w，首付30%")
DAYS = (
    "下周三上午十点半",
    "3月5日15:00",
    "月底前",
    "三天后",
    "国庆后",
    "两个工作日后",
    "next friday",
)
SPANS = ("25分钟", "一个半小时", "从两点聊到三点半", "九十秒", "两小时零五分")
ANSWER = """好的：{"intent":"log_call","customer":{"value":"杭州恒锐机电有限公司",
"words":"恒锐机电"},"duration_min":{"value":25,"words":"25分钟"},"next_contact":{"value":"2026-03-11","words":"下周三"},
"amount_fen":null,"contact":{"value":"王总","words":"王总"},"objections":[{"value":"price_high",
"words":"嫌价格高"}]}"""
LINE = """{"text":"给恒锐机电打了10分钟电话","now":"2026-03-02T14:00:00+08:00","known_customers":
["恒锐机电"]}"""
PAPER = """合同编号：HT-2026-001
甲方：杭州恒锐机电有限公司
乙方：宁波甬江轴承有限公司
合同总金额：人民币 388,600.00 元（大写：叁拾捌万捌仟陆佰元整）
付款方式：合同签订后7个工作日内预付30%，发货前付清余款
签订日期：2026年3月2日"""

_calendar = cache(load_calendar)


@cache
def _reader() -> Reader:
    return Reader(_calendar())


@cache
def _customers() -> CustomerIndex:
    found = CustomerIndex()
    found.add("杭州恒锐机电有限公司", ("恒锐机电",), 1)
    found.add("宁波甬江轴承有限公司", ("甬江轴承",), 2)
    return found


def message(data: bytes) -> None:
    _reader().read(text(data), now=AT, customers=_customers())


def answer(data: bytes) -> None:
    """To what the robot asked, whichever slot it was about."""
    for slot in SLOTS:
        _reader().read_answer(text(data), slot, now=AT)


def amounts(data: bytes) -> None:
    said = normalise(text(data))
    find_amounts(said)
    find_amounts(said, bare=True)
    for read in (read_amount, to_number, to_lower_number):
        read(said)


def days(data: bytes) -> None:
    said = normalise(text(data))
    find_moments(said, NOW, _calendar())
    find_until(said, NOW, _calendar())


def spans(data: bytes) -> None:
    said = normalise(text(data))
    find_durations(said)
    find_contacts(said)


def model_answer(data: bytes) -> None:
    said = normalise(SAID_OF_CUSTOMERS[0])
    ground(text(data), Question(said, NOW, ("杭州恒锐机电有限公司",)), _calendar())


def understand_line(data: bytes) -> None:
    list(command.run([text(data)], AT, [], calendar=_calendar()))


def paper(data: bytes) -> None:
    read_paper([PaperLine(line) for line in text(data).splitlines()], _calendar())


TARGETS: Mapping[str, Target] = {
    "message": Target(message, told(*SAID_OF_CUSTOMERS), (), form=SAID, share=4),
    "answer": Target(
        answer, told(*AMOUNTS, *DAYS, *SPANS, "收到了", "嫌贵"), (), form=SAID, share=10
    ),
    "amounts": Target(amounts, told(*AMOUNTS, *SAID_OF_CUSTOMERS), (), form=SAID, share=10),
    "days": Target(days, told(*DAYS, *SAID_OF_CUSTOMERS), (), form=SAID, share=10),
    "spans": Target(spans, told(*SPANS, *SAID_OF_CUSTOMERS), (), form=SAID, share=10),
    "model-answer": Target(model_answer, told(ANSWER), (), form=JSON),
    "understand": Target(understand_line, told(LINE), (), form=JSON, share=4),
    "paper": Target(paper, told(PAPER), (), form=SAID, share=10),
}
