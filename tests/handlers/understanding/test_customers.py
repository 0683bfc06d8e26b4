from __future__ import annotations

import pytest

from handlers.understanding.customers import SURE, CustomerIndex


def best(index: CustomerIndex, text: str) -> tuple[str, str] | None:
    mentions = index.find(text)
    return (mentions[0].candidates[0].name, mentions[0].candidates[0].reason) if mentions else None


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("杭州恒锐机电有限公司来电", "杭州恒锐机电有限公司", "full"),
        ("刚和恒锐机电王总通了电话", "杭州恒锐机电有限公司", "full"),
        ("杭州恒锐", "杭州恒锐机电有限公司", "short"),
        ("恒锐", "杭州恒锐机电有限公司", "short"),
        ("松北12分钟", "哈尔滨松北锅炉", "short"),
        ("恒瑞机电", "杭州恒锐机电有限公司", "pinyin"),
        ("栖下阀业", "南京栖霞阀业", "pinyin"),
        ("栖霞伐业", "南京栖霞阀业", "pinyin"),
        ("丹徙电缆", "镇江丹徒电缆", "fuzzy"),
        ("徒丹电缆", "镇江丹徒电缆", "fuzzy"),
    ],
)
def test_a_customer_is_found_with_a_reason(
    text: str, name: str, reason: str, customers: CustomerIndex
) -> None:
    assert best(customers, text) == (name, reason)


@pytest.mark.parametrize(
    ("text", "name", "sure"),
    [
        ("恒锐书店问续费", "北京丰台恒锐书店", True),
        ("打了电话给智联，法务不放", "天津滨海智联软件", False),
        ("体检中心打过来的", "成都青羊体检中心", False),
        ("海淀体检中心打过来的", None, False),
        ("客户让职工去体检", None, False),
        ("恒锐书店要给员工约体检中心", "北京丰台恒锐书店", True),
    ],
)
def test_a_district_inside_a_name_may_be_left_out(text: str, name: str | None, sure: bool) -> None:
    index = CustomerIndex()
    for known in ("北京丰台恒锐书店", "天津滨海智联软件", "成都青羊体检中心"):
        index.add(known)
    found = [mention.candidates[0] for mention in index.find(text)]
    assert [one.name for one in found] == ([name] if name else [])
    assert all((one.score >= SURE) is sure for one in found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("常德那家烟机缓一周", ("常德武陵烟机",)),
        ("是米粉那家", ("柳州柳南米粉",)),
        ("武汉便利那个客户报价12.8w", ("武汉江岸便利", "武汉江汉便利")),
        ("烟机配件涨价了", ()),
    ],
)
def test_a_customer_may_be_named_by_trade_and_place(text: str, names: tuple[str, ...]) -> None:
    index = CustomerIndex()
    for name in ("常德武陵烟机", "柳州柳南米粉", "武汉江岸便利", "武汉江汉便利"):
        index.add(name)
    mentioned = [one.name for mention in index.find(text) for one in mention.candidates]
    assert tuple(mentioned) == names
    assert all(one.score < SURE for mention in index.find(text) for one in mention.candidates)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("吉林松原粮油", "松原粮油"),
        ("昆山瑞安体检", "瑞安体检"),
        ("江苏南京恒锐机电有限公司", "恒锐"),
        ("江苏南京恒锐机电有限公司", "南京恒锐"),
        ("泉州晋江鞋材", "晋江鞋材"),
    ],
)
def test_a_town_in_a_name_may_be_said_or_left_out(name: str, short: str) -> None:
    index = CustomerIndex()
    index.add(name)
    assert [one.name for one in index.find(f"{short}打了电话")[0].candidates] == [name]


def test_approximate_matches_ask_for_confirmation(customers: CustomerIndex) -> None:
    (mention,) = customers.find("恒瑞机电电话10分钟")
    assert mention.sure is not None
    assert mention.sure.score < SURE


def test_a_short_name_of_two_companies_is_ambiguous(customers: CustomerIndex) -> None:
    (mention,) = customers.find("浑南那边打了8分钟")
    assert mention.sure is None
    assert {one.name for one in mention.candidates} == {"沈阳浑南机器人", "沈阳浑南软件"}


def test_what_follows_tells_two_companies_apart(customers: CustomerIndex) -> None:
    assert best(customers, "浑南那个机器人厂") == ("沈阳浑南机器人", "short")


def test_another_city_is_another_company(customers: CustomerIndex) -> None:
    assert customers.find("苏州恒锐来电") == []


def test_everyday_words_are_no_customers() -> None:
    index = CustomerIndex()
    index.add("上海报价科技有限公司")
    assert index.find("今天给客户报价了") == []


def test_additions_removals_and_aliases_act_at_once(customers: CustomerIndex) -> None:
    assert customers.find("老铁厂打了电话") == []
    customers.add("鞍山千山冶金", aliases=["老铁厂"], key=7)
    mention = customers.find("老铁厂打了电话")[0]
    assert (mention.candidates[0].key, mention.candidates[0].reason) == (7, "alias")
    customers.remove("鞍山千山冶金")
    assert customers.find("老铁厂和千山冶金") == []
    customers.remove("鞍山千山冶金")


def test_positions_are_those_of_the_message(customers: CustomerIndex) -> None:
    text = "ＡＢ：今天栖霞阀业来电"
    (mention,) = customers.find(text)
    assert text[mention.start : mention.end] == "栖霞阀业"


def test_hidden_customers_are_not_recognised(customers: CustomerIndex) -> None:
    assert customers.find("恒锐机电", visible=lambda name: "恒锐" not in name) == []


def test_an_english_alias_must_stand_alone() -> None:
    index = CustomerIndex()
    index.add("深圳南山传感", aliases=["NST"])
    assert index.find("nst打了电话")
    assert index.find("const") == []
