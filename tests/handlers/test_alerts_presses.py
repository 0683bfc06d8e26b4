"""What people do about lights: every press and word is checked on the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.domain.opportunities import Light
from bot.errors import NotAllowed, NotFound, Refused
from bot.messages import CardAction, CardUpdate
from storage.database import Database
from tests.handlers.light_company import Company, at

Found = Callable[[], Awaitable[Company]]


@pytest.fixture
def found(database: Database, tmp_path: Path) -> Found:
    async def founded() -> Company:
        return await Company(database, tmp_path).open()

    return founded


async def snoozed(
    company: Company,
    who: str,
    *,
    until_on: date | None = None,
    reason: str = "客户出差",
    workdays: int | None = None,
) -> str:
    async with company.database.begin() as tx:
        deal = await tx.opportunities.get(1)
        return await company.alerts.snooze(
            tx,
            deal,
            company.people[who],
            reason=reason,
            at=company.now,
            until_on=until_on,
            workdays=workdays,
        )


async def test_an_acknowledgement_stops_the_reminding_but_not_the_light(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    (card,) = company.cards("wang")
    await company.press(card, "wang", "ack")
    update = company.inbox("wang")[-1].content
    assert isinstance(update, CardUpdate)
    assert (update.card.card_id, update.card.revision) == (card.card_id, 2)
    assert update.card.closed == "已知悉1个，不再催"
    assert update.response_code == "code-1"
    told = len(company.sent)
    await company.until("2026-01-23T12:00")
    assert len(company.sent) == told
    assert (await company.look(deal)).opportunity.light is Light.RED


async def test_acknowledging_a_yellow_does_not_hide_the_red(found: Found) -> None:
    company = await found()
    await company.lead()
    await company.until("2026-01-16T10:00")
    await company.press(company.cards("zhang")[0], "zhang", "ack")
    await company.until("2026-01-21T13:30")
    assert company.story("zhang")[-1] == "01-21 08:30 红灯提醒：红灯1个"
    assert "01-21 13:10 红灯再次提醒：红灯1个" in company.story("wang")


async def test_the_rep_cannot_keep_a_red_from_the_supervisor_overnight(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T07:00")
    async with company.database.begin() as tx:
        zhang = company.people["zhang"]
        await company.alerts.acknowledge(tx, [deal.id], zhang, company.now)
    await company.until("2026-01-21T14:00")
    assert company.story("wang")[0] == "01-21 08:30 红灯提醒：红灯1个"
    assert "再次" not in "".join(company.story("wang"))


async def test_a_stranger_to_the_light_may_not_touch_it(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    stranger = replace(company.people["zhang"], id=company.id("wang") + 100)
    async with company.database.begin() as tx:
        with pytest.raises(NotAllowed, match="负责人"):
            await company.alerts.acknowledge(tx, [deal.id], stranger, company.now)
        with pytest.raises(NotAllowed, match="负责人"):
            await company.alerts.snooze(tx, deal, stranger, reason="不想看", at=company.now)


async def test_a_press_after_the_light_went_out_says_so(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    (card,) = company.cards("wang")
    await company.act(deal)
    with pytest.raises(Refused, match="已经解除"):
        await company.press(card, "wang", "ack")


async def test_an_unknown_card_or_button_is_not_found(found: Found) -> None:
    company = await found()
    await company.lead()
    await company.until("2026-01-16T10:00")
    (card,) = company.cards("zhang")
    with pytest.raises(NotFound):
        await company.press(replace(card, card_id="lights-999"), "zhang", "ack")
    with pytest.raises(NotFound):
        await company.press(card, "zhang", "explode")
    with pytest.raises(NotFound):
        await company.press(card, "zhang", "snooze-99999", reason="客户出差")


async def test_snooze_silences_for_its_days_and_expires_by_itself(found: Found) -> None:
    company = await found()
    await company.lead()
    await company.until("2026-01-21T10:00")
    (card,) = company.cards("wang")
    await company.press(card, "wang", "snooze-3", reason="客户出差或休假")
    assert company.inbox("wang")[-1].words.endswith("已延后到1月26日")
    told = len(company.sent)
    await company.until("2026-01-25T23:59")
    assert len(company.sent) == told
    await company.until("2026-01-26T12:00")
    assert company.story("wang")[-1] == "01-26 08:30 红灯再次提醒：红灯1个"


async def test_a_card_snooze_needs_its_reason(found: Found) -> None:
    company = await found()
    await company.lead()
    await company.until("2026-01-16T10:00")
    with pytest.raises(Refused, match="要有原因"):
        await company.press(company.cards("zhang")[0], "zhang", "snooze-1")


@pytest.mark.parametrize(
    ("until_on", "reason", "refusal"),
    [
        (date(2026, 1, 22), "客户出差", "最多延后3个工作日（到1月21日"),
        (date(2026, 1, 16), "客户出差", "在今天之后"),
        (date(2026, 1, 19), "  ", "要有原因"),
        (date(2026, 1, 19), "因" * 201, "200字"),
    ],
)
async def test_a_reps_snooze_has_its_limits(
    found: Found, until_on: date, reason: str, refusal: str
) -> None:
    company = await found()
    await company.lead()
    await company.until("2026-01-16T10:00")
    with pytest.raises(Refused, match=refusal):
        await snoozed(company, "zhang", until_on=until_on, reason=reason)


async def test_a_rep_snoozes_once_per_light_and_the_supervisor_as_long_as_needed(
    found: Found,
) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-16T10:00")
    words = await snoozed(company, "zhang", until_on=date(2026, 1, 19))
    assert words.startswith("「恒锐机电」已延后，1月19日(周一)前不再提醒")
    with pytest.raises(Refused, match="已经延后过一次"):
        await snoozed(company, "zhang", until_on=date(2026, 1, 20))
    await snoozed(company, "wang", until_on=date(2026, 3, 2))
    episode = (await company.look(deal)).episode
    assert episode is not None
    assert episode.snoozed_until == at("2026-03-02T00:00")
    await company.until("2026-02-27T12:00")
    assert company.story("wang") == []


async def test_without_a_date_a_snooze_lasts_as_long_as_a_rep_may(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-16T10:00")
    await snoozed(company, "zhang")
    episode = (await company.look(deal)).episode
    assert episode is not None
    assert episode.snoozed_until == at("2026-01-21T00:00")
    assert episode.snooze_reason == "客户出差"


async def test_a_lead_without_a_light_cannot_be_snoozed(found: Found) -> None:
    company = await found()
    await company.lead()
    with pytest.raises(Refused, match="「恒锐机电」现在没有亮灯"):
        await snoozed(company, "zhang")


async def test_details_tell_what_is_known_of_each_lead(found: Found) -> None:
    company = await found()
    deal = await company.lead()
    await company.change(deal, amount_fen=12_800_000, next_contact_at=at("2026-01-28T15:00"))
    await company.until("2026-01-21T10:00")
    (card,) = company.cards("wang")
    await company.press(card, "wang", "detail")
    lines = company.inbox("wang")[-1].words.splitlines()
    assert lines[0].startswith("🔴 恒锐机电（张伟） 已6个工作日")
    assert lines[1:] == ["- 阶段：报价", "- 金额：12.8万元", "- 下次联系：1月28日(周三) 15:00"]


async def test_pressing_one_card_twice_answers_once_more_and_changes_nothing(
    found: Found,
) -> None:
    company = await found()
    deal = await company.lead()
    await company.until("2026-01-21T10:00")
    (card,) = company.cards("wang")
    await company.press(card, "wang", "ack")
    first = (await company.look(deal)).episode
    pressed = CardAction(card.card_id, card.revision, "ack")
    async with company.database.begin() as tx:
        again = await company.alerts.press(tx, pressed, company.people["wang"], company.now)
    assert first is not None
    assert isinstance(again[0].content, CardUpdate)
    assert (await company.look(deal)).episode == first
