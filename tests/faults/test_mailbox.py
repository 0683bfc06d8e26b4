"""A mailbox × ways in which its server can fail: afterwards the mail is where it belongs, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from connectors.sandbox.post_office import CODE
from tests.faults.bench import Bench, benched
from tests.scenarios.driver import Speaker, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAULTS = ("refuse", "hang", "hang fetch", "drop fetch", "garbage", "drip", "expired")
LU = "陆工 <lu@hengrui-motor.example>"
_NUMBERS = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with benched(tmp_path_factory.mktemp("mailbox")) as bench:
        await bench.sandbox.post("mail", **{"from": LU, "subject": "第一封", "text": "你好"})
        await bench.sandbox.quiesce()
        rep = Speaker(bench.sandbox, "wecom", "zhangwei")
        listed = words(await rep.say("未归属邮件"))
        number = listed.partition("#")[2].split()[0]
        assert "归到杭州恒锐机电" in words(await rep.say(f"邮件 #{number} 归 恒锐机电"))
        yield bench


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_mail_that_came_meanwhile_is_there_once(bench: Bench, fault: str) -> None:
    """Meanwhile everybody else is served."""
    sandbox, rep = bench.sandbox, Speaker(bench.sandbox, "wecom", "zhangwei")
    text = f"请发第{next(_NUMBERS)}版图纸"
    await break_it(bench, fault)
    await sandbox.post("mail", **{"from": LU, "subject": "图纸", "text": text})
    await rep.look()
    await sandbox.post("say", **{"platform": "wecom", "from": "zhangwei", "text": "待办"})
    async with asyncio.timeout(30):
        while "待办" not in words(await rep.look()):  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.1)
    await mend_it(bench)
    await bench.settle()
    assert sum(text in told for told in await mails(bench)) == 1
    async with sandbox.http.get("/readyz") as answer:
        assert answer.status == 200, await answer.text()


async def mails(bench: Bench) -> list[str]:
    """What stands in 恒锐机电's stream."""
    customers = (await bench.sandbox.get("world"))["customers"]
    number = next(one["id"] for one in customers if "恒锐机电" in one["name"])
    stream = await bench.sandbox.get("stream", customer=str(number))
    return [one["text"] for one in stream["activities"] if one["title"] == "来信"]


async def break_it(bench: Bench, fault: str) -> None:
    server = bench.sandbox.platforms.post.server
    if fault == "expired":
        for account in server.accounts.values():
            account.password = "another"
    else:
        await bench.sandbox.post("mail/fault", faults=[fault])


async def mend_it(bench: Bench) -> None:
    server = bench.sandbox.platforms.post.server
    await bench.sandbox.post("mail/fault", faults=[])
    for account in server.accounts.values():
        account.password = CODE
