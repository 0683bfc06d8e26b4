"""Approvals of a platform (审批): what they are about, how they stand, how long each step took."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

MEANINGS: dict[str, str] = {
    "discount": "折扣价格",
    "contract": "合同",
    "payment": "付款",
    "bonus": "提成",
    "visit": "拜访外出",
    "trip": "出差",
    "other": "其他",
}
"""What a template can be about for us, and what people call it."""

_CUSTOMER_TITLES = ("customer", "客户名称", "客户全称", "客户", "公司名称", "单位名称")
_CONTRACT_TITLES = ("contract", "合同编号", "合同号")
_AMOUNT_TITLES = ("amount", "金额", "价格", "总价")
_NUMBER = re.compile(r"-?[0-9][0-9,，]*(?:\.[0-9]+)?")
_LARGEST_FEN = 2**53


class ApprovalState(StrEnum):
    """How an approval stands, in one word for both platforms."""

    RUNNING = "running"
    PASSED = "passed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"  # taken back after it had passed
    DELETED = "deleted"

    @property
    def is_final(self) -> bool:
        """Whether the platform changes it no more: a passed one can still be taken back."""
        return self not in (ApprovalState.RUNNING, ApprovalState.PASSED)


STATE_WORDS: dict[str, str] = {
    ApprovalState.RUNNING: "审批中",
    ApprovalState.PASSED: "已通过",
    ApprovalState.REJECTED: "已驳回",
    ApprovalState.WITHDRAWN: "已撤回",
    ApprovalState.REVOKED: "通过后已撤销",
    ApprovalState.DELETED: "已删除",
}


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that the applicant filled in. name: what the form calls it. key: its id or alias
    there, which stays when it is renamed."""

    key: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ApprovalNode:
    """One approver's part. since: when it came to them. until: when they decided; None while
    they have not. outcome: in words."""

    user_id: str
    since: datetime
    until: datetime | None = None
    outcome: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """One instance as the platform tells it now. number: its id there. revokes: the instance
    that this one takes back or replaces, where it passes."""

    platform: str
    number: str
    template: str
    title: str
    state: ApprovalState
    applicant: str
    applied_at: datetime
    controls: tuple[Control, ...] = ()
    nodes: tuple[ApprovalNode, ...] = ()
    decided_at: datetime | None = None
    revokes: str = ""


def customer_words(approval: Approval) -> Iterator[str]:
    """What may name the customer: the controls that say so by their name, the clearest first."""
    return _by_title(approval, _CUSTOMER_TITLES)


def contract_number(approval: Approval) -> str:
    """ "" where no control names one."""
    return next(_by_title(approval, _CONTRACT_TITLES), "")


def amount_fen(approval: Approval) -> int | None:
    """Of the first control that is an amount, written in yuan: the platforms name no unit. None
    where there is none, or where it is no amount of money that can be kept."""
    for told in _by_title(approval, _AMOUNT_TITLES):
        match = _NUMBER.fullmatch(told.strip().rstrip("元").strip())
        if match is None:
            continue
        try:
            fen = Decimal(re.sub("[,，]", "", match[0])) * 100
        except InvalidOperation:
            continue
        if fen == fen.to_integral_value() and abs(fen) < _LARGEST_FEN:
            return int(fen)
    return None


def last_decided(nodes: Sequence[ApprovalNode]) -> datetime | None:
    return max((one.until for one in nodes if one.until is not None), default=None)


def _by_title(approval: Approval, titles: Sequence[str]) -> Iterator[str]:
    """A control may be called by one of the titles (its own key before its name, since names are
    changed in the console), or hold it in a longer name."""
    filled = [one for one in approval.controls if one.text.strip()]
    for title in titles:
        yield from (one.text.strip() for one in filled if title in (one.key, one.name))
    for title in titles:
        yield from (
            one.text.strip()
            for one in filled
            if title in one.name and title not in (one.key, one.name)
        )
