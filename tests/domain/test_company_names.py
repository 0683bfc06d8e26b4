"""What is place, core, form and branch of a company's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.company_names import one_spelling, take_apart

PLACES = frozenset({"浙江", "杭州", "宁波", "上海", "海南", "广西", "呼和浩特", "内蒙古"})


@pytest.mark.parametrize(
    ("name", "place", "core", "branch"),
    [
        ("杭州恒锐机电有限公司", "杭州", "恒锐机电", ""),
        ("杭州市恒锐机电有限责任公司", "杭州", "恒锐机电", ""),
        ("浙江省杭州市恒锐机电股份有限公司", "杭州", "恒锐机电", ""),
        ("恒锐机电（杭州）有限公司", "杭州", "恒锐机电", ""),
        ("恒锐机电(杭州市)有限公司", "杭州", "恒锐机电", ""),
        ("恒锐机电（集团）有限公司", "", "恒锐机电", ""),
        ("恒锐机电集团股份有限公司", "", "恒锐机电", ""),
        ("恒锐机电集团", "", "恒锐机电", ""),
        ("恒锐机电", "", "恒锐机电", ""),
        ("杭州恒锐机电有限公司宁波分公司", "杭州", "恒锐机电", "宁波分公司"),
        ("恒锐（机电）有限公司", "", "恒锐机电", ""),
        ("呼和浩特蒙牛乳业有限公司", "呼和浩特", "蒙牛乳业", ""),
        ("内蒙古自治区呼和浩特市蒙牛乳业有限公司", "呼和浩特", "蒙牛乳业", ""),
        ("上海宝钢", "上海", "宝钢", ""),
        ("上海公司", "", "上海", ""),
        ("杭州恒锐投资合伙企业（有限合伙）", "杭州", "恒锐投资", ""),
        ("ＡＢＢ（中国）有限公司", "", "abb中国", ""),
        ("Acme Tools Co., Ltd.", "", "acmetools", ""),
        ("ACME GmbH", "", "acme", ""),
        ("Ltd", "", "ltd", ""),
        ("有限公司", "", "有限公司", ""),
        ("", "", "", ""),
    ],
)
def test_parts_of_a_name(name: str, place: str, core: str, branch: str) -> None:
    parts = take_apart(name, PLACES)
    assert (parts.place, parts.core, parts.branch) == (place, core, branch)


def test_width_case_blanks_and_signs_do_not_matter() -> None:
    assert one_spelling(" ＡＢＢ（中国）·有限 公司") == one_spelling("abb(中国)有限公司")


@given(st.text("杭州市省恒锐机电（集团）()有限公司股份分宁波 .aA", max_size=20))
def test_no_name_loses_its_core(name: str) -> None:
    parts = take_apart(name, PLACES)
    assert bool(parts.core) or not one_spelling(name) or "(" in name or "（" in name
    assert set(parts.core) <= set(parts.whole)
