"""The big screen's forecasts, supply notices and health of bonuses, with figures by hand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from bot.clock import WallClock
from bot.domain.forecasts import Line, week_of
from bot.domain.levels import Level
from bot.domain.machine_forecasts import TOTAL, MachineForecast, Quantiles, of_team
from bot.domain.payouts.health import Closing, Realisation
from bot.domain.supply import NoticeKind, Station
from handlers.forecasts import reading
from handlers.pages import screen as screens
from handlers.pages.screen import Screen, build
from handlers.texts import screen as texts
from storage.unit_of_work import UnitOfWork
from tests.pages.test_forecast import submitted
from tests.pages.test_supply import HENGRUI, large_sale
from tests.pages.website import Website

WAN = 1_000_000
RATED = (80, 80, 80, 80, 80)


async def screen(website: Website, who: str) -> Screen:
    chat = website.chat
    async with chat.database.read() as tx:
        return await build(tx, chat.office, chat.people[who], chat.now)


async def test_who_looks_again_does_not_wait_for_the_next_screen(
    website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, gate, opened = website.chat, asyncio.Event(), 0
    monkeypatch.setattr(screens, "FRESH_S", 0.0)

    @asynccontextmanager
    async def read() -> AsyncIterator[UnitOfWork]:
        nonlocal opened
        opened += 1
        if opened > 1:
            await gate.wait()
        async with chat.database.read() as tx:
            yield tx

    kept = screens.Screens(chat.office, read, WallClock().now, rest=0)
    wang = chat.people["wang"]
    first = await kept.of(wang)
    await asyncio.sleep(0.01)
    assert [await kept.of(wang), await kept.of(wang)] == [first, first]
    await asyncio.sleep(0)
    assert opened == 2, "one alone is worked out beside them"
    monkeypatch.setattr(screens, "FRESH_S", 60.0)
    gate.set()
    await asyncio.gather(*kept._beside.values())
    assert await kept.of(wang) is not first
    assert opened == 2


async def cosign(website: Website, answers: tuple[int, ...] = RATED) -> None:
    """Under the only line that waits for it."""
    async with website.chat.database.begin() as tx:
        [forecast] = await tx.forecasts.newest_of_each_week([website.chat.people["zhang"].id])
        [asked] = (await tx.forecasts.cosigns([forecast.lines[0].id])).values()
        values = {"answers": list(answers), "signed_at": website.chat.now}
        await tx.forecasts.change_cosign(asked.id, values)


async def test_a_deal_is_expected_then_committed_then_won_and_never_counted_twice(
    website: Website,
) -> None:
    await submitted(website)
    await website.chat.say("li", "预测目标 张伟 2026Q1 70万")
    out = (await screen(website, "li")).outlook
    assert out.quarter == "2026年第1季度"
    assert out.target is not None
    assert [one.words for one in (out.target, out.won, out.commit, out.best)] == [
        "70万元", "0元", "0元", "35万元",
    ]  # fmt: skip
    assert out.gap == "还差70万元"
    await cosign(website)
    out = (await screen(website, "li")).outlook
    assert (out.commit.words, out.best.words, out.gap) == ("35万元", "0元", "还差35万元")
    said = await website.chat.say("zhang", "恒锐机电赢单了")
    if "确认" in said:
        await website.chat.press("zhang", website.chat.card(), "确认")
    out = (await screen(website, "li")).outlook
    assert (out.won.words, out.commit.words, out.gap) == ("35万元", "0元", "还差35万元")
    told = await website.chat.say("li", "预测 团队")
    assert "2026年第1季度目标 70万元：已赢 35万元，加承诺 35万元，还差35万元" in told


@pytest.mark.parametrize(
    ("level", "second", "settled"),
    [
        (Level.L1, None, False),
        (Level.L1, RATED, False),
        (Level.L2, (60, 60, 60, 60, 60), False),  # the limit itself
        (Level.L2, (60, 60, 60, 60, 59), False),
        (Level.L2, (10, 10, 10, 10, 10), True),
        (Level.L2_5, None, False),
        (Level.L3, None, False),
    ],
)
async def test_sums_are_those_of_the_lines(
    website: Website, level: Level, second: tuple[int, ...] | None, settled: bool
) -> None:
    """Added up by the database, or line by line as chat and pages show them."""
    chat = website.chat
    deal = await chat.deal(await chat.customer(HENGRUI))
    rep = chat.people["zhang"]
    line = Line(0, 0, deal.id, level, 35 * WAN, date(2026, 2, 6), answers=RATED)
    later = replace(line, expected_on=date(2026, 4, 1))  # another quarter
    async with chat.database.begin() as tx:
        for day in (date(2026, 1, 19), date(2026, 1, 26)):  # the first no longer counts
            made = await tx.forecasts.submit(
                rep.id, week_of(day), day, [line, later], late=False, at=chat.now
            )
        if second is not None:
            first = made.lines[0].id
            asked = await tx.forecasts.ask_cosign(first, None, at=chat.now, due_at=chat.now)
            values = {"answers": list(second), "signed_at": chat.now}
            values |= {"closed_at": chat.now} if settled else {}
            await tx.forecasts.change_cosign(asked.id, values)
        sums = await reading.expected(tx, chat.office, [rep.id], chat.now)
        [newest] = await reading.newest(tx, chat.office, [rep], chat.now)
        signed = await reading.signed(tx, chat.office, [newest], chat.now)
        lines = reading.sums([one for one in signed if one.line.expected_on < date(2026, 4, 1)])
    assert sums[rep.id] == lines
    assert sum(count for _, count in lines.values()) == 1


async def test_without_anything_it_says_what_is_missing(website: Website) -> None:
    await website.chat.customer(HENGRUI)
    out = (await screen(website, "wang")).outlook
    assert out.is_empty
    assert out.notes == (texts.NO_TARGET.format("2026Q1"), texts.NO_LINES, texts.NO_MACHINE)
    _, page = await (await website.sign_in("wang")).get("/")
    for part in (
        *out.notes,
        "近7天没有新的备货通知",
        "还没有试算后发布的规则变更",
        "近90天没有裁定过申诉",
    ):
        assert part in page


async def test_the_machine_is_shown_of_whom_the_screen_shows(website: Website) -> None:
    chat = website.chat
    await chat.customer(HENGRUI)
    scopes = {TOTAL: 3, of_team(chat.people["li"].id): 1}
    async with chat.database.begin() as tx:
        await tx.machine_forecasts.append(
            MachineForecast(
                date(2026, 1, 27), scope, {30: Quantiles(n * WAN, 2 * n * WAN, 4 * n * WAN)},
                n == 3, "m", ("历史不足：赢单 3 单",), "1", chat.now,
            )
            for scope, n in scopes.items()
        )  # fmt: skip
    whole = (await screen(website, "wang")).outlook
    [band] = whole.bands
    assert (band.label, band.low.words, band.middle.words, band.high.words) == (
        "今后30天", "3万元", "6万元", "12万元",
    )  # fmt: skip
    assert texts.LITTLE_HISTORY not in whole.notes
    team = (await screen(website, "li")).outlook
    assert team.bands[0].high.fen == 4 * WAN
    assert texts.LITTLE_HISTORY in team.notes


async def test_supply_notices_are_counted_until_both_stations_know(website: Website) -> None:
    chat = website.chat
    number = await large_sale(website)

    async def told() -> tuple[str, str, str]:
        [supply, *_] = (await screen(website, "wang")).vitals
        assert supply.label == "备货通知"
        return supply.value, supply.note, supply.tone

    assert await told() == ("1", "近7天，共30万元，1单还有人没确认。", "yellow")
    for station in Station:
        async with chat.database.begin() as tx:
            await tx.supply.acknowledge(number, station, chat.people["zhao"].id, chat.now)
    assert await told() == ("1", "近7天，共30万元，都已确认。", "")
    chat.now += timedelta(days=8)
    assert await told() == ("0", "近7天没有新的备货通知。", "")


async def test_a_withdrawn_notice_is_none(website: Website) -> None:
    chat = website.chat
    number = await large_sale(website)
    async with chat.database.begin() as tx:
        notice = await tx.supply.get(number)
        assert notice is not None
        await tx.supply.append(
            replace(notice, kind=NoticeKind.WITHDRAWAL, generation=notice.generation + 1)
        )
    assert (await screen(website, "wang")).vitals[0].value == "0"


async def test_supply_and_bonuses_are_only_for_who_oversees_all(website: Website) -> None:
    await large_sale(website)
    assert (await screen(website, "li")).vitals == ()
    _, page = await (await website.sign_in("li")).get("/")
    for part in ("备货通知", "人均激励兑现率", "规则变更影响面", "申诉关闭时效"):
        assert part not in page
    _, page = await (await website.sign_in("wang")).get("/")
    for part in ("备货通知", "人均激励兑现率", "规则变更影响面", "申诉关闭时效"):
        assert part in page


@pytest.mark.parametrize(
    ("people", "value"), [(0, "—"), (1, "—"), (4, "—"), (5, "75.0"), (40, "75.0")]
)
def test_fewer_than_five_people_have_no_figure_on_a_wall(people: int, value: str) -> None:
    rate = Fraction(3, 4) if people else None
    found = Realisation(rate, people, due_fen=123_456, paid_fen=98_765)
    told = texts.realisation(found, "2025-11", "2026-01")
    assert told[0] == value
    assert not re.search(r"1,?234|987", "".join(told)), "nobody's pay"
    assert texts.impact(date(2026, 1, 28), min(people, 3), people)[0] == (
        "—" if people < 5 else "60" if people == 5 else "8"
    )


def test_how_long_disputes_took_says_of_how_many() -> None:
    span = timedelta(minutes=90)
    assert texts.closing(Closing(3, span, span, 3), still_open=1) == (
        "1.5", "小时", "近90天只有3件，仅供参考，按工作时间算。还有1件等着裁定。",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fen", "words"),
    [(0, "0元"), (98_000, "980元"), (35 * WAN, "35万元"), (35_549_900, "35.5万元"),
     (228_000_000_0, "2,280万元"), (128_000_000_00, "1.28亿元"), (-35 * WAN, "−35万元")],
)  # fmt: skip
def test_money_from_afar(fen: int, words: str) -> None:
    assert texts.money(fen) == words


async def test_teams_are_compared_where_there_are_several(website: Website) -> None:
    await submitted(website)
    assert (await screen(website, "wang")).outlook.teams == ()
    chat = website.chat
    async with chat.database.begin() as tx:
        await tx.people.set_supervisor_override(chat.people["chen"].id, chat.people["wang"].id)
        await tx.forecasts.set_target(
            chat.people["zhang"].id, "2026Q1", 70 * WAN, by=chat.people["li"].id, at=chat.now
        )
    await cosign(website)
    [team] = (await screen(website, "wang")).outlook.teams
    assert (team.name, team.commit, team.share) == ("李敏团队", "35万元", "50%")
