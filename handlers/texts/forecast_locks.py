"""What is said where a locked forecast is to be opened again."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.texts.figures import week_words

TITLE = "预测申请重开"
REASON = "重开原因"
REASONS = ("客户改了日期或金额", "级别或凭据有变化", "填报有误", "补报漏掉的商机")
HOW = "重开要选原因，选好再按；也可以回复「重开预测 姓名 原因」。"
REASON_WANTED = "重开要写原因：在卡片上选一个再按「重开」，或者回复「重开预测 姓名 原因」。"
ASK_HOW = "请写原因，例如「申请重开预测 恒锐机电改到1月交货」。"
REOPEN_HOW = "请写人和原因，例如「重开预测 张伟 恒锐机电改到1月交货」。"
NOT_YOURS = "只有他的主管、销售总监和管理员能重开他的预测，自己的不能自己重开。"
NOT_LOCKED = "本周预测还没有锁定，发「提交预测」就能重新提交。"
NOTHING_LOCKED = "本周还没有提交过，不用重开：发「提交预测」，会标为迟交。"
OPEN_NOW = "本周预测已经重开了，发「提交预测」就能再交一次。"
ANOTHER_COUNTS = "这份预测已经不是本周算数的那一份了，不用再重开。"


def question(rep: str, week: str) -> str:
    return f"{rep} 申请重开已锁定的{week_words(week)}预测，重新提交一次。原来的快照会保留。"


def asked(leaders: Sequence[str]) -> str:
    if not leaders:
        return "没有找到能重开的主管，请联系管理员。"
    return f"已请{'、'.join(leaders)}重开，同意后会通知你。"


def reopened(week: str, who: str, reason: str) -> str:
    return (
        f"{who}重开了你的{week_words(week)}预测（{reason}）。"
        "发「提交预测」可以再交一次，交了就重新锁定；不交，原来的照样算数。"
    )


def refused(week: str, who: str) -> str:
    return f"{who}没有同意重开{week_words(week)}预测，原来提交的照样算数。"


def you_reopened(rep: str, week: str) -> str:
    return f"已重开 {rep} 的{week_words(week)}预测，他可以再交一次。原来的快照保留，操作已留痕。"


def done(who: str, reason: str) -> str:
    return f"{who}已重开（{reason}）"


def kept(who: str) -> str:
    return f"{who}没有同意重开"
