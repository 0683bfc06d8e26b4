"""A quarter's forecasts for the demo company: submissions of two weeks, second signatures, targets,
the machine's numbers, notices to the warehouse. Written while the sandbox is stopped."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.forecasts import Line, quarter_of, week_of
from bot.domain.levels import REQUIRED, Cause, Evidence, Level, LevelChange
from bot.domain.machine_forecasts import TOTAL, MachineForecast, Quantiles, of_team
from bot.domain.people import Person
from bot.domain.supply import Notice, NoticeKind, Station
from storage.database import Database

WAN = 1_000_000
LEVELS = (Level.L1, Level.L2, Level.L2_5, Level.L3)
TEAMS = {
    ("wecom", "limin"): ("zhangwei", "chenjing", "liuyang"),
    ("dingtalk", "zhoutao001"): ("wulei01", "zhengshuang", "hejie88"),
}
BANDS = {30: (60, 118, 190), 60: (150, 262, 391), 90: (240, 418, 620)}
RISKS = ("客户预算要等总部批", "", "竞争对手在降价")


async def put_forecasts(data: Path) -> None:
    now = datetime.now(UTC)
    database = await Database.open(f"sqlite:///{data / 'gendan.db'}")
    async with database.begin() as tx:
        leaders = []
        for (platform, leader), reps in TEAMS.items():
            found = [await _person(tx, platform, one) for one in (leader, *reps)]
            leaders.append(found[0].id)
            for place, rep in enumerate(found[1:]):
                await _submit(tx, rep, now, place=place, by=found[0].id)
        for scope, share in ((TOTAL, 10), (of_team(leaders[0]), 6), (of_team(leaders[1]), 4)):
            await tx.machine_forecasts.append([_machine(scope, share, now)])
        await _notices(tx, now)
        await _level(tx, await _person(tx, "wecom", "zhangwei"), now)
    await database.close()


async def _person(tx: Any, platform: str, key: str) -> Person:
    found = await tx.people.find_by_identity(platform, key)
    assert found is not None
    person: Person = found
    return person


async def _submit(tx: Any, rep: Person, now: datetime, *, place: int, by: int) -> None:
    """This week's and last week's; every other large one is co-signed."""
    monday = now.date() - timedelta(days=now.weekday())
    deals = await tx.opportunities.list_of_owner(rep.id, limit=50)
    for back in (1, 0):
        day = monday - timedelta(weeks=back)
        at = now - timedelta(weeks=back, hours=3)
        lines = [
            Line(
                0, 0, deal.id, LEVELS[(number + place) % 4],
                (deal.amount_fen or 30 * WAN) - back * number * 3 * WAN,
                _expected(now.date(), number), risk=RISKS[number % 3],
                answers=(80, 70, 75, 60, 80) if (number + place) % 4 < 2 else (),
            )
            for number, deal in enumerate(deals)
        ]  # fmt: skip
        made = await tx.forecasts.submit(
            rep.id, week_of(day), day, lines[: len(lines) - back], late=place == 2, at=at
        )
        for line in made.lines:
            if line.answers and back == 0 and line.id % 2 == place % 2:
                asked = await tx.forecasts.ask_cosign(
                    line.id, None, at=at, due_at=at + timedelta(days=1)
                )
                await tx.forecasts.change_cosign(
                    asked.id, {"answers": [75, 70, 70, 60, 75], "signed_at": at}
                )
    await tx.forecasts.set_target(rep.id, quarter_of(now.date()), 380 * WAN, by=by, at=now)


def _expected(today: date, number: int) -> date:
    return today + timedelta(days=(9, 24, 30, 41, 66)[number % 5])


def _machine(scope: str, share: int, now: datetime) -> MachineForecast:
    bands = {
        days: Quantiles(*(one * share * WAN // 10 for one in of)) for days, of in BANDS.items()
    }
    reasons = ("在谈的商机按年龄和阶段，近一年大约三成会赢单", "月底前两周赢单比平时多")
    origin = now.date() + timedelta(days=1)  # the sandbox is ahead by a working day
    return MachineForecast(origin, scope, bands, scope == TOTAL, "pipeline", reasons, "1", now)


async def _level(tx: Any, rep: Person, now: datetime) -> None:
    """The first deal has been at L2 for two days, and fades since nobody called."""
    deal = (await tx.opportunities.list_of_owner(rep.id, limit=50))[0]
    since = now - timedelta(days=2)
    for kind in REQUIRED[Level.L2]:
        await tx.levels.add_evidence(
            Evidence(0, deal.id, kind, rep.id, since, now + timedelta(days=80),
                     fields={"date": f"{since:%Y-%m-%d}", "party": deal.account_name})
        )  # fmt: skip
    claim = LevelChange(
        0, deal.id, None, Level.L2, Cause.CLAIMED, since, by=rep.id,
        stands_until=now + timedelta(days=80),
    )  # fmt: skip
    await tx.levels.append(claim)


async def _notices(tx: Any, now: datetime) -> None:
    deals = await tx.opportunities.list_some(range(1, 30))
    for number, deal in enumerate(itertools.islice(deals.values(), 3), 1):
        told = await tx.supply.append(
            Notice(
                0, deal.id, NoticeKind.PUSH, 1, f"CK{now:%Y%m%d}-{number:04d}",
                deal.amount_fen or 40 * WAN, now - timedelta(hours=20 - 5 * number),
            )
        )  # fmt: skip
        for station in list(Station)[: number % 3]:
            await tx.supply.acknowledge(told.id, station, 1, now - timedelta(hours=number))
