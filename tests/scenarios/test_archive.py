"""A customer and a rep chat in WeCom, and it stands in the customer's stream."""

from __future__ import annotations

import signal
from typing import Any

import aiohttp
import pytest

from tests.scenarios.driver import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

WANG = "wmDemoHengruiWang0000000000000001"


async def test_a_chat_is_followed_and_a_no_is_honoured(sandbox: Sandbox) -> None:
    assert "王总 → 张伟：那价格上还要再谈谈，预算就80万出头" in texts(await told(sandbox))
    said = await sandbox.post("archive", **{"from": WANG, "to": ["zhangwei"], "text": "合同发我"})
    form = aiohttp.FormData()
    for key, value in (("from", "zhangwei"), ("to", WANG), ("kind", "file")):
        form.add_field(key, value)
    form.add_field("file", b"%PDF-1.4 contract", filename="合同.pdf")
    async with sandbox.http.post("/sandbox/api/archive", data=form) as answer:
        assert answer.status == 200, await answer.text()
    recall = {"msgtype": "revoke", "content": {"revoke": {"pre_msgid": said["msgid"]}}}
    await sandbox.post("archive", **{"from": WANG, "to": ["zhangwei"], **recall})
    newest = await told(sandbox)
    assert texts(newest)[:3] == [
        "王总 → 张伟：撤回了一条消息",
        "张伟 → 王总：[文件] 合同.pdf（1 KB）",
        "王总 → 张伟：合同发我",
    ]
    assert newest[1]["files"][0]["media_type"] == "application/pdf"
    assert newest[2]["reason"]

    no = {"msgtype": "disagree", "content": {"disagree": {"userid": WANG}}}
    await sandbox.post("archive", **{"from": WANG, "to": ["zhangwei"], **no})
    await sandbox.post("archive", **{"from": WANG, "to": ["zhangwei"], "text": "别存"})
    assert texts(await told(sandbox)) == texts(newest)

    async with sandbox.http.get("/metrics") as answer:
        figures = await answer.text()
    assert 'gendan_archive_unread{app="sales",kind="undecryptable"} 0.0' in figures


async def test_a_killed_bot_tells_nothing_twice(sandbox: Sandbox) -> None:
    before = texts(await told(sandbox))
    port = int(sandbox.url.rpartition(":")[2])
    await sandbox.stop(signal.SIGKILL)
    await sandbox.start(port)
    assert texts(await told(sandbox)) == before


async def told(sandbox: Sandbox) -> list[dict[str, Any]]:
    """恒锐机电's chats, the newest first."""
    await sandbox.quiesce()
    customers = (await sandbox.get("world"))["customers"]
    number = next(one["id"] for one in customers if "恒锐机电" in one["name"])
    entries = (await sandbox.get("stream", customer=str(number)))["activities"]
    return [one for one in entries if "聊天" in one["title"]]


def texts(entries: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in entries]
