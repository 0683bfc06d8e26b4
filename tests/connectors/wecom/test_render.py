"""What goes onto the wire: within every limit, and nothing silently lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import Button, Card, CardUpdate, Field, FileContent, Markdown, Option, Text
from connectors.wecom.render import (
    UNCHOSEN,
    card_as_markdown,
    render_card,
    render_replacement,
    split,
    split_text,
)

LINK = "https://bot.example.com"
STAGES = (Option("s1", "初访"), Option("s2", "报价"))
CARD = Card(
    card_id="draft-118",
    revision=2,
    title="拜访 恒锐机电",
    lines=("嫌价格高", "下周三再联系"),
    facts=(("时长", "25 分钟"),),
    fields=(Field("stage", "阶段", options=STAGES, value="s2"),),
    buttons=(
        Button("confirm", "确认", "primary"),
        Button("edit", "修改"),
        Button("cancel", "取消", "danger"),
    ),
)


def options(count: int) -> tuple[Option, ...]:
    return tuple(Option(f"o{number}", f"选项{number}") for number in range(count))


def rendered(card: Card) -> dict:
    return render_card(card, link=LINK)


def test_card_becomes_buttons_a_table_and_a_drop_down() -> None:
    assert rendered(CARD) == {
        "card_type": "button_interaction",
        "main_title": {"title": "拜访 恒锐机电"},
        "sub_title_text": "嫌价格高\n下周三再联系",
        "horizontal_content_list": [{"keyname": "时长", "value": "25 分钟"}],
        "task_id": "draft-118@2",
        "button_selection": {
            "question_key": "stage",
            "title": "阶段",
            "option_list": [{"id": "s1", "text": "初访"}, {"id": "s2", "text": "报价"}],
            "selected_id": "s2",
        },
        "button_list": [
            {"text": "确认", "style": 1, "key": "confirm"},
            {"text": "修改", "style": 2, "key": "edit"},
            {"text": "取消", "style": 3, "key": "cancel"},
        ],
    }


def test_card_that_fits_stays_one_part() -> None:
    assert split(CARD) == [CARD]
    assert split(CardUpdate(CARD, "RC")) == [CardUpdate(CARD, "RC")]


@pytest.mark.parametrize("value", ["", "gone"])
def test_drop_down_without_a_choice_opens_on_please_choose(value: str) -> None:
    """Left alone it would submit its first option as if somebody had meant it."""
    card = replace(CARD, fields=(replace(CARD.fields[0], value=value),))
    selection = rendered(card)["button_selection"]
    assert selection["option_list"][0] == {"id": UNCHOSEN, "text": "请选择"}
    assert selection["selected_id"] == UNCHOSEN


def test_inputs_that_the_platform_lacks_are_left_to_the_chat() -> None:
    fields = (Field("note", "备注", kind="text"), Field("on", "日期", kind="date"), *CARD.fields)
    assert rendered(replace(CARD, fields=fields)) == rendered(CARD)
    two = replace(CARD, fields=(*CARD.fields, Field("who", "谁", options=STAGES)))
    assert rendered(two) == rendered(CARD)


def test_card_without_buttons_leads_to_a_page() -> None:
    card = rendered(replace(CARD, buttons=(), fields=()))
    assert card["card_type"] == "text_notice"
    assert card["card_action"] == {"type": 1, "url": LINK}
    assert card["sub_title_text"] == "嫌价格高\n下周三再联系"


def test_closed_card_shows_its_note_and_no_buttons() -> None:
    card = rendered(replace(CARD, closed="已确认"))
    assert card["main_title"] == {"title": "拜访 恒锐机电", "desc": "已确认"}
    assert "button_list" not in card


def test_update_replaces_the_whole_card() -> None:
    assert render_replacement(CARD) == rendered(CARD)


def test_update_of_a_closed_card_greys_out_its_only_button() -> None:
    card = render_replacement(replace(CARD, closed="已由王五确认"))
    assert card["card_type"] == "button_interaction"
    assert card["replace_text"] == "已由王五确认"
    assert [button["text"] for button in card["button_list"]] == ["已由王五确认"]
    assert "button_selection" not in card
    assert card["sub_title_text"] == "嫌价格高\n下周三再联系"


def test_lines_too_long_for_the_card_follow_as_a_text() -> None:
    lines = ("第一行", "长" * 155, "第三行")
    card, text = split(replace(CARD, lines=lines))
    assert rendered(card)["sub_title_text"] == "第一行\n" + "长" * 155
    assert text == Text("拜访 恒锐机电（续）\n第三行")


def test_closing_a_card_does_not_tell_again_what_did_not_fit() -> None:
    card = replace(CARD, lines=("第一行", "长" * 155, "第三行"))
    assert len(split(CardUpdate(card, "RC"))) == 2
    assert len(split(CardUpdate(replace(card, closed="已知悉1个，不再催"), "RC"))) == 1


def test_facts_that_fit_no_table_become_lines() -> None:
    facts = (("联系人电话号码", "138"), ("异议", "价" * 27), *((f"项{n}", "值") for n in range(7)))
    card = rendered(replace(CARD, facts=facts))
    assert [fact["keyname"] for fact in card["horizontal_content_list"]] == [
        f"项{number}" for number in range(6)
    ]
    assert "联系人电话号码：138\n异议：" + "价" * 27 in card["sub_title_text"]
    assert card["sub_title_text"].endswith("项6：值")


def test_buttons_and_options_beyond_the_limit_are_named_in_a_text() -> None:
    buttons = tuple(Button(f"b{number}", f"按钮{number}") for number in range(8))
    fields = (Field("stage", "阶段", options=options(12)),)
    card, text = split(replace(CARD, buttons=buttons, fields=fields))
    assert len(rendered(card)["button_list"]) == 6
    assert len(rendered(card)["button_selection"]["option_list"]) == 10
    assert isinstance(text, Text)
    assert "阶段还可以直接回复：选项9、选项10、选项11" in text.text
    assert "还可以直接回复：按钮6、按钮7" in text.text


def test_selected_option_stays_in_the_drop_down_wherever_it_stood() -> None:
    fields = (Field("stage", "阶段", options=options(12), value="o11"),)
    selection = rendered(replace(CARD, fields=fields))["button_selection"]
    assert len(selection["option_list"]) == 10
    assert selection["selected_id"] == "o11"


def test_long_title_is_cut_on_the_card_and_told_in_full_after_it() -> None:
    card, text = split(replace(CARD, title="题" * 40))
    assert rendered(card)["main_title"]["title"] == "题" * 35 + "…"
    assert isinstance(text, Text)
    assert "题" * 40 in text.text


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)
CARDS = st.builds(
    Card,
    card_id=st.just("c-1"),
    title=LINE,
    lines=st.lists(LINE, max_size=6).map(tuple),
    facts=st.lists(st.tuples(LINE, LINE), max_size=9).map(tuple),
    fields=st.integers(0, 14).map(lambda n: (Field("f", "选", options=options(n)),)),
    buttons=st.integers(0, 9).map(lambda n: tuple(Button(f"b{i}", f"按{i}") for i in range(n))),
    closed=st.sampled_from(["", "已确认"]),
)


@given(CARDS)
def test_no_card_goes_over_a_limit_and_no_line_is_lost(card: Card) -> None:
    first, *rest = split(card)
    assert isinstance(first, Card)
    wire = rendered(first)
    assert len(wire["main_title"]["title"]) <= 36
    assert len(wire.get("sub_title_text", "")) <= 160
    for fact in wire.get("horizontal_content_list", []):
        assert len(fact["keyname"]) <= 5
        assert len(fact["value"]) <= 26
    assert len(wire.get("button_list", [])) <= 6
    assert len(wire.get("button_selection", {}).get("option_list", [])) <= 10
    shown = json.dumps(wire, ensure_ascii=False) + "".join(
        part.text.replace("\n", "") for part in rest if isinstance(part, Text)
    )
    for line in card.lines:
        assert line in shown or json.dumps(line, ensure_ascii=False)[1:-1] in shown


@given(CARDS)
def test_splitting_the_card_again_changes_nothing(card: Card) -> None:
    first, *_ = split(card)
    assert split(first) == [first]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=4000))
def test_text_is_cut_only_between_characters_and_loses_only_line_ends(text: str) -> None:
    parts = list(split_text(text, 256))
    assert all(len(part.encode()) <= 256 for part in parts)
    assert "".join(parts).replace("\n", "") == text.replace("\n", "")


def test_long_text_is_cut_at_a_line_end_where_there_is_one() -> None:
    lines = [f"第{number}行，" + "内容" * 20 for number in range(40)]
    parts = [part.text for part in split(Text("\n".join(lines))) if isinstance(part, Text)]
    assert len(parts) == 3
    assert "\n".join(parts).split("\n") == lines


def test_text_of_exactly_the_limit_is_one_part() -> None:
    assert split(Text("x" * 2048)) == [Text("x" * 2048)]
    assert [len(part.text) for part in split(Text("x" * 2049))] == [2048, 1]


def test_markdown_keeps_its_title_on_every_part() -> None:
    parts = split(Markdown("周报", "**客户**\n" * 400))
    assert len(parts) > 1
    assert all(isinstance(part, Markdown) and part.title == "周报" for part in parts)


def test_file_is_one_part() -> None:
    content = FileContent("image", "0" * 64, "图.png")
    assert split(content) == [content]


def test_group_reads_the_card_as_markdown() -> None:
    text = card_as_markdown(replace(CARD, closed="已确认")).text
    assert text.splitlines()[0] == "**拜访 恒锐机电**"
    assert "> 时长：25 分钟" in text
    assert "已确认" in text


def test_a_card_that_changes_in_place_says_its_tail_once() -> None:
    """The rep who crosses one item off the morning list is not told the list again."""
    long = replace(CARD, lines=tuple(f"第{number}家 绍兴越城纺机有限公司" for number in range(30)))
    assert len(split(CardUpdate(long))) > 1
    assert len(split(CardUpdate(long, only_in_place=True))) == 1
