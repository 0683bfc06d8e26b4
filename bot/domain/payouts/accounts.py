"""What is booked for one deal: awards, what refunds took back, what complaints cost.

Each step compares what should be with what is booked and yields the difference as a posting;
nothing booked is ever changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.payouts import reasons
from bot.domain.payouts.evaluating import Award, Earned
from bot.domain.payouts.lines import UNASSIGNED, Kind
from bot.domain.payouts.money import BP, largest_remainder, rounded
from bot.domain.payouts.rules import Base, Rule
from bot.domain.payouts.screening import Case


class Posting(NamedTuple):
    """A difference to book. rule: None only for an opening that no rule explains."""

    kind: Kind
    person: str
    fen: int
    rule: Rule | None
    why: str


class Slot(NamedTuple):
    """Where awards of all versions of a rule meet. role: commission or collab."""

    rule_id: str
    role: Kind
    person: str


@dataclass(slots=True)
class Entry:
    """All that was booked in one slot under one version as one kind, and what refunds have
    taken of it."""

    slot: Slot
    rule: Rule | None
    gross_fen: int = 0
    taken_fen: int = 0


class Account:
    """The books of one deal. refunded_fen, complaints: so far. paid_fen: payments so far."""

    def __init__(self, case: Case, opening_rule: Rule | None) -> None:
        self.case = case
        self.deal = case.deal
        self.paid_fen = 0
        self.refunded_fen = 0
        self.complaints = 0
        self._earned = Earned()
        self._awards: dict[Slot, Award] = {}
        self._matched: list[Rule] = []
        self._entries: dict[tuple[Slot, int, Kind], Entry] = {}
        self._fined: dict[tuple[str, str], tuple[int, Rule]] = {}
        for opening in case.openings:
            slot = Slot(
                opening_rule.id if opening_rule else "",
                Kind.COMMISSION,
                opening.person or UNASSIGNED,
            )
            entry = self._entry(slot, opening_rule, Kind.COMMISSION)
            entry.gross_fen += opening.commission_fen

    @property
    def opened(self) -> bool:
        """Its commission was paid before the file begins; it earns nothing anew."""
        return bool(self.case.openings)

    def accrue(self, earned: Earned) -> Iterator[Posting]:
        """Commissions and shares that are owed and not booked yet."""
        self._matched = earned.matched
        if self.opened or earned.awards == self._earned.awards:
            return
        self._earned = earned
        new = _by_slot(earned)
        for slot, award in new.items():
            before = self._awards.get(slot)
            delta = award.fen - (before.fen if before else 0)
            if delta:
                kind = Kind.ADJUSTMENT if before and delta < 0 else award.kind
                self._entry(slot, award.rule, kind).gross_fen += delta
                why = reasons.accrual(self.deal, award, before)
                yield Posting(kind, slot.person, delta, award.rule, why)
        for slot, before in self._awards.items():
            if slot not in new and before.fen:
                self._entry(slot, before.rule, Kind.ADJUSTMENT).gross_fen -= before.fen
                why = reasons.no_longer(self.deal, before)
                yield Posting(Kind.ADJUSTMENT, slot.person, -before.fen, before.rule, why)
        self._awards = new

    def take_back_part(self) -> Iterator[Posting]:
        """Of each line, the part of its base that was refunded so far, less what was taken."""
        for entry in self._entries.values():
            base = self._base_of(entry.rule)
            due = entry.gross_fen if self.refunded_fen else 0
            if self.refunded_fen < base:
                due = rounded(entry.gross_fen * self.refunded_fen, base)
            delta = due - entry.taken_fen
            if delta:
                why = reasons.taken_back(self.deal, entry.gross_fen, self.refunded_fen, base, due)
                entry.taken_fen = due
                yield Posting(Kind.CLAWBACK, entry.slot.person, -delta, entry.rule, why)

    def take_back_difference(self, full: Earned, net: Earned) -> Iterator[Posting]:
        """The difference to what the rules award for the contract minus refunds.

        full, net: as evaluated without and with the refunds so far.
        """
        if self.opened:
            yield from self._take_back_opening(full, net)
            return
        new = _by_slot(net)
        taken = (entry.slot for entry in self._entries.values() if entry.taken_fen)
        for slot in dict.fromkeys([*self._awards, *new, *taken]):
            gross = self._awards[slot].fen if slot in self._awards else 0
            left = new[slot].fen if slot in new else 0
            entries = [entry for entry in self._entries.values() if entry.slot == slot]
            delta = gross - left - sum(entry.taken_fen for entry in entries)
            if delta:
                award = new.get(slot) or self._awards.get(slot)
                rule = award.rule if award else entries[-1].rule  # what earned it earns no longer
                entry = entries[-1] if entries else self._entry(slot, rule, slot.role)
                entry.taken_fen += delta
                why = reasons.reevaluated(self.deal, self.refunded_fen, gross, left)
                yield Posting(Kind.CLAWBACK, slot.person, -delta, rule, why)

    def fine(self) -> Iterator[Posting]:
        """What upheld complaints cost so far, less what was booked. The deal's commission is
        never brought below the floor; what a later refund takes comes off the fine."""
        room = self._net_commission()
        due: dict[tuple[str, str], tuple[int, Rule]] = {}
        for rule in self._matched:
            if rule.penalty is None:
                continue
            full = self._full_fine(rule)
            fine = min(full, max(0, room - rule.penalty.floor_fen))
            room -= fine
            for person, part in self._shares_of_fine(fine, limited=fine < full).items():
                due[rule.id, person] = (part, rule)
        for key, (_, rule) in self._fined.items():
            due.setdefault(key, (0, rule))
        for (rule_id, person), (fen, rule) in due.items():
            delta = fen - self._fined.get((rule_id, person), (0, rule))[0]
            if delta:
                self._fined[rule_id, person] = (fen, rule)
                why = reasons.fined(self.deal, rule, self.complaints, fen)
                yield Posting(Kind.PENALTY, person, -delta, rule, why)

    def amend(self, earned: Earned, take_back: Iterator[Posting]) -> Iterator[Posting]:
        """One adjustment for each rule and person: the difference of a new version, on the
        facts of the runs before, to what those booked.

        take_back: of this account, run after the new awards are in the books.
        """
        self._matched = earned.matched
        if self.opened:
            return
        self._earned = earned
        before, new = self._awards, _by_slot(earned)
        sums: dict[tuple[str, str], int] = {}
        rules: dict[str, Rule] = {}
        for slot in dict.fromkeys([*before, *new]):
            old_fen = before[slot].fen if slot in before else 0
            delta = (new[slot].fen if slot in new else 0) - old_fen
            rules[slot.rule_id] = (new.get(slot) or before[slot]).rule
            if delta:
                rule = rules[slot.rule_id]
                self._entry(slot, rule, Kind.ADJUSTMENT).gross_fen += delta
                sums[slot.rule_id, slot.person] = sums.get((slot.rule_id, slot.person), 0) + delta
        self._awards = new
        for posting in (*take_back, *self.fine()):
            rule_id = posting.rule.id if posting.rule else ""
            sums[rule_id, posting.person] = sums.get((rule_id, posting.person), 0) + posting.fen
            if posting.rule and rule_id not in rules:
                rules[rule_id] = posting.rule
        for (rule_id, person), fen in sums.items():
            if fen:
                why = reasons.amended(self.deal, rules[rule_id], fen)
                yield Posting(Kind.ADJUSTMENT, person, fen, rules[rule_id], why)

    def _take_back_opening(self, full: Earned, net: Earned) -> Iterator[Posting]:
        """In the proportion in which the rules' whole amount falls: which of them was paid
        before the file begins is not told."""
        whole = sum(award.fen for award in full.awards)
        if whole <= 0:
            yield from self.take_back_part()
            return
        left = min(whole, max(0, sum(award.fen for award in net.awards)))
        for entry in self._entries.values():
            due = entry.gross_fen - rounded(entry.gross_fen * left, whole)
            delta, entry.taken_fen = due - entry.taken_fen, due
            if delta:
                why = reasons.reevaluated(
                    self.deal, self.refunded_fen, entry.gross_fen, entry.gross_fen - due
                )
                yield Posting(Kind.CLAWBACK, entry.slot.person, -delta, entry.rule, why)

    def _entry(self, slot: Slot, rule: Rule | None, kind: Kind) -> Entry:
        key = (slot, rule.version if rule else 0, kind)
        if key not in self._entries:
            self._entries[key] = Entry(slot, rule)
        return self._entries[key]

    def _base_of(self, rule: Rule | None) -> int:
        if rule is None or rule.base is Base.CONTRACT or self.opened:
            return self.deal.contract_fen
        return self.paid_fen

    def _net_commission(self) -> int:
        return sum(
            entry.gross_fen - entry.taken_fen
            for entry in self._entries.values()
            if entry.slot.role is Kind.COMMISSION
        )

    def _full_fine(self, rule: Rule) -> int:
        penalty = rule.penalty
        assert penalty is not None
        own = sum(
            entry.gross_fen
            for entry in self._entries.values()
            if entry.slot.rule_id == rule.id and entry.slot.role is Kind.COMMISSION
        )
        share = rounded(max(0, own) * penalty.per_complaint_bp * self.complaints, BP)
        return penalty.per_complaint_fen * self.complaints + share

    def _shares_of_fine(self, fine: int, *, limited: bool) -> dict[str, int]:
        """In proportion to what each earned with the deal; where the floor limits the fine, in
        proportion to what each has left, so that nobody is brought below it alone."""
        weights: dict[str, int] = {}
        for entry in self._entries.values():
            if entry.slot.role is Kind.COMMISSION:
                fen = entry.gross_fen - (entry.taken_fen if limited else 0)
                weights[entry.slot.person] = weights.get(entry.slot.person, 0) + fen
        weights = {person: max(0, weight) for person, weight in weights.items()}
        if fine == 0 or not any(weights.values()):
            return {}
        parts = largest_remainder(fine, list(weights.values()))
        return dict(zip(weights, parts, strict=True))


def _by_slot(earned: Earned) -> dict[Slot, Award]:
    """Somebody who is named twice in a split gets one award."""
    found: dict[Slot, Award] = {}
    for award in earned.awards:
        slot = Slot(award.rule.id, award.kind, award.person)
        first = found.get(slot)
        found[slot] = award if first is None else first.joined(award)
    return found
