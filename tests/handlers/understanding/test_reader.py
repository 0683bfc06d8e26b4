from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.activities import Intent, Moment, Record
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.reader import LONGEST_MESSAGE, Reader

Read = Callable[[str], tuple[Record, ...]]


def test_a_call_with_everything_in_one_breath(read: Read) -> None:
    (record,) = read("刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系")
    assert record.intent is Intent.LOG_CALL
    assert record.customer == "杭州恒锐机电有限公司"
    assert (record.duration_min, record.connected, record.contact) == (25, True, "王总")
    assert record.objections == ("price_high",)
    assert record.next_contact == Moment(date(2026, 6, 17))
    assert record.words["duration_min"] == "25分钟"
    assert record.confidence["customer"] == 1.0


def test_a_correction_says_which_slot(read: Read) -> None:
    (day,) = read("不对，是下周四")
    assert (day.intent, day.correct_slot) == (Intent.CORRECT, "next_contact")
    assert day.next_contact == Moment(date(2026, 6, 18))
    (amount,) = read("金额是12万8")
    assert (amount.intent, amount.amount_fen) == (Intent.CORRECT, 12_800_000)
    (duration,) = read("错了，是25分钟不是15分钟")
    assert (duration.correct_slot, duration.duration_min) == ("duration_min", 25)


@pytest.mark.parametrize("name", ["恒锐机电设备", "杭州恒锐机床有限公司"])
def test_a_new_customer_is_not_taken_for_one_with_a_name_like_it(read: Read, name: str) -> None:
    (record,) = read(f"新客户 {name}")
    assert (record.intent, record.customer) == (Intent.CREATE_CUSTOMER, None)
    assert record.customer_mention == name


def test_a_proposal_with_receipt(read: Read) -> None:
    (record,) = read("方案已发给恒锐，客户已查收")
    assert (record.intent, record.customer_received) == (Intent.LOG_PROPOSAL, True)
    assert record.attachments_claimed == ()


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("撤销", Intent.CANCEL),
        ("把刚才那条撤了", Intent.CANCEL),
        ("确认", Intent.CONFIRM),
        ("对，提交", Intent.CONFIRM),
        ("早上好呀大家[太阳]", Intent.CHITCHAT),
        ("拜访栖霞阀业 70分钟", Intent.LOG_VISIT),
        ("去栖霞阀业，人没在，白跑", Intent.SET_NEXT),
        ("约好栖霞阀业下周四下午三点半到现场", Intent.BOOK_VISIT),
        ("栖霞阀业报价单还没做好，明天发", Intent.SET_NEXT),
        ("给栖霞阀业报了15万8", Intent.LOG_QUOTE),
        ("微信问了栖霞阀业，在走流程", Intent.LOG_MESSAGE),
        ("栖霞阀业签下来了，合同额46万", Intent.LOG_WIN),
        ("栖霞阀业丢了，嫌贵", Intent.LOG_LOSS),
        ("栖霞阀业到账5万6", Intent.LOG_PAYMENT),
        ("提交预测 栖霞阀业 33万", Intent.SUBMIT_FORECAST),
        ("申诉：栖霞阀业那单少发了800", Intent.APPEAL),
        ("栖霞阀业这个黄灯缓两天", Intent.SNOOZE),
        ("新建客户 常熟虞山服饰", Intent.CREATE_CUSTOMER),
        ("我上个月提成发了多少", Intent.QUERY),
        ("中午吃饭去吗大家", Intent.CHITCHAT),
        ("你好", Intent.CHITCHAT),
        ("您好！", Intent.CHITCHAT),
    ],
)
def test_what_a_message_is_for(text: str, intent: Intent, read: Read) -> None:
    assert read(text)[0].intent is intent


def test_an_unanswered_call_is_no_conversation(read: Read) -> None:
    (record,) = read("丹徒电缆电话没打通")
    assert (record.intent, record.connected) == (Intent.LOG_CALL, False)


def test_a_call_under_three_minutes_is_marked(read: Read) -> None:
    (record,) = read("栖霞阀业聊了两分半 在开车 让我明天再说")
    assert (record.duration_min, record.not_valid_reason) == (2, "under_3_minutes")


def test_several_customers_give_several_records(read: Read) -> None:
    first, second = read("今天两家：松北12分钟没异议，旅顺没接电话")
    assert (first.customer, first.duration_min, first.connected) == ("哈尔滨松北锅炉", 12, True)
    assert (second.customer, second.duration_min, second.connected) == ("大连旅顺船舶", None, False)


def test_customers_named_together_share_what_is_said(read: Read) -> None:
    first, second = read("松北锅炉和旅顺船舶都没打通")
    assert {first.customer, second.customer} == {"哈尔滨松北锅炉", "大连旅顺船舶"}
    assert first.connected is False
    assert second.connected is False


def test_a_customer_taken_back_is_not_recorded(read: Read) -> None:
    (record,) = read("客户写错了，是旅顺船舶不是松北锅炉")
    assert (record.customer, record.correct_slot) == ("大连旅顺船舶", "customer")


def test_an_ambiguous_customer_is_asked_about(read: Read) -> None:
    (record,) = read("浑南那边打了8分钟 嫌实施太慢")
    assert record.customer is None
    assert record.ambiguous == ("沈阳浑南机器人", "沈阳浑南软件")


def test_a_misheard_name_needs_confirmation(read: Read) -> None:
    (record,) = read("恒瑞机电打了14分钟电话")
    assert record.customer == "杭州恒锐机电有限公司"
    assert record.needs_confirm


def test_an_unknown_company_is_mentioned_not_guessed(read: Read) -> None:
    (record,) = read("给扬州邗江水泵打了12分钟电话")
    assert (record.customer, record.customer_mention) == (None, "扬州邗江水泵")


@pytest.mark.parametrize(
    ("text", "level", "refused", "vague"),
    [
        ("恒锐机电下PO了，PO号JY-0911，标L1", "L1", None, False),
        ("恒锐机电提到L2，技术确认函已盖章上传", "L2", None, False),
        ("恒锐机电技术方案确认了，预算也批了", "L2", None, False),
        ("恒锐机电有明确需求，对接人是陈主任", "L3", None, False),
        ("恒锐机电升L1，PO还没下", None, "L1", False),
        ("恒锐机电标L1，感觉稳了", None, "L1", True),
        ("恒锐机电八九不离十", None, None, True),
        ("恒锐机电高意向", None, None, True),
    ],
)
def test_levels_need_their_conditions(
    text: str, level: str | None, refused: str | None, vague: bool, read: Read
) -> None:
    (record,) = read(text)
    assert record.intent is Intent.SET_INTENT
    assert (record.intent_level, record.level_refused, record.vague_intent) == (
        level,
        refused,
        vague,
    )


def test_the_day_of_a_payment_is_no_next_contact(read: Read) -> None:
    (record,) = read("栖霞阀业签了，合同额46万，7月28日前付清")
    assert (record.intent, record.next_contact) == (Intent.LOG_WIN, None)


def test_what_was_only_heard_is_a_message_to_be_asked_about(read: Read) -> None:
    (record,) = read("栖霞阀业嫌贵")
    assert (record.intent, record.objections) == (Intent.LOG_MESSAGE, ("price_high",))
    assert record.confidence["intent"] < 0.8


@pytest.mark.parametrize(
    "text",
    [
        "栖霞阀业通了12分钟，价格、账期、交期都不是问题",
        "栖霞阀业聊了10分钟，没人提价格，也没提流程",
        "栖霞阀业打了8分钟，问能不能月底前到货，我说可以",
        "栖霞阀业的老板姓贵，聊了13分钟",
    ],
)
def test_what_is_settled_or_not_brought_up_is_no_objection(read: Read, text: str) -> None:
    assert read(text)[0].objections == ()


@pytest.mark.parametrize("text", ["恒锐机电下周三签合同", "恒锐机电下周三签158万"])
def test_a_promise_to_sign_is_neither_next_contact_nor_signed(text: str, read: Read) -> None:
    (record,) = read(text)
    assert record.promise_date == date(2026, 6, 17)
    assert record.next_contact is None
    assert record.intent is not Intent.LOG_WIN


def test_an_impossible_time_is_a_plan_not_a_call(read: Read) -> None:
    (record,) = read("恒锐机电明天25点打电话")
    assert (record.intent, record.next_contact) == (Intent.SET_NEXT, None)


def test_a_document_number_keeps_its_spelling(read: Read) -> None:
    (record,) = read("恒锐机电下PO了，PO号JY-0911，标L1")
    assert (record.ref, record.amount_fen) == ("JY-0911", None)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("拜访恒锐 照片传了", ("photo",)),
        ("恒锐报价15万，报价单在附件", ("quote_file",)),
        ("报价单发给恒锐了", ()),
        ("恒锐方案PDF已发，对方说收到了", ("proposal_pdf",)),
        ("拜访恒锐，照片晚点传", ()),
        ("恒锐合同盖章了，扫描件已传", ("contract",)),
        ("恒锐到账5万6 回单截图发群了", ("payment_slip",)),
    ],
)
def test_only_what_is_attached_here_is_claimed(
    text: str, codes: tuple[str, ...], read: Read
) -> None:
    assert read(text)[0].attachments_claimed == codes


def test_a_snooze_ends_on_the_day_said(read: Read) -> None:
    assert read("恒锐机电这个黄灯缓两天 他们在盘点")[0].until == date(2026, 6, 12)
    assert read("恒锐机电静音到周五")[0].until == date(2026, 6, 12)


def test_when_it_happened_is_kept_apart_from_what_comes_next(read: Read) -> None:
    (record,) = read("昨天下午给恒锐打电话，讲了八分钟，让下周三再打")
    assert record.stated_on == date(2026, 6, 9)
    assert record.next_contact == Moment(date(2026, 6, 17))


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "😂" * 300, "hello, how are you", "こんにちは",
        "SELECT * FROM users; DROP TABLE x",
        "<script>alert(1)</script>", "1" * 40, "恒锐机电2月30日再联系", "恒锐机电明天25点打电话",
        "长" * (LONGEST_MESSAGE + 1), "栖霞阀业" * 5_000,
    ],
)  # fmt: skip
def test_bad_input_writes_nothing(text: str, read: Read) -> None:
    for record in read(text):
        assert record.next_contact is None
        assert record.amount_fen is None
        assert record.duration_min is None


_TALK = st.text(
    alphabet="恒锐机电松北打了电话分钟小时周一二三十百万下明后天号月日点半报价嫌贵"
    "不对是没0123456789:./, ，。",
    max_size=60,
)


@settings(max_examples=300)
@given(text=st.one_of(_TALK, st.text(max_size=40)))
def test_no_text_makes_the_reader_fail(text: str, reader: Reader, now: datetime) -> None:
    customers = CustomerIndex()
    customers.add("杭州恒锐机电有限公司")
    assert reader.read(text, now=now, customers=customers)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("恒锐机电周六去 不去了 周日吧", date(2026, 6, 14)),
        ("恒锐机电明天去 啊不 后天去", date(2026, 6, 12)),
        ("恒锐机电通了8分钟，他们要一个月之内上线我们做不到", None),
        ("恒锐机电电话，昨天16:05打到16:20", None),
        ("恒锐机电晚上九点多打的，聊了三十五分钟", None),
        ("恒锐机电让我下周二之前把盖章合同寄过去", date(2026, 6, 16)),
    ],
)
def test_only_a_day_still_to_come_is_the_next_contact(
    text: str, day: date | None, read: Read
) -> None:
    (record,) = read(text)
    assert record.next_contact == (Moment(day) if day else None)


@pytest.mark.parametrize(
    "text",
    [
        "栖霞阀业周六加班接的电话，二十分钟",
        "栖霞阀业通话13分钟，机器七天内要上",
        "栖霞阀业今天没接，晚上再打也没接",
    ],
)
def test_days_of_others_and_days_gone_are_no_next_contact(text: str, read: Read) -> None:
    (record,) = read(text)
    assert record.next_contact is None


def test_a_light_answered_by_a_day_to_act_on_has_a_next_contact(read: Read) -> None:
    (record,) = read("栖霞阀业的红灯我认了，明天去")
    assert (record.intent, record.until) == (Intent.SNOOZE, None)
    assert record.next_contact is not None


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("栖霞阀业收到款 两笔 一笔八千 一笔一万二", "amount_fen", None),
        ("栖霞阀业欠着的货款二十七万六终于打过来啦", "amount_fen", 27_600_000),
        ("评委周四开会，下周二出结果，到时候我再问栖霞阀业", "next_contact", "2026-06-16"),
        ("栖霞阀业说20号以后回来，先挂到21号", "next_contact", "2026-06-21"),
        ("别给我记成丢单，栖霞阀业只是再看看", "intent", "correct"),
        ("改到下周五上午9点", "intent", "correct"),
        ("栖霞阀业 1'50'' 说开会去了", "intent", "log_call"),
        ("好嘞，发吧", "intent", "confirm"),
    ],
)
def test_what_strangers_said(
    text: str, slot: str, value: object, read: Callable[[str], tuple[Record, ...]]
) -> None:
    given = getattr(read(text)[0], slot)
    assert (given if given is None or isinstance(given, int) else str(given)) == value


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("栖霞阀业的技术确认函他们盖好章，我传这儿", ("tech_confirmation",)),
        ("栖霞阀业PO号JB-1016，扫描件附上", ("po",)),
        (
            "栖霞阀业技术方案盖了章，采购邮件也有，两样都贴上来了",
            ("tech_confirmation", "purchase_email"),
        ),
    ],
)
def test_a_file_is_claimed_in_a_clause_of_its_own(
    text: str, codes: tuple[str, ...], read: Callable[[str], tuple[Record, ...]]
) -> None:
    assert read(text)[0].attachments_claimed == codes
