"""What was recognised on the files of a claim, as a card shows it and as evidence keeps it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.levels import REQUIRED, EvidenceKind, Level
from bot.domain.mail_checks import MailChecks
from bot.domain.opportunities import Account
from bot.messages import Paper
from handlers.understanding.evidence import Recognised, recognise


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A file given as evidence. kind: what it is taken for. looks_like: what it seems to be, if
    that is something else."""

    sha256: str
    name: str
    kind: EvidenceKind
    fields: Mapping[str, str]
    looks_like: EvidenceKind | None = None


def exhibit(
    paper: Paper, account: Account, level: Level, *, held: Collection[EvidenceKind]
) -> Exhibit:
    """held: kinds that the level has already; a file whose kind nobody can tell is taken for the
    first that it still wants."""
    found = recognise(paper, [account.name, *account.aliases])
    wanted = [kind for kind in REQUIRED[level] if kind not in held] or list(REQUIRED[level])
    kind = found.kind if found.kind in wanted else wanted[0]
    looks_like = found.kind if found.kind not in (None, kind) else None
    return Exhibit(paper.sha256, paper.name, kind, _fields(paper, account, kind, found), looks_like)


def _fields(
    paper: Paper, account: Account, kind: EvidenceKind, found: Recognised
) -> dict[str, str]:
    if not found.read:
        return {"trouble": paper.trouble}
    fields = {"party": found.party}
    if paper.seals is not None and kind is not EvidenceKind.BUDGET_APPROVAL:
        fields["seals"] = str(paper.seals)
    if found.number and kind is EvidenceKind.PURCHASE_ORDER:
        fields["po"] = found.number
    if found.day is not None:
        fields["date"] = found.day.isoformat()
    if paper.mail is not None:
        fields["sender"] = paper.mail.sender
        fields |= _noted(paper.mail.checks)
        fields |= {"own": "yes"} if _is_own(paper.mail.domain, account.domain) else {}
    return fields


def _noted(checks: MailChecks) -> dict[str, str]:
    found = {"signed": "yes"} if checks.dkim else {}
    found |= {"spf": "yes"} if checks.spf else {}
    return found | ({"noted_by": checks.server[:100]} if found else {})


def _is_own(sender: str, domain: str) -> bool:
    return bool(domain) and (sender == domain or sender.endswith(f".{domain}"))


def to_json(listed: Sequence[Exhibit]) -> list[dict[str, object]]:
    return [
        {
            "sha256": one.sha256,
            "name": one.name,
            "kind": str(one.kind),
            "fields": dict(one.fields),
            "looks_like": str(one.looks_like) if one.looks_like else "",
        }
        for one in listed
    ]


def from_json(told: Sequence[Mapping[str, Any]]) -> list[Exhibit]:
    return [
        Exhibit(
            sha256=str(one["sha256"]),
            name=str(one["name"]),
            kind=EvidenceKind(str(one["kind"])),
            fields={str(k): str(v) for k, v in one["fields"].items()},
            looks_like=EvidenceKind(str(one["looks_like"])) if one["looks_like"] else None,
        )
        for one in told
    ]
