"""Which pages stand in the bar, in order, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.people import Role
from handlers.leading.teams import LEADING
from handlers.pages.admin.rooms import OVERSEERS
from handlers.refusals.reporting import READERS
from handlers.supply.acknowledging import MAY_SEE

FORECASTING = LEADING | {Role.REP}


@dataclass(frozen=True, slots=True)
class Link:
    """also: where pages below it stand, beside its own address."""

    href: str
    words: str
    roles: frozenset[Role]
    also: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether that page is it, or stands below it."""
        below = () if self.href == "/" else (self.href, *self.also)
        return path == self.href or any(path == one or path.startswith(f"{one}/") for one in below)


_EVERYBODY = frozenset(Role)
_LINKS = (
    Link("/", "大屏", LEADING),
    Link("/customers", "客户", _EVERYBODY, also=("/opportunities",)),
    Link("/refusals", "拒绝原因", READERS),
    Link("/diagnosis", "诊断", LEADING),
    Link("/forecast", "预测", FORECASTING),
    Link("/supply", "备货", MAY_SEE),
    Link("/payouts", "奖金", _EVERYBODY, also=("/fund", "/disputes")),
    Link("/rules", "奖金规则", _EVERYBODY),
    Link("/admin", "管理", OVERSEERS),
)


def links(roles: frozenset[Role]) -> tuple[Link, ...]:
    """Also somebody without any role has customers and bonuses."""
    return tuple(one for one in _LINKS if one.roles is _EVERYBODY or one.roles & roles)
