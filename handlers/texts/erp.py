"""What the bot says about customers, orders and forecasts of an ERP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from bot.domain.customer_master import Reason
from bot.domain.erp import ErpCustomer, ErpOrder, Flaw, OrderStatus, Unread, flaw_of
from bot.domain.erp_forecasts import Difference, Disagreement, ForecastFacts, Reconciled
from bot.domain.erp_sales import Blocked
from bot.ports import CONFLICT
from handlers.texts import customers as customer_texts
from handlers.texts.erp_names import erp, system_words
from handlers.texts.money import amount_words
from handlers.texts.receivables import moment, sum_words
from storage.erp_forecasts import ForecastRevision

CUSTOMERS_TITLE = "ERP 客户待确认"
CUSTOMER_HOW = (
    "逐个定就回复「ERP客户 编码 是 客户名」，或「ERP客户 编码 新建」「ERP客户 编码 不要」"
    "「ERP客户 编码 解除」。"
)
NO_CUSTOMERS_WAIT = "没有待确认的 ERP 客户。"
ONLY_ADMINS = "ERP 客户由管理员或销售总监确认，我这里没有改动。"
PAGE_GONE = "这一页已经处理过了，回复「ERP客户」看还有哪些。"
FROM_ERP = "ERP 里的客户，待分配"
CUSTOMER_LINKED = "关联 ERP 客户"
CUSTOMER_CHANGED = "ERP 客户资料变更"
ORDER = "ERP 订单"
ORDER_CHANGED = "ERP 订单变更"
ORDERS_TITLE = "待匹配订单"
NO_ORDERS_WAIT = "没有待匹配的订单。"
WHOSE_ORDER = "请在卡片上选客户再按「匹配」，也可以回复「匹配订单 订单号 客户名」。"
MATCH_ORDER_HOW = "请写订单号和客户名，例如「匹配订单 XSDD000012 恒锐机电」。"
ORDER_MATCHED_BEFORE = "这张订单已经匹配过了，我这里没有改动。"
ONLY_FINANCE_MATCHES = "待匹配订单由财务、销售总监或管理员处理，我这里没有改动。"
FORECASTS_TITLE = "ERP 里的预测"
NO_FORECASTS = "还没有写进 ERP 的预测。够级别的商机，和登记了合同、ERP 里还没有订单的，会写过去。"
NO_FORECAST_ERP = "没有配置写预测的 ERP。"
ONLY_PLANNING = "ERP 预测由计划、财务、销售总监或管理员查看，计划、销售总监或管理员改写。"
LEVEL_CONTRACT = "合同"
"""The level under which a signed contract without an order is written to an ERP."""

_KINDS = {"customers": "客户", "orders": "订单"}
_STATUS = {
    OrderStatus.DRAFT: "反审核",
    OrderStatus.CONFIRMED: "已审核",
    OrderStatus.CLOSED: "已关闭",
    OrderStatus.CANCELLED: "已作废",
}
_FLAWS = {
    Flaw.NOT_AUDITED: "未审核，不作依据",
    Flaw.CANCELLED: "已作废，不作依据",
    Flaw.FOREIGN: "外币，不计金额",
    Flaw.NOT_POSITIVE: "金额不大于 0，不作依据",
    Flaw.LINES_DIFFER: "明细合计与总额不符，不作依据",
}
_FACTS = {
    "customer_code": "客户编码",
    "amount_fen": "金额",
    "expected_on": "日期",
    "level": "级别",
    "evidence": "依据",
    "opportunity": "商机",
    "withdrawn": "撤回",
}
_BLOCKED = {
    Blocked.NO_CODE: "客户没有关联 ERP 编码",
    Blocked.NO_DAY: "没有约定付款日期",
    Blocked.NO_EXPECTED_DAY: "商机没有预计成交日",
    Blocked.NO_AMOUNT: "商机没有金额",
    Blocked.WHOSE_CONTRACT: "客户的合同分不清是哪个商机",
}


def customers_wait(counts: Mapping[str, int]) -> str:
    return (
        f"ERP 里有客户待确认：{counts.get('proposed', 0)}个像在册客户，"
        f"{counts.get('unlike', 0)}个没有像的。回复「ERP客户」一页一页确认。"
    )


def customer_line(told: ErpCustomer, name: str | None, reasons: Sequence[Reason]) -> str:
    if name is None:
        return f"{told.code} {told.name}：在册客户里没有像的"
    return f"{told.code} {told.name} → {name}（{customer_texts.reasons(reasons)}）"


def accept_shown(count: int) -> str:
    return f"接受以上{count}个"


def create_shown(count: int) -> str:
    return f"新建以上{count}个"


def accept_codes(count: int) -> str:
    return f"同代码{count}个全接受"


def page_done(created: bool, done: int, passed: int) -> str:
    told = f"已新建{done}个到公海" if created else f"已关联{done}个"
    return told + (f"，{passed}个已变动或不能处理，没有动" if passed else "")


def decided_before(code: str) -> str:
    return f"ERP 客户 {code} 已有人处理过，我这里没有改动。"


def linked_before(told: ErpCustomer, name: str) -> str:
    return f"ERP 客户 {told.code} 已关联到「{name}」。关联错了先回复「ERP客户 {told.code} 解除」。"


def not_linked(told: ErpCustomer) -> str:
    return f"ERP 客户 {told.code}「{told.name}」没有关联任何客户。"


def linked(told: ErpCustomer, name: str) -> str:
    return f"ERP 客户 {told.code}「{told.name}」已关联到「{name}」。"


def unlinked(told: ErpCustomer) -> str:
    return f"ERP 客户 {told.code}「{told.name}」的关联已解除，已归好的订单不动。"


def dropped(told: ErpCustomer) -> str:
    return f"ERP 客户 {told.code}「{told.name}」不再列出。"


def created_from_erp(told: ErpCustomer) -> str:
    return f"已新建客户「{told.name}」（ERP 编码 {told.code}），在公海待分配。"


def no_such_erp_customer(code: str) -> str:
    return f"ERP 里没有读到客户 {code}。回复「ERP客户」看待确认的。"


def which_system(code: str, systems: Sequence[str]) -> str:
    listed_ones = "、".join(f"{system}:{code}" for system in systems)
    return f"几个 ERP 都有客户 {code}，请写明是哪个：{listed_ones}。"


def linked_entry(system: str, told: ErpCustomer) -> str:
    return f"{system_words(system)} 客户编码 {told.code}，{told.name}"


def customer_changes(before: ErpCustomer, now: ErpCustomer) -> str:
    parts = []
    for label, was, is_now in (
        ("名称", before.name, now.name),
        ("统一信用代码", before.credit_code, now.credit_code),
        ("电话", before.phone, now.phone),
    ):
        if was != is_now:
            parts.append(f"{label} {was or '空'} → {is_now or '空'}")
    if before.active != now.active:
        parts.append("在 ERP 里启用" if now.active else "在 ERP 里停用")
    return f"{now.code}：" + "，".join(parts)


def codes(told: Sequence[ErpCustomer]) -> str:
    return "、".join(one.code if one.active else f"{one.code}（已停用）" for one in told)


def order_line(order: ErpOrder) -> str:
    who = order.customer_name or order.customer_code or "客户未写"
    return f"{order.number} {who} {_short(order)}"


def order_of_customer(order: ErpOrder) -> str:
    """On the customer's own card."""
    return f"📦 {order.number} {_short(order)}"


def orders_more(total: int) -> str:
    return f"共 {total} 张订单"


def orders_unknown_since(system: str, since: datetime | None) -> str:
    """since: local."""
    if since is None:
        return f"⚠ 还没有读到 {erp(system)}的订单"
    return f"⚠ 订单自 {moment(since)} 起未知（{erp(system)}未连通）"


def order_entry(order: ErpOrder) -> str:
    named = f"，合同 {order.contract_number}" if order.contract_number else ""
    return f"{order.number}，{_short(order)}{named}"


def order_changes(before: ErpOrder, now: ErpOrder) -> str:
    parts = []
    for label, was, is_now in (
        ("金额", _money(before), _money(now)),
        ("交货", _day(before.delivery_on), _day(now.delivery_on)),
        ("状态", _STATUS[before.status], _STATUS[now.status]),
        ("合同", before.contract_number or "空", now.contract_number or "空"),
        ("日期", _day(before.ordered_on), _day(now.ordered_on)),
        ("明细", f"{before.line_count}行", f"{now.line_count}行"),
    ):
        if was != is_now:
            parts.append(f"{label} {was} → {is_now}")
    flaw = flaw_of(now)
    told = "，".join(parts) or "明细或客户资料有改动"
    return f"{now.number}：{told}" + (f"（{_FLAWS[flaw]}）" if flaw else "")


def order_moved(order: ErpOrder) -> str:
    return f"{order.number} 在 ERP 里改到了别的客户，不再算在这里"


def order_matched(order: ErpOrder, name: str) -> str:
    return f"订单 {order.number}（{_money(order)}）已归到「{name}」。"


def no_such_order(number: str) -> str:
    return f"没有找到待匹配的订单 {number}。回复「待匹配订单」看清单。"


def contract_of_other(order: ErpOrder, name: str) -> str:
    return (
        f"订单 {order.number} 写的合同 {order.contract_number} 是「{name}」的，没有匹配。"
        "请先在 ERP 里改对合同号。"
    )


def listed(lines: Sequence[str], total: int) -> str:
    rest = f"\n……共{total}条" if total > len(lines) else ""
    return "\n".join(lines) + rest


def unread(system: str, kind: str, rows: Sequence[Unread], total: int) -> str:
    lines = [f"- {row.ref or '没有编号'}：{row.reason}" for row in rows]
    more = f"\n……共{total}条" if total > len(rows) else ""
    head = f"{erp(system)}有{total}条{_KINDS[kind]}读不懂，已连同原因留存，其余照常："
    return "\n".join([head, *lines]) + more


def silent(system: str, kind: str, since: datetime | None, why: str) -> str:
    """since: local."""
    what = _KINDS[kind]
    known = f"自 {moment(since)} 起的{what}未知" if since else f"还没有读到过{what}"
    return f"{erp(system)}的{what}读不到，{known}：{why}"


def forecast_line(revision: ForecastRevision, name: str) -> str:
    facts = revision.wish.facts
    what = "已撤回" if facts.withdrawn else f"{amount_words(facts.amount_fen)} {facts.expected_on}"
    return f"- {revision.wish.key} {name} {what} {facts.evidence}：{_state(revision)}"


def last_reconciled(system: str, at: datetime | None) -> str:
    """at: local."""
    return f"- {system_words(system)} " + (f"上次核对 {moment(at)}" if at else "还没有核对过")


def no_such_forecast(key: str) -> str:
    return f"没有预测 {key}。回复「ERP预测」看清单。"


def rewriting(key: str) -> str:
    return f"{key} 已排队，按跟单的数重写 ERP 里的。"


def forecast_stuck(system: str, key: str, reason: str, *, given_up: bool) -> str:
    if reason.startswith(CONFLICT):
        return (
            f"预测 {key} 没有写进 {erp(system)}：我们写过之后那边被改过，{held_words(reason)}。"
            f"没有覆盖。以跟单为准就回复「ERP预测 重写 {key}」，以 ERP 为准就不用动。"
        )
    state = "没有写进" if given_up else "暂时写不进"
    tail = "今夜核对时再试" if given_up else "修好后自动续写"
    return f"预测 {key} {state} {erp(system)}：{reason}。{tail}；回复「ERP预测」看全部。"


def reconciled(done: Reconciled) -> str:
    lines = [f"{erp(done.system)}预测核对（共{done.lines}条）："]
    lines += [f"- {_difference(one)}" for one in done.different[:10]]
    if len(done.different) > 10:
        lines.append(f"- ……不一致共{len(done.different)}条")
    if done.different:
        lines.append("  没有覆盖；要以跟单为准，回复「ERP预测 重写 编号」。")
    if done.retried:
        keys = "、".join(done.retried[:10])
        lines.append(f"- 没写进的{len(done.retried)}条已重新排队：{keys}")
    for why, words in _BLOCKED.items():
        numbers = [number for number, reason in done.blocked if reason == why]
        if numbers:
            shown = "、".join(numbers[:10]) + ("……" if len(numbers) > 10 else "")
            lines.append(f"- {words}，{len(numbers)}条没有写过去：{shown}")
    return "\n".join(lines)


def not_reconciled(system: str, why: str) -> str:
    return f"{erp(system)}未连通，今夜没有核对预测，那边的情况未知：{why}"


def _difference(disagreement: Disagreement) -> str:
    if disagreement.difference is Difference.MISSING or disagreement.held is None:
        return f"{disagreement.key} 写过，ERP 里已不在"
    held = _facts(disagreement.held)
    if disagreement.difference is Difference.STRANGE:
        return f"{disagreement.key} ERP 里有（{held}），跟单没有写过"
    return f"{disagreement.key} 在 ERP 里被改过，现为 {held}"


def _facts(facts: ForecastFacts) -> str:
    if facts.withdrawn:
        return "已撤回"
    return f"{facts.customer_code} {amount_words(facts.amount_fen)} {facts.expected_on}"


def held_words(reason: str) -> str:
    """Of a conflict: conflict: amount_fen=100; level=x -> 现为金额 1元、级别 x."""
    told = reason.removeprefix(CONFLICT).strip(": ")
    if told == "removed":
        return "那边已删除"
    parts = []
    for part in told.split("; "):
        name, _, value = part.partition("=")
        shown = amount_words(int(value)) if name == "amount_fen" else value
        parts.append(f"{_FACTS.get(name, name)} {shown}")
    return "现为" + "、".join(parts)


def _state(revision: ForecastRevision) -> str:
    if revision.state == "sent":
        return f"已写入（{revision.handle}）" if revision.handle else "ERP 里没有，无需写"
    if revision.state == "dead" and revision.reason.startswith(CONFLICT):
        return f"冲突，{held_words(revision.reason)}"
    if revision.state == "dead":
        return f"没写进：{revision.reason}"
    return "排队中" + (f"，上次：{revision.reason}" if revision.reason else "")


def _short(order: ErpOrder) -> str:
    flaw = flaw_of(order)
    due = f" 交货{_day(order.delivery_on)}" if order.delivery_on else ""
    note = f"（{_FLAWS[flaw]}）" if flaw else ""
    return f"{_money(order)} {_day(order.ordered_on)}{due} {_STATUS[order.status]}{note}"


def _money(order: ErpOrder) -> str:
    return sum_words(order.amount_fen, order.currency)


def _day(on: date | None) -> str:
    return f"{on.year}-{on.month:02}-{on.day:02}" if on else "未写"
