"""One group of deals through time: period by period, what is owed is booked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from bot.domain.payouts.accounts import Account, Posting
from bot.domain.payouts.days import local_day
from bot.domain.payouts.evaluating import Earned, JudgedDeal, evaluate
from bot.domain.payouts.facts import Clawback, PayoutPolicy, Refund
from bot.domain.payouts.lines import UNASSIGNED, Kind, Line, Reason, Review
from bot.domain.payouts.rules import Mode, Rule
from bot.domain.payouts.screening import Case, Happening
from bot.domain.payouts.timeline import Period, Timeline
from bot.domain.payouts.versions import RuleBook

_BY_SIGNING, _BY_EVENT, _AT_RUN = 0, 1, 2

Order = tuple[int, int, datetime | int, int, int]


class Booked(NamedTuple):
    """A line with its period and its place among all lines."""

    line: Line
    period: int
    order: Order


class Journal:
    """Collects lines and open items. In each period: deals by signing time, then events by
    time, then the adjustments of its run."""

    def __init__(self) -> None:
        self.booked: list[Booked] = []
        self.reviews: dict[tuple[str, str | None], Review] = {}

    def post(
        self, postings: Iterable[Posting], account: Account, period: Period, *,
        phase: int, moment: datetime | int,
    ) -> None:  # fmt: skip
        deal = account.deal.id
        for posting in postings:
            rule = posting.rule
            line = Line(
                deal,
                posting.person,
                posting.kind,
                posting.fen,
                rule.id if rule else None,
                rule.version if rule else None,
                period.run,
                posting.why,
            )
            order = (period.index, phase, moment, account.case.order, len(self.booked))
            self.booked.append(Booked(line, period.index, order))

    def review(self, reason: str, deal: str | None, why: str) -> None:
        """Once for each reason and deal."""
        self.reviews.setdefault((reason, deal), Review(reason, deal, why))


def settle(
    cases: Sequence[Case], *, book: RuleBook, timeline: Timeline, policy: PayoutPolicy,
    journal: Journal,
) -> None:  # fmt: skip
    """Books all that a group of deals earns and loses.

    cases: in signing order; all of one closer and month if any rule adds up over it.
    """
    unit = _Unit(cases, book, timeline, policy, journal)
    for index in unit.touched():
        unit.live_through(timeline.periods[index])


class _Unit:
    def __init__(
        self, cases: Sequence[Case], book: RuleBook, timeline: Timeline, policy: PayoutPolicy,
        journal: Journal,
    ) -> None:  # fmt: skip
        self._book, self._timeline, self._policy = book, timeline, policy
        self._journal = journal
        self._days = [local_day(case.deal.signed_at) for case in cases]
        last = len(book.publications)
        self._accounts = [
            Account(case, self._opening_rule(day, last) if case.openings else None)
            for case, day in zip(cases, self._days, strict=True)
        ]
        self._begins = [timeline.index_of(case.deal.signed_at) for case in cases]
        self._generation = -1
        self._active: list[int] = []
        self._earned: list[Earned] = []
        self._unpaid = [0] * len(cases)  # index of the first payment not counted yet
        self._ahead = [0] * len(cases)  # the same for happenings

    def touched(self) -> list[int]:
        """The periods in which anything can change."""
        index_of = self._timeline.index_of
        found = set(self._begins)
        for account, begins in zip(self._accounts, self._begins, strict=True):
            moments = [each.at for each in account.case.payments]
            moments += [each.at for each in account.case.happenings]
            found |= {max(begins, index_of(moment)) for moment in moments}
        first = min(found)
        publications = (self._timeline.known_from(at) for at in self._book.publications)
        return sorted(found | {index for index in publications if index > first})

    def live_through(self, period: Period) -> None:
        self._follow_publication(period)
        self._active = [n for n, begins in enumerate(self._begins) if begins <= period.index]
        events = self._take_in(period)
        self._earned = self._evaluate(refunded=False)
        for n, earned in zip(self._active, self._earned, strict=True):
            account = self._accounts[n]
            self._post(account, account.accrue(earned), period)
            self._check_people(account, earned)
        net = self._net()
        for n in self._active:
            # A refund can change what the month's other deals are worth.
            if net or self._accounts[n].refunded_fen or self._accounts[n].complaints:
                self._post(self._accounts[n], self._consequences(n, net), period)
        for at, n, happening in events:
            account = self._accounts[n]
            if isinstance(happening, Refund):
                account.refunded_fen += happening.fen
            else:
                account.complaints += 1
            self._post_event(at, n, period)

    def _post_event(self, at: datetime, n: int, period: Period) -> None:
        """A refund can change what the month's other deals are worth."""
        net = self._net()
        for each in self._active if net else [n]:
            postings = self._consequences(each, net)
            self._journal.post(postings, self._accounts[each], period, phase=_BY_EVENT, moment=at)

    def _follow_publication(self, period: Period) -> None:
        generation = self._book.generation(period.known_at)
        before, self._generation = self._generation, generation
        if not self._active or all(
            self._book.in_force(self._days[n], before)
            == self._book.in_force(self._days[n], generation)
            for n in self._active
        ):
            return
        self._earned, net = self._evaluate(refunded=False), self._net()
        for n, earned in zip(self._active, self._earned, strict=True):
            account = self._accounts[n]
            adjustments = list(account.amend(earned, self._take_back(n, net)))
            self._journal.post(
                adjustments, account, period, phase=_AT_RUN, moment=account.case.order
            )
            self._check_cuts(account, adjustments)

    def _take_in(self, period: Period) -> list[tuple[datetime, int, Happening]]:
        """Counts the payments of the period, and gives its refunds and complaints by time. What
        came before its deal was signed counts from then on."""
        events: list[tuple[datetime, int, Happening]] = []
        index_of = self._timeline.index_of
        for n in self._active:
            case = self._accounts[n].case
            while (
                self._unpaid[n] < len(case.payments)
                and index_of(case.payments[self._unpaid[n]].at) <= period.index
            ):
                self._accounts[n].paid_fen += case.payments[self._unpaid[n]].fen
                self._unpaid[n] += 1
            while (
                self._ahead[n] < len(case.happenings)
                and index_of(case.happenings[self._ahead[n]].at) <= period.index
            ):
                happening = case.happenings[self._ahead[n]]
                events.append((max(happening.at, case.deal.signed_at), n, happening))
                self._ahead[n] += 1
        return sorted(events, key=lambda event: event[:2])

    def _evaluate(self, *, refunded: bool) -> list[Earned]:
        """refunded: on contracts and payments minus refunds."""
        standings = [self._standing(n, refunded=refunded) for n in self._active]
        return evaluate(standings, self._policy.attribution)

    def _standing(self, n: int, *, refunded: bool) -> JudgedDeal:
        account = self._accounts[n]
        contract, paid = account.deal.contract_fen, account.paid_fen
        rules = self._book.in_force(self._days[n], self._generation)
        if account.opened:
            paid = max(paid, contract)  # else nothing would have been paid out
        kept = paid
        if refunded and account.refunded_fen:
            contract -= account.refunded_fen
            kept = max(0, paid - account.refunded_fen)
            if contract <= 0:  # everything came back, so nothing is owed, a fixed sum neither
                return JudgedDeal(account.deal, 0, 0, 0, ())
        return JudgedDeal(account.deal, contract, paid, kept, rules)

    def _net(self) -> list[Earned]:
        """What the rules award for contracts minus refunds; empty where that is not asked."""
        reevaluating = self._policy.clawback is Clawback.REEVALUATE
        if reevaluating and any(self._accounts[n].refunded_fen for n in self._active):
            return self._evaluate(refunded=True)
        return []

    def _consequences(self, n: int, net: list[Earned]) -> Iterator[Posting]:
        yield from self._take_back(n, net)
        yield from self._accounts[n].fine()

    def _take_back(self, n: int, net: list[Earned]) -> Iterator[Posting]:
        account = self._accounts[n]
        if net:
            at = self._active.index(n)
            yield from account.take_back_difference(self._earned[at], net[at])
        elif self._policy.clawback is Clawback.PROPORTIONAL:
            yield from account.take_back_part()

    def _post(self, account: Account, postings: Iterable[Posting], period: Period) -> None:
        self._journal.post(postings, account, period, phase=_BY_SIGNING, moment=account.case.order)

    def _opening_rule(self, day: date, generation: int) -> Rule | None:
        found = [each.rule for each in self._book.in_force(day, generation)]
        return next((rule for rule in found if rule.mode is not Mode.CAP), None)

    def _check_people(self, account: Account, earned: Earned) -> None:
        deal = account.deal
        for award in earned.awards:
            collab = award.rule.collab
            if collab is None:
                continue
            if award.kind is Kind.COLLAB and award.person == UNASSIGNED:
                why = f"合同 {deal.id} 的协作奖金没有写给谁({collab.to})，记在未分配名下"
                self._journal.review(f"{collab.to}_missing", deal.id, why)
            missing = collab.when.missing(deal)
            if missing and not collab.when.certain(deal):
                for name in missing:
                    why = f"合同 {deal.id} 缺少 {name}，协作条件不能确定，请补齐"
                    self._journal.review(f"{name}_missing", deal.id, why)

    def _check_cuts(self, account: Account, adjustments: Sequence[Posting]) -> None:
        for posting in adjustments:
            if posting.fen < 0 and posting.rule and not posting.rule.legal_approval:
                why = (
                    f"合同 {account.deal.id} 因规则「{posting.rule.id}」"
                    f"第{posting.rule.version}版追溯减少，没有具名的法务批准(legal_approval)"
                )
                self._journal.review(Reason.RETROACTIVE_CUT, account.deal.id, why)
