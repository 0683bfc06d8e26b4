"""Lights as people live with them: real database, real scheduler, days that pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.domain.calendar import NamedDay, WorkingCalendar
from bot.domain.lights import Cleared
from bot.domain.opportunities import Light, OpportunityState
from bot.domain.policy import Policy, PushPolicy
from bot.messages import FileContent, Text
from handlers.lights.alerts import Alerts
from handlers.lights.heatmap import HeatMap
from handlers.policy.policies import PolicyBook
from storage.database import Database
from tests.handlers.light_company import CALENDAR, Company, at, shelf

Found = Callable[..., Awaitable[Company]]


@pytest.fixture
def found(database: Database, tmp_path: Path) -> Found:
    async def founded(**given: Any) -> Company:
        return await Company(database, tmp_path, **given).open()

    return founded


async def test_the_life_of_a_light_nobody_cares_about(found: Found) -> None:
    """Yellow to the rep, red to both, once more to the supervisor, then to the director."""
    company = await found()
    await company.lead()
    await company.until("2026-01-23T12:00")
    assert company.story("zhang") == [
        "01-16 08:30 跟进提醒：黄灯1个",
        "01-19 09:00 1月19日(周一)早报：黄灯1个",
        "01-20 09:00 1月20日(周二)早报：黄灯1个",
        "01-21 08:30 红灯提醒：红灯1个",
        "01-22 09:00 1月22日(周四)早报：红灯1个",
        "01-23 09:00 1月23日(周五)早报：红灯1个",
    ]
    assert company.story("wang") == [
        "01-21 08:30 红灯提醒：红灯1个",
        "01-21 08:30 跟进热力图_0121.png",
        "01-21 13:10 红灯再次提醒：红灯1个",
        "01-22 09:00 1月22日(周四)团队早报：红灯1个",
        "01-23 09:00 1月23日(周五)团队早报：红灯1个",
    ]
    assert company.story("li") == [
        "01-22 09:10 红灯升级提醒：红灯1个",
        "01-22 09:10 跟进热力图_0122.png",
    ]
    assert company.story("zhao") == []


async def test_a_card_says_who_what_since_when_why_and_how_to_stop_it(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-13T15:00")
    await company.act(deal)
    await company.until("2026-01-22T09:00")
    card = company.cards("zhang")[-1]
    assert card.lines[0] == "🔴 恒锐机电 已6个工作日没有有效跟进（上次 1月13日 跟进电话）"
    assert card.lines[1].startswith("为什么提醒：3个工作日没有有效跟进亮黄灯，超过5个亮红灯")
    assert card.lines[2].startswith("怎么停：记一次有效跟进灯就灭")
    assert company.cards("wang")[0].lines[0].startswith("🔴 恒锐机电（张伟） 已6个工作日")
    assert [button.label for button in card.buttons] == [
        "知道了", "延后1个工作日", "延后3个工作日", "看详情",
    ]  # fmt: skip


async def test_the_supervisor_gets_a_heat_map_of_the_red_leads(found: Found) -> None:
    company = await found()
    await company.lead("恒锐机电")
    await company.lead("陈仓机床")
    await company.until("2026-01-21T08:31")
    (drawn,) = company.drawn
    assert [lead.name for lead in drawn.leads] == ["恒锐机电", "陈仓机床"]
    assert {lead.light for lead in drawn.leads} == {Light.RED}
    (picture,) = [
        sent.content for sent in company.inbox("wang") if isinstance(sent.content, FileContent)
    ]
    assert await company.files.get(picture.sha256) == b"picture 1"
    assert not [sent for sent in company.inbox("zhang") if isinstance(sent.content, FileContent)]


async def test_a_picture_that_cannot_be_drawn_keeps_no_card_back(found: Found) -> None:
    async def broken(_: HeatMap) -> bytes:
        raise OSError("no font")

    company = await found(draw=broken)
    await company.lead()
    await company.until("2026-01-21T08:31")
    assert company.story("wang") == ["01-21 08:30 红灯提醒：红灯1个"]


async def test_a_valid_action_ends_the_light_at_once_and_tells_who_knew_of_the_red(
    found: Found,
) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    await company.act(deal)
    assert (await company.look(deal)).opportunity.light is Light.GREEN
    assert company.inbox("wang")[-1].words == "🟢 恒锐机电（张伟） 红灯已解除：有了有效跟进。"
    assert company.inbox("zhang")[-1].words == "🟢 恒锐机电 红灯已解除：有了有效跟进。"
    await company.until("2026-01-23T12:00")
    assert "再次" not in "".join(company.story("wang"))
    assert company.story("li") == []


async def test_a_yellow_ends_without_a_word(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-16T10:00")
    await company.act(deal)
    await company.until("2026-01-21T12:00")
    assert company.story("zhang") == ["01-16 08:30 跟进提醒：黄灯1个"]


async def test_what_is_cleared_before_the_window_opens_is_never_pushed(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-16T07:00")
    assert (await company.look(deal)).opportunity.light is Light.YELLOW
    await company.act(deal)
    await company.until("2026-01-20T12:00")
    assert company.sent == []


async def test_spring_festival_turns_nothing_red(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-02-13T10:00")
    await company.act(deal)
    await company.until("2026-02-26T08:29")
    after = [sent for sent in company.sent if sent.when >= at("2026-02-13T10:01")]
    assert not [sent for sent in after if "灯" in sent.words]
    await company.until("2026-02-26T08:31")
    assert company.inbox("zhang")[-1].words.startswith("跟进提醒：黄灯1个")


async def test_a_light_that_rises_on_a_day_off_waits_for_the_next_morning(found: Found) -> None:
    company = await found()
    await company.until("2026-01-13T10:00")
    deal = await company.lead()
    await company.until("2026-01-18T12:00")
    assert (await company.look(deal)).opportunity.light is Light.YELLOW  # since Saturday
    assert company.sent == []
    await company.until("2026-01-19T08:31")
    assert company.story("zhang") == ["01-19 08:30 跟进提醒：黄灯1个"]


async def test_twenty_leads_on_a_card_and_the_others_counted(found: Found) -> None:
    company = await found(policy=Policy(pushes=PushPolicy(group_max=2)))
    for name in ("甲机电", "乙机电", "丙机电"):
        await company.lead(name)
    await company.until("2026-01-16T12:00")
    (card,) = company.cards("zhang")
    assert card.title == "跟进提醒：黄灯3个"
    assert [line for line in card.lines if line.startswith("🟡")] == list(card.lines[:2])
    assert card.lines[2] == "还有1个，回复「我的灯」查看"


async def test_a_leaders_own_lead_goes_one_level_up(found: Found) -> None:
    company = await found()
    await company.lead(owner="wang")
    await company.until("2026-01-21T08:31")
    assert company.story("li") == [
        "01-21 08:30 红灯提醒：红灯1个",
        "01-21 08:30 跟进热力图_0121.png",
    ]


async def test_without_a_supervisor_the_administrators_are_told(found: Found) -> None:
    company = await found()
    await company.lead(owner="li")
    await company.until("2026-01-21T08:31")
    assert company.story("zhao")[0] == "01-21 08:30 红灯提醒：红灯1个"


async def test_a_supervisor_we_share_no_platform_with_is_replaced_by_the_administrators(
    found: Found,
) -> None:
    company = await found(unreachable="王敏")
    await company.lead()
    await company.until("2026-01-21T08:59")
    assert company.story("wang") == []
    assert company.story("zhao")[0] == "01-21 08:40 红灯提醒：红灯1个"


async def test_a_supervisor_on_leave_is_passed_over(found: Found) -> None:
    company = await found()
    await company.lead()
    async with company.database.begin() as tx:
        await tx.people.set_leave(company.id("wang"), at("2026-02-01T00:00"), None)
    await company.until("2026-01-21T08:31")
    assert company.story("wang") == []
    assert company.story("zhao")[0].endswith("红灯提醒：红灯1个")


async def test_an_owner_on_leave_has_no_light(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-16T10:00")
    async with company.database.begin() as tx:
        await tx.people.set_leave(company.id("zhang"), at("2026-01-26T00:00"), None)
        await company.alerts.on_leave_changed(tx, company.people["zhang"], company.now)
    await company.until("2026-01-29T23:00")
    assert len(company.sent) == 1
    assert (await company.look(deal)).opportunity.light is Light.GREEN
    await company.until("2026-01-30T12:00")
    assert company.story("zhang")[1:] == ["01-30 08:30 跟进提醒：黄灯1个"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": OpportunityState.WON}, "商机已结束"),
        ({"state": OpportunityState.ON_HOLD}, "商机暂缓"),
    ],
)
async def test_closing_or_holding_a_lead_ends_its_light(
    found: Found, changes: dict[str, Any], words: str
) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    await company.change(deal, **changes)
    assert words in company.inbox("wang")[-1].words
    told = len(company.sent)
    await company.until("2026-01-30T12:00")
    assert len(company.sent) == told


async def test_a_transferred_lead_starts_anew_and_its_age_stays_visible(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    async with company.database.begin() as tx:
        await tx.accounts.transfer(deal.account_id, company.id("wang"), company.now)
    await company.until("2026-01-27T12:00")
    assert "已改派负责人" in company.story("zhang")[-1]
    assert company.inbox("wang")[-1].words.splitlines()[1] == (
        "🟡 恒锐机电 已3个工作日没有有效跟进（1月21日接手后还没有） · 商机已15天"
    )


async def test_a_late_entry_counts_from_when_it_was_and_marks_the_light(found: Found) -> None:
    """Red since the 21st; a call of the 15th, entered now, leaves a gap of three: yellow."""
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    await company.act(deal, acted="2026-01-15T11:00")
    lead = await company.look(deal)
    assert lead.episode is not None
    assert (lead.opportunity.light, lead.episode.number) == (Light.YELLOW, 2)
    assert "补录了有效跟进" in company.inbox("wang")[-1].words
    async with company.database.begin() as tx:
        assert await tx.lights.list_ended(deal.id) == [(1, Cleared.BACKFILLED)]


async def test_taking_an_action_back_brings_the_light_back(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    entry = await company.act(deal)
    await company.retract(deal, entry)
    lead = await company.look(deal)
    assert lead.opportunity.last_valid_at is None
    assert lead.opportunity.light is Light.RED
    await company.until("2026-01-21T10:30")
    assert company.story("wang")[-2] == "01-21 10:10 红灯提醒：红灯1个"


async def test_a_stuck_stage_shows_on_the_card(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-27T10:00")
    await company.act(deal)
    assert not (await company.look(deal)).opportunity.stuck
    await company.until("2026-02-03T12:00")
    lead = await company.look(deal)
    assert (lead.opportunity.light, lead.opportunity.stuck) == (Light.YELLOW, True)
    assert "阶段停滞" in company.inbox("zhang")[-1].words


async def test_a_year_without_its_calendar_warns_and_is_recomputed_when_it_comes(
    found: Found,
) -> None:
    company = await found(calendar=WorkingCalendar())
    deal = await company.lead()
    await company.until("2026-01-16T12:00")
    assert "2026年放假安排还没导入" in company.cards("zhang")[0].lines[1]
    days_off = [NamedDay(date(2026, 1, 14), "厂休", off=True)]
    await company.restart(CALENDAR.with_table([], [2026]).with_table(days_off, [2026]))
    await company.until("2026-01-16T12:05")
    assert (await company.look(deal)).opportunity.light is Light.GREEN


async def test_a_reminder_about_to_fall_due_is_part_of_the_digest(found: Found) -> None:
    """Red comes back at 13:55 and is told at 14:05; four office hours later it is 09:05."""
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T08:00")
    entry = await company.act(deal)
    await company.until("2026-01-21T13:55")
    await company.retract(deal, entry)
    await company.until("2026-01-23T12:00")
    assert company.story("wang")[::2] == [
        "01-21 14:05 红灯提醒：红灯1个",
        "01-22 09:00 1月22日(周四)团队早报：红灯1个",
    ]
    assert company.story("li")[0] == "01-23 09:10 红灯升级提醒：红灯1个"


async def test_a_digest_takes_the_place_of_the_days_reminder(found: Found) -> None:
    """Red is told at 17:10: four office hours later it is ten past twelve, with the digest
    between; only the leader of the supervisor hears of it after that."""
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T08:00")
    entry = await company.act(deal)
    await company.until("2026-01-21T17:00")
    await company.retract(deal, entry)
    await company.until("2026-01-23T12:00")
    assert company.story("wang")[::2] == [
        "01-21 17:10 红灯提醒：红灯1个",
        "01-22 09:00 1月22日(周四)团队早报：红灯1个",
    ]
    assert company.story("li")[0] == "01-23 09:10 红灯升级提醒：红灯1个"


async def test_a_swept_lead_is_not_due_again_at_once(found: Found) -> None:
    company = await found()
    await company.lead()
    await company.until("2026-01-12T10:05")
    async with company.database.begin() as tx:
        assert await tx.lights.next_due_at() == at("2026-01-16T00:00")


async def test_notes_after_hours_wait_for_the_morning(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T21:00")
    await company.act(deal)
    await company.until("2026-01-22T08:31")
    note = company.inbox("wang")[-1]
    assert isinstance(note.content, Text)
    assert f"{note.when:%d %H:%M}" == "22 08:30"


async def test_a_new_start_with_other_holidays_judges_every_lead_again_once(found: Found) -> None:
    """It used to keep the due times of the calendar that was known when they were set."""
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-13T12:00")
    days_off = [NamedDay(date(2026, 1, 14), "厂休", off=True)]
    calendar = CALENDAR.with_table([], [2026]).with_table(days_off, [2026])
    restarted = Alerts(
        policies=PolicyBook(Policy()),
        libraries=shelf(),
        calendar=calendar,
        address_of=lambda _: None,
    )
    async with company.database.begin() as tx:
        assert await restarted.note_rules(tx, company.now)
        assert not await restarted.note_rules(tx, company.now)
        await restarted.sweep_lights(tx, company.now)
        lead = (await tx.lights.list_leads([deal.id]))[0]
    assert lead.opportunity.light_due_at == at("2026-01-17T00:00")
