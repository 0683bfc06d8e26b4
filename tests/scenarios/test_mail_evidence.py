"""A purchasing department's mail, forwarded as a file, becomes evidence by one press."""

from __future__ import annotations

import pytest

from tests.scenarios.driver import Sandbox, Speaker, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL = (
    "From: 采购 <caigou@hengrui-motor.cn>\r\nTo: zhangwei@ours.example\r\n"
    "Subject: 预算审批\r\nDate: Tue, 27 Jan 2026 10:00:00 +0800\r\n"
    "Authentication-Results: mx.ours.example;\r\n"
    " spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=caigou@hengrui-motor.cn;\r\n"
    " dkim=pass header.d=hengrui-motor.cn\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n贵司项目的预算已批准。\r\n"
)


async def test_a_forwarded_mail_is_offered_as_evidence(sandbox: Sandbox, rep: Speaker) -> None:
    world = await sandbox.get("world")
    mine = next(one["name"] for one in world["customers"] if one["owner"] == "张伟")
    await rep.say(f"客户资料 {mine} hengrui-motor.cn")
    said = await rep.send_file("预算审批.eml", MAIL.encode())
    card = next(one for one in said if "可以作为 L2 的预算审批凭据" in words([one]))
    assert "邮件头有对方域名的签名、从对方域名的服务器发出（mx.ours.example 记录）" in words([card])
    pressed = await rep.press(card, "作为凭据")
    assert "L2 还缺：盖章的技术确认" in words(pressed)
    assert "预算审批.eml" in words(await rep.say(f"凭据 {mine}"))
    assert "预算审批.eml" in words(await rep.say(f"动态 {mine}"))
