"""What the forecaster says each night of a company's own deals, beside the people's numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.domain.forecasts import Line
from bot.domain.levels import Cause, Level, LevelChange
from bot.domain.machine_forecasts import TOTAL, MachineForecast, of_rep, of_team
from bot.domain.opportunities import OpportunityState
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.light_company import CALENDAR


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def history(chat: Chat, wins: int) -> None:
    """So many wins of 10万元, two days apart, by 张伟 mostly; and three open deals of 5万元."""
    async with chat.database.begin() as tx:
        account = await tx.accounts.add(
            name="杭州恒锐机电有限公司", owner_id=chat.people["zhang"].id, at=chat.now
        )
        for number in range(wins + 3):
            who = "chen" if number % 5 == 0 else "zhang"
            ended = chat.now - timedelta(days=2 * number + 1)
            deal = await tx.opportunities.add(
                account_id=account.id, name=f"第{number}单", owner_id=chat.people[who].id,
                stage="quote", rank=3, at=ended - timedelta(days=30),
                amount_fen=10_000_000 if number < wins else 5_000_000,
            )  # fmt: skip
            if number < wins:
                locked = await tx.opportunities.get_for_update(deal.id)
                won = replace(locked, state=OpportunityState.WON)
                await tx.opportunities.save(won)
                await tx.stages.note_state(
                    locked, won, by=deal.owner_id, at=ended, calendar=CALENDAR
                )


async def night(chat: Chat) -> dict[str, MachineForecast]:
    """What was kept, by scope."""
    [job] = [one for one in chat.handlers.jobs() if one.name == "forecast"]
    assert job.prepare is not None
    await job.prepare(chat.database.begin, chat.now)
    async with chat.database.begin() as tx:
        assert await job.run(tx, chat.now) == ()
        found = await tx.machine_forecasts.of_day(date(2026, 1, 27))
    return {one.scope: one for one in found}


async def test_company_teams_and_reps_are_foreseen_with_bands_and_reasons(chat: Chat) -> None:
    await history(chat, 60)
    found = await night(chat)
    zhang, chen, li = (chat.people[who].id for who in ("zhang", "chen", "li"))
    assert set(found) == {TOTAL, of_team(li), of_rep(zhang), of_rep(chen)}
    total = found[TOTAL]
    assert (total.enough, len(total.reasons), total.version) == (True, 3, "gendan-3")
    for days in (30, 60, 90):
        said = total.by_horizon[days]
        assert 0 <= said.p20 <= said.p50 <= said.p80
        assert abs(found[of_team(li)].by_horizon[days].p50 - said.p50) <= 1
        reps = sum(found[of_rep(one)].by_horizon[days].p50 for one in (zhang, chen))
        assert abs(reps - said.p50) <= 2
    # half a win a day: about 15 in 30 days
    assert 100_000_000 < total.by_horizon[30].p50 < 200_000_000
    assert found[of_rep(zhang)].enough
    assert "历史不足" in found[of_rep(chen)].reasons[0]

    shown = await chat.say("wang", "预测参考")
    assert "**全公司**（机器，截至1月27日）" in shown
    assert "李敏团队" in shown
    assert "人报的在谈商机：未定级 3单 15万元" in shown
    assert "仅供参考" in shown
    assert "李敏团队" in await chat.say("li", "预测参考")
    own = await chat.say("chen", "预测参考")
    assert "陈静" in own
    assert "张伟" not in own


async def test_what_was_submitted_stands_beside_it_and_not_the_open_deals(chat: Chat) -> None:
    await history(chat, 60)
    await night(chat)
    assert "人报的在谈商机" in await chat.say("zhang", "预测参考")
    async with chat.database.begin() as tx:
        [deal, *_] = await tx.opportunities.list_of_owner(chat.people["zhang"].id, limit=1)
        line = Line(0, 0, deal.id, Level.L3, 5_000_000, date(2026, 2, 20))
        await tx.forecasts.submit(
            deal.owner_id, "2026-W05", date(2026, 1, 28), [line], late=False, at=chat.now
        )
    for who in ("zhang", "li", "wang"):
        shown = await chat.say(who, "预测参考")
        assert "人报的（1人已提交的预测）：" in shown
        assert "5万元" in shown
        assert "在谈商机：未定级" not in shown
    assert "人报的在谈商机" in await chat.say("chen", "预测参考")


async def test_the_same_night_is_kept_as_it_was_said_first(chat: Chat) -> None:
    await history(chat, 60)
    first = await night(chat)
    async with chat.database.begin() as tx:
        await tx.machine_forecasts.append([replace(first[TOTAL], version="other")])
    assert (await night(chat))[TOTAL].version == "gendan-3"


async def test_too_little_history_is_said_and_nothing_is_foreseen(chat: Chat) -> None:
    assert "明天再看" in await chat.say("wang", "预测参考")
    await history(chat, 12)
    [only] = (await night(chat)).values()
    assert (only.enough, only.by_horizon) == (False, {})
    assert "历史不足：赢单12单" in await chat.say("zhang", "预测参考")


async def levelled_history(chat: Chat) -> None:
    """Two deals are decided each day: 张伟's have an order and nine of ten are won, 陈静's were
    left alone at L2 and one of ten is; each has 21 that are open, as old as the others were."""
    async with chat.database.begin() as tx:
        account = await tx.accounts.add(
            name="杭州恒锐机电有限公司", owner_id=chat.people["zhang"].id, at=chat.now
        )
        for number in range(480):
            who = ("zhang", "chen")[number % 2]
            ends = chat.now + timedelta(days=20 - number // 2)
            begins = ends - timedelta(days=24 + number * 7 % 20)
            deal = await tx.opportunities.add(
                account_id=account.id, name=f"第{number}单", owner_id=chat.people[who].id,
                stage="quote", rank=3, at=begins, amount_fen=10_000_000,
            )  # fmt: skip
            came = Level.L1 if who == "zhang" else Level.L2_5
            for days, level, cause in ((1, Level.L2, Cause.CLAIMED), (3, came, Cause.DECAYED)):
                at = begins + timedelta(days=days)
                await tx.levels.append(LevelChange(0, deal.id, None, level, cause, at))
            if ends <= chat.now:
                locked = await tx.opportunities.get_for_update(deal.id)
                won = (number // 2 % 10 > 0) is (who == "zhang")
                ended = replace(
                    locked, state=OpportunityState.WON if won else OpportunityState.LOST
                )
                await tx.opportunities.save(ended)
                await tx.stages.note_state(
                    locked, ended, by=deal.owner_id, at=ends, calendar=CALENDAR
                )


async def test_levels_and_decays_enter_and_are_named_among_the_reasons(chat: Chat) -> None:
    await levelled_history(chat)
    found = await night(chat)
    zhang, chen, li = (chat.people[who].id for who in ("zhang", "chen", "li"))
    assert {one.version for one in found.values()} == {"gendan-4"}
    assert "定级和阶段" in found[TOTAL].method
    up, down = (of_rep(zhang), "L1 21单抬高"), (of_rep(chen), "L2.5（意向已衰减）21单压低")
    for scope, words in (up, down, (of_team(li), up[1]), (of_team(li), down[1])):
        assert any(words in reason for reason in found[scope].reasons), found[scope].reasons
    assert up[1] in await chat.say("zhang", "预测参考")
