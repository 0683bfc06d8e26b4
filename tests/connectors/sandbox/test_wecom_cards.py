"""Template cards: what is refused, what people see, and how a card changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.connectors.sandbox.wecom_bed import AGENT, Bed, buttons_card, open_bed


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


def options(count: int) -> list[dict[str, str]]:
    return [{"id": f"o{i}", "text": f"选项 {i}"} for i in range(count)]


def choices(**more: Any) -> dict[str, Any]:
    select = {"question_key": "stage", "title": "阶段", "option_list": options(2)}
    return {
        "card_type": "multiple_interaction",
        "main_title": {"title": "补填拜访"},
        "task_id": "visit-2@1",
        "select_list": [select, {**select, "question_key": "why", "selected_id": "o1"}],
        "submit_button": {"text": "提交", "key": "save"},
        **more,
    }


def vote(**more: Any) -> dict[str, Any]:
    checked = [{"id": "1", "text": "周四", "is_checked": True}, {"id": "2", "text": "周五"}]
    return {
        "card_type": "vote_interaction",
        "main_title": {"title": "本周复盘时间"},
        "task_id": "poll-7",
        "checkbox": {"question_key": "slot", "mode": 1, "option_list": checked},
        "submit_button": {"text": "提交", "key": "submit"},
        **more,
    }


def notice(**more: Any) -> dict[str, Any]:
    return {
        "card_type": "text_notice",
        "main_title": {"title": "提醒"},
        "card_action": {"type": 1, "url": "https://a.example"},
        **more,
    }


LINK = {"title": "看板", "url": "https://a.example"}
FACT = {"keyname": "金额", "value": "32 万"}
BUTTON = {"text": "确认", "key": "ok"}
SELECT = {"question_key": "q", "option_list": options(2)}


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"card_type": "poster"}, 42031),
        (buttons_card(task_id=""), 42014),
        (buttons_card(task_id="有空格 的"), 42014),
        (buttons_card(task_id="x" * 129), 42014),
        (buttons_card(horizontal_content_list=[FACT] * 7), 42035),
        (buttons_card(vertical_content_list=[{"title": "a"}] * 5), 42036),
        (buttons_card(vertical_content_list=[{"desc": "a"}]), 42033),
        (buttons_card(jump_list=[LINK] * 4), 42042),
        (buttons_card(jump_list=[{"url": "https://a.example"}]), 42033),
        (buttons_card(main_title={"desc": "没有标题"}), 40063),
        (buttons_card(button_list=[]), 42039),
        (buttons_card(button_list=[{"text": str(i), "key": str(i)} for i in range(7)]), 42039),
        (buttons_card(button_list=[BUTTON, BUTTON]), 42039),
        (buttons_card(button_list=[{"key": "ok"}]), 42038),
        (buttons_card(button_list=[{"text": "确认", "key": "k" * 1025}]), 42039),
        (buttons_card(button_list=[{"type": 1, "text": "打开"}]), 40063),
        (buttons_card(button_selection={**SELECT, "option_list": options(11)}), 42037),
        (buttons_card(button_selection={**SELECT, "question_key": ""}), 42043),
        (buttons_card(button_selection={**SELECT, "option_list": [{"text": "a"}]}), 42040),
        (buttons_card(button_selection={**SELECT, "option_list": [{"id": "a"}]}), 42041),
        (buttons_card(button_selection={**SELECT, "option_list": options(1) * 2}), 42040),
        (buttons_card(button_list="确认"), 40058),
        (buttons_card(main_title="标题"), 40058),
        (buttons_card(sub_title_text=5), 40058),
        (buttons_card(button_list=["确认"]), 40058),
        (buttons_card(button_list=[{"text": "a", "key": "b", "style": "1"}]), 40058),
        (choices(select_list=[]), 42047),
        (choices(select_list=[SELECT, SELECT]), 42043),
        (choices(submit_button={"key": "save"}), 42049),
        (choices(submit_button={"text": "提交"}), 42046),
        (vote(checkbox={"question_key": "slot", "option_list": options(21)}), 42037),
        (notice(card_action={"type": 1}), 42045),
        (notice(card_action={}), 42045),
        (notice(main_title={}), 40063),
        (notice(action_menu={"action_list": [BUTTON]}), 42014),
        ({**notice(), "card_type": "news_notice"}, 42044),
    ],
)
async def test_card_with_a_fault_is_refused_with_its_code(
    bed: Bed, card: dict[str, Any], code: int
) -> None:
    assert (await bed.send("template_card", card))["errcode"] == code
    assert not bed.shown_to("zhang3")


async def test_buttons_card_is_shown_in_the_common_shape(bed: Bed) -> None:
    link = {"type": 1, "text": "打开", "url": "https://a.example"}
    buttons = [*buttons_card()["button_list"], link]
    await bed.send("template_card", buttons_card(button_list=buttons))
    shown = bed.shown_to("zhang3")[0]
    assert (shown.kind, shown.text) == ("card", "拜访 #118")
    assert shown.card == {
        "title": "拜访 #118",
        "body": "恒锐机电\n嫌价格高",
        "facts": [["时长", "25 分钟"]],
        "buttons": [
            {"action": "confirm", "label": "确认", "style": "primary"},
            {"action": "cancel", "label": "取消", "style": "danger"},
            {"action": "", "label": "打开", "style": "default", "url": "https://a.example"},
        ],
        "fields": [
            {
                "key": "stage",
                "label": "阶段",
                "kind": "select",
                "options": [{"id": "s1", "label": "初访"}, {"id": "s2", "label": "报价"}],
                "value": "s1",
            }
        ],
    }


async def test_what_is_too_long_for_the_screen_is_cut_there(bed: Bed) -> None:
    fact = {"keyname": "联系人电话", "value": "长" * 40}
    title = {"title": "题" * 40}
    await bed.send("template_card", buttons_card(main_title=title, horizontal_content_list=[fact]))
    card = bed.shown_to("zhang3")[0].card
    assert card is not None
    assert card["title"] == "题" * 35 + "…"
    assert card["facts"] == [["联系人电话", "长" * 29 + "…"]]


async def test_notice_shows_its_parts_and_its_menu(bed: Bed) -> None:
    await bed.send("template_card", notice(
        task_id="n-1",
        emphasis_content={"title": "14", "desc": "天未跟进"},
        quote_area={"title": "最近一次", "quote_text": "电话"},
        jump_list=[LINK],
        action_menu={"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]},
    ))  # fmt: skip
    card = bed.shown_to("zhang3")[0].card
    assert card is not None
    assert card["body"] == "14 天未跟进\n> 最近一次\n> 电话\n[看板](https://a.example)"
    assert card["menu"] == [{"action": "mute", "label": "不再提醒"}]
    assert card["buttons"][0]["url"] == "https://a.example"


async def test_interactive_card_needs_a_callback_url(bed: Bed) -> None:
    bed.world.app("wecom").callback_url = ""
    assert (await bed.send("template_card", buttons_card()))["errcode"] == 43012
    assert (await bed.send("template_card", notice()))["errcode"] == 0


async def test_task_id_is_taken_once(bed: Bed) -> None:
    assert (await bed.send("template_card", buttons_card()))["errcode"] == 0
    assert (await bed.send("template_card", buttons_card()))["errcode"] == 42014


async def update(bed: Bed, code: str, **body: Any) -> dict[str, Any]:
    body = {"userids": ["ZHANG3"], "agentid": AGENT, "response_code": code, **body}
    return await bed.post("message/update_template_card", body)


async def test_update_greys_the_buttons_for_the_listed_members_only(bed: Bed) -> None:
    sent = await bed.send("template_card", buttons_card(), to="zhang3|Li4")
    answer = await update(bed, sent["response_code"], button={"replace_name": "张三已确认"})
    assert (answer["errcode"], answer["invaliduser"]) == (0, [])
    mine, other = bed.shown_to("zhang3")[0].card, bed.shown_to("Li4")[0].card
    assert mine is not None
    assert other is not None
    assert (mine["buttons"], mine["closed"]) == ([], "张三已确认")
    assert "fields" not in mine
    assert len(other["buttons"]) == 2


async def test_update_replaces_the_card_for_all_who_have_it(bed: Bed) -> None:
    sent = await bed.send("template_card", buttons_card(), to="zhang3|Li4")
    new = buttons_card("visit-118@2", main_title={"title": "拜访 #118（改）"})
    await update(bed, sent["response_code"], atall=1, userids=[], template_card=new)
    for user in ("zhang3", "Li4"):
        shown = bed.shown_to(user)[0]
        assert (shown.text, shown.wire["task_id"]) == ("拜访 #118（改）", "visit-118@2")
        assert shown.updated_at == bed.clock.now()


async def test_card_replaced_with_a_replace_text_is_closed(bed: Bed) -> None:
    sent = await bed.send("template_card", buttons_card())
    await update(bed, sent["response_code"], template_card=buttons_card(replace_text="已提交"))
    card = bed.shown_to("zhang3")[0].card
    assert card is not None
    assert (card["buttons"], card["closed"]) == ([], "已提交")


async def test_response_code_serves_once_and_for_72_hours(bed: Bed) -> None:
    grey = {"button": {"replace_name": "已处理"}}
    first = await bed.send("template_card", buttons_card("a@1"))
    assert (await update(bed, first["response_code"], **grey))["errcode"] == 0
    assert (await update(bed, first["response_code"], **grey))["errcode"] == 60140
    late = await bed.send("template_card", buttons_card("b@1"))
    bed.clock.pass_by(hours=72)
    assert (await update(bed, late["response_code"], **grey))["errcode"] == 60140
    assert (await update(bed, "made-up", **grey))["errcode"] == 60140


async def test_refused_update_does_not_spend_the_code(bed: Bed) -> None:
    code = (await bed.send("template_card", buttons_card()))["response_code"]
    wrong = buttons_card(button_list=[])
    assert (await update(bed, code, template_card=wrong))["errcode"] == 42039
    assert (await update(bed, code, button={}))["errcode"] == 40063
    assert (await update(bed, code, userids=["li4"], button={"replace_name": "x"}))[
        "errcode"
    ] == 81013
    assert (await update(bed, code, button={"replace_name": "已处理"}))["errcode"] == 0


async def test_update_lists_members_who_do_not_have_the_card(bed: Bed) -> None:
    code = (await bed.send("template_card", buttons_card()))["response_code"]
    answer = await update(bed, code, userids=["zhang3", "Li4"], button={"replace_name": "已处理"})
    assert (answer["errcode"], answer["invaliduser"]) == (0, ["li4"])


async def test_form_fields_of_the_other_cards_are_shown(bed: Bed) -> None:
    await bed.send("template_card", choices())
    await bed.send("template_card", vote())
    selects, poll = (said.card for said in bed.shown_to("zhang3"))
    assert selects is not None
    assert poll is not None
    assert [field["value"] for field in selects["fields"]] == ["o0", "o1"]
    assert selects["buttons"] == [{"action": "save", "label": "提交", "style": "primary"}]
    assert (poll["fields"][0]["kind"], poll["fields"][0]["value"]) == ("checkbox", "1")


@pytest.mark.parametrize(
    ("card", "action", "values", "chosen"),
    [
        (buttons_card(), "confirm", {"stage": "s2"}, {"stage": ["s2"]}),
        (buttons_card(), "confirm", {}, {"stage": ["s1"]}),
        (choices(), "save", {"stage": "o1"}, {"stage": ["o1"], "why": ["o1"]}),
        (vote(), "submit", {"slot": "1,2"}, {"slot": ["1", "2"]}),
        (vote(), "submit", {"slot": ""}, {"slot": []}),
    ],
)
async def test_press_submits_each_field_as_the_screen_shows_it(
    bed: Bed, card: dict[str, Any], action: str, values: dict[str, str], chosen: dict[str, Any]
) -> None:
    """An untouched drop-down submits its first option, an untouched box what is ticked."""
    await bed.send("template_card", card)
    await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", action, values)
    [event] = bed.door.said("template_card_event")
    assert (event.text("EventKey"), event.text("TaskId")) == (action, card["task_id"])
    assert event.text("CardType") == card["card_type"]
    submitted = {
        item.findtext("QuestionKey"): [option.text for option in item.iter("OptionId")]
        for item in event.xml.iter("SelectedItem")
    }
    assert submitted == chosen


@pytest.mark.parametrize(
    ("who", "action", "values", "why"),
    [
        ("li4", "confirm", {}, "没有收到这张卡片"),
        ("zhang3", "nothing", {}, "没有这个按钮"),
        ("zhang3", "", {}, "没有这个按钮"),
        ("zhang3", "confirm", {"why": "a"}, "没有这一栏"),
        ("zhang3", "confirm", {"stage": "s9"}, "没有这个选项"),
        ("ghost1", "confirm", {}, "没有这个人"),
    ],
)
async def test_press_that_no_screen_offers_is_refused_and_not_sent(
    bed: Bed, who: str, action: str, values: dict[str, str], why: str
) -> None:
    await bed.send("template_card", buttons_card())
    with pytest.raises(ValueError, match=why):
        await bed.emulator.press(bed.shown_to("zhang3")[0], who, action, values)
    assert bed.door.posts == []


async def test_closed_card_cannot_be_pressed(bed: Bed) -> None:
    code = (await bed.send("template_card", buttons_card()))["response_code"]
    await update(bed, code, button={"replace_name": "已处理"})
    with pytest.raises(ValueError, match="没有这个按钮"):
        await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", "confirm", {})


async def test_menu_of_a_card_comes_back_as_its_own_event(bed: Bed) -> None:
    menu = {"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]}
    await bed.send("template_card", buttons_card(action_menu=menu))
    await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", "mute", {})
    [event] = bed.door.said("template_card_menu_event")
    assert event.text("EventKey") == "mute"
    assert event.xml.find("SelectedItems") is None


async def test_code_of_the_press_updates_the_card_too(bed: Bed) -> None:
    await bed.send("template_card", buttons_card())
    await bed.emulator.press(bed.shown_to("zhang3")[0], "zhang3", "confirm", {})
    code = bed.door.said("template_card_event")[0].text("ResponseCode")
    assert (await update(bed, code, button={"replace_name": "已确认"}))["errcode"] == 0
    assert (await update(bed, code, button={"replace_name": "已确认"}))["errcode"] == 60140
