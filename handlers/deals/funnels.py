"""«漏斗» and «转化率»: how far deals come and how many leads become one; of the speaker's own
customers, of the team, or of the company, by role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from bot.domain.conversions import CHINA, DayCount
from bot.domain.funnel import StageFigures, funnel_of
from bot.domain.library import Stage
from bot.domain.people import Role
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import stages as texts

SEES_ALL = frozenset({Role.ADMIN, Role.SALES_DIRECTOR})
DAYS = 7


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel in figures, for the pages. figures: one for each stage of the speaker's library.
    whose: in words."""

    whose: str
    figures: Sequence[StageFigures]


@dataclass(frozen=True, slots=True)
class Conversion:
    """Leads to opportunities, day by day, for the pages. days: the last ones, today included."""

    whose: str
    days: Sequence[DayCount]


async def read_funnel(desk: Desk) -> Funnel:
    """Counting a whole company takes up to seconds, so it is done beside the transactions that
    write (`Incoming.looked_up`)."""
    whose, owners = await _scope(desk)
    refs = desk.office.libraries.refs_of(desk.library)
    counts = await desk.tx.stages.funnel(desk.library, refs, owners)
    return Funnel(whose, funnel_of(desk.library, counts))


async def show_funnel(desk: Desk, _: str) -> None:
    found = desk.incoming.looked_up
    funnel = found if isinstance(found, Funnel) else await read_funnel(desk)
    stages = zip(desk.library.stages, funnel.figures, strict=True)
    lines = [_line(stage, figures) for stage, figures in stages]
    told = texts.funnel(funnel.whose, desk.library.label, lines)
    customers.tell_alone(desk, texts.FUNNEL, told)


async def read_conversion(desk: Desk) -> Conversion:
    """Of the last DAYS, with today. Read beside the transactions that write, as `read_funnel`."""
    whose, owners = await _scope(desk)
    today = desk.at.astimezone(CHINA).date()  # R1
    days = await desk.tx.lead_spans.count(today - timedelta(days=DAYS - 1), today, owner_ids=owners)
    return Conversion(whose, days)


async def show_conversion(desk: Desk, _: str) -> None:
    found = desk.incoming.looked_up
    conversion = found if isinstance(found, Conversion) else await read_conversion(desk)
    lines = [
        texts.conversion_line(day.day, day.denominator, day.numerator, _percent(day.rate))
        for day in reversed(conversion.days)
    ]
    customers.tell_alone(desk, texts.CONVERSION, texts.conversion(conversion.whose, lines))


async def _scope(desk: Desk) -> tuple[str, list[int] | None]:
    """Whose figures the speaker sees; None: everybody's."""
    if desk.rep.roles & SEES_ALL:
        return "全公司", None
    lines = await desk.tx.libraries.leaders_of_everybody()
    team = {one for one, above in lines.items() if desk.rep.id in above}
    return ("团队" if team else "我的"), sorted(team | {desk.rep.id})


def _line(stage: Stage, figures: StageFigures) -> str:
    return texts.funnel_line(
        stage.label,
        here=figures.here,
        reached=figures.reached,
        rate=_percent(figures.rate),
        stay_days=figures.stay_days,
        stuck_days=stage.stuck_days,
    )


def _percent(rate: Fraction | Decimal | None) -> str:
    return "—" if rate is None else f"{(200 * rate + 1) // 2}%"
