"""How a diagnosis is said: what breaks, how often, examples, and the setting that helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.texts.dialog import short_company

NOT_FOR_YOU = "诊断给主管、销售总监和管理员看。你可以发「待办」看自己要做的事。"
FILE = "config/policy.toml"
MOST_EXAMPLES = 3

MINUTES = "面访没交纪要"
FIELDS = "记录没补全"
UNLOCKING = "补录等解锁"
OVERDUE = "约好没联系"
STUCK = "阶段停滞"
LATE = "补录太晚"
EXPIRED = "草稿没确认就作废"
SILENT_PEOPLE = "什么都没记的人"
UNACKNOWLEDGED = "红灯没人点知道了"


@dataclass(frozen=True, slots=True)
class Finding:
    """One break. examples: already in words. setting: its key and its present value, in words;
    where: the file it stands in."""

    title: str
    count: int
    examples: tuple[str, ...]
    setting: str
    where: str = FILE


def dead(days: int) -> str:
    return f"超过{days}个工作日没有有效跟进"


def example(customer: str, rep: str) -> str:
    return f"{short_company(customer) or '客户待定'}（{rep}）"


def setting(key: str, value: object) -> str:
    words = "、".join(str(one) for one in value) if isinstance(value, tuple) else str(value)
    return f"{key}（现在 {words}）"


def stuck_days(library: str) -> str:
    return f"各阶段的 stuck_days（动作库「{library}」）"


def library_file(key: str) -> str:
    return f"config/actions/{key}.toml"


def roles() -> str:
    return "请假先登记；不做销售的人，改 roles.keywords 里的职务字样"


def diagnosis(findings: Sequence[Finding], *, people: int, days: int) -> str:
    """The most frequent first."""
    broken = sorted((one for one in findings if one.count), key=lambda one: -one.count)
    title = f"**诊断：{people}人，近{days}天**"
    if not broken:
        return f"{title}\n没有发现断点：纪要、约定、记录和红灯都有人管。"
    blocks = [_block(place, one) for place, one in enumerate(broken, 1)]
    ending = f"> 设置由管理员改 {FILE} 或动作库文件，改完重启生效。"
    return "\n".join([title, *blocks, ending])


def _block(place: int, one: Finding) -> str:
    names = "、".join(one.examples[:MOST_EXAMPLES])
    where = "" if one.where == FILE else f"，在 {one.where}"
    return (
        f"{place}. **{one.title}：{one.count}**\n- 例如：{names}\n- 相关设置：{one.setting}{where}"
    )
