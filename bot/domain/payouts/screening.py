"""Facts that can be read and make no sense: set aside, or settled by a person, each for a
named reason. Nothing here stops a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from bot.domain.payouts.days import local_day
from bot.domain.payouts.facts import (
    OUR_CURRENCY,
    Complaint,
    Deal,
    Facts,
    Opening,
    Payment,
    Refund,
    Share,
)
from bot.domain.payouts.lines import Reason, Review
from bot.domain.payouts.money import yuan

Happening = Refund | Complaint
Receipt = TypeVar("Receipt", Payment, Refund)


@dataclass(slots=True)
class Case:
    """One deal with all that happened to it, as far as it is to be believed. order: by signing
    time. payments and happenings: by time, refunds first at one moment."""

    deal: Deal
    order: int
    payments: list[Payment] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Screened:
    """Deals as far as they may be believed. cases: of the deals that may earn, in signing order."""

    cases: list[Case]
    reviews: list[Review]


def screen(facts: Facts) -> Screened:
    reviews: list[Review] = []
    signed = sorted(facts.deals, key=lambda deal: deal.signed_at)
    accepted = [deal for deal in signed if _earns(deal, reviews)]
    cases = {
        deal.id: Case(_with_recipients(deal, reviews), order) for order, deal in enumerate(accepted)
    }
    known = {deal.id for deal in facts.deals}
    for payment in _believed(facts.payments, known, reviews):
        if payment.deal in cases:
            cases[payment.deal].payments.append(payment)
    for refund in _believed(facts.refunds, known, reviews):
        if refund.deal in cases:
            cases[refund.deal].happenings.append(refund)
    for complaint in facts.complaints:
        if complaint.deal not in known:
            reviews.append(_unknown_deal(complaint.deal, "投诉"))
        elif complaint.upheld and complaint.deal in cases:
            cases[complaint.deal].happenings.append(complaint)
    for opening in facts.openings:
        if opening.deal in cases:
            cases[opening.deal].openings.append(opening)
        elif opening.deal not in known:
            why = f"期初已付的合同 {opening.deal} 不在文件里，退款时无从追回"
            reviews.append(Review(Reason.OPENING_WITHOUT_DEAL, opening.deal, why))
    for case in cases.values():
        case.payments.sort(key=lambda payment: payment.at)
        case.happenings.sort(key=_by_time)
        reviews.extend(_excesses(case))
    return Screened(list(cases.values()), reviews)


def _by_time(happening: Happening) -> tuple[datetime, bool]:
    return happening.at, isinstance(happening, Complaint)


def _earns(deal: Deal, reviews: list[Review]) -> bool:
    if deal.currency != OUR_CURRENCY:
        why = f"合同 {deal.id} 的币种是 {deal.currency}，折算前不计奖金"
        reviews.append(Review(Reason.FOREIGN_CURRENCY, deal.id, why))
        return False
    if deal.contract_fen < 0:
        why = f"合同 {deal.id} 的合同额是负数 {yuan(deal.contract_fen)}，不计奖金"
        reviews.append(Review(Reason.NEGATIVE_CONTRACT, deal.id, why))
        return False
    return True


def _with_recipients(deal: Deal, reviews: list[Review]) -> Deal:
    """The deal with a split that can be computed with; what is nobody's goes to nobody."""
    if not deal.closer:
        why = f"合同 {deal.id} 没有签单人，他的部分记在未分配名下"
        reviews.append(Review(Reason.CLOSER_MISSING, deal.id, why))
    if not deal.split:
        return deal
    weights = [share.weight for share in deal.split]
    if min(weights) < 0:
        why = f"合同 {deal.id} 的拆分比例有负数，全部记在未分配名下"
        reviews.append(Review(Reason.SPLIT_WEIGHT_NEGATIVE, deal.id, why))
    elif sum(weights) == 0:
        why = f"合同 {deal.id} 的拆分比例合计为 0，全部记在未分配名下"
        reviews.append(Review(Reason.SPLIT_WEIGHTS_ZERO, deal.id, why))
    else:
        if any(share.person is None for share in deal.split):
            why = f"合同 {deal.id} 的拆分有一份没有写给谁，这份记在未分配名下"
            reviews.append(Review(Reason.SPLIT_PERSON_MISSING, deal.id, why))
        return deal
    return replace(deal, split=(Share(None, 1),))


def _believed(
    receipts: tuple[Receipt, ...], known: set[str], reviews: list[Review]
) -> Iterator[Receipt]:
    for receipt in receipts:
        word = "回款" if isinstance(receipt, Payment) else "退款"
        said = f"合同 {receipt.deal} 于 {local_day(receipt.at)} 的{word}"
        if receipt.deal not in known:
            reviews.append(_unknown_deal(receipt.deal, word))
        elif receipt.currency != OUR_CURRENCY:
            why = f"{said}币种是 {receipt.currency}，折算前不计入"
            reviews.append(Review(Reason.FOREIGN_CURRENCY, receipt.deal, why))
        elif receipt.fen <= 0:
            why = f"{said}是 {yuan(receipt.fen)}，不是正数，不计入"
            reviews.append(Review(Reason.AMOUNT_NOT_POSITIVE, receipt.deal, why))
        else:
            yield receipt


def _unknown_deal(deal: str, word: str) -> Review:
    return Review(Reason.UNKNOWN_DEAL, deal, f"{word}所属的合同 {deal} 不在文件里，不计入")


def _excesses(case: Case) -> Iterator[Review]:
    """At the end of a refund's day; before the file began the whole contract was paid."""
    before = case.deal.contract_fen if case.openings else 0
    refunded = 0
    for refund in case.happenings:
        if not isinstance(refund, Refund):
            continue
        refunded += refund.fen
        day = local_day(refund.at)
        paid = sum(payment.fen for payment in case.payments if local_day(payment.at) <= day)
        if refunded > max(paid, before):
            why = (
                f"合同 {case.deal.id} 到 {day} 累计退款 {yuan(refunded)}，"
                f"超过已回款 {yuan(max(paid, before))}；追回不超过已计奖金，请核对收退款"
            )
            yield Review(Reason.REFUND_EXCEEDS_PAID, case.deal.id, why)
