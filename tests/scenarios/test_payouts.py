"""Bonuses in both platforms' chats: rules on WeCom, a rep on DingTalk, from the receipt to the
ruling."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.payouts.verifying import verify
from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.scenarios.test_receivables import tell

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTRACT = "HT-2026-022"
RULES = [
    {
        "id": "回款提成",
        "version": 1,
        "effective_from": "2026-01-01",
        "mode": "flat",
        "base": "paid_fen",
        "rate_bp": 300,
    }
]


@pytest.fixture
def finance(sandbox: Sandbox) -> Speaker:
    """钱进, on WeCom; writes the rules."""
    return Speaker(sandbox, "wecom", "qianjin")


@pytest.fixture
def hrbp(sandbox: Sandbox) -> Speaker:
    """冯晓, on WeCom; approves them and decides."""
    return Speaker(sandbox, "wecom", "fengxiao")


async def card_of(speaker: Speaker, title: str) -> dict[str, Any]:
    """The newest card of that kind, as it stands now."""
    cards = [m for m in await speaker.all() if m["kind"] == "card" and title in m["card"]["title"]]
    return cards[-1]


async def file_of(sandbox: Sandbox, speaker: Speaker) -> bytes:
    """The newest file that the bot sent."""
    sent = [m for m in await speaker.all() if m["kind"] == "file"][-1]
    async with sandbox.http.get(sent["file"]["url"]) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_from_the_rule_to_the_ruling(
    sandbox: Sandbox, finance: Speaker, hrbp: Speaker, ding_rep: Speaker
) -> None:
    told = await finance.send_file("rules.json", json.dumps(RULES, ensure_ascii=False).encode())
    assert "按回款的 3% 提成" in words(told)
    for label in ("试算三个月", "送审"):
        told = await finance.press(await card_of(finance, "奖金规则变更"), label)
    await hrbp.press(await card_of(hrbp, "奖金规则变更"), "批准")
    await finance.press(await card_of(finance, "奖金规则变更"), "发布")
    assert "按回款的 3% 提成" in words(await ding_rep.say("奖金规则"))

    line = {"number": "SK-31", "line": "1", "contract": CONTRACT, "amount": "40000.00",
            "currency": "CNY", "received_on": "2026-11-03"}  # fmt: skip
    assert await tell(sandbox, {"receipts": [line]}) == 200
    told = await ding_rep.say("奖金")
    assert "2,000.00元" in words(told)  # with the 2 % of the demo company's own rule
    details = await ding_rep.press(last_card(told), "逐笔说明")
    assert "回款 40,000.00元 × 3% = 1,200.00元" in words(details)
    assert "你拿 21,800.00元" in words(await ding_rep.say("如果这单签38万我拿多少"))

    await ding_rep.press(last_card(told), "证据包")
    pack = await file_of(sandbox, ding_rep)
    assert not verify(pack).findings

    await sandbox.post("clock", now="2026-12-01T10:00:00+08:00")
    await sandbox.quiesce()
    await finance.say("奖金核算 2026-11")
    await hrbp.press(await card_of(hrbp, "月度奖金核算"), "批准并锁定")
    await ding_rep.press(await card_of(ding_rep, "我的奖金"), "有异议")
    pick = await card_of(ding_rep, "哪一笔有异议")
    options = pick["card"]["fields"][0]["options"]
    chosen = next(one["id"] for one in options if "1,200.00元" in one["label"])
    await ding_rep.press(pick, "下一步", line=chosen)
    await ding_rep.say("应该按5%算")
    await ding_rep.press(await card_of(ding_rep, "奖金申诉"), "提交申诉")
    assert "《事实核查报告》" in words(await hrbp.all())
    await hrbp.press(await card_of(hrbp, "奖金申诉"), "部分支持")
    told = await hrbp.say("400元，有一半是5%")
    await hrbp.press(last_card(told), "确认裁定")
    assert "补发 400.00元" in words(await ding_rep.all())
    assert "400.00元" in words(await ding_rep.say("奖金"))
