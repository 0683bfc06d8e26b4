"""Texts nobody meant as a report: nothing is written, nothing breaks, nothing takes long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from bot.domain.activities import Intent, Record
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.reader import LONGEST_MESSAGE, Reader

Read = Callable[[str], tuple[Record, ...]]

HALF_A_SURROGATE = "\ud83d"
NOTHING_TO_STORE = [
    "",
    " ",
    "\n\n\t \r\n",
    "\u3000\u3000",
    "\x00",
    "\x00\x01\x02\x7f",
    "\ufeff",
    "\u200b\u200b\u200b",
    "\u202e\u202d\u2066\u2069",
    HALF_A_SURROGATE,
    f"好{HALF_A_SURROGATE}的呀哈哈",
    "😀",
    "😂😂😂👍🏻👍🏻🎉🎉",
    "👨‍👩‍👧‍👦🇨🇳",
    "[微笑][玫瑰][强]",
    "。。。。。",
    "？？？",
    "……",
    "!!!!!!!!!",
    "-",
    "/",
    "\\",
    "%s%s%n",
    "{}{0}{{}}",
    "${jndi:ldap://x/a}",
    "SELECT * FROM users; DROP TABLE records;--",
    "' OR '1'='1",
    "1); DELETE FROM activities WHERE (1=1",
    "<script>alert(1)</script>",
    "<b>加粗</b>",
    "<!DOCTYPE html><html><body></body></html>",
    "](javascript:alert(1))",
    '{"intent": "log_win", "amount_fen": 100}',
    "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "../../etc/passwd",
    "https://example.com/a?b=c&d=%00",
    "Hello, how are you today?",
    "The quick brown fox jumps over the lazy dog",
    "こんにちは、元気ですか",
    "안녕하세요 반갑습니다",
    "Привет, как дела?",
    "مرحبا كيف حالك",
    "שלום מה שלומך",
    "สวัสดีครับ",
    "नमस्ते",
    "ابجد \u200f 123 \u200f",
    "1",
    "0",
    "-1",
    "0" * 40,
    "1234567890" * 4,
    "9" * 400,
    "1.2.3.4.5.6.7",
    "1e308",
    "NaN",
    "12:60",
    "99:99:99",
    "13800138000",
    "a" * 1_999,
    "啊" * 1_999,
    "e\u0301" * 500,
    "\u0338" * 1_000,
    "z̸̢̛͙a̷l̶g̵o̶",
]
LONG = [
    "1",
    "一",
    "千",
    "1,",
    "1.",
    "万1",
    "周",
    "下",
    "下下个",
    "月",
    "号",
    "年",
    "后",
    "1月",
    "1/",
    "1-",
    "1:",
    "点",
    "半",
    "过两天",
    "没",
    "不",
    "不对",
    "没有",
    "嫌",
    "再",
    "再打",
    "约",
    "报",
    "报价",
    "价",
    "的",
    "了",
    "打",
    "聊",
    "签",
    "王",
    "王总",
    "老板",
    "公司",
    "有限",
    "北京",
    "新客户",
    "是不是",
    "申诉",
    "提醒",
    "上传",
    "附件",
    "合同",
    "恒锐",
    "栖霞阀业",
    "恒瑞",
    "浑南、",
    "杭州",
    "@",
    "@a ",
    " ",
    "\u3000",
    ",",
    "。",
    "〓",
    "a",
    "a-1",
    "po",
    "l1",
    "w",
    "¥",
    "(",
    "客户",
    "昨天的",
    "大概",
]


@pytest.mark.parametrize("text", NOTHING_TO_STORE)
def test_a_text_without_a_report_writes_nothing(text: str, read: Read) -> None:
    (record,) = read(text)
    assert record.intent in (Intent.CHITCHAT, Intent.QUERY, Intent.CONFIRM, Intent.CANCEL)
    assert record.customer is None
    assert (record.amount_fen, record.duration_min, record.next_contact) == (None, None, None)
    assert (record.objections, record.attachments_claimed) == ((), ())


@pytest.mark.parametrize("text", ["好" * 20_000, "栖霞阀业打了电话" * 2_500, "1" * 20_000])
def test_a_pasted_document_is_not_read(text: str, read: Read) -> None:
    assert read(text) == (Record(Intent.CHITCHAT),)


@pytest.mark.parametrize(
    "day", ["2月30日", "13月1号", "6月31号", "下个月32号", "2026-02-30", "0月0日"]
)
def test_a_day_that_does_not_exist_is_asked_for(day: str, read: Read) -> None:
    (record,) = read(f"栖霞阀业{day}再联系")
    assert record.next_contact is None


@pytest.mark.parametrize("clock", ["25点", "明天25点", "明天下午十三点七十分", "明天24:61"])
def test_a_time_that_does_not_exist_is_asked_for(clock: str, read: Read) -> None:
    (record,) = read(f"{clock}给栖霞阀业打电话")
    assert record.next_contact is None or record.next_contact.clock is None


@pytest.mark.parametrize("amount", ["9" * 40, "一" * 40, "-" * 40, "1" * 17 + "万", "万万万亿亿"])
def test_an_impossible_sum_is_no_amount(amount: str, read: Read) -> None:
    (record,) = read(f"栖霞阀业报价{amount}")
    assert record.amount_fen is None


@pytest.mark.parametrize("minutes", ["9" * 40, "1" * 12, "几", "一千零一夜个"])
def test_an_impossible_length_is_no_duration(minutes: str, read: Read) -> None:
    (record,) = read(f"栖霞阀业打了电话聊了{minutes}分钟")
    assert record.duration_min is None


def test_marks_that_nobody_sees_change_nothing(read: Read) -> None:
    plain = read("栖霞阀业打了电话聊了25分钟")[0]
    for mark in ("\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\u202e"):
        marked = read(f"{mark}栖霞{mark}阀业打了{mark}电话聊了2{mark}5分钟{mark}")[0]
        assert (marked.intent, marked.customer) == (plain.intent, plain.customer)
        assert marked.duration_min == 25


@pytest.mark.parametrize("unit", LONG)
def test_the_same_words_over_and_over_are_survived(unit: str, read: Read) -> None:
    assert read((unit * LONGEST_MESSAGE)[:LONGEST_MESSAGE])


def test_ten_thousand_names_in_one_message_are_survived(reader: Reader, now: datetime) -> None:
    customers = CustomerIndex()
    names = [f"南京{chr(0x4E00 + number)}{chr(0x5E00 + number)}阀业" for number in range(400)]
    for name in names:
        customers.add(name)
    text = "".join(names)[:LONGEST_MESSAGE]
    assert reader.read(text, now=now, customers=customers)
    assert reader.read("".join(names) * 5, now=now, customers=customers)[0].customer is None
