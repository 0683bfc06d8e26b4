"""`/forecast`: what people have forecast."""

from __future__ import annotations

import pytest

from bot.domain.people import Role
from tests.pages.rule_world import KEPT
from tests.pages.test_supply import large_sale
from tests.pages.website import Website


async def submitted(website: Website) -> None:
    """张伟 forecasts 恒锐机电, which has an order, for 35万元."""
    await large_sale(website)
    await website.chat.say("zhang", "改预测 恒锐机电 35万 2月6日 风险：等对方盖章")
    await submit(website)


async def submit(website: Website) -> None:
    chat = website.chat
    await chat.say("zhang", "提交预测")
    await chat.say("zhang", "评分 恒锐机电 80 80 80 80 80")
    await chat.press("zhang", chat.shown(), "确认")
    await chat.press("zhang", chat.shown(), "提交")


async def test_a_rep_sees_the_own_lines_by_when_they_are_due(website: Website) -> None:
    await submitted(website)
    _, page = await (await website.sign_in("zhang")).get("/forecast")
    for part in (
        "张伟的预测",
        "最好情况",
        "35万元",
        "30天内（每周）",
        "2月6日",
        "等对方盖章",
        "待复评",
    ):
        assert part in page


async def test_a_leader_sees_the_people_with_judgement_and_target(website: Website) -> None:
    await submitted(website)
    chat = website.chat
    await chat.say("li", "预测判断 张伟 30万 恒锐要推迟")
    await chat.say("li", "预测目标 张伟 2026Q1 70万")
    _, page = await (await website.sign_in("li")).get("/forecast")
    for part in ("团队的预测", "恒锐要推迟", "2026年第1季度 目标 70万元", "缺口", "金额最大的1个"):
        assert part in page
    person = chat.people["zhang"].id
    _, page = await (await website.sign_in("li")).get(f"/forecast?person={person}")
    assert "张伟的预测" in page


async def test_a_submission_after_a_reopening_is_marked_as_one(website: Website) -> None:
    await submitted(website)
    _, page = await (await website.sign_in("li")).get("/forecast")
    assert "迟交</span>" in page
    await website.chat.say("li", "重开预测 张伟 客户改了金额")
    await submit(website)
    _, page = await (await website.sign_in("li")).get("/forecast")
    assert "重开后重交：客户改了金额" in page
    _, page = await (await website.sign_in("wang")).get("/forecast")
    assert "1人迟交或重交" in page


async def test_nobody_sees_the_forecast_of_a_colleague(website: Website) -> None:
    await submitted(website)
    browser = await website.sign_in("chen")
    person = website.chat.people["zhang"].id
    assert await browser.status(f"/forecast?person={person}") == 403
    _, page = await browser.get("/forecast")
    assert "还没有提交过预测" in page
    assert "35万元" not in page


async def test_a_week_that_is_none_is_refused_in_words(website: Website) -> None:
    await submitted(website)
    chat = website.chat
    chat.now = chat.now.replace(day=2, month=2, hour=1)
    await submit(website)
    browser = await website.sign_in("zhang")
    _, page = await browser.get("/forecast")
    assert "从第5周（1月26日–2月1日）到第6周（2月2日–8日）" in KEPT.sub(r"\1", page)
    status, page = await browser.get("/forecast?from=2020-W01")
    assert status == 400
    assert "没有这一周的提交" in page


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_may_open_it_and_sees_no_more_than_the_own(
    website: Website, role: Role
) -> None:
    await submitted(website)
    async with website.chat.database.begin() as tx:
        await tx.people.set_roles(website.chat.people["chen"].id, [role])
    _, page = await (await website.sign_in("chen")).get("/forecast")
    sees_all = role in {Role.SALES_DIRECTOR, Role.ADMIN}
    assert ("35万元" in page) == sees_all
