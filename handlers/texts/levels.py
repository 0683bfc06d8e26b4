"""What is said about intent levels and the evidence they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.levels import Cause, EvidenceKind, Level, LevelChange, Refusal

ENTRY = "意向级别"
NONE = "未定级"
KINDS = {
    EvidenceKind.PURCHASE_ORDER: "采购订单",
    EvidenceKind.TECHNICAL_CONFIRMATION: "盖章的技术确认",
    EvidenceKind.BUDGET_APPROVAL: "预算批准邮件",
    EvidenceKind.NEED: "需求和联系人",
}
MEANING = {
    Level.L1: "有 PO",
    Level.L2: "技术已盖章确认、预算已批",
    Level.L2_5: "曾是 L2，太久没联系",
    Level.L3: "需求明确、有联系人",
}
_CAUSES = {
    Cause.CLAIMED: "有凭据",
    Cause.LOWERED: "下调",
    Cause.WITHDRAWN: "凭据撤回",
    Cause.EXPIRED: "凭据到期",
    Cause.DECAYED: "太久没联系",
    Cause.RESTORED: "恢复联系",
}
_REFUSALS = {
    Refusal.DERIVED: "L2.5 由系统按联系情况自动得出，不能直接填。可以填 L1、L2 或 L3。",
    Refusal.SAME: "已经是这个级别了，没有变化。",
    Refusal.NO_EVIDENCE: "凭据不够，级别没有改。",
    Refusal.NO_REASON: "下调级别请带上原因，例如「恒锐 L3 因为客户预算推迟」。",
    Refusal.NOT_L2: "只有 L2 会因为没有联系变成 L2.5。",
    Refusal.NOT_DECAYED: "现在不是 L2.5，不用恢复。",
}


def name(level: Level | None) -> str:
    return NONE if level is None else str(level)


def refused(why: Refusal, missing: Sequence[EvidenceKind] = ()) -> str:
    told = _REFUSALS[why]
    return f"{told}还缺：{kinds(missing)}。" if missing else told


def kinds(listed: Sequence[EvidenceKind]) -> str:
    return "、".join(KINDS[one] for one in listed)


def change_line(change: LevelChange) -> str:
    """«L3 → L2（有凭据）»."""
    cause = _CAUSES[change.cause]
    told = f"{cause}：{change.reason}" if change.reason else cause
    return f"{name(change.before)} → {name(change.after)}（{told}）"


TITLE = "意向定级"
CONFIRM, LOWER, DROP = "确认定级", "确认下调", "取消"
DONE, LOWERED, DROPPED = "已定级", "已下调", "已取消，发来的文件还在，可以另作他用"
GONE = "这张定级卡片已经处理过了，请重新说一遍，例如「恒锐 L1 PO号 PO-2026-018」。"
CHECK = "文件内容是机器识别的，可能有错。请对照原件核对，由你确认才算数。"
UNREAD = "文件内容没有识别，请自己对照原件核对，由你确认才算数。"
MAIL_SIGNED = "邮件头有对方域名的签名"
MAIL_SENT = "从对方域名的服务器发出"
MAIL_UNSIGNED = "邮件头没有签名可核对"
_PARTIES = {"full": "对方名称一致", "alias": "只有对方简称", "none": "没找到对方名称"}
_FLAW_ASKS = {
    "number": "PO 号（例如「PO号 PO-2026-018」）",
    "need": "具体需求（例如「需求：三台贴片机」）",
    "contact": "对接人（例如「联系人 王建国」）",
    "proof": "能看出需求的文件，或一条跟进记录",
}


def set_from_to(before: Level | None, after: Level | None) -> str:
    return f"{name(before)} → {name(after)}"


def file_line(
    kind: EvidenceKind, file: str, fields: Mapping[str, str], *, looks_like: EvidenceKind | None
) -> str:
    """«采购订单：恒锐PO.pdf（机器识别：有红章、对方名称一致、日期 2026-01-20）»."""
    read = recognised(fields)
    like = f"；看着更像{KINDS[looks_like]}，请核对" if looks_like is not None else ""
    return f"{KINDS[kind]}：{file}（{read}{like}）"


def recognised(fields: Mapping[str, str]) -> str:
    """What a machine read on it, in words."""
    if "trouble" in fields:
        return f"没有识别：{fields['trouble']}"
    parts = []
    if "seals" in fields:
        parts.append("有红章" if fields["seals"] != "0" else "⚠没认出红章")
    if "party" in fields:
        mark = "⚠" if fields["party"] == "none" else ""
        parts.append(mark + _PARTIES[fields["party"]])
    if "po" in fields:
        parts.append(f"PO号 {fields['po']}")
    if "date" in fields:
        parts.append(f"日期 {fields['date']}")
    if "sender" in fields:
        parts.append(
            f"发件人 {fields['sender']}{'' if fields.get('own') else '，⚠不是客户的邮箱域名'}"
        )
        parts.append(_mail_checks(fields))
    return f"机器识别：{'、'.join(parts) or '没有读到有用的内容'}"


def _mail_checks(fields: Mapping[str, str]) -> str:
    """«邮件头有对方域名的签名、从对方域名的服务器发出（mx.example.com 记录）»."""
    told = [MAIL_SIGNED] if "signed" in fields else []
    told += [MAIL_SENT] if "spf" in fields else []
    by = f"（{fields['noted_by']} 记录）" if fields.get("noted_by") else ""
    return f"{'、'.join(told)}{by}" if told else MAIL_UNSIGNED


def number_differs(said: str, read: str) -> str:
    return f"⚠你说的 PO 号是 {said}，文件上读到的是 {read}，请核对。"


def still_missing(asks: Sequence[str]) -> str:
    return f"还缺：{'；'.join(asks)}。请直接发给我。"


def ask_for(kind: EvidenceKind, flaw: str) -> str:
    return f"{KINDS[kind]}的文件" if flaw == "file" else _FLAW_ASKS[flaw]


def claimed(customer: str, level: Level, until: str) -> str:
    return f"{customer} 定为 {level}，凭据{until}到期，到期前会提醒你。"


def was_lowered(customer: str, change: LevelChange) -> str:
    return f"{customer}：{change_line(change)}。"


def no_open_deal(customer: str) -> str:
    return f"{customer} 没有进行中的商机，不能定级。"


def refused_as_denied(words: str) -> str:
    return (
        f"话里说条件还没齐，{words} 先不改。L1 要 PO 号和文件；L2 要盖章的技术确认和预算批准邮件；"
        "L3 要具体需求、对接人和凭据。拿到后发给我。"
    )


def promise_kept(words: str, day: str) -> str:
    return (
        f"「{words}」记为客户承诺日期 {day}，只作提醒，不算预测凭据。\n"
        "要定级请说具体：有没有 PO 号（L1）、盖章技术确认和预算批准邮件（L2），"
        "或明确的需求和对接人（L3）？"
    )


PROMISE_ENTRY = "客户承诺日期"


def evidence_title(customer: str, level: Level | None) -> str:
    return f"{customer} 的凭据（现为 {name(level)}）"


def evidence_line(
    number: int, what: str, file: str, added: str, until: str, *, state: str = "", read: str = ""
) -> str:
    told = [f"#{number} {what}", *([f"「{file}」"] if file else []), added]
    told.append(state or f"{until}到期")
    return "，".join(told) + (f"（{read}）" if read else "")


NO_EVIDENCE = "还没有凭据。例如发来 PO 文件并说「恒锐 L1 PO号 PO-2026-018」。"
EVIDENCE_WHOSE = "看哪家客户的凭据？例如「凭据 恒锐机电」。"
WITHDRAW_HOW = "撤回请带上编号和原因，例如「撤回凭据 #12 客户撤单」。编号用「凭据 恒锐机电」查看。"
WITHDRAWN_BEFORE = "这份凭据已经撤回过了。"


def withdrawn(number: int, what: str, change: LevelChange | None) -> str:
    tail = f"级别 {change_line(change)}。" if change is not None else "级别不变。"
    return f"凭据 #{number} {what} 已撤回，{tail}"


def expires_soon(customer: str, level: Level, what: str, day: str, days: int) -> str:
    return (
        f"{customer} 的凭据「{what}」{day}到期，还有{days}天。到期后不再支撑 {level}，"
        "请补上新的凭据。"
    )


def has_expired(customer: str, what: str, change: LevelChange | None) -> str:
    tail = f"，级别 {change_line(change)}" if change is not None else "，级别不变"
    return f"{customer} 的凭据「{what}」已到期{tail}。"


def level_line(level: Level, until: str) -> str:
    """«意向 L2（技术已盖章确认、预算已批），凭据4月29日到期»."""
    tail = f"，凭据{until}到期" if until else ""
    return f"意向 {level}（{MEANING[level]}）{tail}"


GIVE_UP_HOW = "不再定级请带上客户和原因，例如「取消定级 恒锐机电 客户预算没了」。"


MAIL_TITLE = "预算审批邮件"
MAIL_ENTRY = "邮件"
MAIL_MAY = "这封邮件可以作为 L2 的预算审批凭据。"
MAIL_CHECK = (
    "邮件头写在文件里，文件可以改。请对照信箱里的原件核对，由你确认才算数；级别不会自动变。"
)
MAIL_CONFIRM, MAIL_DROP = "作为凭据", "不作凭据"
MAIL_TAKEN, MAIL_DROPPED = "已作为凭据", "不作凭据，文件还在，可以另作他用"
MAIL_GONE = "这封邮件已经处理过了。凭据用「凭据 客户名」查看。"


def mail_known(customer: str, number: int) -> str:
    return f"这封邮件已经是 {customer} 的凭据 #{number}。"


def mail_taken(customer: str, number: int, until: str, missing: Sequence[EvidenceKind]) -> str:
    """missing: what L2 still wants."""
    rest = (
        f"L2 还缺：{kinds(missing)}。" if missing else f"L2 的凭据齐了，发「{customer} L2」定级。"
    )
    return f"已作为 {customer} 的预算审批凭据 #{number}，{until}到期。{rest}"
