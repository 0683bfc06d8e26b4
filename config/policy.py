"""policy.toml and the official calendar -> objects of bot/domain.

Whatever is wrong in a file is said in one line: the file, the key, what it should be.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chinese_calendar.constants import Holiday, holidays, workdays

from bot.domain.calendar import ClockKind, NamedDay, WorkingCalendar
from bot.domain.decay import DecayPolicy
from bot.domain.erp_sales import WRITTEN
from bot.domain.forecasts import RelativeTo
from bot.domain.payouts.growth import Mode
from bot.domain.people import Role
from bot.domain.policy import (
    ActionPolicy,
    AttendancePolicy,
    CalendarPolicy,
    CustomerPolicy,
    DiagnosisPolicy,
    DraftPolicy,
    ErpPolicy,
    ForecastPolicy,
    GrowthFundPolicy,
    LightPolicy,
    Policy,
    PushPolicy,
    ReceivablePolicy,
    RolePolicy,
    SupplyPolicy,
)
from bot.domain.policy_changes import Value, value_of
from bot.domain.signals import SignalPolicy
from bot.errors import InvalidInput
from config.signal_rules import read_rules

HERE = Path(__file__).parent
LARGEST = 1_000_000  # of any number: in days, as far as the year 4764

SLOTS = ("duration_min", "objections", "next_contact", "contact", "amount_fen",
         "customer_received", "files")  # fmt: skip

Member = TypeVar("Member", bound=StrEnum)


class ConfigError(ValueError):
    """A configuration that cannot be used. The text is one line: file, key, what it should be."""


class _Table:
    """One table of a TOML file that takes its keys out one by one and knows what is left."""

    def __init__(self, where: str, raw: object) -> None:
        if not isinstance(raw, dict):
            raise ConfigError(f"{where}：应为一个表 (a table is expected)")
        self._where = where
        self._raw = dict(raw)

    def fail(self, key: str, should_be: str) -> ConfigError:
        return ConfigError(f"{self._where}{key}：{should_be}")

    def table(self, key: str) -> _Table:
        return _Table(f"{self._where}{key}.", self._raw.pop(key, {}))

    def text(self, key: str, default: str | None = None) -> str:
        value = self._raw.pop(key, default)
        if not isinstance(value, str) or not value:
            raise self.fail(key, "应为非空文字 (non-empty text)")
        return value

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        value = self._raw.pop(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "应为文字列表 (a list of texts)")
        return tuple(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self._raw.pop(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, "应为 true 或 false")
        return value

    def whole(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """At most LARGEST: no calendar holds what lies beyond."""
        value = self._raw.pop(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.fail(key, f"应为不小于 {least} 的整数 (a whole number, at least {least})")
        if value > LARGEST:
            raise self.fail(key, f"不应超过 {LARGEST} (at most {LARGEST})")
        return value

    def hours(self, key: str, default: Sequence[int]) -> tuple[int, ...]:
        """Ever later whole hours."""
        value = self._raw.pop(key, list(default))
        numbers = isinstance(value, list) and all(
            isinstance(item, int) and not isinstance(item, bool) and 0 < item <= LARGEST
            for item in value
        )
        if not numbers or sorted(set(value)) != value:
            raise self.fail(key, "应为从小到大的正整数列表 (whole numbers above 0, rising)")
        return tuple(value)

    def share(self, key: str, default: float) -> float:
        value = self._raw.pop(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise self.fail(key, "应为 0 到 1 之间的数 (a number from 0 to 1)")
        return float(value)

    def number(self, key: str, default: float) -> float:
        value = self._raw.pop(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.fail(key, "应为大于 0 的数 (a number above 0)")
        if not 0 < value <= LARGEST:
            raise self.fail(key, f"应大于 0，不超过 {LARGEST} (above 0, at most {LARGEST})")
        return float(value)

    def tables(self, key: str) -> list[dict[str, Any]]:
        value = self._raw.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(key, "应为 [[…]] 表的列表 (a list of tables)")
        return value

    def clock(self, key: str, default: time) -> time:
        value = self._raw.pop(key, default)
        if not isinstance(value, time):
            raise self.fail(key, "应为不带引号的时刻，如 09:00:00 (a clock time, unquoted)")
        return value

    def choice(self, key: str, kind: type[Member], default: Member | None = None) -> Member:
        value = self._raw.pop(key, default)
        try:
            return kind(cast(str, value))
        except ValueError:
            raise self.fail(key, f"应为其中之一 (one of)：{'、'.join(kind)}") from None

    def finish(self) -> None:
        """Raises ConfigError if a key was not asked for: a typing error must not pass."""
        if self._raw:
            raise self.fail(next(iter(self._raw)), "没有这个键 (unknown key)")

    def members(self, kind: type[Member]) -> tuple[Member, ...]:
        """The keys that name members of `kind`, in the order of the file."""
        return tuple(kind(key) for key in self._raw if key in set(kind))


def load_policy(path: Path = HERE / "policy.toml") -> Policy:
    """Raises ConfigError."""
    root = _read(path)
    policy = Policy(
        actions_library=root.text("actions_library", Policy().actions_library),
        products=root.texts("products"),
        calendar=_calendar_policy(root.table("calendar")),
        lights=_light_policy(root.table("lights")),
        pushes=_push_policy(root.table("pushes")),
        actions=_action_policy(root.table("actions")),
        drafts=_draft_policy(root.table("drafts")),
        diagnosis=_diagnosis_policy(root.table("diagnosis")),
        customers=_customer_policy(root.table("customers")),
        receivables=_receivable_policy(root.table("receivables")),
        forecasts=_forecast_policy(root.table("forecasts")),
        supply=_supply_policy(root.table("supply")),
        erp=_erp_policy(root.table("erp")),
        attendance=_attendance_policy(root.table("attendance")),
        signals=_signal_policy(root.table("signals")),
        decay=_decay_policy(root.table("decay")),
        growth_fund=_growth_fund_policy(root.table("growth_fund")),
        roles=_role_policy(root.table("roles")),
    )
    root.finish()
    return policy


def change_policy(policy: Policy, changes: Mapping[str, Value]) -> Policy:
    """The policy with other numbers, read by the same rules as the file's.

    changes: key of `SETTINGS` -> value. Raises InvalidInput, in Chinese, with what is wrong.
    """
    for table in dict.fromkeys(key.split(".")[0] for key in changes):
        section = getattr(policy, table)
        raw = {key: _as_in_toml(value_of(policy, f"{table}.{key}")) for key in _keys_of(section)}
        for key, value in changes.items():
            if key.startswith(f"{table}."):
                raw[key.removeprefix(f"{table}.")] = _as_in_toml(value)
        try:
            changed = _CHANGEABLE[table](_Table("", raw))
        except ConfigError as error:
            should_be = str(error).partition("：")[2]
            raise InvalidInput(re.sub(r" ?\([^()]*\)", "", should_be)) from None
        policy = replace(policy, **{table: changed})
    return policy


def _keys_of(section: Any) -> list[str]:
    """As policy.toml names them, which says the unit of a duration in the key."""
    renamed = {"group_wait": "group_wait_min", "repeat_after": "repeat_after_h"}
    return [renamed.get(one.name, one.name) for one in fields(section)]


def _as_in_toml(value: Value) -> object:
    is_clock = isinstance(value, str) and _CLOCK.fullmatch(value)
    return time.fromisoformat(str(value)) if is_clock else value


def load_calendar(policy: CalendarPolicy | None = None) -> WorkingCalendar:
    """The official days of every year that the package chinese_calendar knows."""
    policy = policy or CalendarPolicy()
    chinese = {holiday.value: holiday.chinese for holiday in Holiday}
    days = [NamedDay(day, chinese[name], off=True) for day, name in holidays.items()]
    days += [NamedDay(day, chinese[name], off=False) for day, name in workdays.items()]
    empty = WorkingCalendar(
        zone=ZoneInfo(policy.zone), opens=policy.office_opens, closes=policy.office_closes
    )
    return empty.with_table(days, {day.year for day in holidays})


def read_holiday_table(text: str) -> tuple[int, tuple[NamedDay, ...]]:
    """An official table in the JSON shape of holiday-cn: its year, and its days.

    `{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}`.
    Raises ConfigError.
    """
    try:
        raw = json.loads(text)
        year = int(raw["year"])
        days = tuple(
            NamedDay(date.fromisoformat(item["date"]), str(item["name"]), bool(item["isOffDay"]))
            for item in raw["days"]
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        shape = '{"year": 2027, "days": [{"name", "date", "isOffDay"}]}'
        raise ConfigError(f"节假日表读不出来，应为 (expected) {shape}：{error!r}") from None
    if not days:
        raise ConfigError(f"节假日表 {year} 年没有内容 (no days): 放假通知可能还没发布")
    strange = [named.day for named in days if abs(named.day.year - year) > 1]
    if strange:
        raise ConfigError(f"节假日表 {year} 年里有别的年份的日期 (wrong year)：{strange[0]}")
    return year, days


def _read(path: Path) -> _Table:
    try:
        return _Table(f"{path.name}: ", tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}：读不到 (cannot be read: {error.strerror})") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, or not TOML in some way
        raise ConfigError(f"{path.name}：不是有效的 TOML (not TOML): {error}") from None


def _calendar_policy(table: _Table) -> CalendarPolicy:
    usual = CalendarPolicy()
    policy = CalendarPolicy(
        zone=table.text("zone", usual.zone),
        office_opens=table.clock("office_opens", usual.office_opens),
        office_closes=table.clock("office_closes", usual.office_closes),
    )
    try:
        ZoneInfo(policy.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise table.fail("zone", "应为 IANA 时区名，如 Asia/Shanghai (an IANA zone)") from None
    if policy.office_opens >= policy.office_closes:
        raise table.fail("office_closes", "应晚于 office_opens (later than office_opens)")
    table.finish()
    return policy


def _light_policy(table: _Table) -> LightPolicy:
    usual = LightPolicy()
    policy = LightPolicy(
        yellow_days=table.whole("yellow_days", usual.yellow_days, least=1),
        red_days=table.whole("red_days", usual.red_days, least=1),
    )
    if policy.red_days < policy.yellow_days:
        raise table.fail("red_days", "不应小于 yellow_days (not below yellow_days)")
    table.finish()
    return policy


def _push_policy(table: _Table) -> PushPolicy:
    usual = PushPolicy()
    group_wait_min = int(usual.group_wait / timedelta(minutes=1))
    repeat_after_h = int(usual.repeat_after / timedelta(hours=1))
    policy = PushPolicy(
        group_wait=timedelta(minutes=table.whole("group_wait_min", group_wait_min)),
        group_max=table.whole("group_max", usual.group_max, least=1),
        repeat_after=timedelta(hours=table.whole("repeat_after_h", repeat_after_h, least=1)),
        repeat_clock=table.choice("repeat_clock", ClockKind, usual.repeat_clock),
        quiet_from=table.clock("quiet_from", usual.quiet_from),
        quiet_until=table.clock("quiet_until", usual.quiet_until),
        digest_at=table.clock("digest_at", usual.digest_at),
        weekly_at=table.clock("weekly_at", usual.weekly_at),
        snooze_max_workdays=table.whole("snooze_max_workdays", usual.snooze_max_workdays, least=1),
        snooze_reasons=table.texts("snooze_reasons", usual.snooze_reasons),
    )
    if policy.quiet_until >= policy.quiet_from:
        raise table.fail("quiet_from", "应晚于 quiet_until (later in the day than quiet_until)")
    for key, moment in (("digest_at", policy.digest_at), ("weekly_at", policy.weekly_at)):
        if not policy.quiet_until <= moment < policy.quiet_from:
            raise table.fail(key, "不应落在免打扰时段 (outside the quiet hours)")
    table.finish()
    return policy


def _action_policy(table: _Table) -> ActionPolicy:
    usual = ActionPolicy()
    policy = ActionPolicy(
        late_hours=table.whole("late_hours", usual.late_hours, least=1),
        late_clock=table.choice("late_clock", ClockKind, usual.late_clock),
        remind_after_h=table.hours("remind_after_h", usual.remind_after_h),
        call_min_s=table.whole("call_min_s", usual.call_min_s),
        same_file_customers=table.whole("same_file_customers", usual.same_file_customers, least=2),
    )
    table.finish()
    return policy


def _draft_policy(table: _Table) -> DraftPolicy:
    usual = DraftPolicy()
    policy = DraftPolicy(
        ttl_h=table.whole("ttl_h", usual.ttl_h, least=1),
        auto_confirm=table.flag("auto_confirm", usual.auto_confirm),
        confirm_slots=table.texts("confirm_slots", usual.confirm_slots),
        min_confidence=table.share("min_confidence", usual.min_confidence),
        use_habits=table.flag("use_habits", usual.use_habits),
    )
    strange = set(policy.confirm_slots) - {*SLOTS, "customer"}
    if strange:
        raise table.fail("confirm_slots", f"没有这个字段 (no such slot)：{min(strange)}")
    table.finish()
    return policy


def _attendance_policy(table: _Table) -> AttendancePolicy:
    usual = AttendancePolicy()
    policy = AttendancePolicy(
        poll_min=table.whole("poll_min", usual.poll_min, least=1),
        poll_paid_min=table.whole("poll_paid_min", usual.poll_paid_min, least=10),
        overlap_h=table.whole("overlap_h", usual.overlap_h, least=6),
        reread_days=table.whole("reread_days", usual.reread_days, least=1),
        approvals_reread_days=table.whole("approvals_reread_days", usual.approvals_reread_days),
        day_starts_at=table.clock("day_starts_at", usual.day_starts_at),
    )
    if policy.reread_days > 90:
        raise table.fail("reread_days", "不应超过 90 (at most 90)")
    table.finish()
    return policy


def _receivable_policy(table: _Table) -> ReceivablePolicy:
    usual = ReceivablePolicy()
    policy = ReceivablePolicy(
        due_days=table.whole("due_days", usual.due_days, least=1),
        review_workdays=table.whole("review_workdays", usual.review_workdays, least=1),
        checklist=table.texts("checklist", usual.checklist),
    )
    table.finish()
    return policy


def _forecast_policy(table: _Table) -> ForecastPolicy:
    usual = ForecastPolicy()
    whole = ("evidence_days", "evidence_warn_days", "cosign_h", "cosign_difference")
    policy = ForecastPolicy(
        **{key: table.whole(key, getattr(usual, key), least=1) for key in whole},
        relative_to=table.choice("relative_to", RelativeTo, usual.relative_to),
        remind_at=table.clock("remind_at", usual.remind_at),
        lock_at=table.clock("lock_at", usual.lock_at),
    )
    if policy.remind_at >= policy.lock_at:
        raise table.fail("lock_at", "应晚于 remind_at (later than remind_at)")
    table.finish()
    return policy


def _supply_policy(table: _Table) -> SupplyPolicy:
    usual = SupplyPolicy()
    policy = SupplyPolicy(
        above_wan=table.whole("above_wan", usual.above_wan, least=0),
        remind_after_h=table.whole("remind_after_h", usual.remind_after_h, least=1),
        escalate_after_h=table.whole("escalate_after_h", usual.escalate_after_h, least=1),
    )
    table.finish()
    return policy


def _erp_policy(table: _Table) -> ErpPolicy:
    usual = ErpPolicy()
    policy = ErpPolicy(
        link_same_code=table.flag("link_same_code", usual.link_same_code),
        create_unknown=table.flag("create_unknown", usual.create_unknown),
        forecast_to_level=table.whole("forecast_to_level", usual.forecast_to_level, least=0),
    )
    if policy.forecast_to_level not in WRITTEN:
        raise table.fail("forecast_to_level", "只能是 0、1 或 2 (0, 1 or 2)")
    table.finish()
    return policy


def _growth_fund_policy(table: _Table) -> GrowthFundPolicy:
    policy = GrowthFundPolicy(mode=table.choice("mode", Mode, GrowthFundPolicy().mode))
    table.finish()
    return policy


def _diagnosis_policy(table: _Table) -> DiagnosisPolicy:
    usual = DiagnosisPolicy()
    policy = DiagnosisPolicy(
        look_back_days=table.whole("look_back_days", usual.look_back_days, least=1),
        dead_days=table.whole("dead_days", usual.dead_days, least=1),
    )
    table.finish()
    return policy


def _customer_policy(table: _Table) -> CustomerPolicy:
    usual = CustomerPolicy()
    policy = CustomerPolicy(
        pool_after_workdays=table.whole("pool_after_workdays", usual.pool_after_workdays),
        pool_warn_workdays=table.whole("pool_warn_workdays", usual.pool_warn_workdays, least=1),
        claims_per_day=table.whole("claims_per_day", usual.claims_per_day, least=1),
        claims_held=table.whole("claims_held", usual.claims_held, least=1),
        reclaim_after_days=table.whole("reclaim_after_days", usual.reclaim_after_days),
        accept_h=table.whole("accept_h", usual.accept_h, least=1),
    )
    if 0 < policy.pool_after_workdays <= policy.pool_warn_workdays:
        raise table.fail(
            "pool_warn_workdays", "应小于 pool_after_workdays (less than pool_after_workdays)"
        )
    table.finish()
    return policy


def _signal_policy(table: _Table) -> SignalPolicy:
    usual = SignalPolicy()
    try:
        rules = read_rules(table.tables("rules"))
    except ValueError as error:
        raise table.fail("rules", str(error)) from None
    policy = SignalPolicy(
        rules=rules or usual.rules,
        visit_gap_min=table.whole("visit_gap_min", usual.visit_gap_min, least=1),
        anonymous_days=table.whole("anonymous_days", usual.anonymous_days, least=1),
        known_days=table.whole("known_days", usual.known_days, least=1),
        link_days=table.whole("link_days", usual.link_days, least=1),
        hot=table.number("hot", usual.hot),
    )
    table.finish()
    return policy


def _decay_policy(table: _Table) -> DecayPolicy:
    usual = DecayPolicy()
    policy = DecayPolicy(
        half_life_h=table.whole("half_life_h", usual.half_life_h, least=1),
        clock=table.choice("clock", ClockKind, usual.clock),
        threshold=table.share("threshold", usual.threshold),
    )
    if not 0 < policy.threshold < 1:
        raise table.fail("threshold", "应在 0 和 1 之间 (between 0 and 1)")
    table.finish()
    return policy


def _role_policy(table: _Table) -> RolePolicy:
    usual = RolePolicy()
    default = table.choice("default", Role, usual.default)
    words = table.table("keywords")
    keywords = tuple((role, words.texts(role)) for role in words.members(Role))
    words.finish()
    table.finish()
    return RolePolicy(keywords=keywords or usual.keywords, default=default)


_CHANGEABLE: Mapping[str, Callable[[_Table], Any]] = {
    "lights": _light_policy,
    "pushes": _push_policy,
    "actions": _action_policy,
    "drafts": _draft_policy,
    "diagnosis": _diagnosis_policy,
    "customers": _customer_policy,
    "receivables": _receivable_policy,
    "forecasts": _forecast_policy,
    "supply": _supply_policy,
}
_CLOCK = re.compile(r"[0-2]\d:[0-5]\d")
