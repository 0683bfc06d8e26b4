"""What the bot says about disputes of bonuses, and the fact report 《事实核查报告》."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.domain.payouts import money as sealed
from bot.domain.payouts.disputes import Conflict, State, Unfit
from bot.domain.payouts.recipients import without_numbers
from handlers.texts.customers import when
from handlers.texts.erp_names import receipt_words
from handlers.texts.money import signed, yuan
from handlers.texts.payouts import KINDS, month_words

TITLE = "奖金申诉"
PICK_TITLE = "哪一笔有异议？"
WHICH = "哪一笔"
NEXT, SUBMIT, WITHDRAW, ANSWER, APPEAL = "下一步", "提交申诉", "撤回申诉", "回答", "再申诉一次"
CANCEL = "取消"
UPHOLD, PARTLY, REJECT, ASK = "支持", "部分支持", "驳回", "要补充材料"
GO_ON = "不等了，继续"
CONFIRM, REWRITE = "确认裁定", "重填"
CHOOSE_LINE = "请先在卡片上选哪一笔，再点「下一步」。"
NOTHING_TO_DISPUTE = (
    "没有找到可以申诉的奖金：月结锁定后30天内的才能申诉。"
    "还没锁定的先发「奖金明细 合同号」看怎么算的，归属不对请直接找 HRBP 改。"
)
NOT_YOURS = "这次申诉由本人和裁定人处理，我这里没有改动。"
OVER = "这次申诉已经处理过了，我这里没有改动。"
NO_ARBITER = "眼下没有可以裁定的人（HRBP 和上级都与这笔奖金有关），已请管理员指定。申诉已经收到。"
NOTHING_TO_DROP = "现在没有正在写的申诉。已经提交的发「我的申诉」，在卡片上撤回。"
DROPPED = "好，不申诉了。"
ASK_ANSWER = "请把要补充的说给我，打字、发语音都行，有附件直接发。"
ASK_QUESTION = "要他补充什么？直接说，我转给他；等他回答期间不计时。"
ASKED = "已转给他，等回答期间不计时。"
ANSWERED = "已转给裁定人，继续计时。"
AMOUNT_MISSING = "要补发多少？请把金额和理由一起说，例如「800元，应按10月的新规则算」。"
REASON_MISSING = "请说明理由，他要看得懂为什么。"
WHICH_TO_TAKE = "接手哪一件？例如「接手申诉 12」。"
REPORT_TITLE = "事实核查报告"
NO_DISPUTES = "你没有申诉。锁定后的结算单上点「有异议」就能申诉。"

STATES = {
    State.DRAFT: "待提交",
    State.SUBMITTED: "已提交",
    State.REPORTED: "待裁定",
    State.IN_REVIEW: "裁定中",
    State.ASKED: "等补充",
    State.UPHELD: "支持",
    State.PARTLY_UPHELD: "部分支持",
    State.REJECTED: "驳回",
    State.WITHDRAWN: "已撤回",
}


def unfit(why: Unfit) -> str:
    return {
        Unfit.NOT_OWN: "只能对自己的奖金提异议。",
        Unfit.NOT_LOCKED: ("这笔还是预估，月结锁定后才能申诉。先发「奖金明细 合同号」看怎么算的。"),
        Unfit.TOO_LATE: "已经过了30天的申诉期。确有问题请直接找 HRBP。",
        Unfit.OPEN_ALREADY: "这笔已经在申诉了，发「我的申诉」看进展。",
        Unfit.APPEAL_TOO_LATE: "裁定后5个工作日内才能再申诉，现在已经过了。",
        Unfit.DECIDED_TWICE: "这笔已经再申诉过一次，裁定是最终的。",
    }[why]


def conflict(why: Conflict) -> str:
    return {
        Conflict.OWN: "这是你自己的奖金，不能由你裁定。",
        Conflict.AUTHOR: "规则是你写的，要回避，请换人裁定。",
        Conflict.SHARES: "你也分这份合同的奖金，要回避，请换人裁定。",
        Conflict.DECIDED_BEFORE: "上一次是你裁定的，再申诉要换人。",
    }[why]


def line_words(number: str, kind: str, fen: int, month: str) -> str:
    return f"{number} {KINDS.get(kind, kind)} {signed(fen)}（{month_words(month)}）".strip()


def option(number: str, kind: str, fen: int) -> str:
    return f"{number} {KINDS.get(kind, kind)} {signed(fen)}"


def ask_reason(line: str) -> str:
    return f"「{line}」哪里不对？直接说，打字、发语音都行；有凭证也发过来。不申诉了发「取消」。"


def files_kept(count: int) -> str:
    return f"附件收到了，共{count}份。再说说哪里不对。"


def rep_lines(line: str, reason: str, files: int) -> list[str]:
    lines = [line, f"理由：{reason}"] if reason else [line]
    return [*lines, f"附件{files}份"] if files else lines


def rep_hint(state: State) -> str:
    return {
        State.DRAFT: "核对后提交；提交后2小时内（工作时间）会有裁定。",
        State.REPORTED: "已交给裁定人，工作时间2小时内答复。没有异议的部分照常发放。",
        State.IN_REVIEW: "裁定人正在看。",
        State.ASKED: "裁定人要你补充，点「回答」。",
    }.get(state, "")


def filed(number: int, arbiter: str) -> str:
    return f"申诉 #{number} 已提交给{arbiter}，事实核查报告也发给了你们两人。工作时间2小时内答复。"


def for_arbiter(rep: str, line: str) -> str:
    return f"{rep}对这笔奖金有异议：{line}"


def arbiter_hint(rep: str, month: str) -> str:
    return f"要证据包：发「奖金 {rep} {month}」再点「证据包」。"


def question(arbiter: str, number: int, text: str) -> str:
    return f"{arbiter}问你（申诉 #{number}）：{text}\n点卡片上的「回答」再说。"


def answer(rep: str, number: int, text: str, files: int) -> str:
    tail = f"（附件{files}份）" if files else ""
    return f"{rep}补充（申诉 #{number}）：{text}{tail}"


def ask_ruling(outcome: State) -> str:
    if outcome is State.REJECTED:
        return "请说明驳回的理由，他会看到原话。"
    return AMOUNT_MISSING


def confirm_ruling(outcome: State, fen: int, ruling: str) -> list[str]:
    award = f"补发 {yuan(fen)}" if fen else "不补发"
    return [f"{STATES[outcome]}，{award}", f"理由：{ruling}", "确认后立即入账，并通知所有人。"]


def posted_why(number: int, outcome: State, by: str, ruling: str) -> str:
    return f"申诉 #{number} 裁定{STATES[outcome]}（{by}）：{ruling}"


def told_rep(
    number: int, outcome: State, *, fen: int, by: str, ruling: str, month: str, may_appeal: bool
) -> str:
    lines = [f"申诉 #{number} 有结果了：{STATES[outcome]}（{by}）", f"理由：{ruling}"]
    if fen:
        lines.append(f"补发 {yuan(fen)}，记在{month_words(month)}。")
    if may_appeal:
        lines.append("不同意的话，5个工作日内可以点「再申诉一次」，由更上一级裁定。")
    return "\n".join(lines)


def told_others(number: int, rep: str, outcome: State, *, line: str, fen: int, by: str) -> str:
    award = f"，补发 {yuan(fen)}" if fen else ""
    return f"{rep}的奖金申诉 #{number}（{line}）由{by}裁定：{STATES[outcome]}{award}。"


def told_withdrawn(rep: str, number: int) -> str:
    return f"{rep}撤回了申诉 #{number}，不用裁定了。"


def alert(number: int, rep: str, worked: timedelta) -> str:
    waited = f"{rep}的奖金申诉 #{number} 已等了{hours(worked)}（工作时间）"
    return f"{waited}，目标是2小时内裁定，请尽快处理。"


def escalated(number: int, rep: str, arbiter: str, worked: timedelta) -> str:
    waited = f"{rep}的奖金申诉 #{number} 等{arbiter}裁定已{hours(worked)}（工作时间）"
    return f"{waited}，超过了4小时，请督促。"


def no_arbiter(number: int, rep: str) -> str:
    return (
        f"{rep}的奖金申诉 #{number} 找不到能裁定的人：请给一位与此无关的同事设上 HRBP 角色，"
        f"再让他发「接手申诉 {number}」。"
    )


def taken(number: int) -> str:
    return f"申诉 #{number} 由你裁定了。"


def status(number: int, state: State, line: str, submitted: str, arbiter: str) -> str:
    who = f"，{arbiter}裁定" if arbiter else ""
    return f"- #{number} {line}：{STATES[state]}（{submitted}提交{who}）"


def status_list(lines: Sequence[str]) -> str:
    return "\n".join(["**我的申诉**", *lines])


def hours(span: timedelta) -> str:
    """2小时5分, 190小时, 40分钟, 不到1分钟"""
    hours, minutes = divmod(int(span.total_seconds() // 60), 60)
    if hours:
        return f"{hours}小时{minutes}分" if minutes else f"{hours}小时"
    return f"{minutes}分钟" if minutes else "不到1分钟"


def report(
    *,
    number: int,
    rep: str,
    line: str,
    reason: str,
    sections: Mapping[str, Sequence[str]],
) -> str:
    """《事实核查报告》: only what stands in the records, word for word."""
    lines = [f"**《{REPORT_TITLE}》申诉 #{number}**", f"申诉人：{rep}", f"争议：{line}"]
    lines.append(f"本人说：{reason}")
    for name, found in sections.items():
        lines.append(f"**{name}**")
        lines += [f"- {without_numbers(one)}" for one in found] or ["- 没有记录"]
    lines.append("本报告只摘录系统里的记录，不作判断；他人的金额已略去。")
    return "\n".join(lines)


SECTIONS = (
    "一、怎么算的", "二、合同与收退款", "三、谁做了什么", "四、时间线", "五、审批用时（工作时间）",
    "六、支持申诉的", "七、不支持申诉的",
)  # fmt: skip


def _day(iso: str) -> str:
    """2026-11-03 -> 2026年11月3日"""
    on = date.fromisoformat(iso)
    return f"{on.year}年{on.month}月{on.day}日"


def contract_fact(number: str, amount: int, signed_on: str, customer: str) -> str:
    return f"合同 {number}，{customer}，{sealed.yuan(amount)}，{_day(signed_on)}签"


def people_fact(role: str, name: str) -> str:
    return f"{role}：{name or '没有写'}"


def receipt_fact(day: str, fen: int, receipt: str) -> str:
    what = "到账" if fen > 0 else "退款"
    return f"{_day(day)} {what} {sealed.yuan(abs(fen))}（{receipt_words(receipt)}）"


def entries_fact(name: str, count: int) -> str:
    return f"{name or '系统'}：签约前{count}条跟进记录"


def timeline_fact(at: datetime, who: str, title: str, text: str) -> str:
    said = f" {text}" if text else ""
    return f"{when(at)} {who or '系统'} {title}{said}"


def node(name: str, span: str, detail: str) -> str:
    return f"{name}：{span}，{detail}"


def recomputed_same(fen: int) -> str:
    return f"用锁定时的单据和规则重算，结果是 {yuan(fen)}，与锁定的一分不差"


def recomputed_otherwise(now: int, booked: int) -> str:
    return f"按现在的资料重算是 {yuan(now)}，锁定的是 {yuan(booked)}：锁定后资料有变"


def most_entries(name: str, count: int, total: int) -> str:
    return f"签约前的{total}条跟进记录里，{name}写了{count}条"


def no_entries(name: str) -> str:
    return f"签约前没有{name}的跟进记录"


def late_receipts(count: int) -> str:
    return f"锁定之后又有{count}笔收退款"


def unmet(condition: str) -> str:
    return f"规则条件没满足：{condition}"


def closer_is_other(name: str) -> str:
    return f"合同登记的签单人是{name}"


def split_fact(words: str) -> str:
    return f"拆分：{words}"
