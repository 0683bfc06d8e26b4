"""What funnel and conversion are read from: kept event by event, the same as worked out anew,
after any sequence of moves, merges, undone merges and changes of library."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from bot.domain.calendar import WorkingCalendar
from bot.domain.conversions import count_conversions
from bot.domain.funnel import funnel_of
from bot.domain.leads import lead_spans, transitions
from bot.domain.library import map_stages
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.stages import (
    Move,
    StageEvent,
    judge_move,
    moved,
    needed_fields,
    place_of,
    rank_noted,
)
from bot.domain.stages import rebuild as places
from config.library import load_libraries
from config.policy import HERE
from handlers.deals import rebuilding
from handlers.libraries.libraries import LibraryShelf
from storage.database import Database
from storage.merges import Merge
from storage.tables import lead_spans as spans_table
from storage.tables import opportunities, stage_events
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, member

SHELF = LibraryShelf(load_libraries(HERE / "actions"), "manufacturing")
PLANT = SHELF.of("manufacturing@0")
CLINIC = SHELF.of("medical@0")
CALENDAR = WorkingCalendar()
PLACES = ["first_contact", "needs", "quote", "survey", "tender", "won", "lost", "invalid",
          "on_hold", "open", "taken back"]  # fmt: skip

one_step = st.one_of(
    st.tuples(st.just("open"), st.integers(0, 3), st.integers(0, 5)),
    st.tuples(st.just("move"), st.integers(0, 9), st.sampled_from(PLACES)),
    st.tuples(st.just("move"), st.integers(0, 9), st.sampled_from(PLACES)),
    st.tuples(st.just("merge"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("part"), st.just(0), st.just(0)),
    st.tuples(st.just("switch"), st.just(0), st.just(0)),
)
steps = st.lists(st.tuples(one_step, st.integers(0, 30)), min_size=3, max_size=25)


MERGED_AND_PARTED = [
    (("open", 0, 0), 1), (("open", 1, 0), 1), (("move", 0, "needs"), 30), (("merge", 1, 0), 1),
    (("move", 1, "quote"), 30), (("part", 0, 0), 1),
]  # fmt: skip

SWITCHED_ON_HOLD = [
    (("open", 0, 0), 1), (("move", 0, "needs"), 30), (("move", 0, "on_hold"), 30),
    (("switch", 0, 0), 30), (("move", 0, "open"), 30), (("move", 0, "tender"), 30),
]  # fmt: skip


class _Undo(Exception):
    """Leave the database as it was."""


@dataclass
class Story:
    """Four customers of one rep and what happens to their deals."""

    tx: UnitOfWork
    owner_id: int
    accounts: list[int]
    at: datetime
    deals: list[int] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)

    async def tell(self, told: Sequence[tuple[tuple[str, Any, Any], int]]) -> None:
        for (what, one, other), hours in told:
            self.at += timedelta(hours=hours)
            await getattr(self, what)(one, other)

    async def open(self, customer: int, days_ago: int) -> None:
        account = await self.tx.accounts.get(self.accounts[customer])
        deal = await self.tx.opportunities.add(
            account_id=account.id, name="商机", owner_id=self.owner_id, stage="first_contact",
            rank=0, library=PLANT.ref, at=self.at - timedelta(days=days_ago),
        )  # fmt: skip
        self.deals.append(deal.id)

    async def move(self, number: int, target: str) -> None:
        if number >= len(self.deals):
            return
        deal = await self.tx.opportunities.get_for_update(self.deals[number])
        if target == "taken back":
            await self._take_back(deal)
            return
        library = SHELF.of(deal.library)
        slots = {one.key: "x" for one in needed_fields(library, deal.stage, target)}
        move = Move(place_of(deal), target, slots, "客户要求")
        verdict = judge_move(library, deal, move)
        if verdict.refusal is not None or verdict.kind is None:
            return
        after = moved(library, deal, move, self.at)
        await self.tx.opportunities.save(after)
        await self.tx.stages.add(
            StageEvent(
                deal.id, deal.account_id, verdict.kind, library.ref, move.seen, place_of(after),
                self.at, required_filled=verdict.required_filled,
                rank=rank_noted(library, verdict.kind, place_of(after)),
            ),
            CALENDAR,
        )  # fmt: skip

    async def _take_back(self, deal: Opportunity) -> None:
        """«撤销» after a win or a loss."""
        after = replace(deal, state=OpportunityState.OPEN)
        await self.tx.opportunities.save(after)
        await self.tx.stages.note_state(deal, after, by=None, at=self.at, calendar=CALENDAR)

    async def merge(self, one: int, other: int) -> None:
        gone = await self.tx.accounts.get(self.accounts[one])
        into = await self.tx.accounts.get(self.accounts[other])
        if gone.id != into.id:
            merge = await self.tx.merges.merge(gone.id, into.id, by=self.owner_id, at=self.at)
            self.merges.append(merge)

    async def part(self, _: int, __: int) -> None:
        if self.merges:
            await self.tx.merges.undo(self.merges.pop(), self.at)

    async def switch(self, _: int, __: int) -> None:
        for old, new in ((PLANT, CLINIC), (CLINIC, PLANT)):
            living = await self.tx.libraries.count_deals([self.owner_id])
            if {one.library for one in living} == {old.ref}:
                await self.tx.libraries.move_deals(
                    [self.owner_id], old=old.ref, new=new, stages=map_stages(old, new),
                    by=self.owner_id, at=self.at,
                )  # fmt: skip
                return

    async def events(self) -> dict[int, list[StageEvent]]:
        """Customer -> the events of the deals it has now."""
        found: dict[int, list[StageEvent]] = defaultdict(list)
        for number in self.deals:
            deal = await self.tx.opportunities.get(number)
            found[deal.account_id] += await self.tx.stages.of_deal(number)
        return found


@settings(max_examples=20)
@given(told=steps)
@example(told=MERGED_AND_PARTED)
@example(told=MERGED_AND_PARTED[:4])
@example(told=SWITCHED_ON_HOLD)
@example(told=SWITCHED_ON_HOLD[:4])
async def test_figures_kept_are_those_of_the_events(
    database: Database, told: list[tuple[tuple[str, Any, Any], int]]
) -> None:
    with suppress(_Undo):
        async with database.begin() as tx:
            owner = await member(tx, "zhang3")
            names = ("恒锐机电", "天目湖精工", "栖霞泵业", "甬江模具")
            accounts = [
                (await tx.accounts.add(name=name, owner_id=owner.id, at=AT)).id for name in names
            ]
            story = Story(tx, owner.id, accounts, AT)
            await story.tell(told)
            events = await story.events()
            for account_id in accounts:
                own = events.get(account_id, [])
                assert tuple(await tx.lead_spans.of_account(account_id)) == lead_spans(own)
                for deal_id, place in places(own).items():
                    assert place == place_of(await tx.opportunities.get(deal_id))
            await _check_days(tx, events)
            await _check_funnel(tx, story)
            await _check_rebuild(tx, accounts)
            raise _Undo


async def _check_days(tx: UnitOfWork, events: Mapping[int, Sequence[StageEvent]]) -> None:
    """The rules R1 to R11, as `gendan conversions` counts them."""
    moves = [one for account_id, own in events.items() for one in transitions(own, str(account_id))]
    by_rules = count_conversions({}, moves)
    assert not by_rules.rejected
    for day in by_rules.days:
        assert day.rate is None or 0 <= day.rate <= 1
    if by_rules.days:
        first, last = by_rules.days[0].day, by_rules.days[-1].day
        assert await tx.lead_spans.count(first, last) == by_rules.days
        middle = first + (last - first) // 2  # a window that begins among them
        within = tuple(day for day in by_rules.days if day.day >= middle)
        assert await tx.lead_spans.count(middle, last) == within


async def _check_funnel(tx: UnitOfWork, story: Story) -> None:
    deals = [await tx.opportunities.get(number) for number in story.deals]
    for library in (PLANT, CLINIC):
        own = [deal for deal in deals if deal.library == library.ref]
        furthest: dict[int, int] = defaultdict(lambda: -1)
        for deal in own:
            won = deal.state is OpportunityState.WON
            rank = len(library.stages) if won else library.rank(deal.furthest)
            furthest[deal.account_id] = max(furthest[deal.account_id], -1 if rank is None else rank)
        counts = await tx.stages.funnel(library, SHELF.refs_of(library), [story.owner_id])
        assert counts.furthest == Counter(furthest.values())
        for figures in funnel_of(library, counts):
            here = {
                deal.account_id
                for deal in own
                if deal.stage == figures.stage and deal.state is OpportunityState.OPEN
            }
            assert figures.here == len(here)
            assert figures.rate is None or 0 <= figures.rate <= 1


async def _check_rebuild(tx: UnitOfWork, accounts: Sequence[int]) -> None:
    before = await _kept(tx)
    conn = tx.lead_spans._conn
    await conn.execute(delete(spans_table))
    await conn.execute(update(opportunities).values(furthest=""))
    await conn.execute(update(stage_events).values(rank=None, stayed_days=None))

    def rank_of(ref: str, stage: str) -> int | None:
        return SHELF.of(ref).rank(stage)

    await tx.figures_rebuild.note(min(accounts), max(accounts), rank_of, CALENDAR)
    rebuilt = await tx.figures_rebuild.run(min(accounts), max(accounts))
    await tx.figures_rebuild.correct_furthest(rebuilt.astray)
    assert await _kept(tx) == before
    again = await tx.figures_rebuild.run(min(accounts), max(accounts))
    assert again.astray == []


async def _kept(tx: UnitOfWork) -> list[Any]:
    spans = spans_table.c
    queries = (
        select(spans.account_id, spans.first_day, spans.last_day, spans.converted)
        .order_by(spans.account_id, spans.first_day),
        select(opportunities.c.id, opportunities.c.furthest).order_by(opportunities.c.id),
        select(stage_events.c.id, stage_events.c.rank, stage_events.c.stayed_days)
        .order_by(stage_events.c.id),
    )  # fmt: skip
    return [(await tx.lead_spans._conn.execute(query)).all() for query in queries]


async def test_a_start_works_out_what_was_not_kept_yet(database: Database) -> None:
    async with database.begin() as tx:
        owner = await member(tx, "zhang3")
        account = await tx.accounts.add(name="恒锐机电", owner_id=owner.id, at=AT)
        await Story(tx, owner.id, [account.id], AT).open(0, 0)
        await tx.lead_spans._conn.execute(delete(spans_table))
    now = datetime(2026, 2, 1, tzinfo=UTC)
    await rebuilding.catch_up(database.begin, SHELF, CALENDAR, now)
    async with database.begin() as tx:
        (day,) = await tx.lead_spans.count(date(2026, 1, 30), date(2026, 1, 30))
        assert (day.denominator, day.numerator) == (1, 0)
        await tx.lead_spans._conn.execute(delete(spans_table))
    await rebuilding.catch_up(database.begin, SHELF, CALENDAR, now)  # kept since: nothing to do
    async with database.read() as tx:
        assert await tx.lead_spans.of_account(account.id) == []
