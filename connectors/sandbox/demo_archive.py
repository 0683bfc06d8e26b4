"""What the demo company's customers and reps wrote to each other, all invented.

Customers are known by the ids of their contacts (handlers/demo_customers.toml).
"""

from __future__ import annotations

from datetime import timedelta

from .wecom_archive import ArchiveState

WANG, SHEN, STRANGER = (
    "wmDemoHengruiWang0000000000000001",
    "wmDemoYongjiangShen00000000000001",
    "wmDemoNobodyKnows0000000000000001",
)

_SAID = (
    # minutes ago, from, to, text
    (190, "zhangwei", WANG, "王总您好，快换夹具的补充说明发您邮箱了，麻烦看一下"),
    (182, WANG, "zhangwei", "收到，换型时间能压到15分钟以内吗"),
    (178, "zhangwei", WANG, "可以，按陆工现场量的数据是12分钟，方案第6页有节拍表"),
    (171, WANG, "zhangwei", "那价格上还要再谈谈，预算就80万出头"),
    (95, SHEN, "zhangwei", "张工，技术协议里检测精度写0.01还是0.005？"),
    (90, "zhangwei", SHEN, "写0.01，0.005要换相机，报价会变"),
    (40, STRANGER, "chenjing", "你好，想了解一下你们的伺服产线"),
)


def fill_archive(archive: ArchiveState) -> None:
    """The ids stay the same over restarts, so that nothing is told twice."""
    now = archive.world.now()
    for outsider, user_id in ((WANG, "zhangwei"), (SHEN, "zhangwei"), (STRANGER, "chenjing")):
        yesterday = now - timedelta(days=1)
        agreed = {"agree": {"userid": outsider, "agree_time": int(yesterday.timestamp() * 1000)}}
        msgid = f"demo-agree-{outsider}_external"
        archive.add(outsider, [user_id], "agree", agreed, msgid=msgid, at=yesterday)
    for minutes, sender, to, words in _SAID:
        at = now - timedelta(minutes=minutes)
        msgid = f"demo-text-{minutes}_external"
        archive.add(sender, [to], "text", {"text": {"content": words}}, msgid=msgid, at=at)
