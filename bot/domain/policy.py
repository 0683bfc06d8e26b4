"""The numbers the business may change. Defaults as agreed; read from config/policy.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from bot.domain.calendar import ClockKind
from bot.domain.decay import DecayPolicy
from bot.domain.forecasts import RelativeTo, Tolerance
from bot.domain.payouts.growth import Mode
from bot.domain.people import Role
from bot.domain.signals import SignalPolicy


@dataclass(frozen=True, slots=True)
class CalendarPolicy:
    """The team's zone and office hours. zone: IANA name. office_opens, office_closes: local, on
    working days."""

    zone: str = "Asia/Shanghai"
    office_opens: time = time(9)
    office_closes: time = time(18)


@dataclass(frozen=True, slots=True)
class LightPolicy:
    """Whole working days without a valid action: yellow from `yellow_days` on, red when
    there are more than `red_days`."""

    yellow_days: int = 3
    red_days: int = 5


@dataclass(frozen=True, slots=True)
class PushPolicy:
    """When and how people are told about lights.

    group_wait: what comes up for one person within it goes on one card, of at most
    `group_max` leads. repeat_after: on `repeat_clock`, without an acknowledgement.
    quiet_from, quiet_until, digest_at: local clock times. weekly_at: of the week's summary, on
    its last working day.
    snooze_max_workdays: what a rep may allow themselves. snooze_reasons: offered on cards.
    """

    group_wait: timedelta = timedelta(minutes=10)
    group_max: int = 20
    repeat_after: timedelta = timedelta(hours=4)
    repeat_clock: ClockKind = ClockKind.OFFICE
    quiet_from: time = time(20)
    quiet_until: time = time(8, 30)
    digest_at: time = time(9)
    weekly_at: time = time(17)
    snooze_max_workdays: int = 3
    snooze_reasons: tuple[str, ...] = (
        "客户出差或休假",
        "客户内部流程中",
        "等我方资料或报价",
        "已约好时间",
    )


@dataclass(frozen=True, slots=True)
class ActionPolicy:
    """What makes an action valid, where an action unit does not say otherwise.

    late_hours: on `late_clock`, from the action to its record; later ones are locked.
    remind_after_h: on the same clock, when the rep is reminded of what a record still lacks;
    what is not before the lock is left out.
    call_min_s: seconds a call must last. same_file_customers: a file sent to this many
    customers is no longer made for one of them.
    """

    late_hours: int = 48
    late_clock: ClockKind = ClockKind.WORKDAY
    remind_after_h: tuple[int, ...] = (24, 44)
    call_min_s: int = 180
    same_file_customers: int = 3


@dataclass(frozen=True, slots=True)
class DraftPolicy:
    """How long drafts wait, and when one is stored without a press. ttl_h: hours until an untouched
    draft expires.

    auto_confirm: whether a draft that is complete and clear is stored without a press.
    min_confidence: 0..1; a slot that was read with less wants one, and is pointed out.
    confirm_slots: slots that want a press unless they were said outright (`CERTAIN` of
    confirming.py). use_habits: what a rep chose before for the same words is taken again.
    """

    ttl_h: int = 24
    auto_confirm: bool = False
    confirm_slots: tuple[str, ...] = ("customer", "amount_fen")
    min_confidence: float = 0.8
    use_habits: bool = True

    @property
    def ttl(self) -> timedelta:
        return timedelta(hours=self.ttl_h)


@dataclass(frozen=True, slots=True)
class DiagnosisPolicy:
    """What counts as a break in the process. look_back_days: calendar days that are looked at.
    dead_days: working days without a valid action, more than which a lead is called dead."""

    look_back_days: int = 14
    dead_days: int = 20


@dataclass(frozen=True, slots=True)
class CustomerPolicy:
    """The public pool, and leads that were given to somebody.

    pool_after_workdays: whole working days without a valid action until a customer goes to the
    pool; 0: never. pool_warn_workdays: the owner is warned so long before. claims_per_day,
    claims_held: what one person may take, and keep, of the pool. reclaim_after_days: until the
    last owner may take it again. accept_h: office hours until a supervisor hears of a lead that
    nobody took.
    """

    pool_after_workdays: int = 0
    pool_warn_workdays: int = 5
    claims_per_day: int = 5
    claims_held: int = 30
    reclaim_after_days: int = 30
    accept_h: int = 2

    @property
    def accept_within(self) -> timedelta:
        return timedelta(hours=self.accept_h)


@dataclass(frozen=True, slots=True)
class ReceivablePolicy:
    """When a prepayment is missing, and what follows. due_days: calendar days after signing, where
    no prepayment day was agreed. review_workdays: working days that a clause review may take.
    checklist: what its reviewers tick off, in this order."""

    due_days: int = 7
    review_workdays: int = 2
    checklist: tuple[str, ...] = ("核对付款条款", "联系客户财务", "评估停发货", "写明处理结论")


@dataclass(frozen=True, slots=True)
class ForecastPolicy:
    """Evidence of levels, and the week of a forecast. evidence_days: calendar days that evidence of
    a level counts, and that a level lowered by word holds. evidence_warn_days: the rep hears so
    long before it ends. cosign_h: working-day hours for the second signature. cosign_difference,
    relative_to: more than so much, in points of 100 or in per cent of one or both scores, and the
    two signatures are too far apart. remind_at, lock_at: local, on the day of submission."""

    evidence_days: int = 90
    evidence_warn_days: int = 7
    cosign_h: int = 48
    cosign_difference: int = 20
    relative_to: RelativeTo = RelativeTo.SCALE
    remind_at: time = time(9)
    lock_at: time = time(18)

    @property
    def tolerance(self) -> Tolerance:
        return Tolerance(self.cosign_difference, self.relative_to)


@dataclass(frozen=True, slots=True)
class SupplyPolicy:
    """Which sales warehouse and planning hear of. above_wan: an L1 deal worth more than so many
    times 10,000 yuan is pushed to warehouse and planning; one of exactly that is not.
    remind_after_h: office hours without 收到 after which a station is reminded;
    escalate_after_h: as many more, and whoever leads it hears."""

    above_wan: int = 20
    remind_after_h: int = 4
    escalate_after_h: int = 4

    @property
    def above_fen(self) -> int:
        return self.above_wan * 1_000_000


@dataclass(frozen=True, slots=True)
class ErpPolicy:
    """What happens to an ERP's customers without anybody's word. link_same_code: one with the
    unified credit code of a customer of ours, and of no other, is that customer. create_unknown:
    one that is like nobody of ours comes to the pool. forecast_to_level: deals at this intent level
    or a surer one are written to the ERP as forecast until their contract is: 1 or 2, 0 for
    contracts alone."""

    link_same_code: bool = False
    create_unknown: bool = False
    forecast_to_level: int = 1


@dataclass(frozen=True, slots=True)
class AttendancePolicy:
    """How attendance and approvals are read from the platforms.

    poll_min: minutes between two readings, where no event tells of records; poll_paid_min: where
    each costs a paid call. overlap_h: how far
    back each of them reaches, since rule days end after midnight. reread_days: what is read again
    each night, since days that are over are corrected. approvals_reread_days: up to which age those
    that have passed are read again each night; those under way always are. day_starts_at: local;
    who clocks out before it ends the day before.
    """

    poll_min: int = 5
    poll_paid_min: int = 120
    overlap_h: int = 30
    reread_days: int = 31
    approvals_reread_days: int = 14
    day_starts_at: time = time(4)


@dataclass(frozen=True, slots=True)
class GrowthFundPolicy:
    """The growth fund. mode: how it is fed. Wages are paid in money (劳动法 50), so that nothing
    goes there until a company has chosen; the share stands in the bonus rules
    (`fund_bp`)."""

    mode: Mode = Mode.OFF


@dataclass(frozen=True, slots=True)
class PrivacyPolicy:
    """How long words are kept. raw_chat_days: for how many days it is kept word for word what was
    said to the bot and what it said. history_years: for how many years the words of entries in the
    streams of customers without a living deal, and who was pushed which light. 0: for ever."""

    raw_chat_days: int = 180
    history_years: int = 3

    def raw_chat_since(self, at: datetime) -> datetime | None:
        """What is older at that moment is not kept word for word; None: all is."""
        return at - timedelta(days=self.raw_chat_days) if self.raw_chat_days else None

    def history_since(self, at: datetime) -> datetime | None:
        """The same of history; by years of 366 days, so that so many have passed in any case."""
        return at - timedelta(days=366) * self.history_years if self.history_years else None


@dataclass(frozen=True, slots=True)
class RolePolicy:
    """Roles by words in a person's titles, the first match of each role; nobody matched
    gets `default`."""

    keywords: tuple[tuple[Role, tuple[str, ...]], ...] = (
        (Role.SALES_DIRECTOR, ("销售总监", "销售副总", "营销总监")),
        (Role.SUPERVISOR, ("主管", "经理", "组长", "总监")),
        (Role.CSM, ("客户成功", "客户成功经理")),
        (Role.LEGAL, ("法务", "法务主管", "法务经理", "法务总监")),
        (Role.FINANCE, ("财务", "会计", "出纳", "财务主管", "财务经理", "财务总监")),
        (Role.HRBP, ("HRBP", "人力", "人事", "人事主管", "人事经理", "人力资源经理")),
        (Role.PRODUCT, ("产品经理", "产品总监")),
        (Role.WAREHOUSE, ("仓库", "仓管", "库管")),
        (Role.PLANNING, ("计划员", "生产计划", "PMC")),
        (Role.ADMIN, ("管理员",)),
        (Role.REP, ("销售", "业务员", "客户经理")),
    )
    default: Role = Role.REP

    def roles_of(self, titles: tuple[str, ...]) -> frozenset[Role]:
        """Every role of which a title holds a word. A 产品经理 or 客户经理 leads nobody by
        that name, so a supervisor's title must not be explained by another role's word."""
        roles: set[Role] = set()
        for title in (title.upper() for title in titles):
            found = {
                role: max((word for word in words if word.upper() in title), key=len, default="")
                for role, words in self.keywords
            }
            found = {role: word for role, word in found.items() if word}
            roles |= {
                role
                for role, word in found.items()
                if not any(word != other and word in other for other in found.values())
            }
        return frozenset(roles) or frozenset({self.default})


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it. actions_library: key of the action library in force. products: names as they
    are written, so that dictated ones can be put right."""

    calendar: CalendarPolicy = field(default_factory=CalendarPolicy)
    lights: LightPolicy = field(default_factory=LightPolicy)
    pushes: PushPolicy = field(default_factory=PushPolicy)
    actions: ActionPolicy = field(default_factory=ActionPolicy)
    drafts: DraftPolicy = field(default_factory=DraftPolicy)
    diagnosis: DiagnosisPolicy = field(default_factory=DiagnosisPolicy)
    customers: CustomerPolicy = field(default_factory=CustomerPolicy)
    receivables: ReceivablePolicy = field(default_factory=ReceivablePolicy)
    forecasts: ForecastPolicy = field(default_factory=ForecastPolicy)
    supply: SupplyPolicy = field(default_factory=SupplyPolicy)
    erp: ErpPolicy = field(default_factory=ErpPolicy)
    attendance: AttendancePolicy = field(default_factory=AttendancePolicy)
    signals: SignalPolicy = field(default_factory=SignalPolicy)
    decay: DecayPolicy = field(default_factory=DecayPolicy)
    growth_fund: GrowthFundPolicy = field(default_factory=GrowthFundPolicy)
    privacy: PrivacyPolicy = field(default_factory=PrivacyPolicy)
    roles: RolePolicy = field(default_factory=RolePolicy)
    actions_library: str = "manufacturing"
    products: tuple[str, ...] = ()
