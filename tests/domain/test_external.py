"""What a contact and a customer have in common, and which customer that makes it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bindings import BoundBy
from bot.domain.company_names import take_apart
from bot.domain.external import (
    ContactKey,
    ExternalContact,
    Follow,
    Match,
    choose,
    keys_of_contact,
    keys_of_follow,
    same_company,
)

PLACES = frozenset({"杭州", "上海", "浙江"})
STRONGEST_FIRST = [BoundBy.MOBILE, BoundBy.COMPANY, BoundBy.TAG]
matches = st.lists(
    st.builds(Match, st.integers(1, 3), st.sampled_from(STRONGEST_FIRST)), max_size=8
)


@given(matches)
def test_the_strongest_reason_decides_and_only_if_it_names_one(found: list[Match]) -> None:
    chosen = choose(found)
    present = [how for how in STRONGEST_FIRST if any(one.how is how for one in found)]
    if not present:
        assert chosen is None
        return
    named = {one.account_id for one in found if one.how is present[0]}
    if len(named) > 1:
        assert chosen is None
    else:
        assert chosen is not None
        assert (chosen.account_id, chosen.how) == (named.pop(), present[0])


@given(matches, st.randoms())
def test_the_order_in_which_reasons_are_found_does_not_matter(
    found: list[Match], chance: random.Random
) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    one, other = choose(found), choose(shuffled)
    assert (one and one.account_id) == (other and other.account_id)


@given(st.integers(13_000_000_000, 19_999_999_999))
def test_a_mobile_is_one_key_however_it_is_written(number: int) -> None:
    digits = str(number)
    ways = [digits, f"+86 {digits}", f"86{digits}", f"{digits[:3]}-{digits[3:7]}-{digits[7:]}"]
    keys = {keys_of_follow(Follow("wecom", "zhang", "wm", mobiles=(way,)), PLACES) for way in ways}
    assert keys == {frozenset({ContactKey(BoundBy.MOBILE, f"+86{digits}")})}


@pytest.mark.parametrize(
    "name",
    [
        "恒锐机电",
        "杭州恒锐机电有限公司",
        "恒锐机电（杭州）股份有限公司",
        "浙江省杭州市恒锐机电有限责任公司",
    ],
)
def test_a_company_is_one_key_but_for_place_and_legal_form(name: str) -> None:
    contact = ExternalContact("wecom", "wm", "王总", company=name)
    assert keys_of_contact(contact, PLACES) == {ContactKey(BoundBy.COMPANY, "core 恒锐机电")}


def test_tags_and_companies_are_told_apart_and_empty_ones_are_none() -> None:
    follow = Follow("wecom", "zhang", "wm", company="恒锐机电", mobiles=("12", ""), tags=("A", "…"))
    assert keys_of_follow(follow, PLACES) == {ContactKey(BoundBy.COMPANY, "core 恒锐机电")}
    tagged = Follow("wecom", "zhang", "wm", tags=("恒锐机电",))
    assert keys_of_follow(tagged, PLACES) == {ContactKey(BoundBy.TAG, "core 恒锐机电")}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("宏达机电", "杭州宏达机电有限公司", True),
        ("上海宏达机电有限公司", "杭州宏达机电有限公司", False),
        ("宏达机电有限公司宁波分公司", "宏达机电有限公司", False),
        ("宏达机械", "宏达机电", False),
    ],
)
def test_namesakes_in_two_cities_are_two_companies(one: str, other: str, same: bool) -> None:
    assert same_company(take_apart(one, PLACES), take_apart(other, PLACES)) is same
