"""What is said about contracts on paper that a machine read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from handlers.texts.money import amount_words, yuan
from handlers.understanding.paper_contracts import Doubt, PaperContract

NO_ENGINE = "这里没有安装识别组件"
BLANK = "上面没有认出文字"
NOT_A_CONTRACT = "没有读到合同的金额、编号和双方"
BUTTON = "按合同识别"
NOTHING_WAITS = "没有等着处理的 PDF 或图片。请先把合同发给我，再发「识别合同」。"
CHECK = "机器识别，可能有错。请对照原件逐项核对，没问题再按确认；不对就取消，直接发「登记合同 …」。"
HOW = "例如「登记合同 恒锐机电 HT-2026-018，35万，预付30%，1月28日前付」"
DAY_ASSUMED = "没读到签订日期，先按今天"

_FACTS = {
    "number": "合同号",
    "buyer": "客户",
    "amount": "金额",
    "signed_on": "签订日期",
    "prepayment": "预付款",
    "payment_terms": "付款条件",
}
_DOUBTS = {
    Doubt.UNSURE: "字迹认得不太准",
    Doubt.AMOUNTS_DIFFER: "大写和小写不一致",
    Doubt.NO_WORDS: "没有大写可以核对",
    Doubt.SIDE_GUESSED: "没写谁是买方，按甲方算",
    Doubt.STAGES: "分几期付，只核对第一期",
}


def trouble(error: Exception) -> str:
    """Why a paper was not read, in the words of whoever refused it."""
    text = str(error).split("，请")[0]
    return text if any("一" <= one <= "鿿" for one in text) else "识别组件出错了"


def not_read(name: str, why: str) -> str:
    return f"「{name}」已保存，但没能识别：{why}。请直接告诉我内容，{HOW}。"


def doubts(found: Mapping[str, Doubt]) -> str:
    """«请特别核对：金额（大写和小写不一致）», or ""."""
    parts = [f"{_FACTS[name]}（{_DOUBTS[doubt]}）" for name, doubt in found.items()]
    return f"请特别核对：{'、'.join(parts)}" if parts else ""


def lowest(confidence: float) -> str:
    return f"识别把握：{confidence:.0%}（各行里最低的）"


def fields(read: PaperContract) -> list[list[str]]:
    """What was read: [what it is called, what it says], with doubts behind it."""
    told = {
        "number": read.number or "",
        "buyer": read.buyer,
        "seller": read.seller,
        "amount": yuan(read.amount_fen) if read.amount_fen is not None else "",
        "signed_on": read.signed_on.isoformat() if read.signed_on is not None else "",
        "prepayment": yuan(read.prepayment_fen) if read.prepayment_fen is not None else "",
        "payment_terms": read.payment_terms,
    }
    names = {**_FACTS, "seller": "卖方"}
    return [
        [names[key], f"{words}（{_DOUBTS[read.doubts[key]]}）" if key in read.doubts else words]
        for key, words in told.items()
        if words
    ]


def terms_line(terms: str) -> str:
    return f"原文付款条件：{terms[:60]}{'…' if len(terms) > 60 else ''}" if terms else ""


def incomplete(paper: PaperContract, customer: str, lacking: Sequence[str]) -> str:
    """What was read, what is missing, and an order to complete."""
    read = [
        f"客户 {customer or paper.buyer}" if customer or paper.buyer else "",
        f"合同号 {paper.number}" if paper.number else "",
        f"金额 {amount_words(paper.amount_fen)}" if paper.amount_fen else "",
    ]
    told = "，".join(one for one in read if one)
    return (
        f"文件已保存。机器读到：{told or '不完整'}；还缺{'、'.join(lacking)}。\n"
        f"请补上再发给我：{order(paper, customer)}"
    )


def order(paper: PaperContract, customer: str) -> str:
    """As `contracts` reads it, with a gap for what is missing."""
    amount = amount_words(paper.amount_fen) if paper.amount_fen else "〔金额〕"
    parts = [f"登记合同 {customer or '〔客户〕'} {paper.number or '〔合同号〕'}", amount]
    parts += [f"预付{amount_words(paper.prepayment_fen)}"] if paper.prepayment_fen else []
    parts += [f"{_day(paper.prepayment_due_on)}前付"] if paper.prepayment_due_on else []
    parts += ["后付款"] if paper.post_paid else []
    parts += [f"{_day(paper.signed_on)}签订"] if paper.signed_on else []
    return "，".join(parts)


def _day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
