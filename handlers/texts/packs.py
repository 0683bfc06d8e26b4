"""What stands on the readable page of an evidence pack, and on the picture in it."""

from __future__ import annotations

from bot.domain.payouts.money import percent

TOTAL = "合计"
LINES = "逐笔"
OPEN = "还没定的"
RULES = "规则"
FACTS = "合同与收退款"
WORK = "谁做了什么"
PAPERS = "合同原件上认出的内容"
STEPS = "条件逐条核对"
ATTACHED = "附件"
UNNAMED = "未写"
PICTURE = "协作图：谁在哪份合同上做了什么"
ROLES = {"closer": "签单人", "original_seller": "原销售", "lead_provider": "线索提供人"}
NOTHING_DONE = "没有跟进记录"
REST_ON_PAGE = "其余见包里的 readable.html"
HOW_TO_VERIFY = (
    "这一页由包里的数据生成。任何人都可以用 gendan payouts verify 证据包.zip 从规则和单据重算金额，"
    "并核对每个文件的哈希；PDF 和图片只核对哈希。"
)


def title(name: str) -> str:
    return f"{name}的奖金证据包"


def previous(head: str) -> str:
    if not head.strip("0"):
        return "这是链上的第一个证据包。"
    return f"上一个证据包的链头：{head}"


def more(count: int) -> str:
    return f"还有 {count} 行，见包里的 JSON。"


def complaint(day: str) -> str:
    return f"{day} 投诉成立"


def share(weight: int) -> str:
    return f"分 {percent(weight)}"


def paper(deal: str, name: str) -> str:
    return f"{deal}：{name}"


def machine_read(lowest_bp: int) -> str:
    return f"机器识别，最低把握 {percent(lowest_bp)}；登记前由人核对过，不单独作为计算依据。"
