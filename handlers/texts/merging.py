"""What the bot says about merging customers."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.texts.dialog import shorten
from storage.merges import Weight

TITLE = "合并客户"
MERGED = "已合并"
NOT_MERGED = "没有合并"
CODE, PHONE, DOMAIN = "统一信用代码", "电话", "网址"
MERGE_WHICH = (
    "要合并哪两家？例如「合并客户 恒锐机电厂 到 杭州恒锐机电有限公司」，前一家并进后一家。"
)
UNDO_WHICH = "要撤销哪次合并？例如「撤销合并 恒锐机电厂」。"
MERGE_NOT_YOURS = "合并客户由两家共同的主管或管理员来做，我这里没有改动。"
MERGED_MEANWHILE = "其中一家刚刚已经合并过了，请重新发「合并客户 A 到 B」看最新的情况。"


def title(gone: str) -> str:
    return shorten(f"{TITLE} {gone}", 36)


def question(gone: str, into: str) -> str:
    return f"「{gone}」并入「{into}」，下面这些会一起过去，旧名作为别名保留。现在还没有改动。"


def conflict(words: str) -> str:
    return f"注意：{words}"


def weight(of: Weight) -> tuple[tuple[str, str], ...]:
    """The facts of the card."""
    return (
        ("动态", f"{of.activities}条"),
        ("商机", f"{of.opportunities}个"),
        ("联系人", f"{of.contacts}位"),
        ("文件", f"{of.files}份"),
        ("未完草稿", f"{of.drafts}条"),
        ("亮灯", f"{of.lights}个"),
    )


def owners_differ(gone: str, into: str) -> str:
    return f"负责人不同（{gone}、{into}），合并后归{into}，未结商机的跟进时间重新算"


def numbers_differ(label: str, gone: str, into: str) -> str:
    warning = "，可能是两家法人" if label == CODE else ""
    return f"{label}不同（{gone}、{into}），保留后者{warning}"


def same_contact(name: str, gone: str | None, into: str | None) -> str:
    numbers = f"（{gone or '无手机'}、{into or '无手机'}）" if gone != into else ""
    return f"两边都有联系人{name}{numbers}，保留后者"


def in_pool(name: str) -> str:
    return f"「{name}」在公海里，先领取或分配给人，再合并或撤销合并。"


def already_one(name: str) -> str:
    return f"这两个名字已经是同一家：「{name}」。"


def merged(gone: str, into: str, days: int) -> str:
    return f"已把「{gone}」并入「{into}」。合错了，{days}天内发「撤销合并 {gone}」就能还原。"


def owners_merged(gone: str, into: str, by: str) -> str:
    return f"{by}把「{gone}」并入了「{into}」，以后两个名字都指这一家，动态也在一起。"


def undone(back: str, into: str) -> str:
    return f"已撤销合并：「{back}」和「{into}」又是两家，合并期间新记的动态留在「{into}」。"


def owners_undone(back: str, into: str, by: str) -> str:
    return f"{by}撤销了合并，「{back}」和「{into}」又是两家。"


def too_late(name: str, days: int) -> str:
    return f"「{name}」合并已超过{days}天，不能撤销了。确实要分开，请新建客户并转交商机。"


def no_merge(name: str) -> str:
    return f"没有找到「{name}」可以撤销的合并。请写被并掉的那家的全称。"


def which_merge(names: Sequence[str]) -> str:
    listed = "、".join(f"「{name}」" for name in names)
    return f"并进来的不止一家：{listed}。请写明撤销哪一家，例如「撤销合并 {names[0]}」。"
