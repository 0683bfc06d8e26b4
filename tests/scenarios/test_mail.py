"""A customer writes to the company's mailbox, and it stands in the customer's stream."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.driver import Sandbox, Speaker, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

LU = "陆工 <lu@hengrui-motor.example>"


async def test_a_mail_is_bound_its_answer_follows_and_warms_the_customer(
    sandbox: Sandbox, rep: Speaker
) -> None:
    sent = {"from": LU, "subject": "快换夹具", "text": "请发一份夹具的图纸"}
    first = await sandbox.post("mail", **sent)
    await sandbox.quiesce()
    listed = words(await rep.say("未归属邮件"))
    number = listed.partition("#")[2].split()[0]
    assert "陆工 lu@hengrui-motor.example《快换夹具》（sales）" in listed
    assert "归到杭州恒锐机电有限公司" in words(await rep.say(f"邮件 #{number} 归 恒锐机电"))
    assert texts(await told(sandbox)) == [
        "陆工 <lu@hengrui-motor.example>：《快换夹具》\n请发一份夹具的图纸"
    ]

    ours = {"from": "张伟 <zhangwei@hengyuan.example>", "to": "lu@hengrui-motor.example"}
    drawing = {"subject": "Re: 快换夹具", "text": "图纸见附件", "files": {"夹具.pdf": "%PDF-1.4"}}
    answer = await sandbox.post(
        "mail", box="zhangwei", in_reply_to=first["message_id"], **ours, **drawing
    )
    await sandbox.post(
        "mail", **{"from": "采购 <cg@hengrui-motor.example>", "subject": "Re: 快换夹具"},
        in_reply_to=answer["message_id"], text="收到，价格可以谈吗",
    )  # fmt: skip
    by_title = {one["title"]: one for one in await told(sandbox)}
    assert by_title["去信"]["files"][0]["name"] == "夹具.pdf"
    assert "收到，价格可以谈吗" in "".join(texts(await told(sandbox)))
    await sandbox.post("clock", advance=120)
    await sandbox.quiesce()
    assert "客户回信" in words(await rep.say("客户 恒锐机电"))


async def test_a_server_that_talks_nonsense_harms_nothing_and_is_caught_up_with(
    sandbox: Sandbox, rep: Speaker
) -> None:
    before = len(await told(sandbox))
    await sandbox.post("mail/fault", faults=["garbage"])
    await sandbox.post("mail", **{"from": LU, "subject": "还在吗", "text": "等您回话"})
    assert "待办" in words(await rep.say("待办"))
    assert len(await told(sandbox)) == before
    await sandbox.post("mail/fault", faults=[])
    assert len(await told(sandbox)) == before + 1


async def test_who_forwards_within_the_text_is_told_what_to_do(
    sandbox: Sandbox, rep: Speaker
) -> None:
    ours = {"from": "张伟 <zhangwei@hengyuan.example>", "subject": "转发：快换夹具"}
    await sandbox.post("mail", box="sales", **ours, text="发件人: 陆工\n\n请报价")
    await sandbox.quiesce()
    assert "请作为附件转发，或存成 .eml 发给机器人" in words(await rep.look())


async def told(sandbox: Sandbox) -> list[dict[str, Any]]:
    """恒锐机电's mails, the newest first."""
    await sandbox.quiesce()
    customers = (await sandbox.get("world"))["customers"]
    number = next(one["id"] for one in customers if "恒锐机电" in one["name"])
    entries = (await sandbox.get("stream", customer=str(number)))["activities"]
    return [one for one in entries if one["title"] in ("来信", "去信")]


def texts(entries: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in entries]
