"""Who may be the same customer, why, and how likely."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.customer_master import CustomerCard, Duplicate, Likeness, Reason

PLACES = frozenset({"浙江", "杭州", "宁波", "苏州"})
HENGRUI = "杭州恒锐机电有限公司"
CODE, OTHER_CODE = "91330100799655058B", "9144030071526726XG"


def sound_of(text: str) -> str:
    return text.replace("瑞", "锐")


class Master:
    """Customers filed under their keys, as a database files them."""

    def __init__(self, cards: tuple[CustomerCard, ...]) -> None:
        self._likeness = Likeness(PLACES, sound_of)
        self._filed = [(card, self._likeness.keys_of(card)) for card in cards]

    def find(self, card: CustomerCard) -> list[Duplicate]:
        wanted = self._likeness.keys_to_find(card)
        near = [one for one, keys in self._filed if wanted & keys]
        return self._likeness.rank(card, near)


def master(*cards: CustomerCard) -> Master:
    return Master(cards)


def card(name: str, number: int = 0, **facts: object) -> CustomerCard:
    return CustomerCard(number, (name,), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (HENGRUI, Reason.NAME),
        ("杭州恒锐机电（有限公司）", Reason.NAME),
        ("浙江省杭州市恒锐机电股份有限公司", Reason.CORE),
        ("恒锐机电", Reason.CORE),
        ("杭州恒瑞机电有限公司", Reason.SOUND),
        ("杭州恒锐机械有限公司", Reason.SLIP),
        ("恒锐电机", Reason.SLIP),
        ("恒锐机电设", Reason.SLIP),
        ("恒锐", Reason.PART),
        ("恒锐机电设备制造", Reason.PART),
    ],
)
def test_names_that_may_mean_the_same(name: str, reason: Reason) -> None:
    (found,) = master(card(HENGRUI, 7)).find(card(name))
    assert (found.id, found.reasons) == (7, (reason,))


@pytest.mark.parametrize(
    "name", ["苏州恒锐机电有限公司", "宁波恒瑞机电", "甬江轴承", "恒", "杭州有限公司", ""]
)
def test_other_companies(name: str) -> None:
    assert master(card(HENGRUI, 7)).find(card(name)) == []


@pytest.mark.parametrize(
    ("facts", "same", "reason"),
    [
        ({"credit_code": CODE}, {"credit_code": CODE.lower()}, Reason.CREDIT_CODE),
        ({"phones": ("13812345678",)}, {"phones": ("+86 138 1234 5678",)}, Reason.PHONE),
        ({"domains": ("www.hengrui.com",)}, {"domains": ("wang@hengrui.com",)}, Reason.DOMAIN),
        ({"contacts": ("wecom:wm1",)}, {"contacts": ("wecom:wm1",)}, Reason.CONTACT),
    ],
)
def test_facts_in_common(facts: dict[str, object], same: dict[str, object], reason: Reason) -> None:
    (found,) = master(card(HENGRUI, 7, **facts)).find(card("甬江轴承", **same))
    assert found.reasons == (reason,)


@pytest.mark.parametrize(
    "facts",
    [
        {"domains": ("qq.com",)},
        {"phones": ("87654321",)},
        {"credit_code": "91330100799655058C"},
        {"credit_code": ""},
    ],
)
def test_what_says_nothing_about_a_company_is_nothing_in_common(facts: dict[str, object]) -> None:
    assert master(card(HENGRUI, 7, **facts)).find(card("甬江轴承", **facts)) == []


def test_reasons_add_up_and_the_strongest_stands_first() -> None:
    known = master(card(HENGRUI, 7, phones=("13812345678",)), card("恒锐", 8))
    first, second = known.find(card("恒锐机电设备", phones=("13812345678",)))
    assert first == Duplicate(7, 90, (Reason.PHONE, Reason.PART))
    assert first.score > second.score
    assert second.id == 8


def test_a_namesake_elsewhere_is_told_only_beside_another_reason() -> None:
    known = master(card(HENGRUI, 7, domains=("hengrui.com",)))
    assert known.find(card("苏州恒锐机电有限公司")) == []
    (found,) = known.find(card("苏州恒锐机电有限公司", domains=("hengrui.com",)))
    assert found.reasons == (Reason.DOMAIN, Reason.CORE_ELSEWHERE)


def test_two_valid_codes_are_two_entities() -> None:
    known = master(card(HENGRUI, 7, credit_code=CODE))
    (found,) = known.find(card(HENGRUI, credit_code=OTHER_CODE))
    assert (found.two_entities, found.score, found.reasons) == (True, 60, (Reason.NAME,))


def test_a_branch_is_no_plain_duplicate() -> None:
    assert master(card(HENGRUI, 7)).find(card(f"{HENGRUI}宁波分公司")) == []


def test_aliases_and_former_names_count() -> None:
    known = master(CustomerCard(7, (HENGRUI, "杭州锐思动力科技有限公司")))
    assert known.find(card("锐思动力科技"))[0].reasons == (Reason.CORE,)


def test_a_customer_is_no_duplicate_of_itself() -> None:
    assert master(card(HENGRUI, 7)).find(card(HENGRUI, 7)) == []


CARDS = st.lists(
    st.builds(
        CustomerCard,
        st.integers(1, 9),
        st.lists(st.text("杭州宁波恒锐瑞机电有限公司", max_size=10), max_size=2).map(tuple),
        credit_code=st.sampled_from(["", CODE, OTHER_CODE]),
        phones=st.sampled_from([(), ("13812345678",)]),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


@given(CARDS)
def test_being_alike_is_mutual_and_the_index_misses_nobody(cards: list[CustomerCard]) -> None:
    whole = master(*cards)
    for one in cards:
        found = {duplicate.id: duplicate for duplicate in whole.find(one)}
        for other in cards:
            alone = master(other).find(one)
            assert [found[other.id]] == alone if other.id in found else alone == []
            back = master(one).find(other)
            assert [duplicate.reasons for duplicate in alone] == [
                duplicate.reasons for duplicate in back
            ]


@given(CARDS, st.randoms(use_true_random=False))
def test_the_order_of_adding_changes_nothing(cards: list[CustomerCard], rng: random.Random) -> None:
    mixed = rng.sample(cards, len(cards))
    for one in cards:
        assert master(*cards).find(one) == master(*mixed).find(one)
