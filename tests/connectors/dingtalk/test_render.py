"""What we say in DingTalk's formats: nothing lost, nothing over a limit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Rejected
from bot.messages import (
    Button,
    Card,
    CardUpdate,
    Content,
    Field,
    FileContent,
    Markdown,
    Option,
    Text,
)
from connectors.dingtalk.card_data import card_param_map, clip
from connectors.dingtalk.markdown import hard_breaks, split_text
from connectors.dingtalk.render import as_markdown, robot_message, split

PARAM_BYTES = 15_000
VALUE_BYTES = 1024

CARD = Card(
    card_id="draft-1",
    title="请确认这条跟进",
    lines=("客户嫌价格高", "下周三再联系"),
    facts=(("客户", "恒锐机电"), ("时长", "25 分钟")),
    fields=(
        Field("customer", "客户", options=(Option("17", "恒锐机电"), Option("18", "恒瑞电机"))),
        Field("next", "下次联系", kind="date", value="2026-01-28"),
    ),
    buttons=(Button("confirm", "确认", "primary"), Button("cancel", "取消")),
    revision=2,
)


def parts(content: Content) -> list[Content]:
    return list(split(content, with_cards=True))


def test_text_and_markdown_in_the_words_of_the_api() -> None:
    text = robot_message(Text("你好")).for_api()
    assert text == {"msgKey": "sampleText", "msgParam": '{"content":"你好"}'}
    markdown = robot_message(Markdown("提醒", "# 红灯")).for_api()
    assert markdown["msgKey"] == "sampleMarkdown"
    assert json.loads(markdown["msgParam"]) == {"title": "提醒", "text": "# 红灯"}


def test_webhook_messages_carry_the_key_that_drops_repeats() -> None:
    body = robot_message(Markdown("", "好")).for_webhook("push-1")
    assert body["msgUuid"] == "push-1"
    assert body["markdown"] == {"title": "消息", "text": "好"}
    assert robot_message(Text("好")).for_webhook("k")["text"] == {"content": "好"}


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("一行\n又一行", "一行  \n  又一行"),
        ("一段\n\n又一段", "一段\n\n又一段"),
        ("#### 标题\n正文", "#### 标题\n正文"),
        ("正文\n- 甲\n- 乙\n正文", "正文\n\n- 甲\n- 乙\n\n正文"),
        ("1. 甲\n2. 乙", "1. 甲\n2. 乙"),
        ("> 甲\n> 乙\n正文", "> 甲  \n> 乙\n\n正文"),
    ],
)
def test_every_line_stays_a_line(written: str, sent: str) -> None:
    assert hard_breaks(written) == sent


@given(st.text(alphabet='跟单 a\n"\\\x01😀。-#>', max_size=400), st.integers(60, 200))
def test_splitting_loses_nothing_and_fits(text: str, limit_bytes: int) -> None:
    found = split_text(text, limit_bytes)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")
    for part in found:
        sent = json.dumps(hard_breaks(part), ensure_ascii=False).encode()
        assert len(sent) - 2 <= limit_bytes


def test_a_long_line_breaks_behind_a_mark() -> None:
    first, *_ = split_text("甲乙丙丁。" * 100, 400)
    assert first.endswith("。")


@pytest.mark.parametrize(
    "text", ["客户说价格高。" * 4000, "短行\n" * 9000, "😀" * 9000, '"' * 20_000]
)
def test_long_messages_are_split_into_what_fits(text: str) -> None:
    for content in (Text(text), Markdown("长文", text)):
        found = parts(content)
        assert len(found) > 1
        for part in found:
            assert isinstance(part, Text | Markdown)
            assert len(robot_message(part).for_api()["msgParam"].encode()) <= PARAM_BYTES


def test_short_content_stays_one_part() -> None:
    for content in (Text("好"), CARD, CardUpdate(CARD), FileContent("image", "ab", "热图.png")):
        assert parts(content) == [content]


def test_card_variables_are_those_of_the_template() -> None:
    variables = card_param_map(CARD)
    assert variables["title"] == "请确认这条跟进"
    assert variables["body"] == "客户嫌价格高  \n下周三再联系"
    assert (variables["body2"], variables["closed"], variables["revision"]) == ("", "", "2")
    assert json.loads(variables["facts"]) == [["客户", "恒锐机电"], ["时长", "25 分钟"]]
    assert json.loads(variables["buttons"])[0] == {
        "action": "confirm",
        "label": "确认",
        "style": "primary",
    }
    customer, following = json.loads(variables["fields"])
    assert customer["options"][1] == {"id": "18", "label": "恒瑞电机"}
    assert (following["kind"], following["value"]) == ("date", "2026-01-28")


def test_fields_become_the_consoles_form_submitted_by_the_primary_button() -> None:
    variables = card_param_map(CARD)
    assert (variables["has_form"], variables["form_button"]) == ("true", "确认")
    action, revision, customer, following = json.loads(variables["form"])["fields"]
    assert (action["defaultValue"], action["hidden"]) == ("confirm", True)
    assert (revision["name"], revision["defaultValue"]) == ("revision", "2")
    assert customer["options"][1] == {"value": "18", "text": "恒瑞电机"}
    assert (following["type"], following["defaultValue"]) == ("DATE", "2026-01-28")
    (cancel,) = json.loads(variables["btns"])
    assert (cancel["text"], cancel["color"]) == ("取消", "gray")
    assert cancel["event"] == {
        "type": "sendCardRequest",
        "params": {"actionId": "cancel", "params": {"revision": "2"}},
    }


def test_a_chosen_option_is_the_forms_default() -> None:
    options = (Option("17", "恒锐"), Option("18", "恒瑞"))
    field = Field("customer", "客户", options=options, value="18")
    variables = card_param_map(Card("c", "标题", fields=(field,), buttons=CARD.buttons))
    (*_, customer) = json.loads(variables["form"])["fields"]
    assert customer["defaultValue"] == {"index": 1, "value": "18"}


def test_without_fields_every_button_stands_in_the_group() -> None:
    variables = card_param_map(Card("c", "标题", buttons=CARD.buttons))
    assert (variables["has_form"], variables["form"]) == ("false", '{"fields":[]}')
    assert [button["text"] for button in json.loads(variables["btns"])] == ["确认", "取消"]


def test_buttons_that_need_more_than_one_variable_go_on_in_the_second() -> None:
    buttons = tuple(Button(f"customer:{number}" * 5, "按钮") for number in range(6))
    variables = card_param_map(Card("c", "标题", buttons=buttons))
    groups = [json.loads(variables[name]) for name in ("btns", "btns2")]
    assert all(len(variables[name].encode()) <= VALUE_BYTES for name in ("btns", "btns2"))
    assert [len(group) for group in groups] == [5, 1]


def test_a_closed_card_has_no_fields_and_buttons() -> None:
    variables = card_param_map(Card("c", "标题", buttons=CARD.buttons, closed="已确认"))
    assert (variables["closed"], variables["buttons"], variables["fields"]) == (
        "已确认",
        "[]",
        "[]",
    )
    assert (variables["has_form"], variables["btns"]) == ("false", "[]")


@given(
    st.lists(st.text(alphabet="跟单 a😀", max_size=900), max_size=12),
    st.lists(st.tuples(st.text(max_size=5), st.text(alphabet="元a", max_size=500)), max_size=6),
)
def test_no_card_value_is_over_its_limit_and_no_line_is_lost(
    lines: list[str], facts: list[tuple[str, str]]
) -> None:
    card = Card("c", "标题", lines=tuple(lines), facts=tuple(facts))
    shown, *more = parts(card)
    assert isinstance(shown, Card)
    for value in card_param_map(shown).values():
        assert len(value.encode()) <= VALUE_BYTES
    told = "".join([*shown.lines, *(part.text for part in more if isinstance(part, Markdown))])
    assert "".join(lines) in told.replace("\n", "")
    assert len(shown.facts) == len(facts) or "：" in told


def test_a_long_body_goes_on_in_the_next_variable_then_in_a_message() -> None:
    card = Card("c", "标题", lines=tuple(f"第{number}行：" + "话" * 300 for number in range(6)))
    shown, rest = parts(card)
    variables = card_param_map(shown)  # type: ignore[arg-type]
    assert variables["body4"].startswith("第3行")
    assert isinstance(rest, Markdown)
    assert rest.text.startswith("第4行")


def test_an_update_too_long_for_its_card_ends_in_an_ellipsis() -> None:
    variables = card_param_map(Card("c", "标题", lines=("话" * 3000,)))
    assert variables["body4"].endswith("……")
    assert len(variables["body4"].encode()) <= VALUE_BYTES


def test_too_many_options_leave_what_fits() -> None:
    options = tuple(
        Option(str(number), f"恒锐机电设备有限公司第{number}分公司") for number in range(80)
    )
    card = Card("c", "标题", fields=(Field("customer", "客户", options=options),))
    fields = card_param_map(card)["fields"]
    assert len(fields.encode()) <= VALUE_BYTES
    assert json.loads(fields)[0]["options"][0]["id"] == "0"


def test_buttons_too_long_for_any_card_are_refused() -> None:
    buttons = tuple(Button(f"action-{number}" * 20, "按钮") for number in range(6))
    with pytest.raises(Rejected):
        card_param_map(Card("c", "标题", buttons=buttons))


def test_without_a_template_a_card_is_a_message_that_says_what_to_answer() -> None:
    (message,) = split(CARD, with_cards=False)
    assert message == as_markdown(CARD)
    assert isinstance(message, Markdown)
    assert "**客户**：恒锐机电" in message.text
    assert "回复：确认 / 取消" in message.text
    assert "已确认" in as_markdown(Card("c", "标题", closed="已确认")).text


@pytest.mark.parametrize(("limit", "clipped"), [(3, "跟"), (5, "跟"), (6, "跟单"), (0, "")])
def test_clipping_never_halves_a_character(limit: int, clipped: str) -> None:
    assert clip("跟单", limit) == clipped
