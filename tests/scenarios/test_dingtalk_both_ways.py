"""Stories on DingTalk, told twice: DingTalk calls the bot, and the bot listens over Stream."""

from __future__ import annotations

import asyncio

import pytest

from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.scenarios.test_logging_a_call import stream_of

STREAM = ("--dingtalk-mode", "stream")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize(
        "sandbox", [(), STREAM], ids=["http", "stream"], indirect=True, scope="module"
    ),
]


async def connected(sandbox: Sandbox, times: int) -> None:
    """Wait until the bot has opened so many connections in all."""
    async with asyncio.timeout(120):
        while True:
            counters = (await sandbox.get("attempts"))["counters"]
            if counters.get("dingtalk:stream/connect", 0) >= times:
                return
            await asyncio.sleep(0.2)


async def test_one_sentence_becomes_a_draft_and_one_press_a_fact(
    sandbox: Sandbox, ding_rep: Speaker
) -> None:
    world = await sandbox.get("world")
    mine = next(one for one in world["customers"] if one["owner"] == "吴磊")
    answers = await ding_rep.say(f"{mine['name']}通话15分钟，预算没批，明天下午3点再打")
    assert mine["name"] in words(answers)
    answers = await ding_rep.press(last_card(answers), "确认")
    assert "已记录" in words(answers)
    assert (await stream_of(sandbox, mine["name"]))[0]["valid"] is True


async def test_in_a_group_only_the_rep_may_press(sandbox: Sandbox, ding_rep: Speaker) -> None:
    group = "cidHuananSales001=="
    answers = await ding_rep.say("@跟单 松湖电子通话20分钟，没异议，下周三联系", chat=group)
    assert "@吴磊" in words(answers)
    colleague = Speaker(sandbox, "dingtalk", "zhengshuang")
    await colleague.press(last_card(answers), "确认")
    assert "只有吴磊可以操作" in words(await ding_rep.look(group))
    assert "已记录" in words(await ding_rep.say("@跟单 确认", chat=group))


async def test_a_file_comes_in_and_hangs_on_the_open_draft(
    sandbox: Sandbox, ding_rep: Speaker
) -> None:
    rep = Speaker(sandbox, "dingtalk", "zhengshuang")
    assert "还缺" in words(await rep.say("方案已发给坪山电池材料，客户已查收"))
    assert "方案V2.pdf" in words(await rep.send_file("方案V2.pdf", b"%PDF-1.7 x"))
    await rep.say("取消")


async def test_a_change_in_the_directory_is_noticed(sandbox: Sandbox) -> None:
    admin = Speaker(sandbox, "dingtalk", "0147001")
    await sandbox.post("member", platform="dingtalk", user_id="hejie88", name="陈静")
    await sandbox.quiesce()
    assert "1对同名" in words(await admin.say("账号"))


@pytest.mark.parametrize("what", [{"drop": True}, {"after": True}])
async def test_what_gets_lost_on_the_way_comes_again_and_acts_once(
    sandbox: Sandbox, ding_rep: Speaker, what: dict[str, bool]
) -> None:
    await sandbox.post("fault", platform="dingtalk", api="callback", times=1, **what)
    assert words(await ding_rep.say("帮助")).count("像平时说话一样") == 1


async def test_a_connection_that_ends_takes_no_message_with_it(
    sandbox: Sandbox, ding_rep: Speaker
) -> None:
    """One of the two ends, and then one breaks; the way by HTTP knows neither."""
    for number, what in enumerate(({"errcode": "disconnect"}, {"drop": True})):
        if sandbox.options == STREAM:
            await connected(sandbox, times=2 + number)
        await sandbox.post("fault", platform="dingtalk", api="stream", times=1, **what)
        assert "像平时说话一样" in words(await ding_rep.say("帮助"))


async def test_after_a_restart_it_hears_again(sandbox: Sandbox) -> None:
    await sandbox.stop()
    await sandbox.start()
    again = Speaker(sandbox, "dingtalk", "wulei01")
    assert "像平时说话一样" in words(await again.say("帮助"))
