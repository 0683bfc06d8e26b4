"""The sections of policy.toml -> objects of bot/domain.

A section has the keys that its object has fields, and leaves each of them as it usually is unless
it says otherwise. What stands here is the rest: the least of a number, where that is not 0, keys
that say their unit, and which values go together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.decay import DecayPolicy
from bot.domain.erp_sales import WRITTEN
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
    PrivacyPolicy,
    PushPolicy,
    ReceivablePolicy,
    RolePolicy,
    SupplyPolicy,
)
from bot.domain.signals import SignalPolicy
from config.policy.signal_rules import read_rules
from config.policy.table import Table

SLOTS = ("duration_min", "objections", "next_contact", "contact", "amount_fen",
         "customer_received", "files")  # fmt: skip
FEWEST_RAW_DAYS = 30
"""What is gone is gone: a slip of the finger must not take last week's messages at night."""
MOST_RAW_DAYS = 36_500
FEWEST_YEARS = 2
"""As long as what wages are proven by must be kept: words may explain it."""
MOST_YEARS = 100


def read_section(name: str, table: Table) -> Any:
    """What `Policy` holds under that name. Raises ConfigError, for an unknown key too."""
    policy = _SECTIONS[name](table)
    table.finish()
    return policy


def _calendar(table: Table) -> CalendarPolicy:
    policy = table.like(CalendarPolicy())
    try:
        ZoneInfo(policy.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise table.fail("zone", "应为 IANA 时区名，如 Asia/Shanghai (an IANA zone)") from None
    if policy.office_opens >= policy.office_closes:
        raise table.fail("office_closes", "应晚于 office_opens (later than office_opens)")
    return policy


def _lights(table: Table) -> LightPolicy:
    policy = table.like(LightPolicy(), yellow_days=1, red_days=1)
    if policy.red_days < policy.yellow_days:
        raise table.fail("red_days", "不应小于 yellow_days (not below yellow_days)")
    return policy


def _pushes(table: Table) -> PushPolicy:
    usual = PushPolicy()
    wait_min = int(usual.group_wait / timedelta(minutes=1))
    repeat_h = int(usual.repeat_after / timedelta(hours=1))
    usual = replace(
        usual,
        group_wait=timedelta(minutes=table.whole("group_wait_min", wait_min)),
        repeat_after=timedelta(hours=table.whole("repeat_after_h", repeat_h, least=1)),
    )
    policy = table.like(
        usual, but=("group_wait", "repeat_after"), group_max=1, snooze_max_workdays=1
    )
    if policy.quiet_until >= policy.quiet_from:
        raise table.fail("quiet_from", "应晚于 quiet_until (later in the day than quiet_until)")
    for key, moment in (("digest_at", policy.digest_at), ("weekly_at", policy.weekly_at)):
        if not policy.quiet_until <= moment < policy.quiet_from:
            raise table.fail(key, "不应落在免打扰时段 (outside the quiet hours)")
    return policy


def _actions(table: Table) -> ActionPolicy:
    return table.like(ActionPolicy(), late_hours=1, same_file_customers=2)


def _drafts(table: Table) -> DraftPolicy:
    policy = table.like(DraftPolicy(), ttl_h=1)
    strange = set(policy.confirm_slots) - {*SLOTS, "customer"}
    if strange:
        raise table.fail("confirm_slots", f"没有这个字段 (no such slot)：{min(strange)}")
    return policy


def _diagnosis(table: Table) -> DiagnosisPolicy:
    return table.like(DiagnosisPolicy(), look_back_days=1, dead_days=1)


def _customers(table: Table) -> CustomerPolicy:
    policy = table.like(
        CustomerPolicy(), pool_warn_workdays=1, claims_per_day=1, claims_held=1, accept_h=1
    )
    if 0 < policy.pool_after_workdays <= policy.pool_warn_workdays:
        raise table.fail(
            "pool_warn_workdays", "应小于 pool_after_workdays (less than pool_after_workdays)"
        )
    return policy


def _receivables(table: Table) -> ReceivablePolicy:
    return table.like(ReceivablePolicy(), due_days=1, review_workdays=1)


def _forecasts(table: Table) -> ForecastPolicy:
    policy = table.like(
        ForecastPolicy(), evidence_days=1, evidence_warn_days=1, cosign_h=1, cosign_difference=1
    )
    if policy.remind_at >= policy.lock_at:
        raise table.fail("lock_at", "应晚于 remind_at (later than remind_at)")
    return policy


def _supply(table: Table) -> SupplyPolicy:
    return table.like(SupplyPolicy(), remind_after_h=1, escalate_after_h=1)


def _erp(table: Table) -> ErpPolicy:
    policy = table.like(ErpPolicy())
    if policy.forecast_to_level not in WRITTEN:
        raise table.fail("forecast_to_level", "只能是 0、1 或 2 (0, 1 or 2)")
    return policy


def _attendance(table: Table) -> AttendancePolicy:
    policy = table.like(
        AttendancePolicy(), poll_min=1, poll_paid_min=10, overlap_h=6, reread_days=1
    )
    if policy.reread_days > 90:
        raise table.fail("reread_days", "不应超过 90 (at most 90)")
    return policy


def _signals(table: Table) -> SignalPolicy:
    usual = SignalPolicy()
    try:
        rules = read_rules(table.tables("rules"))
    except ValueError as error:
        raise table.fail("rules", str(error)) from None
    usual = replace(usual, rules=rules or usual.rules, hot=table.number("hot", usual.hot))
    return table.like(
        usual, but=("rules", "hot"), visit_gap_min=1, anonymous_days=1, known_days=1, link_days=1
    )


def _decay(table: Table) -> DecayPolicy:
    policy = table.like(DecayPolicy(), half_life_h=1)
    if not 0 < policy.threshold < 1:
        raise table.fail("threshold", "应在 0 和 1 之间 (between 0 and 1)")
    return policy


def _growth_fund(table: Table) -> GrowthFundPolicy:
    return table.like(GrowthFundPolicy())


def _privacy(table: Table) -> PrivacyPolicy:
    policy = table.like(PrivacyPolicy())
    if policy.raw_chat_days and not FEWEST_RAW_DAYS <= policy.raw_chat_days <= MOST_RAW_DAYS:
        raise table.fail(
            "raw_chat_days",
            f"应为 0，或 {FEWEST_RAW_DAYS} 到 {MOST_RAW_DAYS}"
            f" (0, or {FEWEST_RAW_DAYS} to {MOST_RAW_DAYS})",
        )
    if policy.history_years and not FEWEST_YEARS <= policy.history_years <= MOST_YEARS:
        raise table.fail(
            "history_years",
            f"应为 0，或 {FEWEST_YEARS} 到 {MOST_YEARS} (0, or {FEWEST_YEARS} to {MOST_YEARS})",
        )
    return policy


def _roles(table: Table) -> RolePolicy:
    usual = RolePolicy()
    default = table.choice("default", Role, usual.default)
    words = table.table("keywords")
    keywords = tuple((role, words.texts(role)) for role in words.members(Role))
    words.finish()
    return RolePolicy(keywords=keywords or usual.keywords, default=default)


_SECTIONS: Mapping[str, Callable[[Table], Any]] = {
    "calendar": _calendar,
    "lights": _lights,
    "pushes": _pushes,
    "actions": _actions,
    "drafts": _drafts,
    "diagnosis": _diagnosis,
    "customers": _customers,
    "receivables": _receivables,
    "forecasts": _forecasts,
    "supply": _supply,
    "erp": _erp,
    "attendance": _attendance,
    "signals": _signals,
    "decay": _decay,
    "growth_fund": _growth_fund,
    "privacy": _privacy,
    "roles": _roles,
}
SECTIONS = tuple(_SECTIONS)
"""In the order in which they are read, and mistakes in them told."""
