"""message/send and recall: who gets what, what is cut, dropped or refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.connectors.sandbox.wecom_bed import AGENT, AMR, PNG, Bed, buttons_card, open_bed


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    async with open_bed() as bed:
        yield bed


async def test_text_reaches_each_receiver_once_whatever_the_case_of_the_id(bed: Bed) -> None:
    answer = await bed.send_text("今日待跟进 3 家", to="ZHANG3|zhang3|li4")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "")
    assert [said.text for said in bed.shown_to("zhang3")] == ["今日待跟进 3 家"]
    assert len(bed.shown_to("Li4")) == 1


async def test_some_invalid_receivers_are_listed_lower_cased_in_a_success(bed: Bed) -> None:
    answer = await bed.send_text("你好", to="zhang3|Ghost1|new6")
    assert (answer["errcode"], answer["invaliduser"]) == (0, "ghost1|new6")


@pytest.mark.parametrize(
    ("receivers", "code"),
    [
        ({"touser": "ghost1|gone7"}, 81013),
        ({"touser": ""}, 82001),
        ({"totag": "9"}, 81013),
        ({"touser": ["zhang3"]}, 40058),
        ({"touser": "|".join(f"u{i}" for i in range(1001))}, 40031),
        ({"toparty": "|".join(str(i) for i in range(101))}, 82002),
        ({"totag": "|".join(str(i) for i in range(101))}, 82003),
    ],
)
async def test_nobody_to_send_to_is_refused(bed: Bed, receivers: dict[str, Any], code: int) -> None:
    body = {**receivers, "msgtype": "text", "agentid": AGENT, "text": {"content": "你好"}}
    assert (await bed.post("message/send", body))["errcode"] == code


async def test_everybody_and_a_department_with_those_below_it(bed: Bed) -> None:
    await bed.send_text("全体", to="@all")
    await bed.send_text("销售部", to="", toparty="2|77")
    for user_id in ("zhang3", "Li4", "wang5"):
        assert [said.text for said in bed.shown_to(user_id)] == ["全体", "销售部"]
    assert not bed.shown_to("new6")


async def test_member_without_a_licence_is_listed_and_gets_nothing(bed: Bed) -> None:
    bed.emulator.state.unlicensed.add("Li4")
    answer = await bed.send_text("你好", to="zhang3|li4")
    assert answer["unlicenseduser"] == "Li4"
    assert not bed.shown_to("Li4")


async def test_long_text_is_cut_without_a_word(bed: Bed) -> None:
    assert (await bed.send_text("跟" * 1000))["errcode"] == 0
    assert bed.shown_to("zhang3")[0].text == "跟" * 682  # 2048 bytes hold 682 of 3 bytes


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("text", {"content": ""}, 44004),
        ("text", {"content": 5}, 40058),
        ("text", "你好", 40063),
        ("markdown", {"content": "长" * 700}, 45002),
        ("mpnews", {}, 40008),
        ("image", {"media_id": "nothing"}, 40007),
        ("textcard", {"title": "标题"}, 40063),
        ("news", {"articles": []}, 40058),
    ],
)
async def test_content_that_is_refused(bed: Bed, kind: str, content: Any, code: int) -> None:
    assert (await bed.send(kind, content))["errcode"] == code
    assert not bed.shown_to("zhang3")


@pytest.mark.parametrize(
    ("agent", "code"), [(1000003, 301002), ("sales", 40056), (None, 40056), (True, 40056)]
)
async def test_agent_must_be_the_tokens_own(bed: Bed, agent: Any, code: int) -> None:
    answer = await bed.send_text("你好", agentid=agent)
    assert answer["errcode"] == code


async def test_media_are_shown_as_what_they_are(bed: Bed) -> None:
    for kind, name, data in (
        ("image", "热力图.png", PNG),
        ("voice", "v.amr", AMR),
        ("file", "方案.pdf", b"%PDF-1.7 ..."),
    ):
        media = await bed.upload(kind, name, data)
        assert (await bed.send(kind, {"media_id": media["media_id"]}))["errcode"] == 0
    shown = bed.shown_to("zhang3")
    assert [said.kind for said in shown] == ["image", "voice", "file"]
    assert [said.file and said.file["name"] for said in shown] == [
        "热力图.png",
        "v.amr",
        "方案.pdf",
    ]


async def test_media_uploaded_as_another_type_is_refused(bed: Bed) -> None:
    media = await bed.upload("file", "a.png", PNG)
    assert (await bed.send("image", {"media_id": media["media_id"]}))["errcode"] == 40007


async def test_textcard_and_news_are_cards_that_open_pages(bed: Bed) -> None:
    await bed.send("textcard", {
        "title": "周报", "description": '<div class="gray">三月</div>', "url": "https://a.example/1",
    })  # fmt: skip
    await bed.send("news", {"articles": [
        {"title": "新品", "description": "五轴", "url": "https://a.example/2"}, {"title": "旧品"},
    ]})  # fmt: skip
    textcard, news = (said.card for said in bed.shown_to("zhang3"))
    assert textcard is not None
    assert news is not None
    assert (textcard["title"], textcard["body"]) == ("周报", "三月")
    assert textcard["buttons"][0]["url"] == "https://a.example/1"
    assert [button["label"] for button in news["buttons"]] == ["新品"]


async def test_thirty_a_minute_reach_a_member_and_the_rest_vanishes_silently(bed: Bed) -> None:
    for number in range(32):
        assert (await bed.send_text(f"第 {number} 条"))["errcode"] == 0
    assert len(bed.shown_to("zhang3")) == 30
    assert bed.world.counters["wecom:dropped"] == 2
    bed.clock.pass_by(seconds=60)
    await bed.send_text("又一条")
    assert bed.shown_to("zhang3")[-1].text == "又一条"


async def test_same_content_twice_is_shown_once_within_the_interval(bed: Bed) -> None:
    how = {"enable_duplicate_check": 1, "duplicate_check_interval": 600}
    first = await bed.send_text("你好", **how)
    bed.clock.pass_by(seconds=599)
    assert (await bed.send_text("你好", **how))["msgid"] == first["msgid"]
    bed.clock.pass_by(seconds=1)
    assert (await bed.send_text("你好", **how))["msgid"] != first["msgid"]
    assert len(bed.shown_to("zhang3")) == 2


async def test_same_content_twice_is_shown_twice_when_nobody_asked(bed: Bed) -> None:
    await bed.send_text("你好")
    await bed.send_text("你好")
    assert len(bed.shown_to("zhang3")) == 2


async def test_recall_takes_back_every_copy(bed: Bed) -> None:
    answer = await bed.send_text("发错了", to="zhang3|li4")
    assert (await bed.post("message/recall", {"msgid": answer["msgid"]}))["errcode"] == 0
    assert all(bed.shown_to(user)[0].recalled for user in ("zhang3", "Li4"))


async def test_recall_is_refused_after_a_day_or_for_an_unknown_message(bed: Bed) -> None:
    answer = await bed.send_text("你好")
    bed.clock.pass_by(hours=24, seconds=1)
    assert (await bed.post("message/recall", {"msgid": answer["msgid"]}))["errcode"] == 40058
    assert (await bed.post("message/recall", {"msgid": "nothing"}))["errcode"] == 40058


async def test_only_cards_that_call_back_have_a_response_code(bed: Bed) -> None:
    notice = {
        "card_type": "text_notice",
        "main_title": {"title": "提醒"},
        "card_action": {"type": 1, "url": "https://a.example"},
    }
    menu = {"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]}
    assert "response_code" not in await bed.send_text("你好")
    assert "response_code" not in await bed.send("template_card", notice)
    with_menu = {**notice, "action_menu": menu, "task_id": "n-1"}
    assert "response_code" in await bed.send("template_card", with_menu)
    assert "response_code" in await bed.send("template_card", buttons_card())
