"""What the administrator's pages say beside their templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.people import PersonStatus

NOT_YOURS = "管理页给管理员看；销售总监能看会话绑定、动作库、设置和日历。"
NO_SUCH_PERSON = "没有这个人。"
NO_SUCH_LIBRARY = "没有这个动作库，或者没有这一版。"
NO_SUCH_SETTING = "没有这个设置。"
NO_SUCH_CHAT = "没有这个联系人或群，可能已经删除。"
NO_DAY = "日期请写成 2026-01-28 这样。"
NO_PAGE = "这个地址不完整，请从列表里重新打开。"
NO_KIND = "没有这种筛选，请从页面上的几项里选。"
WHO = "请填一个人的姓名，或者 #编号。"
WHICH_CUSTOMER = "请填客户的名字，或者 #编号。"
ONE_ROLE = "至少要选一个角色；要按职务来，点「恢复按职务」。"
NOTHING_CHOSEN = "一个都没有选，没有改动。"
WHAT_VALUE = "请填要改成的值。"
GONE_LETTERS = "这些消息已经不在了，可能刚被别人重放。"
EMPTIED_LETTERS = "原文已经删除，不能再重放。{why}"
SESSIONS_ENDED = "已让{name}的所有网页退出登录。"
CHAIN_HOLDS = "审计链完整：{count}条逐条核对无误，最新一条的校验值是 {head}。"
CHAIN_BROKEN = "审计链在第{seq}条断开：该条或它之前的一条被改动过。请停止写入并从备份核对。"
ARCHIVE_AGAIN = "会话存档里没解开的{messages}条消息、没取到的{files}个文件会再试一次。"

_ZONES = {
    "Asia/Shanghai": "北京时间", "Asia/Chongqing": "北京时间", "Asia/Urumqi": "新疆时间",
    "Asia/Hong_Kong": "香港时间", "Asia/Macau": "澳门时间", "Asia/Taipei": "台北时间",
    "Asia/Singapore": "新加坡时间", "Asia/Tokyo": "东京时间",
}  # fmt: skip


def zone(local: datetime) -> str:
    """北京时间; of a zone without a usual name here, its distance: UTC+0530."""
    return _ZONES.get(str(local.tzinfo)) or f"UTC{local:%z}"


STATUSES = {
    PersonStatus.ACTIVE: "在岗",
    PersonStatus.INACTIVE: "未激活或停用",
    PersonStatus.LEFT: "已离开",
}

ACTIONS = {
    "sign_in": "登录网页", "sign_out": "退出网页", "page_denied": "被拒绝访问",
    "set_roles": "设角色", "set_supervisor": "设主管", "set_leave": "设请假",
    "join_people": "合并账号", "split_people": "拆分账号", "hand_over_all": "整体交接",
    "change_policy": "改设置", "switch_library": "切换动作库", "import_library": "导入动作库",
    "bind_chat": "绑定会话", "unbind_chat": "解绑会话", "bind_contacts": "批量绑定",
    "undo_binding": "撤销绑定", "replay": "重放", "export": "导出", "end_sessions": "强制退出",
    "verify_audit": "核对审计链", "erase_personal_data": "删除个人信息",
    "empty_old_words": "删去到期的原文",
    "log_activity": "记一条动态", "retract_activity": "撤回动态", "unlock_activity": "解锁补录",
    "reopen_activity": "重开补录", "keep_locked": "不解锁", "create_customer": "新建客户",
    "reopen_forecast": "重开预测",
    "transfer_customer": "转客户", "merge_customers": "合并客户", "undo_merge": "撤销合并",
    "pool_customer": "放进公海", "claim_customer": "领取客户", "import_customers": "导入客户",
    "identify_customer": "认出客户", "alias": "记客户叫法", "decide_collision": "处理撞单",
    "set_amount": "改金额", "record_contract": "登记合同", "amend_contract": "改合同",
    "withdraw_contract": "撤下合同", "match_receipt": "匹配回款", "match_order": "匹配订单",
    "link_erp_customer": "对上 ERP 客户", "unlink_erp_customer": "解除 ERP 客户",
    "acknowledge_light": "知道了亮灯", "snooze_light": "延后亮灯",
    "change_talk_track": "改话术", "import_payout_rules": "导入奖金规则",
    "export_payout_pack": "导出奖金证据包", "propose_payouts": "提交奖金核算",
    "lock_payouts": "锁定奖金", "pay_payouts": "登记已发奖金",
    "open_clause_review": "发起条款复核", "close_clause_review": "结束条款复核",
    "tick_clause_review": "勾选条款复核", "overwrite_erp_forecast": "覆盖 ERP 预测",
    "sign_in_denied": "登录被拒", "start_payout_rules": "新建规则草稿",
    "edit_payout_rules": "改规则草稿", "payout_rules_simulate": "试算规则",
    "payout_rules_submit": "规则送审", "payout_rules_approve": "批准规则",
    "payout_rules_refuse": "退回规则", "payout_rules_test": "规则静默试运行",
    "payout_rules_publish": "发布规则", "payout_rules_drop": "作废规则",
    "change_payout_people": "改合同的签单人", "uphold_complaint": "投诉成立",
    "give_growth_consent": "同意转入成长基金", "end_growth_consent": "停止转入成长基金",
    "put_growth_items": "加兑换目录", "end_growth_item": "下架兑换",
    "redeem_growth_fund": "成长基金兑换",
    "close_growth_quarter": "季度转入成长基金", "settle_growth_fund": "成长基金离职结清",
    "submit_dispute": "提交申诉", "take_dispute": "受理申诉", "close_dispute": "裁定申诉",
    "bind_mail": "绑定邮件", "unbind_mail": "解绑邮件",
    "submit_forecast": "提交预测", "change_level": "改意向级别", "withdraw_evidence": "撤回凭据",
    "pair_contract": "合同对上商机", "recall_message": "收回消息",
    "bind_supply_group": "绑定备货群", "bind_audit_group": "绑定审计群",
    "acknowledge_supply": "确认备货", "supply_push": "通知备货", "supply_change": "备货有变",
    "supply_withdrawal": "撤回备货通知",
}  # fmt: skip
"""Of the actions that administrators look for most; the others stand by their own name."""


def action(name: str) -> str:
    return ACTIONS.get(name, name)


def nobody(words: str) -> str:
    return f"没有在岗的「{words}」，请写全名或 #编号。"


def several(words: str, ids: Sequence[int]) -> str:
    numbers = "、".join(f"#{one}" for one in ids[:8])
    return f"叫「{words}」的有{len(ids)}位，请改填编号：{numbers}"


def sent_again(count: int, asked: int) -> str:
    late = f"；{asked - count}条已过时或内容已删除，不再处理" if asked > count else ""
    return f"{count}条已放回，几秒内重新处理或发送{late}。"


def bound_one_by_one(count: int, gone: int) -> str:
    tail = f"；{gone}个已不再对得上，没有绑定" if gone else ""
    return f"已绑定{count}个会话，留存的消息已进客户动态{tail}。"
