"""A team that lets clear records be stored without a press; names learnt; groups and quotes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.scenarios.test_logging_a_call import stream_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP = "cidHuananSales001=="
MISHEARD = "跟恒瑞机电通了10分钟，嫌贵，下周三联系"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    folder = Path(tmp_path_factory.mktemp("at_once"))
    policy = folder / "policy.toml"
    policy.write_text("[drafts]\nauto_confirm = true\n", "utf-8")
    running = Sandbox(folder, "--policy", str(policy))
    await running.start()
    yield running
    await running.stop()


async def test_a_clear_record_is_stored_at_once_and_taken_back_by_its_button(
    sandbox: Sandbox, rep: Speaker
) -> None:
    name = "宁波甬江轴承有限公司"
    before = await stream_of(sandbox, name)
    answers = await rep.say("刚和甬江轴承通了25分钟电话，嫌价格高，下周三再联系")
    assert "已记下，计为有效跟进" in words(answers)
    stored = await stream_of(sandbox, name)
    assert len(stored) == len(before) + 1
    assert stored[0]["valid"] is True
    answers = await rep.press(last_card(answers), "撤销")
    assert "已撤销" in words(answers)
    taken_back = [one for one in await stream_of(sandbox, name) if one["reason"] == "已撤回"]
    assert [one["id"] for one in taken_back] == [stored[0]["id"]]


async def test_on_dingtalk_the_card_does_the_same(sandbox: Sandbox, ding_rep: Speaker) -> None:
    world = await sandbox.get("world")
    mine = next(one for one in world["customers"] if one["owner"] == "吴磊")
    answers = await ding_rep.say(f"{mine['name']}通话15分钟，预算没批，后天再打")
    assert "已记下" in words(answers)
    answers = await ding_rep.press(last_card(answers), "修改")
    assert "更正：确认后替换" in words(answers)
    await ding_rep.say("不对，是20分钟")
    answers = await ding_rep.say("确认")
    assert "已更正" in words(answers)
    assert "20分钟" in str((await stream_of(sandbox, mine["name"]))[1]["text"])


async def test_a_name_that_was_confirmed_is_known_after_a_restart(
    sandbox: Sandbox, rep: Speaker
) -> None:
    answers = await rep.say(MISHEARD)
    assert "是指" in words(answers)
    assert "已记下" in words(await rep.press(last_card(answers), "恒锐机电"))
    await sandbox.stop()
    await sandbox.start()
    again = Speaker(sandbox, "wecom", "zhangwei")
    answers = await again.say("跟恒瑞机电又通了12分钟，嫌交期长，下周五联系")
    assert "按你的习惯，「恒瑞机电」" in words(answers)


async def test_a_quoted_message_of_the_group_is_recorded_though_the_robot_never_got_it(
    sandbox: Sandbox, ding_rep: Speaker
) -> None:
    body = {"platform": "dingtalk", "from": "wulei01", "chat": GROUP}
    told = await sandbox.post("say", **body, text="松湖电子通话20分钟，没异议，下周三联系")
    await sandbox.quiesce()
    await ding_rep.look(GROUP)
    quoting = {"text": "@跟单 上面那个记一下", "reply_to": told["message_id"]}
    await sandbox.post("say", **body, **quoting)
    await sandbox.quiesce()
    said = words(await ding_rep.look(GROUP))
    assert "松湖电子" in said
    assert "已记下" in said
    assert "群里我只看得到" in words(await ding_rep.say("@跟单 上面那个记一下", chat=GROUP))


async def test_the_same_refused_press_a_while_later_is_answered_again(
    sandbox: Sandbox, ding_rep: Speaker
) -> None:
    """DingTalk gives presses no id, and a refusal changes no card."""
    answers = await ding_rep.say("@跟单 松湖电子通话大概20分钟，没异议，下周三联系", chat=GROUP)
    colleague = Speaker(sandbox, "dingtalk", "zhengshuang")
    for _ in range(2):
        await sandbox.post("clock", advance=60)
        await ding_rep.look(GROUP)
        await colleague.press(last_card(answers), "确认")
        assert "只有吴磊可以操作" in words(await ding_rep.look(GROUP))
