"""Stories with WeCom's intelligent robot, told twice: WeCom calls it, and it keeps a connection."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.scenarios.test_logging_a_call import stream_of

CONNECTED = ("--aibot-mode", "websocket")
CHAT, GROUP = "robot-zhangwei", "wrGendanEast0001"

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize(
        "sandbox", [(), CONNECTED], ids=["http", "websocket"], indirect=True, scope="module"
    ),
]


async def say_aloud(sandbox: Sandbox, rep: Speaker, transcript: str) -> list[dict[str, Any]]:
    """A recording to the robot, which gets the platform's transcript of it."""
    await rep.look(CHAT)
    spoken = {"platform": "wecom", "from": rep.user_id, "chat": CHAT, "text": transcript}
    await sandbox.post("say", **spoken, voice=True)
    await sandbox.quiesce()
    return await rep.look(CHAT)


async def press(sandbox: Sandbox, card: dict[str, Any], label: str) -> dict[str, Any]:
    """The card as it stands after the press."""
    buttons = card["card"]["buttons"]
    action = next(button["action"] for button in buttons if label in button["label"])
    body = {"message_id": card["message_id"], "from": "zhangwei", "action": action, "values": {}}
    answer = await sandbox.post("press", **body)
    assert answer["ok"]
    await sandbox.quiesce()
    return answer["card"]


async def test_a_call_told_aloud_becomes_a_fact_by_one_press(
    sandbox: Sandbox, rep: Speaker
) -> None:
    told = "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系"
    answers = await say_aloud(sandbox, rep, told)
    assert "杭州恒锐机电有限公司" in words(answers)
    assert "25分钟" in words(answers)
    before = await stream_of(sandbox, "杭州恒锐机电有限公司")
    card = await press(sandbox, last_card(answers), "确认")
    assert "已记录" in card["body"]
    assert not [button for button in card["buttons"] if button["action"]]
    assert "已记录" in words(await rep.look(CHAT))
    after = await stream_of(sandbox, "杭州恒锐机电有限公司")
    assert len(after) == len(before) + 1
    assert (after[0]["text"], after[0]["valid"]) == (told, True)


async def test_a_call_told_in_a_group_is_confirmed_there_by_words(
    sandbox: Sandbox, rep: Speaker
) -> None:
    answers = await rep.say("@跟单 宁波甬江轴承通话18分钟，嫌交期长，下周二再联系", chat=GROUP)
    assert "@张伟" in words(answers)
    assert "确认 / 取消" in words(answers)
    assert [one["kind"] for one in answers] == ["markdown"]
    assert "已记录" in words(await rep.say("@跟单 确认", chat=GROUP))
    entries = await stream_of(sandbox, "宁波甬江轴承有限公司")
    assert entries[0]["valid"] is True


async def test_a_quoted_message_of_a_group_is_recorded(sandbox: Sandbox, rep: Speaker) -> None:
    colleague = Speaker(sandbox, "wecom", "chenjing")
    told = "嘉兴南湖铸造通话16分钟，担心粉尘，下周二再联系"
    await colleague.say(told, chat=GROUP)
    message = (await sandbox.get("messages", platform="wecom", chat=GROUP))["messages"][-1]
    assert message["text"] == told
    await rep.look(GROUP)
    asked = {"platform": "wecom", "from": "zhangwei", "chat": GROUP, "text": "@跟单 上面那个记一下"}
    await sandbox.post("say", **asked, reply_to=message["message_id"])
    await sandbox.quiesce()
    assert "南湖铸造" in words(await rep.look(GROUP))
    await rep.say("@跟单 取消", chat=GROUP)


async def test_what_concerns_one_person_is_not_said_in_the_group(
    sandbox: Sandbox, rep: Speaker
) -> None:
    """They have spoken to the robot alone before, or else the application tells them."""
    await rep.look()
    await rep.look(CHAT)
    in_group = words(await rep.say("@跟单 待办", chat=GROUP))
    assert "绍兴越城纺机" not in in_group
    assert "绍兴越城纺机" in words([*await rep.look(CHAT), *await rep.look()])


async def test_a_file_hangs_on_the_open_draft(sandbox: Sandbox, rep: Speaker) -> None:
    assert "还缺" in words(await rep.say("方案已发给宁波甬江轴承，客户已查收", chat=CHAT))
    form = aiohttp.FormData()
    fields = {"platform": "wecom", "from": "zhangwei", "chat": CHAT, "kind": "file"}
    for key, value in fields.items():
        form.add_field(key, value)
    form.add_field("file", b"%PDF-1.7 x", filename="方案V2.pdf")
    async with sandbox.http.post("/sandbox/api/say", data=form) as answer:
        assert answer.status == 200, await answer.text()
    await sandbox.quiesce()
    assert "方案V2.pdf" in words(await rep.look(CHAT))
    await rep.say("取消", chat=CHAT)


async def test_the_person_is_the_same_as_in_the_application(sandbox: Sandbox, rep: Speaker) -> None:
    assert "杭州恒锐机电有限公司" in words(await rep.say("客户 恒锐机电", chat=CHAT))


async def test_after_a_restart_it_hears_again(sandbox: Sandbox) -> None:
    await sandbox.stop()
    await sandbox.start()
    again = Speaker(sandbox, "wecom", "zhangwei")
    assert "像平时说话一样" in words(await again.say("帮助", chat=CHAT))
