"""Facts from JSON: deals, events and policy of a deals file.

Only what cannot be read at all is refused here. What can be read and makes no sense (a refund
larger than what was paid) is for `screening.py`, so that one bad deal does not stop a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.domain.payouts.days import to_month, to_quarter
from bot.domain.payouts.facts import (
    OUR_CURRENCY,
    Attribution,
    Clawback,
    ClawbackDue,
    Complaint,
    Deal,
    Facts,
    Opening,
    Payment,
    PayoutPolicy,
    PayoutRun,
    Payroll,
    QuarterClose,
    Refund,
    Scalar,
    Share,
)
from bot.domain.payouts.money import BP
from bot.domain.payouts.problems import Problem, UnusableInput
from bot.domain.payouts.reading import ObjectReader

_OUR_CURRENCY_TOO = ("CNY", "RMB", "人民币", "元", "")

Event = Payment | Refund | Complaint | PayoutRun | QuarterClose | Opening | ClawbackDue | Payroll


def read_facts(value: object) -> Facts:
    """From a deals file: `deals`, and perhaps `events` and `policy`. Raises UnusableInput."""
    problems: list[Problem] = []
    reader = ObjectReader(value, "单据文件", problems)
    deals = _deals(reader, problems)
    events = [
        _event(ObjectReader(body, f"events[{n}]", problems))
        for n, body in enumerate(reader.items("events") if reader.has("events") else ())
    ]
    policy = _policy(ObjectReader(reader.body.get("policy") or {}, "policy", problems))
    if problems:
        raise UnusableInput(problems)
    return Facts(
        deals=deals,
        payments=tuple(each for each in events if isinstance(each, Payment)),
        refunds=tuple(each for each in events if isinstance(each, Refund)),
        complaints=tuple(each for each in events if isinstance(each, Complaint)),
        runs=tuple(each for each in events if isinstance(each, PayoutRun)),
        quarter_closes=tuple(each for each in events if isinstance(each, QuarterClose)),
        openings=tuple(each for each in events if isinstance(each, Opening)),
        clawbacks_due=tuple(each for each in events if isinstance(each, ClawbackDue)),
        payrolls=tuple(each for each in events if isinstance(each, Payroll)),
        policy=policy,
    )


def _deals(reader: ObjectReader, problems: list[Problem]) -> tuple[Deal, ...]:
    deals = tuple(_deal(body, n, problems) for n, body in enumerate(reader.items("deals")))
    seen: set[str] = set()
    for deal in deals:
        if deal.id in seen:
            problems.append(Problem("duplicate_deal", f"合同 {deal.id}", "同一编号出现两次"))
        seen.add(deal.id)
    return deals


def _deal(value: object, n: int, problems: list[Problem]) -> Deal:
    named = value.get("id") if isinstance(value, dict) else None
    place = f"合同 {named}" if isinstance(named, str) else f"deals[{n}]"
    reader = ObjectReader(value, place, problems)
    return Deal(
        id=reader.text("id"),
        contract_fen=reader.integer("contract_fen"),
        signed_at=reader.moment("signed_at"),
        closer=_person(reader, "closer"),
        split=_split(reader, problems) if reader.has("split") else (),
        currency=_currency(reader),
        fields=_fields(reader),
    )


def _fields(reader: ObjectReader) -> Mapping[str, Scalar]:
    return {
        name: value
        for name, value in reader.body.items()
        if value is None or isinstance(value, str | int)
    }


def _split(reader: ObjectReader, problems: list[Problem]) -> tuple[Share, ...]:
    shares = []
    for n, body in enumerate(reader.items("split")):
        share = ObjectReader(body, f"{reader.place} split[{n}]", problems)
        shares.append(Share(_person(share, "person"), share.integer("weight")))
    return tuple(shares)


def _person(reader: ObjectReader, name: str) -> str | None:
    """None: nobody is named, which is not refused but settled by a person."""
    value = reader.body.get(name)
    if value is not None and not isinstance(value, str):
        reader.refuse("not_a_text", name, "应是人员编号(文字)")
    return value.strip() or None if isinstance(value, str) else None


def _currency(reader: ObjectReader) -> str:
    currency = reader.text("currency") if reader.has("currency") else OUR_CURRENCY
    return OUR_CURRENCY if currency.upper() in _OUR_CURRENCY_TOO else currency


def _event(reader: ObjectReader) -> Event | None:
    kind = reader.text("type")
    if kind in _EVENTS:
        return _EVENTS[kind](reader)
    if kind:
        known = "、".join(_EVENTS)
        reader.refuse("unknown_event", "type", f"没有「{kind}」这种事件；可用：{known}")
    return None


def _payment(reader: ObjectReader) -> Payment:
    deal, fen, at = reader.text("deal"), reader.integer("fen"), reader.moment("at")
    return Payment(deal, fen, at, _currency(reader))


def _refund(reader: ObjectReader) -> Refund:
    deal, fen, at = reader.text("deal"), reader.integer("fen"), reader.moment("at")
    return Refund(deal, fen, at, _currency(reader))


def _complaint(reader: ObjectReader) -> Complaint:
    return Complaint(reader.text("deal"), reader.flag("upheld"), reader.moment("at"))


def _payout_run(reader: ObjectReader) -> PayoutRun:
    return PayoutRun(reader.moment("at"))


def _quarter_close(reader: ObjectReader) -> QuarterClose:
    return QuarterClose(_quarter(reader, "quarter"), reader.moment("at"))


def _opening(reader: ObjectReader) -> Opening:
    return Opening(
        deal=reader.text("deal"),
        person=_person(reader, "person"),
        commission_fen=reader.integer("commission_fen", least=0),
        paid_quarter=_quarter(reader, "paid_quarter"),
    )


def _clawback_due(reader: ObjectReader) -> ClawbackDue:
    return ClawbackDue(reader.text("person"), reader.integer("fen", least=0), reader.moment("at"))


def _payroll(reader: ObjectReader) -> Payroll:
    return Payroll(
        person=reader.text("person"),
        month=reader.parsed("month", to_month, like="2026-03", instead=(2000, 1)),
        gross_fen=reader.integer("gross_fen", least=0),
        min_wage_fen=reader.integer("min_wage_fen", least=0),
    )


_EVENTS: dict[str, Callable[[ObjectReader], Event]] = {
    "payment": _payment,
    "refund": _refund,
    "complaint": _complaint,
    "payout_run": _payout_run,
    "quarter_close": _quarter_close,
    "opening": _opening,
    "clawback_due": _clawback_due,
    "payroll": _payroll,
}


def _quarter(reader: ObjectReader, name: str) -> str:
    return reader.parsed(name, to_quarter, like="2026Q1", instead="2000Q1")


def _policy(reader: ObjectReader) -> PayoutPolicy:
    reader.only(("attribution", "clawback", "version_by", "deduct_limit_bp"))
    if reader.body.get("version_by", "signed_at") != "signed_at":
        reader.refuse("unknown_value", "version_by", "应是 signed_at")
    plain = PayoutPolicy()
    return PayoutPolicy(
        attribution=reader.choice("attribution", Attribution, default=plain.attribution),
        clawback=reader.choice("clawback", Clawback, default=plain.clawback),
        deduct_limit_bp=reader.integer(
            "deduct_limit_bp", least=0, most=BP, default=plain.deduct_limit_bp, required=False
        ),
    )
