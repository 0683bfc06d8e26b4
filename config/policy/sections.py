"""The sections of policy.toml -> objects of bot/domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.calendar import ClockKind
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


def calendar_policy(table: Table) -> CalendarPolicy:
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


def light_policy(table: Table) -> LightPolicy:
    usual = LightPolicy()
    policy = LightPolicy(
        yellow_days=table.whole("yellow_days", usual.yellow_days, least=1),
        red_days=table.whole("red_days", usual.red_days, least=1),
    )
    if policy.red_days < policy.yellow_days:
        raise table.fail("red_days", "不应小于 yellow_days (not below yellow_days)")
    table.finish()
    return policy


def push_policy(table: Table) -> PushPolicy:
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


def action_policy(table: Table) -> ActionPolicy:
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


def draft_policy(table: Table) -> DraftPolicy:
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


def attendance_policy(table: Table) -> AttendancePolicy:
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


def receivable_policy(table: Table) -> ReceivablePolicy:
    usual = ReceivablePolicy()
    policy = ReceivablePolicy(
        due_days=table.whole("due_days", usual.due_days, least=1),
        review_workdays=table.whole("review_workdays", usual.review_workdays, least=1),
        checklist=table.texts("checklist", usual.checklist),
    )
    table.finish()
    return policy


def forecast_policy(table: Table) -> ForecastPolicy:
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


def supply_policy(table: Table) -> SupplyPolicy:
    usual = SupplyPolicy()
    policy = SupplyPolicy(
        above_wan=table.whole("above_wan", usual.above_wan, least=0),
        remind_after_h=table.whole("remind_after_h", usual.remind_after_h, least=1),
        escalate_after_h=table.whole("escalate_after_h", usual.escalate_after_h, least=1),
    )
    table.finish()
    return policy


def erp_policy(table: Table) -> ErpPolicy:
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


def growth_fund_policy(table: Table) -> GrowthFundPolicy:
    policy = GrowthFundPolicy(mode=table.choice("mode", Mode, GrowthFundPolicy().mode))
    table.finish()
    return policy


def diagnosis_policy(table: Table) -> DiagnosisPolicy:
    usual = DiagnosisPolicy()
    policy = DiagnosisPolicy(
        look_back_days=table.whole("look_back_days", usual.look_back_days, least=1),
        dead_days=table.whole("dead_days", usual.dead_days, least=1),
    )
    table.finish()
    return policy


def customer_policy(table: Table) -> CustomerPolicy:
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


def signal_policy(table: Table) -> SignalPolicy:
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


def decay_policy(table: Table) -> DecayPolicy:
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


def role_policy(table: Table) -> RolePolicy:
    usual = RolePolicy()
    default = table.choice("default", Role, usual.default)
    words = table.table("keywords")
    keywords = tuple((role, words.texts(role)) for role in words.members(Role))
    words.finish()
    table.finish()
    return RolePolicy(keywords=keywords or usual.keywords, default=default)


CHANGEABLE: Mapping[str, Callable[[Table], Any]] = {
    "lights": light_policy,
    "pushes": push_policy,
    "actions": action_policy,
    "drafts": draft_policy,
    "diagnosis": diagnosis_policy,
    "customers": customer_policy,
    "receivables": receivable_policy,
    "forecasts": forecast_policy,
    "supply": supply_policy,
}
