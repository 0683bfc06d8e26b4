"""What stays of a record, and by which words somebody is found in it."""

from __future__ import annotations

import pytest

from bot.domain.privacy import Called, is_called, pseudonym_of

ZHANG = Called(names=("张三丰", "13900001234"), accounts=("li", "zhang3"))


@pytest.mark.parametrize(
    ("recorded", "name", "whether"),
    [
        ("王建国", "王建国", True),
        ("王建国厂长", "王建国", True),
        ("王建国华", "王建国", False),  # another person
        ("王建国厂长", "王建", False),
        ("王总", "王总", True),
        ("王总经理", "王总", False),  # 王总 alone tells nobody apart
        ("", "王建国", False),
    ],
)
def test_a_contact_is_called_as_it_was_heard(recorded: str, name: str, whether: bool) -> None:
    assert is_called(recorded, name) is whether


@pytest.mark.parametrize(
    ("told", "now"),
    [
        ("张三丰去了，电话13900001234", "某去了，电话某"),
        ("wecom:sales:u:zhang3", "wecom:sales:u:某"),
        ("wecom:sales:u:zhang33", "wecom:sales:u:zhang33"),
        ('{"from":"li"}', '{"from":"某"}'),
        ("<FromUserName><![CDATA[zhang3]]></FromUserName>",
         "<FromUserName><![CDATA[某]]></FromUserName>"),
        ("a list of li and zhang3 there", "a list of li and zhang3 there"),
        ("zhang3|wm1", "某|wm1"),
    ],
)  # fmt: skip
def test_another_name_stands_where_theirs_was(told: str, now: str) -> None:
    assert ZHANG.replaced(told, "某") == now
    assert ZHANG.told_in(told) is (told != now)


def test_a_record_keeps_its_shape() -> None:
    told = {"who": ["张三丰", 3, None], "deep": {"li": "li"}}
    assert ZHANG.replaced(told, "某") == {"who": ["某", 3, None], "deep": {"li": "某"}}


def test_who_is_called_nothing_is_found_nowhere() -> None:
    assert not Called().told_in("张三丰")
    assert pseudonym_of(17) == "离职员工17"
