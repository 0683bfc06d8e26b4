"""What the bot says about contracts, receipts and clause reviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from bot.domain.receivables import (
    HOME_CURRENCY,
    ContractTerms,
    Outcome,
    Payment,
    PrepaymentStanding,
    Receipt,
)
from handlers.texts.dialog import WEEKDAYS
from handlers.texts.erp_names import erp
from handlers.texts.money import amount_words

CONTRACT_TITLE = "合同登记"
AMENDMENT_TITLE = "合同条款变更"
CONTRACT_AMENDED = "已变更"
CONTRACT_QUESTION = "请核对，确认后到期自动核对回款。"
CONTRACT_EXAMPLE = "例如「登记合同 恒锐机电 HT-2026-018，35万，预付30%，1月28日前付」"
CONTRACT_HOW = f"登记合同要有客户、合同号和金额，{CONTRACT_EXAMPLE}。"
AMENDMENT_HOW = "要改哪份合同？请带上合同号，例如「改合同 HT-2026-018 预付20%，2月10日前付」。"
CONTRACT_RECORDED = "已登记"
CONTRACT_DROPPED = "未登记"
WITHDRAW_TITLE = "合同也要撤下吗？"
WITHDRAW, KEEP_CONTRACT, DECIDED = "一起撤下", "保留合同", "已处理"
CONTRACT_GONE = "这份合同登记卡片已处理过了。"
WHOSE_RECEIVABLES = "要查哪家客户的回款？例如「回款 恒锐机电」。"
ONLY_FINANCE = "待匹配回款由财务、销售总监或管理员处理，我这里没有改动。"
NOTHING_UNMATCHED = "没有待匹配的回款。"
UNMATCHED_TITLE = "待匹配回款"
WHICH_CONTRACT = "请先在卡片上选合同再按「匹配」，也可以回复「匹配 收款单号 合同号」。"
MATCH_HOW = "请写收款单号和合同号，例如「匹配 SKD000012 HT-2026-018」。"
MATCHED_BEFORE = "这笔回款已经匹配过了，我这里没有改动。"
CHOOSE_UNTIL = "继续等待要选等到哪天，选好再按「继续等待」。"
REVIEW_NOT_YOURS = "这项复核由法务、客户负责人和他的主管处理，我这里没有改动。"
REVIEW_GONE = "没有找到这项复核，可能是旧卡片。"
REVIEW_OVERTAKEN = "这张卡片是上一轮复核的，请看新卡片。"
AMENDMENT_ENTRY = "合同变更"
CONTRACT_ENTRY = "合同登记"
REVIEW_ENTRY = "条款复核"
REVIEW_OPENED = "预付款到期未到账，已请法务和负责人复核条款"
PUSHES_NOTHING = "超过一天没有推送 complete_until"
ALL_TICKED = "清单已全部完成，请选一个处理结论。"

_REFUSALS = {
    "amount": "合同金额要大于 0。",
    "prepayment": "预付款要大于 0，且不超过合同金额。",
    "post_paid": "后付款的合同没有预付款，请二选一再说一遍。",
    "due": "预付日期早于签订日期，请改一下再说一遍。",
}
_STATES = {
    Payment.POST_PAID: "后付款，不查预付",
    Payment.REACHED: "已到账",
    Payment.AWAITED: "未到期",
    Payment.MISSING: "到期未到账",
}
_OUTCOMES = {
    Outcome.PAID: "已到账",
    Outcome.WAIT: "继续等待",
    Outcome.AMEND: "改条款",
    Outcome.STOP_DELIVERY: "停发货",
}


def short_day(on: date) -> str:
    return f"{on.month}月{on.day}日"


def day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日(周{WEEKDAYS[on.weekday()]})"


def moment(at: datetime) -> str:
    """at: in the team's zone."""
    return f"{at.month}月{at.day}日(周{WEEKDAYS[at.weekday()]}) {at:%H:%M}"


def refusal(why: str) -> str:
    return _REFUSALS[why]


def contract_lacks(missing: Sequence[str]) -> str:
    return f"还缺{'、'.join(missing)}，补上再说一遍就行，{CONTRACT_EXAMPLE}。"


def contract_facts(customer: str, terms: ContractTerms, due: date | None) -> list[tuple[str, str]]:
    prepaid = amount_words(terms.prepayment_fen) if terms.prepayment_fen else "未约定金额"
    return [
        ("客户", customer),
        ("合同号", terms.number),
        ("金额", amount_words(terms.amount_fen)),
        ("签订", day(terms.signed_on)),
        ("预付款", "后付款" if terms.post_paid else prepaid),
        ("核对日", "不核对" if due is None else f"{day(due)}过后"),
    ]


def contract_recorded(number: str, due: date | None, claimed: int) -> str:
    told = f"合同 {number} 已登记。"
    if due is not None:
        told += f"{day(due)}过后核对回款，没到账会发起条款复核。"
    return told + (f"已有{claimed}笔回款自动归到这份合同。" if claimed else "")


def withdraw_question(number: str, title: str) -> str:
    return (
        f"「{title}」已撤销。合同 {number} 是同一句话里登记的，"
        "要不要一起撤下？撤下后不再核对它的回款。"
    )


def contract_withdrawn(number: str) -> str:
    return f"合同 {number} 已撤下，不再核对回款。以后要登记还可以用这个合同号。"


def contract_kept(number: str) -> str:
    return f"合同 {number} 保留，照常核对回款。"


def not_withdrawn(number: str) -> str:
    return f"合同 {number} 已有回款或条款复核，不能撤下。条款不对请说「改合同 {number} …」。"


def withdrawn_entry(number: str, by: str) -> str:
    return f"{by}撤下了合同 {number}"


def contract_known(number: str, customer: str, amount_fen: int) -> str:
    return (
        f"合同 {number} 已经登记过（{customer}，{amount_words(amount_fen)}），我这里没有改动。"
        f"条款有变就说「改合同 {number} 预付20%，2月10日前付」。"
    )


def contract_amended(number: str, due: date | None) -> str:
    told = f"合同 {number} 的条款已变更。"
    return told + (f"{day(due)}过后核对回款。" if due is not None else "不再核对预付款。")


def amended_meanwhile(number: str, name: str) -> str:
    return f"{name}已变更合同 {number} 的条款，条款复核按「改条款」关闭。"


def no_contracts(customer: str) -> str:
    return f"「{customer}」还没有登记合同。{CONTRACT_EXAMPLE}。"


def receivables_title(customer: str) -> str:
    return f"回款 · {customer}"


def state(standing: PrepaymentStanding, unknown_since: datetime | None) -> str:
    """unknown_since: in the team's zone."""
    if standing.payment is not Payment.UNKNOWN:
        return _STATES[standing.payment]
    if unknown_since is None:
        return "到账情况未知（还没有接通 ERP）"
    return f"自 {moment(unknown_since)} 起未知（ERP 未连通）"


def contract_line(
    terms: ContractTerms, standing: PrepaymentStanding, told: str, foreign: Sequence[Receipt]
) -> str:
    """told: the state in words. foreign: in other currencies, which are no amount here."""
    parts = [
        f"- **{terms.number}** {amount_words(terms.amount_fen)}，签于{day(terms.signed_on)}",
        f"已收 {amount_words(standing.received_fen)}",
    ]
    if standing.due_on is not None:
        least = amount_words(terms.prepayment_fen) if terms.prepayment_fen else "任意金额"
        parts.append(f"应于{day(standing.due_on)}前收 {least}")
    parts.append(told)
    parts += [f"另有外币 {money(one)}，未计入" for one in foreign]
    return "；".join(parts)


def review_line(outcome: Outcome | None, deadline: datetime, note: str) -> str:
    if outcome is None:
        return f"  条款复核中，期限 {moment(deadline)}"
    return f"  条款复核：{_OUTCOMES[outcome]}{f'（{note}）' if note else ''}"


def money(receipt: Receipt) -> str:
    return sum_words(receipt.amount_fen, receipt.currency)


def sum_words(amount_fen: int, currency: str) -> str:
    """amount_fen: in the currency's hundredths."""
    if currency == HOME_CURRENCY:
        return amount_words(amount_fen)
    sign = "−" if amount_fen < 0 else ""
    whole, part = divmod(abs(amount_fen), 100)
    return f"{currency} {sign}{whole:,}.{part:02}"


def review_title(number: str) -> str:
    return f"合同条款复核 {number}"


def review_lines(customer: str, checklist: Sequence[tuple[str, str]], again: bool) -> list[str]:
    """checklist: (item, who did it or "")."""
    items = " ".join(f"☑{item}({who})" if who else f"☐{item}" for item, who in checklist)
    came = "回款被冲销或等待期已过，再次复核。" if again else "预付款到期未到账。"
    return [f"{customer}：{came}", f"清单：{items}"]


def review_facts(
    standing: PrepaymentStanding, prepayment_fen: int | None, deadline: datetime
) -> list[tuple[str, str]]:
    """The terms may have been changed to none that is due, by what closes the review."""
    return [
        ("应收", amount_words(prepayment_fen) if prepayment_fen else "任意金额"),
        ("已收", amount_words(standing.received_fen)),
        ("到期", day(standing.due_on) if standing.due_on else "后付款"),
        ("期限", moment(deadline)),
    ]


def outcome(found: Outcome, note: str) -> str:
    return _OUTCOMES[found] + (f"：{note}" if note else "")


def wait_until(until: date) -> str:
    return f"等到{day(until)}"


def wait_option(days: int, until: date) -> str:
    return f"{days}天后，{until.month}月{until.day}日"


def decided(number: str, words: str, name: str) -> str:
    return f"合同 {number} 的条款复核已定：{words}。（{name}）"


def decided_before(number: str, words: str, name: str, at: datetime) -> str:
    who = f"由{name}" if name else ""
    return f"合同 {number} 的复核已在 {moment(at)} {who}定为「{words}」，你这次没有生效。"


def paid_after_all(number: str, received_fen: int) -> str:
    return f"合同 {number} 已到账 {amount_words(received_fen)}，条款复核自动关闭。"


def asked_finance(names: Sequence[str]) -> str:
    if not names:
        return "通讯录里没有财务，请直接联系财务核对。复核保持打开。"
    return f"已请{'、'.join(names)}核对这笔回款；匹配上就自动关闭复核。"


def please_check_payment(name: str, customer: str, number: str) -> str:
    return (
        f"{name}说「{customer}」合同 {number} 的预付款已付，ERP 里还没有。"
        "请核对；若在待匹配里，回复「待匹配回款」就能匹配。"
    )


def review_overdue(number: str, customer: str, deadline: datetime) -> str:
    return f"「{customer}」合同 {number} 的条款复核已过期限（{moment(deadline)}），请今天给出结论。"


def no_legal(number: str) -> str:
    return f"合同 {number} 要做条款复核，但通讯录里没有法务，只发给了客户负责人和他的主管。"


def unmatched(lines: Sequence[str], total: int) -> str:
    rest = f"\n……共{total}笔" if total > len(lines) else ""
    return "\n".join(lines) + rest


def unmatched_line(receipt: Receipt) -> str:
    named = f"，写的合同号 {receipt.contract_number}" if receipt.contract_number else ""
    foreign = "" if receipt.currency == HOME_CURRENCY else "，外币，不计入已收"
    payer = receipt.payer or "付款方未写"
    on = short_day(receipt.received_on)
    return f"- {receipt.number} {money(receipt)} {payer} {on}{named}{foreign}"


def no_such_receipt(number: str) -> str:
    return f"没有找到待匹配的收款单 {number}。回复「待匹配回款」看清单。"


def no_such_contract(number: str) -> str:
    return f"没有登记过合同 {number}。请先登记合同再匹配。"


def matched(receipt: Receipt, number: str) -> str:
    return f"收款单 {receipt.number}（{money(receipt)}）已匹配到合同 {number}。"


def erp_silent(name: str, since: datetime | None, why: str) -> str:
    known = f"自 {moment(since)} 起没有新的回款数据" if since else "还没有读到过回款数据"
    return f"{erp(name)}未连通，{known}：{why}。期间到期的合同按「未知」处理，不当作未付。"


def receipt_title(receipt: Receipt) -> str:
    if receipt.amount_fen == 0:
        return "回款撤回"
    return "回款" if receipt.amount_fen > 0 else "回款冲销"


def receipt_entry(receipt: Receipt, number: str) -> str:
    return f"{money(receipt)}，合同 {number}，收款单 {receipt.number}"


def contract_entry(terms: ContractTerms) -> str:
    prepaid = f"，预付 {amount_words(terms.prepayment_fen)}" if terms.prepayment_fen else ""
    return f"{terms.number}，{amount_words(terms.amount_fen)}{prepaid}"
