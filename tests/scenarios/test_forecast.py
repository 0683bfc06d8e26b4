"""From «高意向» to a committed forecast, through WeCom: a level with its evidence, a submission, a
second signature."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.driver import Sandbox, Speaker, words
from tests.speech.ocr import papers

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL = (
    "From: 李工 <ligong@hengrui.example>\r\nSubject: 预算已批准\r\n"
    "Date: Tue, 27 Jan 2026 10:00:00 +0800\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    "杭州恒锐机电有限公司：预算 38.8 万元已批准。"
).encode()


@pytest.fixture
def csm(sandbox: Sandbox) -> Speaker:
    """孙丽 of customer success."""
    return Speaker(sandbox, "wecom", "sunli")


async def card_of(speaker: Speaker, title: str) -> dict[str, Any]:
    """The newest card of that kind, as it stands now."""
    cards = [m for m in await speaker.all() if m["kind"] == "card" and title in m["card"]["title"]]
    return cards[-1]


async def test_from_a_vague_word_to_a_committed_forecast(rep: Speaker, csm: Speaker) -> None:
    assert "有没有PO号（L1）" in words(await rep.say("恒锐机电高意向"))
    asked = words(await rep.say("恒锐机电 升到L2"))
    assert "还缺" in asked
    assert "盖章的技术确认的文件" in asked
    await rep.send_file("技术确认函.pdf", papers.pdf_with_text())
    await rep.send_file("预算批准.eml", MAIL)
    card = await card_of(rep, "意向定级")
    read = words([card])
    assert "发件人 ligong@hengrui.example" in read
    assert "邮件头没有签名可核对" in read
    assert "定为 L2" in words(await rep.press(card, "确认定级"))
    assert "意向 L2" in words(await rep.say("客户 恒锐机电"))

    asked = words(await rep.say("提交预测"))
    assert "预计成交日期" in asked
    assert "预计" in words(await rep.say("改预测 恒锐机电 38.8万 下周五 风险：等排产"))
    await rep.say("评分 80 80 80 80 80")
    await rep.press(await card_of(rep, "提交预测"), "确认")
    told = words(await rep.press(await card_of(rep, "提交预测"), "提交"))
    assert "已提交：1条，共38.8万元，其中1条已请客户成功复评" in told

    assert "最好情况 38.8万元" in words(await rep.say("预测"))
    await csm.sandbox.post("clock", advance=16 * 3600)  # out of the quiet hours
    asked = words(await csm.all())
    assert "响应：近30天" in asked
    number = asked.rpartition("复评 #")[2].split()[0]
    assert "你75分，销售80分" in words(await csm.say(f"复评 #{number} 80 80 75 70 70"))
    assert "承诺 38.8万元" in words(await rep.say("预测"))


async def test_on_dingtalk_the_five_questions_are_inputs_of_the_card(ding_rep: Speaker) -> None:
    form = {f"q{number}": "80" for number in range(1, 6)}
    await ding_rep.say("南海铝业 L1 PO号 PO-7788")
    await ding_rep.send_file("南海PO.pdf", papers.pdf_with_text())
    await ding_rep.press(await card_of(ding_rep, "意向定级"), "确认定级")
    await ding_rep.say("改预测 南海铝业 112万 下周五")
    await ding_rep.say("提交预测")
    await ding_rep.press(await card_of(ding_rep, "提交预测"), "确认", **form)
    told = words(await ding_rep.press(await card_of(ding_rep, "提交预测"), "提交"))
    assert "已提交：1条，共112万元" in told
