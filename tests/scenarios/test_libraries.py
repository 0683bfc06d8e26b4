"""An administrator sends an own library and switches to it; a rep works by it at once."""

from __future__ import annotations

import pytest

from tests.config.test_library import OWN
from tests.scenarios.driver import Sandbox, Speaker, last_card, words

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_own_library_is_sent_switched_to_and_worked_by(sandbox: Sandbox) -> None:
    admin = Speaker(sandbox, "dingtalk", "0147001")
    rep = Speaker(sandbox, "wecom", "chenjing")
    await rep.say("新建客户 苏州同里阀门有限公司")

    wrong = OWN.replace("deadline_h: 24", "deadline_h: 0")
    refused = words(await admin.send_file("泵阀.yaml", wrong.encode()))
    assert "第17行 units[1].deadline_h：不能是 0" in refused
    assert "「泵阀」第1版" in words(await admin.send_file("泵阀.yaml", OWN.encode()))

    preview = await admin.say("切换动作库 泵阀")
    assert "初步接触 → 线索" in words(preview)
    await admin.press(last_card(preview), "确认切换")
    assert "已切换到动作库「泵阀" in words(await admin.all())

    asked = words(await rep.say("苏州同里阀门推进到报价"))
    assert "还差3项：流量、介质、对接人" in asked
    await rep.say("流量50")
    await rep.say("清水")
    assert "线索 → 报价（必填3项已填）" in words(await rep.say("王工"))
