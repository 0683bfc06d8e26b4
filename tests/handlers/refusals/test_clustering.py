"""Free words about lost deals: groups a person would make, labels that last, no names."""

from __future__ import annotations

import random

import pytest

from handlers.refusals.clustering import Group, group, nearest_code
from handlers.refusals.masking import mask_customers, mask_names
from handlers.understanding.customers import CustomerIndex

NOTES = {
    "关系户": [
        "老板的小舅子在做这行，关系户拿走了", "被关系户拿走了，老板亲戚",
        "老板亲戚也做这个，关系户", "关系户截胡", "老板儿子的同学是关系户",
    ],
    "厂房搬迁": [
        "厂房要搬迁，项目暂停", "厂房搬迁，明年再说", "他们厂房搬迁到外地", "搬迁新厂房先停了采购",
    ],
    "样机精度": [
        "样机测试没通过，精度不够", "测试精度不达标", "样机测试精度差了两个丝", "样机精度没过",
    ],
}  # fmt: skip
ALL = [note for notes in NOTES.values() for note in notes]


def told(groups: list[Group], notes: list[str]) -> dict[str, set[str]]:
    return {one.label: {notes[number] for number in one.members} for one in groups}


@pytest.mark.parametrize("seed", range(5))
def test_groups_and_labels_are_those_a_person_would_choose_in_any_order(seed: int) -> None:
    notes = [*ALL, "天气不好", "某客户丢单了"]
    random.Random(seed).shuffle(notes)
    assert told(group(notes), notes) == {label: set(same) for label, same in NOTES.items()}


def test_a_label_lasts_while_the_words_of_a_group_move_on() -> None:
    first = group(ALL)
    moved = ["厂房搬迁到园区，缓半年", "新厂房搬迁没弄完", "等厂房搬迁以后再看", "厂房搬迁缺钱"]
    renamed = [Group("搬厂", one.words, one.members) for one in first if one.label == "厂房搬迁"]
    later = group([*moved, *NOTES["样机精度"]], renamed)
    assert told(later, [*moved, *NOTES["样机精度"]])["搬厂"] == set(moved)


def test_nothing_is_grouped_of_a_few_or_of_notes_that_say_nothing() -> None:
    assert group([]) == []
    assert group(["丢了", "某客户丢单了", "没有"]) == []
    assert group(["关系户", "关系户"]) == []


def test_a_group_near_a_reason_on_the_list_is_taken_for_it() -> None:
    late = group(["样机交货晚了两个月", "交货晚，等不及", "交货晚了"])[0]
    known = {"lead_time": ["交货太慢", "交货晚了一个月", "等不及交货"], "budget": ["没有预算"]}
    assert nearest_code(late.words, known) == "lead_time"
    assert nearest_code(group(NOTES["关系户"])[0].words, known) is None


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("恒锐机电丢单了，王总说太贵", "某客户丢单了，某人说太贵"),
        ("选了苏州汇川技术有限公司，价格高20%", "选了某公司，价格高20%"),
        ("老板的小舅子赵建国在做这行", "老板的小舅子某人在做这行"),
        ("找张伟明13812345678", "找某人某号码"),
        ("钱宁打的电话 0571-8765 4321", "某人打的电话 某号码"),
        ("发到 wang.li@example.com 或 wxid_abc123", "发到 某号码 或 某号码"),
        ("西门子便宜两成，老王带的通话半小时有录音", "某人便宜两成，某人带的通话半小时有录音"),
        ("报价12万8，贵了3万", "报价12万8，贵了3万"),
        ("高价、常年合作、明年预算", "高价、常年合作、明年预算"),
    ],
)
def test_a_quote_names_nobody_and_keeps_what_matters(words: str, masked: str) -> None:
    customers = CustomerIndex()
    customers.add("杭州恒锐机电有限公司", key=1)
    assert mask_names(mask_customers(words, customers), ["钱宁"]) == masked
