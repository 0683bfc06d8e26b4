"""The audit's entries in the words of whoever reads them."""

from __future__ import annotations

import pytest

from handlers.texts import audit_words

KNOWN = {"medical": "医疗器械", "followup_call": "跟进电话"}


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"price_fen": 15000, "state": "waiting"}, "价格：150.00元；状态：待批准"),
        ({"share_bp": 2000, "active": False}, "比例：20%；启用：否"),
        ({"unit": "followup_call", "account_id": 3}, "动作：跟进电话；客户：#3"),
        ({"library": "medical@0", "deals": 0}, "动作库：医疗器械；商机：0"),
        ({"receipt": "kingdee:SK-31:1"}, "单据：金蝶收款单 SK-31 第1行"),
        ({"people": {"14": 179800}}, "人员：（#14 1,798.00元）"),
        ({"items": [["course", "谈判课", 15000]]}, "目录：课程 谈判课 150.00元"),
        ({"rules": [{"id": "提成", "rate_bp": 300}]}, "规则：（名称 提成，比例 3%）"),
        (
            {"tiers": [{"from_fen": 2000, "rate_bp": 200}]},
            "档位：（起点 20.00元，比例 2%）",
        ),
        ({"week": "2026-W50"}, "周：第50周（12月7日–13日）"),
        ({"days": 180, "rows": {"inbox": 2}}, "保留天数：180；条数：（收到的消息 2）"),
        ({"level": None}, "级别：—"),
        ({"new_key": "x"}, "new_key：x"),
    ],
)
def test_what_an_entry_holds(held: dict[str, object], words: str) -> None:
    assert audit_words.facts(held, KNOWN) == words


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("account:12", "客户 #12"),
        ("page sessions", "网页登录"),
        ("policy:lights.yellow_days:organisation", "设置 黄灯天数"),
        ("growth:2026Q4", "成长基金 2026年第4季度"),
        ("library:medical", "动作库 医疗器械"),
        ("library:organisation", "全公司的动作库"),
        ("unheard:1", "unheard:1"),
    ],
)
def test_what_an_entry_is_about(subject: str, words: str) -> None:
    assert audit_words.subject(subject, KNOWN) == words


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("客户 #12", "account:12"),
        ("客户12", "account:12"),
        ("网页登录 #4", "page session:4"),
        ("网页 /customers/12", "page:/customers/12"),
        ("ERP 订单 #SO-7", "erp-order:SO-7"),
        ("审计链", "audit"),
        ("account:12", "account:12"),
        ("客户", "accounts"),
        ("别的", "别的"),
    ],
)
def test_what_is_read_can_be_searched_for(asked: str, kept: str) -> None:
    assert audit_words.asked_subject(asked) == kept
