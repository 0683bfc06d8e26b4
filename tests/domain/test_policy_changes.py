"""Numbers that may be changed: each is read back as it stands; a remedy is a change that the
rules allow and that goes in the right direction."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy import DraftPolicy, LightPolicy, Policy
from bot.domain.policy_changes import (
    SETTING_OF,
    SETTINGS,
    Problem,
    Setting,
    ValueKind,
    remedy,
    value_of,
)
from bot.errors import InvalidInput
from config.policy import change_policy
from handlers.texts import policy as texts


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: one.key)
def test_a_number_set_to_what_it_is_changes_nothing(one: Setting) -> None:
    assert change_policy(Policy(), {one.key: value_of(Policy(), one.key)}) == Policy()


@pytest.mark.parametrize("one", SETTINGS, ids=lambda one: one.key)
def test_every_number_has_a_name_of_its_own_and_its_value_in_words_can_be_typed(
    one: Setting,
) -> None:
    assert texts.key_of(texts.label(one.key)) == one.key
    value = value_of(Policy(), one.key)
    assert texts.read_value(one, texts.value(one, value)) == value
    assert texts.read_value(one, texts.example(one)) is not None


@pytest.mark.parametrize("problem", SETTING_OF)
def test_a_remedy_is_a_change_that_the_rules_allow(problem: Problem) -> None:
    key, policy = SETTING_OF[problem], Policy()
    to = remedy(problem, policy)
    if problem is Problem.UNLOCKING:
        assert to is None  # more time would only hide it
        return
    assert to is not None
    assert value_of(change_policy(policy, {key: to}), key) == to != value_of(policy, key)


@given(yellow=st.integers(1, 20), rest=st.integers(0, 20))
def test_remedies_come_to_an_end(yellow: int, rest: int) -> None:
    """Pressed again and again, each setting arrives where nothing more is offered."""
    policy = replace(Policy(), lights=LightPolicy(yellow, yellow + rest))
    for _ in range(25 * len(SETTING_OF)):
        due = [(SETTING_OF[one], to) for one in SETTING_OF if (to := remedy(one, policy))]
        if not due:
            return
        policy = change_policy(policy, dict(due[:1]))
    pytest.fail("still offered")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lights.yellow_days": 9}, "不应小于"),
        ({"pushes.digest_at": "23:00"}, "免打扰"),
        ({"actions.remind_after_h": [44, 24]}, "从小到大"),
        ({"drafts.min_confidence": 1.5}, "0 到 1"),
        ({"lights.yellow_days": "3"}, "整数"),
    ],
)
def test_a_change_is_held_to_the_rules_of_the_file(changes: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        change_policy(Policy(), changes)  # type: ignore[arg-type]


def test_a_change_leaves_the_other_numbers_of_the_file_alone() -> None:
    policy = replace(Policy(), drafts=DraftPolicy(ttl_h=12, confirm_slots=("customer",)))
    changed = change_policy(policy, {"drafts.auto_confirm": True})
    assert changed == replace(policy, drafts=replace(policy.drafts, auto_confirm=True))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (ValueKind.WHOLE, "2", 2),
        (ValueKind.WHOLE, "2个工作日", 2),
        (ValueKind.WHOLE, "2工作日", 2),
        (ValueKind.WHOLE, "2小时", None),
        (ValueKind.WHOLE, "2.5", None),
        (ValueKind.WHOLE, "-2", None),
        (ValueKind.WHOLE, "100000", None),
        (ValueKind.WHOLE, "很多", None),
    ],
)
def test_a_number_is_read_with_its_unit_or_without(
    kind: ValueKind, text: str, value: int | None
) -> None:
    assert texts.read_value(Setting("lights.yellow_days", kind), text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("8:45", "08:45"), ("9点", "09:00"), ("8点半", "08:30"), ("9点15分", "09:15"),
     ("25:00", None), ("上午", None)],
)  # fmt: skip
def test_a_time_of_day_is_read_as_people_type_it(text: str, value: str | None) -> None:
    assert texts.read_value(Setting("pushes.digest_at", ValueKind.CLOCK), text) == value
