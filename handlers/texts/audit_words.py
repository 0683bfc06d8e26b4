"""The audit's entries as people read them: what each is about, and what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from handlers.texts import policy
from handlers.texts.erp_names import receipt_words, system_words
from handlers.texts.figures import quarter_words, week_words
from handlers.texts.money import yuan

_SUBJECTS = {
    "page session": "网页登录 #{}", "page": "网页 {}", "account": "客户 #{}",
    "activity": "动态 #{}", "opportunity": "商机 #{}", "contract": "合同登记 #{}",
    "payout_rules": "奖金规则变更 #{}", "payout_dispute": "奖金申诉 #{}",
    "payout_run": "奖金核算 {}", "growth_redemption": "兑换 #{}", "receipt": "收款单 #{}",
    "erp-order": "ERP 订单 #{}", "forecast": "预测 #{}", "track": "话术 {}", "table": "表格 {}",
    "chat": "会话 {}", "light": "亮灯 {}",
}  # fmt: skip
_WHOLE = {
    "page sessions": "网页登录", "audit": "审计链", "old words": "到期的原文",
    "archive": "会话存档", "accounts": "客户",
    "growth:catalogue": "兑换目录", "supply:groups": "备货群", "audit:groups": "审计群",
    "inbox": "收到的消息",
    "outbox": "要发的消息", "library:organisation": "全公司的动作库",
    "table:people": "人员表", "table:activities": "跟进动态表", "table:audit": "审计表",
}  # fmt: skip
_KEYS = {
    "account_id": "客户", "accounts": "客户", "active": "启用", "activity_id": "动态",
    "alias": "叫法", "amount": "金额", "amount_fen": "金额", "applies": "适用", "as": "格式",
    "asked": "选了", "awarded_fen": "补发", "base": "基数", "broken": "断在", "by": "方式",
    "cause": "起因", "change": "变更", "claimant": "申请人", "collab": "协作奖金",
    "contacts": "联系人", "count": "个数", "created": "新建", "credit_code": "统一社会信用代码",
    "days": "保留天数", "deals": "商机", "decision": "结论", "deputy": "代班", "domain": "域名",
    "drafts": "草稿",
    "effective_from": "起算日", "effective_to": "到期日", "engine": "识别组件",
    "erp_customer": "ERP 客户", "evidence": "凭据", "evidence_id": "依据", "files": "文件",
    "first": "第一条", "from_fen": "起点", "fund_bp": "转入成长基金", "group": "互斥组",
    "groups": "群", "head": "校验值", "held_lines": "暂不发的笔数", "holder": "负责人",
    "holds": "完整", "id": "名称", "idle_since": "最后跟进", "inbox": "收到的消息",
    "into_id": "并入客户", "item": "兑换",
    "items": "目录", "key": "编号", "kind": "种类", "known": "已在册", "label": "名称",
    "last": "最后一条", "late": "补录", "level": "级别", "libraries": "动作库", "library": "动作库",
    "lines": "笔数", "locked": "锁定", "match_fen": "公司存入", "merge_id": "合并",
    "messages": "消息", "mode": "方式", "moved": "移过去的", "name": "名称", "notice": "备货通知",
    "number": "编号", "opportunity_id": "商机", "order": "订单", "outbox": "发出的消息",
    "own_fen": "本人转入",
    "owner_id": "负责人", "people": "人员", "person_id": "人员", "phone": "电话",
    "post_paid": "货到付款", "prepayment_due_on": "预付款到期", "prepayment_fen": "预付款",
    "pressed": "点了确认", "previous": "上一份", "price_fen": "价格", "priority": "优先级",
    "problems": "问题", "put_back": "放回", "rate_bp": "比例", "read_from": "读自",
    "reason": "原因", "reasons": "原因", "receipt": "单据", "received_fen": "已收",
    "refused": "没导入", "reopened": "重开", "revision": "第几次改", "roles": "角色",
    "round": "第几轮", "rows": "条数", "rule": "规则", "rules": "规则",
    "sha256": "文件校验值", "share_bp": "比例",
    "shares": "分成", "signed_on": "签订", "size": "大小", "source": "来源", "state": "状态",
    "station": "岗位", "supervisor": "主管", "team": "团队", "tiers": "档位", "title": "标题",
    "to": "交给", "total_fen": "合计", "unit": "动作", "until": "到", "valid": "有效",
    "value": "值", "version": "版本", "week": "周", "when": "条件", "why": "原因", "words": "原话",
    "activities": "客户动态", "pushes": "亮灯推送", "years": "保留年数",
}  # fmt: skip
_VALUES: Mapping[str, Mapping[str, str]] = {
    "by": {"link": "聊天里的链接"},
    "why": {"NotFound": "没有这个对象", "NotAllowed": "没有权限"},
    "station": {"warehouse": "仓储", "planning": "计划"},
    "mode": {
        "opt_in_transfer": "本人同意转入", "flat": "按比例", "marginal": "分段", "whole": "全额",
    },
    "base": {"paid_fen": "回款", "contract_fen": "合同额"},
    "cause": {
        "claimed": "有凭据", "lowered": "下调", "withdrawn": "凭据撤回", "expired": "到期",
        "decayed": "没有跟进", "restored": "恢复跟进",
    },
    "kind": {
        "purchase_order": "采购订单", "technical_confirmation": "技术确认",
        "budget_approval": "预算批准", "need": "需求",
        "course": "课程", "ticket": "门票", "training": "培训",
    },
    "state": {
        "draft": "草稿", "simulated": "已试算", "submitted": "已提交", "approved": "已批准",
        "testing": "静默试运行中", "published": "已发布", "dropped": "已作废",
        "reported": "待裁定", "in_review": "裁定中", "asked": "等补充", "upheld": "支持",
        "partly_upheld": "部分支持", "rejected": "驳回", "withdrawn": "已撤回",
        "waiting": "待批准", "open": "进行中", "closed": "已结束", "won": "赢单", "lost": "丢单",
    },
}  # fmt: skip
"""By the key that they stand under, since the same word says another thing elsewhere."""


def subject(words: str, known: Mapping[str, str]) -> str:
    """What people have no name for stands as it is searched for. known: the labels of libraries
    and action units, by key."""
    if words in _WHOLE:
        return _WHOLE[words]
    kind, _, rest = words.partition(":")
    if kind == "policy":
        setting = policy.WORDS.get(rest.rpartition(":")[0])
        return f"设置 {setting.label}" if setting else words
    if kind == "growth":
        return f"成长基金 {quarter_words(rest)}" if "Q" in rest else "成长基金"
    if kind == "library":
        return f"动作库 {known.get(rest, rest)}"
    return _SUBJECTS[kind].format(rest) if kind in _SUBJECTS else words


def asked_subject(words: str) -> str:
    """What `subject` says, as it is kept: «客户 #12» -> account:12. Other words stay."""
    squeezed = re.sub(r"\s", "", words)
    for kept, said in _WHOLE.items():
        if squeezed == said:
            return kept
    for kind, said in _SUBJECTS.items():
        label = re.sub(r"[\s#]|\{\}", "", said)
        number = squeezed.removeprefix(label).removeprefix("#")
        if squeezed.startswith(label) and re.fullmatch(r"[\w./-]+", number, re.ASCII):
            return f"{kind}:{number}"
    return words


def facts(held: Mapping[str, object], known: Mapping[str, str]) -> str:
    """known: as in `subject`."""
    named = {
        key: known.get(one.partition("@")[0], one)
        if key in ("unit", "library") and isinstance(one, str)
        else one
        for key, one in held.items()
    }
    return "；".join(f"{_KEYS.get(key, key)}：{_value(key, one)}" for key, one in named.items())


def _value(key: str, one: object) -> str:
    if one is None or one in ("", [], {}):
        return "—"
    if isinstance(one, bool):
        return "是" if one else "否"
    if isinstance(one, int):
        return _number(key, one)
    if isinstance(one, Mapping):
        return f"（{'，'.join(_part(*each) for each in one.items())}）"
    if isinstance(one, Sequence) and not isinstance(one, str):
        if key == "items":
            return "、".join(_item(each) for each in one)
        return "、".join(_value(key, each) for each in one)
    return _text(key, str(one))


def _part(key: str, one: object) -> str:
    """Of a mapping in an entry: a fact, or what a person by their number got in fen."""
    if key.isdecimal() and isinstance(one, int):
        return f"#{key} {yuan(one)}"
    return f"{_KEYS.get(key, key)} {_value(key, one)}"


def _item(one: object) -> str:
    """Of the growth fund's catalogue: its kind, its name, its price in fen."""
    if not (isinstance(one, list) and len(one) == 3 and isinstance(one[2], int)):
        return str(one)
    kind, name, fen = one
    return f"{_VALUES['kind'].get(kind, kind)} {name} {yuan(fen)}"


def _number(key: str, one: int) -> str:
    if key.endswith("_fen"):
        return yuan(one)
    if key.endswith("_bp"):
        return f"{one / 100:g}%"
    if key.endswith("_id"):
        return f"#{one}"
    return str(one)


def _text(key: str, one: str) -> str:
    if key == "receipt":
        return receipt_words(one)
    if key in ("erp_customer", "order"):
        system, colon, rest = one.partition(":")
        return f"{system_words(system)} {rest}" if colon else one
    if key == "week":
        return week_words(one)
    return _VALUES.get(key, {}).get(one, one)
