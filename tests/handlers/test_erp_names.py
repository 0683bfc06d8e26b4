"""What people read of the names that systems give to ERPs and their receipts."""

from __future__ import annotations

import pytest

from handlers.texts.disputes import receipt_fact
from handlers.texts.erp import not_reconciled


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("kingdee:SK-31:1", "金蝶收款单 SK-31 第1行"),
        ("u9c:A:7:2", "用友 U9C 收款单 A:7 第2行"),
        ("华东账套:SK-9:1", "华东账套收款单 SK-9 第1行"),
        ("没写", "单据 没写"),
    ],
)
def test_a_receipt_is_named_as_finance_finds_it(key: str, words: str) -> None:
    assert receipt_fact("2026-11-03", 4_000_000, key).endswith(f"（{words}）")


def test_an_erp_is_called_by_its_name() -> None:
    assert not_reconciled("kingdee", "超时").startswith("ERP「金蝶」未连通")
