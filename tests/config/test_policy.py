"""Configuration that ships is right; what is wrong is said in one line."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bot.domain.people import Role
from bot.domain.policy import Policy
from config.policy import (
    ConfigError,
    load_calendar,
    load_policy,
    read_holiday_table,
)

RULE = "[[signals.rules]]\nkey = 'a'\nlabel = 'A'\nkind = 'page'\nhalf_life_days = 7\n"


def test_a_companys_own_rules_take_the_place_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(f"{RULE}weight = 1.5\nmore_than = 2\ntask = true\n")
    (rule,) = load_policy(file).signals.rules
    assert (rule.key, rule.weight, rule.more_than, rule.within_days) == ("a", 1.5, 2, 7)
    assert rule.task


def test_the_shipped_policy_shows_the_defaults() -> None:
    assert load_policy() == Policy()


def test_an_empty_policy_file_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("")
    assert load_policy(file) == Policy()


def test_a_changed_number_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("[lights]\nyellow_days = 2\n[pushes]\nquiet_until = 07:45:00\n")
    policy = load_policy(file)
    assert policy.lights.yellow_days == 2
    assert policy.pushes.quiet_until.minute == 45


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("[decay]\nthreshold = 1.0", "decay.threshold", "between 0 and 1"),
        ("[decay]\nhalf_life_h = 0", "decay.half_life_h", "at least 1"),
        ("[signals]\nhot = 0", "signals.hot", "above 0"),
        ("[[signals.rules]]\nkey = 'a'", "signals.rules", "rule 1, label"),
        (f"{RULE}weight = 0", "signals.rules", "rule 1, weight"),
        (f"{RULE}weight = 1\nwait = 2", "signals.rules", "rule 1, wait"),
        (f"{RULE}weight = 1\n" * 2, "signals.rules", "the same key twice"),
        ("[lights]\nyelow_days = 3", "lights.yelow_days", "unknown key"),
        ("[lights]\nyellow_days = 0", "lights.yellow_days", "at least 1"),
        ("[lights]\nyellow_days = true", "lights.yellow_days", "whole number"),
        ("[lights]\nyellow_days = 9", "lights.red_days", "not below yellow_days"),
        ('[calendar]\nzone = "Asia/Shanghi"', "calendar.zone", "IANA"),
        ("[calendar]\noffice_closes = 08:00:00", "calendar.office_closes", "later"),
        ('[pushes]\nquiet_from = "20:00"', "pushes.quiet_from", "unquoted"),
        ('[pushes]\nrepeat_clock = "sun"', "pushes.repeat_clock", "workday、office、calendar"),
        ("[pushes]\nquiet_from = 07:00:00", "pushes.quiet_from", "later"),
        ("[pushes]\ndigest_at = 23:00:00", "pushes.digest_at", "quiet hours"),
        ("[pushes]\nweekly_at = 21:00:00", "pushes.weekly_at", "quiet hours"),
        ("[actions]\nremind_after_h = [44, 24]", "actions.remind_after_h", "rising"),
        ("[actions]\nremind_after_h = [0]", "actions.remind_after_h", "above 0"),
        ("[privacy]\nraw_chat_days = 7", "privacy.raw_chat_days", "0, or 30"),
        ("[privacy]\nhistory_years = 1", "privacy.history_years", "0, or 2"),
        ("[privacy]\nraw_chat_days = 99999", "privacy.raw_chat_days", "to 36500"),
        ("[diagnosis]\ndead_days = 0", "diagnosis.dead_days", "at least 1"),
        ("[pushes]\nsnooze_reasons = 3", "pushes.snooze_reasons", "list of texts"),
        ("[drafts]\nmin_confidence = 80", "drafts.min_confidence", "0 to 1"),
        ('[drafts]\nauto_confirm = "no"', "drafts.auto_confirm", "true"),
        ('[drafts]\nconfirm_slots = ["phone"]', "drafts.confirm_slots", "phone"),
        ("[customers]\npool_after_workdays = 5", "customers.pool_warn_workdays", "less than"),
        ('[roles.keywords]\nboss = ["老板"]', "roles.keywords.boss", "unknown key"),
        ("lights = 3", "lights.", "a table"),
        ("[lights", "", "TOML"),
    ],
)
def test_a_mistake_names_file_key_and_remedy(
    tmp_path: Path, text: str, key: str, hint: str
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_policy(file)
    line = str(caught.value)
    assert line.startswith("policy.toml")
    assert key in line
    assert hint in line
    assert "\n" not in line


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_policy(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("title", "roles"),
    [
        ("销售代表", {Role.REP}),
        ("客户经理", {Role.REP}),  # leads nobody
        ("产品经理", {Role.PRODUCT}),
        ("华东区销售主管", {Role.REP, Role.SUPERVISOR}),
        ("销售总监", {Role.SALES_DIRECTOR}),
        ("客户成功经理", {Role.CSM}),
        ("财务经理", {Role.FINANCE}),
        ("法务经理", {Role.LEGAL}),
        ("人事经理", {Role.HRBP}),
        ("销售经理", {Role.REP, Role.SUPERVISOR}),
        ("hrbp", {Role.HRBP}),
        ("前台", {Role.REP}),
    ],
)
def test_roles_follow_from_titles(title: str, roles: set[Role]) -> None:
    assert Policy().roles.roles_of((title,)) == roles


def test_a_holiday_table_of_a_later_year_is_read_and_used() -> None:
    table = {
        "year": 2027,
        "papers": [],
        "days": [
            {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
            {"name": "春节", "date": "2027-01-30", "isOffDay": False},
        ],
    }
    year, days = read_holiday_table(json.dumps(table))
    calendar = load_calendar().with_table(days, [year])
    assert calendar.covers(date(2027, 7, 1))
    assert calendar.is_workday(date(2027, 1, 30))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"year": 2027}',
        '{"year": 2027, "days": []}',
        '{"year": 2027, "days": [{"name": "元旦", "date": "1 January", "isOffDay": true}]}',
        '{"year": 2027, "days": [{"name": "元旦", "date": "2024-01-01", "isOffDay": true}]}',
    ],
)
def test_a_holiday_table_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="节假日表"):
        read_holiday_table(text)
