"""Intent levels of opportunities (docs/forecast.md): what each rests on, which holds at a moment.

Evidence and changes of a level are only ever appended. Evidence ends: it is withdrawn, or it
expires; the level that rested on it ends with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Level(StrEnum):
    """How sure a sale is, the surest first. L2_5 is derived from silence, never entered."""

    L1 = "L1"
    L2 = "L2"
    L2_5 = "L2.5"
    L3 = "L3"


ENTERED = (Level.L1, Level.L2, Level.L3)
"""What a person may claim."""


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    PURCHASE_ORDER = "purchase_order"
    TECHNICAL_CONFIRMATION = "technical_confirmation"  # stamped
    BUDGET_APPROVAL = "budget_approval"  # mail of the purchasing department
    NEED = "need"


REQUIRED: Mapping[Level, tuple[EvidenceKind, ...]] = {
    Level.L1: (EvidenceKind.PURCHASE_ORDER,),
    Level.L2: (EvidenceKind.TECHNICAL_CONFIRMATION, EvidenceKind.BUDGET_APPROVAL),
    Level.L3: (EvidenceKind.NEED,),
}
"""All the kinds that a level needs."""


class Cause(StrEnum):
    """Why a level changed."""

    CLAIMED = "claimed"  # a person said so, with evidence
    LOWERED = "lowered"  # a person said so, with a reason
    WITHDRAWN = "withdrawn"  # evidence was taken back
    EXPIRED = "expired"  # evidence, or a lowered level, came to its end
    DECAYED = "decayed"  # nobody talked to the customer: L2 -> L2.5
    RESTORED = "restored"  # somebody did: L2.5 -> L2


@dataclass(frozen=True, slots=True)
class Evidence:
    """One document, or what stands for it. Times in UTC.

    number: of the PO, "" for other kinds. sha256: of its file, "" without one. activity_id: the
    entry in the stream that shows it, where there is no file. fields: what was read or said,
    such as "party", "stamp", "date", "contact", "need". machine_read: those come from a machine;
    a person has seen them. withdrawn_at: since when it counts no more.
    """

    id: int
    opportunity_id: int
    kind: EvidenceKind
    added_by: int
    added_at: datetime
    expires_at: datetime
    number: str = ""
    sha256: str = ""
    activity_id: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    machine_read: bool = False
    withdrawn_at: datetime | None = None
    withdrawn_by: int | None = None
    withdrawal_reason: str = ""

    def holds(self, now: datetime) -> bool:
        if now < self.added_at:
            return False
        ended = self.withdrawn_at is not None and self.withdrawn_at <= now
        return not ended and now < self.expires_at


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One change; None stands for no level. by: None for a rule. stands_until: until when a
    LOWERED level holds by the word alone."""

    id: int
    opportunity_id: int
    before: Level | None
    after: Level | None
    cause: Cause
    at: datetime
    by: int | None = None
    reason: str = ""
    stands_until: datetime | None = None


class Flaw(StrEnum):
    """What a piece of evidence lacks."""

    NUMBER = "number"
    FILE = "file"
    PROOF = "proof"  # neither a file nor an entry in the stream
    CONTACT = "contact"
    NEED = "need"


def flaws(evidence: Evidence) -> tuple[Flaw, ...]:
    """Nothing for evidence that is complete. L1 and L2 rest on files alone."""
    match evidence.kind:
        case EvidenceKind.PURCHASE_ORDER:
            wanted = {Flaw.NUMBER: evidence.number, Flaw.FILE: evidence.sha256}
        case EvidenceKind.NEED:
            proof = evidence.sha256 or evidence.activity_id
            wanted = {
                Flaw.NEED: evidence.fields.get("need", ""),
                Flaw.CONTACT: evidence.fields.get("contact", ""),
                Flaw.PROOF: str(proof or ""),
            }
        case _:
            wanted = {Flaw.FILE: evidence.sha256}
    return tuple(flaw for flaw, found in wanted.items() if not found.strip())


def rank(level: Level | None) -> int:
    """0 for L1, and more for what is less sure; no level comes last."""
    return len(Level) if level is None else list(Level).index(level)


def is_higher(one: Level | None, other: Level | None) -> bool:
    return rank(one) < rank(other)


def missing_for(level: Level, evidence: Iterable[Evidence], now: datetime) -> list[EvidenceKind]:
    """The kinds that a level still wants."""
    held = {one.kind for one in evidence if one.holds(now) and not flaws(one)}
    return [kind for kind in REQUIRED[level] if kind not in held]


def supported(evidence: Collection[Evidence], now: datetime) -> Level | None:
    """The surest level whose own evidence is there in full."""
    return next((one for one in ENTERED if not missing_for(one, evidence, now)), None)


def level_at(
    changes: Sequence[LevelChange], evidence: Collection[Evidence], now: datetime
) -> Level | None:
    """Which level holds, by all that was known at a moment. changes: in order.

    A claim holds while its own evidence, or that of a surer level, does; then the surest level
    below takes its place that has its evidence. A level lowered by a person holds by their word
    until `stands_until`. L2 with a customer left alone is L2.5.
    """
    known = [one for one in changes if one.at <= now]
    said = [one for one in known if one.cause in (Cause.CLAIMED, Cause.LOWERED)]
    if not said or said[-1].after is None:
        return None
    claim = said[-1]
    allowed = [one for one in ENTERED if not is_higher(one, claim.after)]
    best = supported(evidence, now)
    held = None
    if best is not None:
        held = next((one for one in allowed if not is_higher(one, best)), None)
    if claim.stands_until is not None and now < claim.stands_until:
        held = claim.after
    return Level.L2_5 if held is Level.L2 and is_decayed(known) else held


def is_decayed(changes: Sequence[LevelChange]) -> bool:
    """Whether the customer of an L2 was left alone, and nobody talked to them since. A person's
    own word about the level ends it too."""
    for one in reversed(changes):
        if one.cause is Cause.DECAYED:
            return True
        if one.cause in (Cause.RESTORED, Cause.CLAIMED, Cause.LOWERED):
            return False
    return False


class Refusal(StrEnum):
    """Why a level cannot be changed so."""

    DERIVED = "derived"  # L2.5 is not entered
    SAME = "same"
    NO_EVIDENCE = "no_evidence"
    NO_REASON = "no_reason"
    NOT_L2 = "not_l2"  # only L2 decays
    NOT_DECAYED = "not_decayed"


def refusal_of(
    before: Level | None,
    after: Level | None,
    cause: Cause,
    *,
    evidence: Collection[Evidence],
    now: datetime,
    reason: str = "",
) -> Refusal | None:
    """None for a change that may be made. before: the level as it now stands."""
    if before is after:
        return Refusal.SAME
    match cause:
        case Cause.DECAYED:
            return None if (before, after) == (Level.L2, Level.L2_5) else Refusal.NOT_L2
        case Cause.RESTORED:
            if (before, after) != (Level.L2_5, Level.L2):
                return Refusal.NOT_DECAYED
            return Refusal.NO_EVIDENCE if missing_for(Level.L2, evidence, now) else None
        case Cause.CLAIMED:
            return _refusal_of_claim(before, after, evidence, now)
        case Cause.LOWERED if after is Level.L2_5:
            return Refusal.DERIVED
        case Cause.LOWERED if is_higher(after, before):
            return Refusal.NO_EVIDENCE
        case Cause.LOWERED if not reason.strip():
            return Refusal.NO_REASON
    return None


def _refusal_of_claim(
    before: Level | None, after: Level | None, evidence: Collection[Evidence], now: datetime
) -> Refusal | None:
    if after is None or after not in ENTERED:
        return Refusal.DERIVED
    if is_higher(before, after):
        return Refusal.NO_REASON
    return Refusal.NO_EVIDENCE if missing_for(after, evidence, now) else None
