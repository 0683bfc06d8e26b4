"""«奖金健康度» in chat."""

from __future__ import annotations

from datetime import timedelta

from storage.database import Database
from tests.handlers.payouts.payout_company import ON_RECEIPTS, PayoutCompany


async def test_every_figure_says_of_how_many_and_what_it_means(database: Database) -> None:
    company = await PayoutCompany.open(database)
    told = await company.chat.say("he", "奖金健康度")
    assert "还没有锁定的奖金，没有数" in told
    assert "近90天没有裁定过申诉，没有数" in told
    await company.publish(ON_RECEIPTS)
    await company.signed()
    await company.signed("HT-2026-019", "10万")
    await company.tell("SK1", 30_000)
    await company.tell("SK2", 10_000, "HT-2026-019")
    company.move_to("2026-02-03 10:00")
    await company.lock("2026-01")
    await company.press("zhang", "有异议", "paystub-")
    pick = company.card("zhang", "dispute-pick-")
    await company.chat.press("zhang", pick, "下一步", line=pick.fields[0].options[1].id)
    await company.chat.say("zhang", "这单不对")
    await company.press("zhang", "提交申诉", "dispute-1-")
    await company.chat.say("qian", "奖金已发 2026-01")
    told = await company.chat.say("qian", "奖金健康度")
    assert "人均激励兑现率 75.0%**（样本1人，不到5人，只作参考）" in told
    assert "锁定应发 1,200.00元，已发 900.00元" in told
    assert "还有1件没裁定" in told
    company.chat.now += timedelta(minutes=90)
    await company.press("qian", "驳回", "dispute-1-")
    await company.chat.say("qian", "按规则")
    await company.press("qian", "确认裁定", "dispute-rule-")
    told = await company.chat.say("qian", "奖金健康度")
    assert "人均激励兑现率 100.0%" in told
    assert "申诉关闭时效 中位 1小时30分、平均 1小时30分**（样本1件）" in told
    assert "1月28日 回款提成：没有可比的人（0/0人）" in told


async def test_it_is_for_those_who_answer_for_bonuses(database: Database) -> None:
    company = await PayoutCompany.open(database)
    assert "由财务、HRBP、销售总监或管理员看" in await company.chat.say("zhang", "奖金健康度")
