"""The audit chain's head, posted once a day."""

from __future__ import annotations

from datetime import datetime, time

ONLY_ADMINS = "审计校验值推送到哪个群由管理员设置。"
ONLY_IN_A_GROUP = "请在要接收审计校验值的群里 @我 说这句话。"
NOT_BOUND = "审计校验值本来就不发到本群。"
UNBOUND = "好，审计校验值不再发到本群。"


def bound(at: time) -> str:
    return (
        f"好，每天{at:%H:%M}把审计链的条数和校验值发到本群，一天一条。"
        "请把不管数据库的同事也拉进来：以后谁删了审计链的末尾，和这里的对不上。"
    )


def head(at: datetime, count: int, seal: str) -> str:
    """at: local."""
    return (
        f"审计链 {at.year}年{at.month}月{at.day}日 {at:%H:%M}：共{count:,}条\n"
        f"校验值 {count}:{seal}\n"
        "请留着这条。核对时在服务器上运行 gendan db verify --head 加上面的校验值。"
    )
