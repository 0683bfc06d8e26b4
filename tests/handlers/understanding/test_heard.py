"""What an engine heard becomes what was meant, and never something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.understanding.heard import as_meant

OWN = (
    "杭州恒锐机电有限公司",
    "宁波甬江轴承有限公司",
    "苏州华兴精密机械有限公司",
    "ABB传动(北京)有限公司",
)
PRODUCTS = ("伺服压机", "K3000")


def meant(text: str, *, customers: tuple[str, ...] = OWN) -> str:
    return as_meant(text, customers=customers, products=PRODUCTS)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        # Heard by Whisper base in the recordings of tests/fixtures/speech.
        ("刚和恒瑞基殿王总通了25分钟电话", "刚和恒锐机电王总通了25分钟电话"),
        ("刚和河瑞基电网总通了25分钟电话", "刚和恒锐机电网总通了25分钟电话"),
        ("今天上午拜访了宁波永江州城,客户说", "今天上午拜访了宁波甬江轴承,客户说"),
        ("緊張對手抱架120萬", "紧张对手抱架120万"),
        # A short name with the same tones; a part of a name; a product.
        ("横锐那边说下周三再联系", "恒锐那边说下周三再联系"),
        ("花星精米要两台四服压机", "华兴精密要两台伺服压机"),
    ],
)
def test_names_are_put_right_by_their_sound(heard: str, said: str) -> None:
    assert meant(heard) == said


@pytest.mark.parametrize(
    "text",
    [
        "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系",
        "甬江轴承那边",
        "今天很好，在车间看了机电设备",
        "客户要了 k3000 的报价",
        "ABB传动那边下周三付款",
        "很累，下周再说",
        "",
    ],
)
def test_what_was_heard_right_stays_as_it_is(text: str) -> None:
    assert meant(text).lower() == text.lower()
    assert "ABB" not in text or "ABB" in meant(text)


def test_two_customers_that_sound_alike_are_not_guessed_between() -> None:
    both = ("杭州恒锐机电有限公司", "南京横瑞机电有限公司")
    assert meant("衡睿鸡店的王总", customers=both) == "衡睿鸡店的王总"
    assert meant("恒锐机电的王总", customers=both) == "恒锐机电的王总"


def test_only_the_speakers_own_customers_are_put_in() -> None:
    assert meant("刚和恒瑞基殿王总通话", customers=OWN[1:]) == "刚和恒瑞基殿王总通话"


@given(st.text(max_size=60))
def test_any_text_comes_back_without_names_to_put_in(text: str) -> None:
    simplified = as_meant(text, customers=())
    assert as_meant(simplified, customers=()) == simplified


@given(st.text(alphabet="恒锐机电横瑞基殿王总今天刚和的了电话,。 aB3", max_size=30))
def test_putting_names_right_twice_changes_nothing_more(text: str) -> None:
    assert meant(meant(text)) == meant(text)
