"""An approval of a platform stands in its customer's stream, takes effect at once, and is corrected
when the platform corrects it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import stamina

from bot.messages import Kind
from storage.database import Database
from tests.handlers.attending.attending_bed import Bed, open_bed

ON_APPROVAL = {
    "id": "折扣审批提成",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "flat",
    "base": "contract_fen",
    "rate_bp": 300,
    "when": [{"field": "approval_discount", "op": "==", "value": "passed"}],
}
FORM = [
    ("Text", "客户名称", "恒锐机电"),
    ("Money", "折后金额", "95000.5"),
    ("Textarea", "理由", "年底冲量"),
]


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
async def bed(database: Database) -> AsyncIterator[Bed]:
    async with open_bed(database) as bed:
        yield bed


async def test_an_approval_is_told_where_its_customer_stands(bed: Bed) -> None:
    bill = bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li"])
    await bed.catch_up()
    [entry] = await bed.stream()
    assert entry.title == "审批 · 折扣价格（审批中）"
    assert entry.text == "\n".join(
        ["折扣申请，张伟发起", "金额：95,000.50元", "客户名称：恒锐机电", "折后金额：95000.5",
         "理由：年底冲量"]
    )  # fmt: skip
    bed.wecom.emulator.bills.decide(bill, remark="同意")
    await bed.catch_up()
    assert await bed.titles() == ["审批 · 折扣价格（审批中）", "审批 · 折扣价格（已通过）"]


async def test_several_events_of_one_second_are_one_entry(bed: Bed) -> None:
    bill = bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li"])
    bed.wecom.emulator.bills.decide(bill)
    await bed.catch_up()
    await bed.catch_up()
    assert [one.kind for one in bed.heard] == [Kind.APPROVAL_CHANGE] * 2
    assert await bed.titles() == ["审批 · 折扣价格（已通过）"]


async def test_one_that_was_revoked_is_taken_back(bed: Bed) -> None:
    bill = bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li"])
    bed.wecom.emulator.bills.decide(bill)
    await bed.catch_up()
    bed.wecom.emulator.bills.revoke(bill, quietly=True)  # the event is lost
    bed.move_to("2026-01-29 15:00")  # and the night finds it
    await bed.catch_up()
    assert await bed.titles() == ["审批 · 折扣价格（通过后已撤销）"]


async def test_a_night_finds_what_no_event_told_of(bed: Bed) -> None:
    await bed.catch_up()
    bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li"], quietly=True)
    await bed.catch_up()
    assert await bed.titles() == []
    bed.move_to("2026-01-29 15:00")
    await bed.catch_up()
    assert await bed.titles() == ["审批 · 折扣价格（审批中）"]


async def test_templates_without_a_meaning_and_strange_customers_are_nobodys(bed: Bed) -> None:
    await bed.catch_up()
    bills = bed.wecom.emulator.bills
    bills.submit("zhang", "TPL-X", "用章申请", FORM, ["li"])
    bills.submit("zhang", "TPL-D", "折扣申请", [("Text", "客户", "谁也不认识")], ["li"])
    await bed.catch_up()
    assert await bed.titles() == []
    assert bed.wecom.world.counters["wecom:oa/getapprovaldetail"] == 1


async def test_a_busy_platform_is_asked_again(bed: Bed) -> None:
    await bed.catch_up()
    bed.fail("wecom", "oa/getapprovaldetail", -1, times=3)
    bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li"])
    await bed.catch_up()
    assert await bed.titles() == []
    bed.move_to("2026-01-28 15:05")
    await bed.catch_up()
    assert await bed.titles() == ["审批 · 折扣价格（审批中）"]


async def test_passing_changes_the_bonus_at_once_and_revoking_takes_it_back(bed: Bed) -> None:
    await bed.company.publish(ON_APPROVAL)
    await bed.company.signed()
    bill = bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li"])
    await bed.catch_up()
    assert await bed.company.amounts() == []
    bed.wecom.emulator.bills.decide(bill)
    await bed.catch_up()
    assert await bed.company.amounts() == [("zhang", "commission", 300_000)]
    bed.wecom.emulator.bills.revoke(bill)
    await bed.catch_up()
    assert await bed.company.amounts() == []


async def test_after_the_lock_a_revocation_is_an_adjustment(bed: Bed) -> None:
    await bed.company.publish(ON_APPROVAL)
    await bed.company.signed()
    bill = bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li"])
    bed.wecom.emulator.bills.decide(bill)
    await bed.catch_up()
    bed.move_to("2026-02-03 10:00")
    await bed.company.lock("2026-01")
    bed.wecom.emulator.bills.revoke(bill)
    await bed.catch_up()
    assert await bed.company.amounts() == [
        ("zhang", "commission", 300_000),
        ("zhang", "adjustment", -300_000),
    ]


async def test_an_approval_of_one_contract_is_none_of_another(bed: Bed) -> None:
    await bed.company.publish(ON_APPROVAL)
    await bed.company.signed()
    await bed.company.signed("HT-2026-019", "20万")
    form = [("Text", "合同编号", "HT-2026-019")]
    bill = bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", form, ["li"])
    bed.wecom.emulator.bills.decide(bill)
    await bed.catch_up()
    assert await bed.company.amounts("HT-2026-018") == []
    assert await bed.company.amounts("HT-2026-019") == [("zhang", "commission", 600_000)]
    assert await bed.titles() == ["审批 · 折扣价格（已通过）"]


DING_FORM = [("TextField", "客户名称", "恒锐机电"), ("MoneyField", "金额（元）", "12000")]


async def test_dingtalk_is_followed_alike(bed: Bed) -> None:
    await bed.company.publish(ON_APPROVAL)
    await bed.company.signed()
    approvals = bed.ding.emulator.approvals
    one = approvals.submit("0147001", "PROC-D", "张伟提交的折扣申请", DING_FORM, ["0147009"])
    await bed.catch_up()
    approvals.decide(one)
    await bed.catch_up()
    assert await bed.titles() == ["审批 · 折扣价格（审批中）", "审批 · 折扣价格（已通过）"]
    assert "金额：12,000.00元" in (await bed.stream())[-1].text
    assert await bed.company.amounts() == [("zhang", "commission", 300_000)]
    undoing = approvals.submit(
        "0147001", "PROC-D", "撤销", DING_FORM[1:], ["0147009"], revokes=one.number
    )
    approvals.decide(undoing)
    await bed.catch_up()
    assert await bed.company.amounts() == []
    assert (await bed.titles())[1:] == ["审批 · 折扣价格（通过后已撤销）"]
    bed.move_to("2026-01-29 15:00")  # the platform goes on calling it passed
    await bed.catch_up()
    assert (await bed.titles())[1:] == ["审批 · 折扣价格（通过后已撤销）"]


async def test_a_fact_report_tells_how_long_each_approver_took(bed: Bed) -> None:
    await bed.company.publish(ON_APPROVAL)
    await bed.company.signed()
    bill = bed.wecom.emulator.bills.submit("zhang", "TPL-D", "折扣申请", FORM, ["li", "wang"])
    bed.move_to("2026-01-28 17:00")
    bed.wecom.emulator.bills.decide(bill)
    bed.move_to("2026-01-29 10:30")
    bed.wecom.emulator.bills.decide(bill)
    await bed.catch_up()
    bed.move_to("2026-02-03 10:00")
    await bed.company.lock("2026-01")
    await bed.company.press("zhang", "有异议", "paystub-")
    await bed.company.chat.say("zhang", "少发了")
    await bed.company.press("zhang", "提交申诉", "dispute-")
    told = bed.company.chat.heard_by("zhang")
    assert "审批「折扣价格」已通过：4小时30分，李敏 2小时 同意；王建国 2小时30分 同意" in told
