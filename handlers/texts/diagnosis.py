"""How a diagnosis is said: what breaks, how often, what that means, examples, and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.policy_changes import Problem
from handlers.texts.dialog import short_company

NOT_FOR_YOU = "诊断给主管、销售总监和管理员看。你可以发「待办」看自己要做的事。"
MOST_EXAMPLES = 3
UNNAMED_GROUP = "群聊"

TITLES = {
    Problem.MINUTES: "面访没交纪要",
    Problem.FIELDS: "记录没补全",
    Problem.UNLOCKING: "补录等解锁",
    Problem.LATE: "补录太晚",
    Problem.LATE_EVIDENCE: "材料锁定后才补",
    Problem.EXPIRED: "草稿没确认就作废",
    Problem.OVERDUE: "约好没联系",
    Problem.STUCK: "阶段停滞",
    Problem.DEAD: "沉睡线索",
    Problem.UNACKNOWLEDGED: "红灯没人点知道了",
    Problem.UNDOCUMENTED: "阶段变了没有跟进记录",
    Problem.UNBOUND: "群里说了没记到客户",
    Problem.SILENT: "什么都没记的人",
}

_MEANINGS = {
    Problem.MINUTES: "面访过了，谈了什么还没人写下来",
    Problem.FIELDS: "先记下的内容还缺字段或附件，不算有效跟进",
    Problem.UNLOCKING: "超过补录时限的记录，主管没解锁就不算数；主管发「解锁 客户 原因」",
    Problem.LATE: "事情过了很久才记，亮灯和预测这段时间看到的是旧情况",
    Problem.LATE_EVIDENCE: "纪要、字段或附件过了时限才补上，事后补的证据说服力弱",
    Problem.EXPIRED: "说过的跟进没按确认，没有留下记录",
    Problem.OVERDUE: "答应客户的时间过了，还没有联系",
    Problem.STUCK: "一直有跟进，阶段却不往前走",
    Problem.DEAD: "客户还挂在名下，已经没人在做",
    Problem.UNACKNOWLEDGED: "红灯推给了主管，没有人接手",
    Problem.UNDOCUMENTED: "阶段往前走了，之前这段时间没有一次有效跟进能说明原因",
    Problem.UNBOUND: "群里对机器人说的话没有变成任何客户的记录，一周后就查不到了；"
    "在群里说「上面那个记一下」可以补记",
    Problem.SILENT: "在岗却没有一条记录；请假的先登记，不做销售的请管理员改职务字样",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One break. examples: already in words. setting: what helps, with its present value, in
    words. title: where it is not that of the problem."""

    problem: Problem
    count: int
    examples: tuple[str, ...] = ()
    setting: str = ""
    title: str = ""

    @property
    def named(self) -> str:
        return self.title or TITLES[self.problem]

    @property
    def unit(self) -> str:
        """Of what it is so many."""
        return "人" if self.problem is Problem.SILENT else "处"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self.problem]


def dead(days: int) -> str:
    return f"超过{days}个工作日没有有效跟进"


def example(customer: str, rep: str) -> str:
    return f"{short_company(customer) or '客户待定'}（{rep}）"


def group_example(rep: str) -> str:
    return f"{UNNAMED_GROUP}（{rep}）"


def setting(label: str, value: str, advised: str) -> str:
    """advised: what it could become, "" for no advice."""
    return f"{label}（现在 {value}）" + (f"，可以改成 {advised}" if advised else "")


def stuck_days(library: str) -> str:
    return f"动作库「{library}」里每个阶段的停滞天数，管理员改好后重新上传动作库"


def diagnosis(
    findings: Sequence[Finding], *, people: int, days: int, overseer: bool, offered: bool
) -> str:
    """The most frequent first."""
    broken = in_order(findings)
    title = f"**诊断：{people}人，近{days}天**"
    if not broken:
        return f"{title}\n没有发现断点：纪要、约定、记录和红灯都有人管。"
    blocks = [_block(place, one) for place, one in enumerate(broken, 1)]
    return "\n".join([title, *blocks, f"> {_ending(overseer=overseer, offered=offered)}"])


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    return sorted((one for one in findings if one.count), key=lambda one: -one.count)


def offers_title(count: int) -> str:
    return f"可以马上开启的设置（{count}）"


def offer_line(place: int, *, title: str, label: str, was: str, to: str) -> str:
    return f"{place}. {title}：{label} {was} → {to}"


def offer_button(place: int) -> str:
    return f"开启第{place}项"


OFFER_HOW = "按下先看影响的人数和前后对比，确认才生效，之后可以撤销。"


def _ending(*, overseer: bool, offered: bool) -> str:
    if offered:
        return "能马上开启的设置在下一张卡片上。"
    if overseer:
        return "发「设置」看全部设置和现在的值。"
    return "设置由管理员或销售总监开启，可以把这份诊断转给他们。"


def _block(place: int, finding: Finding) -> str:
    lines = [
        f"{place}. **{finding.named}：{finding.count}{finding.unit}**",
        f"- 说明：{finding.meaning}",
    ]
    names = "、".join(finding.examples[:MOST_EXAMPLES])
    lines += [f"- 例如：{names}"] if names else []
    lines += [f"- 相关设置：{finding.setting}"] if finding.setting else []
    return "\n".join(lines)
