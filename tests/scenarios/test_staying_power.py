"""Files, restarts, and several things at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.scenarios.driver import Sandbox, Speaker, last_card, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(Path(tmp_path_factory.mktemp("lasting")))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def test_a_pdf_sent_in_the_middle_hangs_on_the_open_draft(lasting: Sandbox) -> None:
    rep = Speaker(lasting, "dingtalk", "zhengshuang")
    answers = await rep.say("方案已发给坪山电池材料，客户已查收")
    assert "还缺" in words(answers)
    answers = await rep.send_file("坪山方案V2.pdf", PDF)
    assert "坪山方案V2.pdf" in words(answers)
    answers = await rep.press(last_card(answers), "确认")
    assert "计为有效跟进" in words(answers)


async def test_a_file_without_words_is_asked_about_and_then_kept(lasting: Sandbox) -> None:
    rep = Speaker(lasting, "dingtalk", "zhengshuang")
    answers = await rep.send_file("现场照片.png", b"\x89PNG\r\n\x1a\n" + bytes(64), kind="image")
    assert "哪家客户" in words(answers)
    card = last_card(answers)
    label = next(b["label"] for b in card["card"]["buttons"] if b["action"] != "drop")
    answers = await rep.press(card, label)
    assert "已把" in words(answers)


async def test_a_file_that_cannot_be_fetched_is_told(lasting: Sandbox) -> None:
    rep = Speaker(lasting, "dingtalk", "zhengshuang")
    await lasting.post(
        "fault",
        platform="dingtalk",
        api="v1.0/robot/messageFiles/download",
        errcode="invalidParameter.robotCode.downloadCode",
        times=1,
    )
    assert "没能从平台取下来" in words(await rep.send_file("坏文件.pdf", PDF))


async def test_two_reps_at_once_do_not_mix(lasting: Sandbox) -> None:
    first = Speaker(lasting, "wecom", "zhangwei")
    second = Speaker(lasting, "dingtalk", "wulei01")
    one, two = await asyncio.gather(
        first.say("宁波甬江轴承通话11分钟，嫌价格高，下周三再联系"),
        second.say("佛山南海铝业通话22分钟，预算没批，下周四再联系"),
    )
    assert "11分钟" in words(one)
    assert "22分钟" not in words(one)
    assert "22分钟" in words(two)
    await asyncio.gather(first.say("取消"), second.say("取消"))


async def test_two_drafts_of_one_rep_stay_apart(lasting: Sandbox) -> None:
    rep = Speaker(lasting, "wecom", "liuyang")
    older = last_card(await rep.say("芜湖鸠江汽配通话12分钟，没有异议，下周三再联系"))
    newer = last_card(await rep.say("合肥滨湖压缩机通话33分钟，嫌价格高，下周五再联系"))
    said = words(await rep.press(older, "确认"))
    assert "芜湖鸠江汽配" in said
    assert "合肥" not in said
    assert "合肥滨湖压缩机" in words(await rep.press(newer, "确认"))


async def test_a_draft_survives_kill_9_and_expires_with_a_word(lasting: Sandbox) -> None:
    rep = Speaker(lasting, "wecom", "chenjing")
    await rep.say("昆山正仪连接器通话12分钟，没有异议，下周三再联系")
    port = int(lasting.url.rsplit(":", 1)[1])
    await lasting.stop(signal.SIGKILL)
    await lasting.start(port)
    rep = Speaker(lasting, "wecom", "chenjing")
    assert "昆山正仪连接器" in words(await rep.say("待办"))
    answers = await rep.say("不对，是下周四")
    assert "周四" in words(answers)
    await lasting.post("clock", advance=3 * 86400)
    await lasting.quiesce()
    assert "已经作废" in words(await rep.look())


async def test_time_only_moves_forward(lasting: Sandbox) -> None:
    before = (await lasting.get("world"))["now"]
    async with lasting.http.post(
        "/sandbox/api/clock", json={"now": "2020-01-01T00:00:00+08:00"}
    ) as answer:
        assert answer.status in (200, 400)
    assert (await lasting.get("world"))["now"] >= before
