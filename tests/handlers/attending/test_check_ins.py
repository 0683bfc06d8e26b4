"""Check-ins are facts by person and day, count for bonuses at once, and are corrected by further
facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date

import pytest
import stamina

from bot.domain.attendance import Fact
from connectors.sandbox.world import CheckIn
from storage.database import Database
from tests.handlers.attending.attending_bed import Bed, open_bed
from tests.handlers.light_company import at

JANUARY = date(2026, 1, 1), date(2026, 1, 31)
ON_DAYS = {
    "id": "出勤奖",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "fixed",
    "amount_fen": 20_000,
    "when": [{"field": "attendance_days", "op": ">=", "value": 2}],
}
ON_VISITS = {
    "id": "拜访奖",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "fixed",
    "amount_fen": 5_000,
    "when": [{"field": "customer_checkins", "op": ">=", "value": 1}],
}


def to_work(moment: str, *, user: str = "zhang", platform: str = "wecom", **more: str) -> CheckIn:
    planned = at(moment[:10] + " 09:00")
    return CheckIn(
        platform, user, "on", at(moment), f"plan-{moment[:10]}", planned_at=planned, **more
    )


def outside(moment: str, note: str, *, platform: str = "wecom", user: str = "zhang") -> CheckIn:
    kind = "outside" if platform == "wecom" else "visit"
    return CheckIn(platform, user, kind, at(moment), f"out-{moment}", place="城西路1号", note=note)


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
async def bed(database: Database) -> AsyncIterator[Bed]:
    async with open_bed(database) as bed:
        yield bed


async def facts(bed: Bed, who: str = "zhang") -> list[Fact]:
    async with bed.company.chat.database.read() as tx:
        return await tx.attendance.of_people([bed.company.chat.people[who].id], *JANUARY)


async def troubles(bed: Bed) -> dict[date, str]:
    return {one.check_in.day: one.check_in.trouble for one in await facts(bed)}


async def test_each_record_is_a_fact_of_its_person_and_day(bed: Bed) -> None:
    rows = bed.wecom.world.check_ins
    rows += [to_work("2026-01-27 08:55"), to_work("2026-01-28 09:20", trouble="late")]
    rows.append(to_work("2026-01-28 08:50", user="li"))
    await bed.catch_up()
    assert await troubles(bed) == {date(2026, 1, 27): "", date(2026, 1, 28): "late"}
    assert len(await facts(bed, "li")) == 1
    await bed.catch_up()
    assert len(await facts(bed)) == 2


async def test_a_late_correction_is_a_further_fact(bed: Bed) -> None:
    forgotten = to_work("2026-01-20 09:00", trouble="missing")
    bed.wecom.world.check_ins.append(forgotten)
    await bed.catch_up()
    assert await troubles(bed) == {date(2026, 1, 20): "missing"}
    bed.wecom.world.check_ins[-1] = replace(forgotten, trouble="", at=at("2026-01-20 08:58"))
    bed.move_to("2026-01-29 08:00")  # the night has read the month again
    await bed.catch_up()
    assert await troubles(bed) == {date(2026, 1, 20): ""}
    async with bed.company.chat.database.read() as tx:
        person_id = bed.company.chat.people["zhang"].id
        history = await tx.attendance.history(person_id, date(2026, 1, 20))
    assert [(one.check_in.trouble, stands) for one, _, stands in history] == [
        ("missing", False),
        ("", True),
    ]


async def test_who_clocks_out_after_midnight_ends_the_day_before(bed: Bed) -> None:
    late = at("2026-01-28 01:30")
    bed.wecom.world.check_ins.append(CheckIn("wecom", "zhang", "off", late, "off-27"))
    await bed.catch_up()
    assert await troubles(bed) == {date(2026, 1, 27): ""}


async def test_days_of_attendance_pay_as_soon_as_they_are_there(bed: Bed) -> None:
    await bed.company.publish(ON_DAYS)
    await bed.company.signed()
    bed.wecom.world.check_ins.append(to_work("2026-01-27 08:55"))
    await bed.catch_up()
    assert await bed.company.amounts() == []
    bed.wecom.world.check_ins.append(to_work("2026-01-28 08:55"))
    bed.move_to("2026-01-28 15:06")
    await bed.catch_up()
    assert await bed.company.amounts() == [("zhang", "commission", 20_000)]


async def test_a_correction_after_the_lock_is_an_adjustment(bed: Bed) -> None:
    await bed.company.publish(ON_DAYS)
    await bed.company.signed()
    bed.wecom.world.check_ins += [to_work("2026-01-27 08:55"), to_work("2026-01-28 08:55")]
    await bed.catch_up()
    bed.move_to("2026-02-03 10:00")
    await bed.company.lock("2026-01")
    bed.wecom.world.check_ins.pop()
    bed.move_to("2026-02-04 08:00")
    await bed.catch_up()
    assert await bed.company.amounts() == [
        ("zhang", "commission", 20_000),
        ("zhang", "adjustment", -20_000),
    ]


async def test_a_check_in_at_a_customer_stands_there_and_pays(bed: Bed) -> None:
    await bed.company.publish(ON_VISITS)
    await bed.company.signed()
    bed.wecom.world.check_ins.append(outside("2026-01-28 10:00", "恒锐机电 谈交付"))
    await bed.catch_up()
    [entry] = await bed.stream()
    assert (entry.title, entry.text) == (
        "签到",
        "张伟 10:00 签到，城西路1号\n恒锐机电 谈交付",
    )
    assert await bed.company.amounts() == [("zhang", "commission", 5_000)]
    bed.wecom.world.check_ins.clear()
    bed.move_to("2026-01-28 16:00")
    await bed.catch_up()
    assert [one.text for one in await bed.stream()] == ["1月28日的签到已在平台更正，不再有效。"]
    assert await bed.company.amounts() == []


async def test_dingtalk_tells_of_its_records(bed: Bed) -> None:
    await bed.catch_up()
    records = bed.ding.emulator.records
    records.punch(to_work("2026-01-28 09:10", user="0147001", platform="dingtalk", trouble="late"))
    await bed.catch_up()
    assert await troubles(bed) == {date(2026, 1, 28): "late"}
    records.punch(outside("2026-01-28 11:00", "恒锐机电", platform="dingtalk", user="0147001"))
    await bed.catch_up()
    assert [one.title for one in await bed.stream()] == ["签到"]
    assert sorted(one.check_in.kind for one in await facts(bed)) == ["on", "visit"]


async def test_a_lost_event_of_dingtalk_is_found_by_the_clock(bed: Bed) -> None:
    await bed.catch_up()
    records = bed.ding.emulator.records
    records.punch(to_work("2026-01-28 08:50", user="0147001", platform="dingtalk"), quietly=True)
    visit = outside("2026-01-28 11:00", "恒锐机电", platform="dingtalk", user="0147001")
    records.punch(visit, quietly=True)
    bed.move_to("2026-01-28 17:01")
    await bed.catch_up()
    assert [one.check_in.kind for one in await facts(bed)] == ["visit"]
    bed.move_to("2026-01-29 08:00")
    await bed.catch_up()
    assert sorted(one.check_in.kind for one in await facts(bed)) == ["on", "visit"]


async def test_a_right_that_is_missing_is_told_to_the_administrators(bed: Bed) -> None:
    bed.fail("wecom", "checkin/getcheckindata", 301055, times=2)
    await bed.catch_up()
    assert "wecom:sales" in bed.keeper.troubles
    async with bed.company.chat.database.read() as tx:
        assert (await tx.delivery.counts())["outbox"] >= 1
