"""What a paper or a saved mail says that may prove an intent level: its kind, the number of a PO,
whether it names the customer, its day, its seals. Read by rules; a person decides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.company_names import one_spelling
from bot.domain.levels import EvidenceKind
from bot.messages import Paper

FULL, ALIAS, NONE = "full", "alias", "none"
"""Whether the customer stands there by its full name, by a shorter one, or not at all."""

_SHORTEST_ALIAS = 2
_PO = re.compile(
    r"(?:PO|P\.O\.|采购订单|采购单|订单|订购单|Purchase ?Order)"
    r"(?:编号|单号|号码?|No\.?|Number|#)?[ :：#]{0,3}"
    r"(?P<number>(?=[A-Z0-9\-_/]*\d)[A-Z0-9][A-Z0-9\-_/]{3,30})",
    re.IGNORECASE,
)
_BARE_PO = re.compile(r"(?<![A-Z0-9])(?P<number>PO[-_ ]?(?=[A-Z0-9\-]*\d)[A-Z0-9\-]{3,24})", re.I)
_KINDS = (  # the first that is said goes before
    (EvidenceKind.BUDGET_APPROVAL, re.compile(r"预算|请购|采购申请|审批|批准|立项")),
    (
        EvidenceKind.TECHNICAL_CONFIRMATION,
        re.compile(
            r"技术(?:方案|协议|规格|参数|要求)?.{0,6}确认|确认函|技术协议|方案确认|图纸确认"
        ),
    ),
    (
        EvidenceKind.PURCHASE_ORDER,
        re.compile(r"采购订单|订购单|采购单|Purchase ?Order|\bPO\b|PO号", re.I),
    ),
)
_DAY = re.compile(r"(?P<year>20\d{2}) ?[年./-] ?(?P<month>\d{1,2}) ?[月./-] ?(?P<day>\d{1,2})")


_APPROVES = re.compile(r"预算|请购|采购申请|立项")
_APPROVED = re.compile(r"审批|批准|批复|已批|同意|通过")
_NOT_APPROVED = re.compile(
    r"(?:未|没有?|不|尚未|还没有?)(?:获得?|能|予|被)?(?:审批|批准|批复|批|同意|通过)|驳回|推迟|取消"
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is, as evidence. kind: None where nothing says it. party: FULL, ALIAS or NONE.
    read: whether anything was read at all."""

    kind: EvidenceKind | None = None
    number: str = ""
    party: str = NONE
    day: date | None = None
    read: bool = False


def recognise(paper: Paper, names: Sequence[str]) -> Recognised:
    """names: the customer's, in full first, then other ways to write it."""
    lines = [line.text for line in paper.lines]
    text = "\n".join(lines)
    return Recognised(
        kind=_kind(paper, text),
        number=po_number(text),
        party=_party(one_spelling(text), names),
        day=paper.mail.sent_on if paper.mail else next(_days(text), None),
        read=bool(lines),
    )


def approves_budget(paper: Paper) -> bool:
    """Whether a mail seems to say that money was approved; where it seems to say the opposite as
    well, nobody is asked about it."""
    text = "\n".join(line.text for line in paper.lines)
    told = _APPROVES.search(text) and _APPROVED.search(text)
    return bool(told) and not _NOT_APPROVED.search(text)


def po_number(text: str) -> str:
    """«PO号 PO-2026-018» -> PO-2026-018; "" for none."""
    for pattern in (_BARE_PO, _PO):
        match = pattern.search(text)
        if match is not None:
            return match["number"].strip("-_/ ").upper()
    return ""


def _kind(paper: Paper, text: str) -> EvidenceKind | None:
    """A mail approves; a paper says what it is in its first lines, or by its name."""
    if paper.mail is not None:
        return EvidenceKind.BUDGET_APPROVAL
    head = "\n".join(text.splitlines()[:6])
    for where in (paper.name, head, text):
        for kind, words in reversed(_KINDS):
            if words.search(where):
                return kind
    return None


def _party(spelled: str, names: Sequence[str]) -> str:
    if names and one_spelling(names[0]) in spelled:
        return FULL
    others = [one_spelling(name) for name in names[1:]]
    return ALIAS if any(len(n) >= _SHORTEST_ALIAS and n in spelled for n in others) else NONE


def _days(text: str) -> Iterator[date]:
    for match in _DAY.finditer(text):
        try:
            yield date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            continue
