"""Everyday questions that stand for a command, and what only looks like one."""

from __future__ import annotations

import pytest

from bot.domain.people import Role
from handlers import commands
from handlers.sayings import command_for
from handlers.texts import dialog


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("你能干嘛", "你能做什么"),
        ("你能帮我干啥", "你能做什么"),
        ("你是谁啊", "你能做什么"),
        ("我是新来的 第一天上班 要做啥", "你能做什么"),
        ("教教我怎么记", "你能做什么"),
        ("能发语音吗", "你能做什么"),
        ("要是记错了咋整", "记错了怎么办"),
        ("你会把我说的话给老板看吗", "隐私"),
        ("哪些单子快黄了", "我的灯"),
        ("有什么风险", "我的灯"),
        ("哪几个客户好久没人管了", "我的灯"),
        ("哪些客户红了", "我的灯"),
        ("哪些客户要抓紧", "待办"),
        ("有啥要我会签的", "待办"),
        ("我手上有哪些客户", "我的客户"),
        ("何洁手上有哪些客户", "我的客户 何洁"),
        ("热力图在哪看", "看板"),
        ("给我看看大盘", "看板"),
        ("谁手上客户最多", "团队总览"),
        ("何洁和郑爽比一下", "团队总览"),
        ("提成几个点", "奖金规则"),
        ("奖金健康度怎么样", "奖金健康度"),
        ("谁申诉了", "网页 申诉"),
        ("上个月奖金锁了没", "奖金 上个月"),
        ("规则改一下，回款后提成从3%改到4%", "网页 奖金规则"),
        ("待匹配的有几笔", "待匹配回款"),
        ("甬江轴承的回款到了没", "回款 甬江轴承"),
        ("客户为啥不买", "拒绝原因"),
        ("上周拒绝原因有哪些", "拒绝原因 上周"),
        ("要备多少货", "备货"),
        ("哪些消息没发出去", "管理"),
        ("刘洋离职了", "交接"),
        ("凭什么这单不算我的", "奖金明细"),
        ("还有多少没确认", "待办"),
        ("有要复评的吗", "待办"),
        ("为啥我的单子红了", "我的灯"),
        ("公海里有啥", "公海"),
        ("客户说太贵了我该怎么说", "话术"),
        ("话术怎么用", "话术"),
        ("金总一直拖着不签咋办", "话术"),
        ("把张伟的目标设成200万", "预测目标"),
        ("给我看看陈静的客户", "我的客户 陈静"),
        ("导出我的客户", "我的客户"),
        ("你知道我是谁吗", "我是谁"),
        ("我领导是谁", "我是谁"),
        ("我有哪些权限", "我是谁"),
        ("我带哪些人", "我是谁"),
        ("本月丢了哪些单", "丢单清单 本月"),
        ("上季度一共输了几个单子啊", "丢单清单 上季度"),
        ("最近丢了哪些客户", "丢单清单"),
    ],
)
def test_everyday_words_stand_for_a_command(said: str, command: str) -> None:
    assert command_for(said) == command
    assert commands.is_known(command)


@pytest.mark.parametrize(
    "said",
    [
        "确认",
        "方案发客户了",
        "我的客户说要便宜",
        "这个客户要丢",
        "王总离职了",
        "客户不签",
        "恒锐机电回款到了",
        "他们预算不多，今年怕是要黄",
        "刚和恒锐机电王总通了25分钟电话，嫌价格高，下周三再联系",
    ],
)
def test_a_report_is_none(said: str) -> None:
    assert command_for(said) is None


@pytest.mark.parametrize(
    ("role", "told"), [(Role.HRBP, "奖金待办"), (Role.FINANCE, "待匹配回款"), (Role.LEGAL, "法务")]
)
def test_who_has_no_customers_hears_what_concerns_them(role: Role, told: str) -> None:
    said = dialog.introduction({role})
    assert told in said
    assert "跟客户聊完" not in said
