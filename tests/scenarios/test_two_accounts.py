"""Somebody is on both platforms under one name, and no mobile says so: the administrator does."""

from __future__ import annotations

import pytest

from tests.scenarios.driver import Sandbox, Speaker, last_card, words

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_two_accounts_become_one_person_and_are_parted_again(sandbox: Sandbox) -> None:
    admin = Speaker(sandbox, "dingtalk", "0147001")
    on_wecom = Speaker(sandbox, "wecom", "chenjing")
    on_dingtalk = Speaker(sandbox, "dingtalk", "hejie88")
    await sandbox.post("member", platform="dingtalk", user_id="hejie88", name="陈静")
    await sandbox.quiesce()

    await on_wecom.say("新建客户 苏州同里阀门有限公司")
    assert "苏州同里阀门" not in words(await on_dingtalk.say("待办"))
    assert "1对同名" in words(await admin.say("账号"))
    card = last_card(await admin.say("合并账号 陈静"))
    pressed = await admin.press(card, "确认合并")
    assert pressed[0]["card"]["buttons"] == []
    assert "已合并" in words(pressed)
    assert "合并了" in words(await on_wecom.look())

    logged = await on_dingtalk.say("刚和苏州同里阀门通了25分钟电话，嫌价格高，下周三再联系")
    assert "请核对" in words(logged)
    assert "已记录" in words(await on_dingtalk.say("确认"))
    assert "苏州同里阀门" in words(await on_wecom.say("动态 苏州同里阀门"))

    assert "拆出来" in words(await admin.say("拆分账号 陈静"))
    refused = await on_dingtalk.say("刚和苏州同里阀门通了25分钟电话，嫌价格高，下周三再联系")
    assert "由陈静负责" in words(refused)
