"""The demo company's contracts and its emulated ERP: a review on both platforms, on time."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from connectors.erp.notices import sign
from connectors.sandbox.kingdee import NOTICE_SECRET
from tests.scenarios.driver import Sandbox, Speaker, last_card, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY_S = 24 * 3600
CONTRACT = "HT-2026-022"


@pytest.fixture
def legal(sandbox: Sandbox) -> Speaker:
    """周律, on WeCom."""
    return Speaker(sandbox, "wecom", "zhoulv")


@pytest.fixture
def admin(sandbox: Sandbox) -> Speaker:
    """赵倩, on WeCom."""
    return Speaker(sandbox, "wecom", "zhaoqian")


@pytest.fixture
def finance(sandbox: Sandbox) -> Speaker:
    """钱进, on WeCom."""
    return Speaker(sandbox, "wecom", "qianjin")


async def jump(sandbox: Sandbox, seconds: int) -> None:
    await sandbox.post("clock", advance=seconds)
    await sandbox.quiesce()


async def review_card(speaker: Speaker) -> dict[str, Any]:
    cards = [m for m in await speaker.all() if m["kind"] == "card"]
    return [m for m in cards if "条款复核" in m["card"]["title"]][-1]


async def tell(sandbox: Sandbox, body: dict[str, Any], secret: str = NOTICE_SECRET) -> int:
    raw, stamp = json.dumps(body).encode(), str(int(time.time()))
    headers = {"X-Gendan-Timestamp": stamp, "X-Gendan-Signature": sign(secret, stamp, raw)}
    async with sandbox.http.post("/erp/kingdee", data=raw, headers=headers) as answer:
        status = answer.status
    await sandbox.quiesce()
    return status


async def test_an_unpaid_contract_is_reviewed_by_legal_and_rep_until_it_is_paid(
    sandbox: Sandbox, legal: Speaker, ding_rep: Speaker, finance: Speaker
) -> None:
    assert "未到期" in words(await ding_rep.say("回款 南海铝业"))
    await jump(sandbox, 8 * DAY_S)
    assert "到期未到账" in words(await ding_rep.say("回款 南海铝业"))
    card = last_card([await review_card(legal)])
    assert CONTRACT in card["card"]["title"]
    assert (await review_card(ding_rep))["card"]["buttons"]

    await legal.press(card, "完成下一项")
    assert "周律" in words([await review_card(ding_rep)])
    await legal.press(await review_card(legal), "停发货")
    assert "停发货" in words([await review_card(ding_rep)])
    assert not (await review_card(ding_rep))["card"]["buttons"]

    line = {
        "number": "SK-9", "line": "1", "contract": CONTRACT, "amount": "204000.00",
        "currency": "CNY", "received_on": "2026-12-01",
    }  # fmt: skip
    assert await tell(sandbox, {"receipts": [line]}, secret="somebody else's secret") == 401
    assert await tell(sandbox, {"receipts": [line]}) == 200
    assert await tell(sandbox, {"receipts": [line, line]}) == 200
    assert "已收 20.4万元" in words(await ding_rep.say("回款 南海铝业"))

    reversal = {**line, "number": "SK-10", "amount": "-204000"}
    assert await tell(sandbox, {"receipts": [reversal]}) == 200
    await jump(sandbox, 10 * DAY_S)  # a card waits for a working day, and there are holidays
    assert (await review_card(legal))["card"]["buttons"]
    assert "HT-2025-399" in words(await finance.say("待匹配回款"))


async def test_what_the_accountant_books_is_read_from_the_erp(
    sandbox: Sandbox, ding_rep: Speaker
) -> None:
    booked = {"contract": CONTRACT, "amount": "1000.50"}
    async with sandbox.http.post("/sandbox/kingdee/receipts", json=booked) as answer:
        assert answer.status == 200
    await jump(sandbox, DAY_S)
    assert "已收 1,000.50元" in words(await ding_rep.say("回款 南海铝业"))


async def test_a_customer_is_accepted_and_its_signed_contract_stands_in_the_erp_as_forecast(
    sandbox: Sandbox, admin: Speaker, ding_rep: Speaker
) -> None:
    await jump(sandbox, DAY_S)
    shown = last_card(await admin.say("ERP客户"))
    assert "C0002 南海铝业(佛山)有限公司 → 佛山南海铝业有限公司" in words([shown])
    await admin.press(shown, "接受以上")
    assert "ERP编码" in words(await ding_rep.say("客户 南海铝业"))
    async with sandbox.http.get("/sandbox/kingdee/forecasts") as answer:
        [line] = await answer.json()
    assert (line["F_GD_CUST.FNumber"], line["F_GD_EVIDENCE"]) == ("C0002", CONTRACT)
    assert line["FDocumentStatus"] == "B"


async def test_a_silent_erp_leaves_a_contract_unknown(sandbox: Sandbox, rep: Speaker) -> None:
    await rep.say("登记合同 甬江轴承 HT-2026-050，32万，预付30%")
    await rep.press(last_card(await rep.all()), "确认登记")
    await sandbox.post("fault", platform="erp", api="ExecuteBillQuery", status=503, times=10_000)
    await jump(sandbox, 12 * DAY_S)
    assert "未知（ERP 未连通）" in words(await rep.say("回款 甬江轴承"))
