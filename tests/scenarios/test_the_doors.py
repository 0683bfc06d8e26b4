"""Callers who are not the platform, and platforms that repeat themselves."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.scenarios.foreign_client import app_of, post_dingtalk, post_wecom, text_xml

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_foreign_client_is_taken_for_the_platform(sandbox: Sandbox) -> None:
    chen = Speaker(sandbox, "wecom", "chenjing")
    await chen.look()
    app = await app_of(sandbox, "wecom")
    assert await post_wecom(sandbox, text_xml(app, "帮助", 9001)) == 200
    await sandbox.quiesce()
    assert "像平时说话一样" in words(await chen.look())


async def test_the_same_delivery_three_times_is_answered_once(sandbox: Sandbox) -> None:
    chen = Speaker(sandbox, "wecom", "chenjing")
    await chen.look()
    inner = text_xml(await app_of(sandbox, "wecom"), "帮助", 9002)
    for _ in range(3):
        assert await post_wecom(sandbox, inner) == 200
    await sandbox.quiesce()
    assert words(await chen.look()).count("像平时说话一样") == 1


@pytest.mark.parametrize(
    "change",
    [{"token": "wrong"}, {"corp_id": "wwsomebodyelse0000"}, {"msg_signature": "0" * 40}],
    ids=["other token", "other company", "no signature at all"],
)
async def test_wecom_strangers_get_403_and_leave_nothing(
    sandbox: Sandbox, change: dict[str, str]
) -> None:
    chen = Speaker(sandbox, "wecom", "chenjing")
    await chen.look()
    inner = text_xml(await app_of(sandbox, "wecom"), "帮助", 9003)
    assert await post_wecom(sandbox, inner, change=change) == 403
    await sandbox.quiesce()
    assert await chen.look() == []


async def test_dingtalk_strangers_and_stale_requests_get_401(sandbox: Sandbox) -> None:
    body = {"msgtype": "text", "text": {"content": "帮助"}, "msgId": "m1"}
    assert await post_dingtalk(sandbox, body, secret="somebody else's") == 401
    two_hours_ago = int(time.time() * 1000) - 2 * 3600 * 1000
    assert await post_dingtalk(sandbox, body, stamp_ms=two_hours_ago) == 401


async def test_oversize_bodies_get_413(sandbox: Sandbox) -> None:
    inner = text_xml(await app_of(sandbox, "wecom"), "帮助", 9004)
    assert await post_wecom(sandbox, inner, junk=2_000_000) == 413
    assert await post_dingtalk(sandbox, b" " * 2_000_000) == 413


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml>&b;</xml>'


@pytest.mark.parametrize(
    "inner",
    ["no XML at all", "<xml><MsgType>text", BOMB, "<a>" * 20_000, "<xml></xml>"],
    ids=["text", "cut off", "entities", "depth", "empty"],
)
async def test_signed_garbage_is_kept_and_answered_200(sandbox: Sandbox, inner: str) -> None:
    assert await post_wecom(sandbox, inner) == 200
    await sandbox.quiesce()


@pytest.mark.parametrize("body", [b"[1, 2]", b"{", b'{"msgtype": 5}', b"\xff\xfe", b"null"])
async def test_signed_garbage_from_dingtalk_is_kept_and_answered_200(
    sandbox: Sandbox, body: bytes
) -> None:
    assert await post_dingtalk(sandbox, body) == 200
    await sandbox.quiesce()


async def test_an_unknown_sender_is_told_and_the_admin_hears_of_it(sandbox: Sandbox) -> None:
    admin = Speaker(sandbox, "wecom", "zhaoqian")
    await admin.look()
    app = await app_of(sandbox, "wecom")
    assert await post_wecom(sandbox, text_xml(app, "帮助", 9005, user="ghost9")) == 200
    await sandbox.quiesce()
    assert "ghost9" in words(await admin.look())


async def test_a_bystander_cannot_press_somebody_elses_card(sandbox: Sandbox) -> None:
    wu = Speaker(sandbox, "dingtalk", "wulei01")
    world = await sandbox.get("world")
    mine = next(one for one in world["customers"] if one["owner"] == "吴磊")
    answers = await wu.say(f"{mine['name']}通话15分钟，没有异议，下周三再打")
    card = last_card(answers)
    async with sandbox.http.post(
        "/sandbox/api/press",
        json={"message_id": card["message_id"], "from": "hejie88", "action": "confirm"},
    ) as answer:
        assert answer.status in (200, 400)
    await sandbox.quiesce()
    assert "已记录" not in words(await wu.look())
    await wu.say("取消")


async def test_clients_that_live_by_the_wall_clock_get_in_after_a_jump_of_twelve_days(
    sandbox: Sandbox,
) -> None:
    """They sign by their own time; the sandbox's is far ahead of it."""
    chen, wu = Speaker(sandbox, "wecom", "chenjing"), Speaker(sandbox, "dingtalk", "wulei01")
    await sandbox.post("clock", advance=12 * 86400)
    await chen.look()
    await wu.look()
    app = await app_of(sandbox, "wecom")
    assert await post_wecom(sandbox, text_xml(app, "帮助", 9012)) == 200
    asked = {
        "msgtype": "text",
        "text": {"content": "帮助"},
        "msgId": "wall-clock-1",
        "conversationType": "1",
        "conversationId": "cid-wall-clock",
        "senderStaffId": "wulei01",
        "senderNick": "吴磊",
        "createAt": int(time.time() * 1000),
    }
    assert await post_dingtalk(sandbox, asked) == 200
    await sandbox.quiesce()
    assert "像平时说话一样" in words(await chen.look())
    assert "像平时说话一样" in words(await wu.look())
