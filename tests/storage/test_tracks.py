"""Talk tracks, what they were shown for, and lost deals, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.coaching import Result, Tally
from bot.domain.opportunities import Opportunity, OpportunityState
from bot.domain.people import Person
from bot.domain.tracks import Phase, Track
from storage.database import Database
from storage.tracks import OwnTrack, Profile, Showing
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, activity, after, customer, member, sale

TRACK = Track(
    code="U1",
    title="先挑毛病",
    opening="您先挑三处。",
    question="哪一处？",
    proof="对照表。",
    next_step="周五前。",
    industry="manufacturing",
    objections=("price_high",),
    phases=(Phase.MIDDLE,),
    link="https://example.com/a",
    file="f" * 64,
    file_name="案例.pdf",
)
YEAR_AGO = AT - timedelta(days=365)


def showing(deal: Opportunity, rep: Person, card: str = "c1", place: int = 1) -> Showing:
    return Showing(
        card_id=card,
        place=place,
        code="U1",
        account_id=deal.account_id,
        opportunity_id=deal.id,
        person_id=rep.id,
        industry="manufacturing",
        segment="manufacturing/small/new",
        objections=("price_high",),
        shown_at=AT,
    )


async def deal_of(tx: UnitOfWork) -> tuple[Person, Opportunity]:
    rep = await member(tx, "zhang3")
    return rep, await sale(tx, await customer(tx, rep))


async def test_a_track_comes_back_as_it_was_written_and_its_newest_version_holds(
    database: Database,
) -> None:
    async with database.begin() as tx:
        author = await member(tx, "zhang3")
        await tx.tracks.put(TRACK, active=True, author_id=author.id, at=AT)
        assert await tx.tracks.own() == {"U1": OwnTrack(TRACK, 1, True)}
        changed = replace(TRACK, title="改过的")
        await tx.tracks.put(changed, active=False, author_id=author.id, at=after(1))
        assert await tx.tracks.own() == {"U1": OwnTrack(changed, 2, False)}


async def test_a_showing_is_kept_once_and_judged_once(database: Database) -> None:
    async with database.begin() as tx:
        rep, deal = await deal_of(tx)
        shown = showing(deal, rep)
        await tx.tracks.show([shown, shown, showing(deal, rep, place=2)])
        assert await tx.tracks.judge("c1", 1, Result.USED)
        assert not await tx.tracks.judge("c1", 1, Result.UNFIT)
        results = [one.result for one in await tx.tracks.on_card("c1")]
        assert results == [Result.USED, Result.SHOWN]
        assert await tx.tracks.last_card_of(rep.id) == "c1"
        assert len(await tx.tracks.of_account(deal.account_id, limit=9)) == 2
        assert await tx.tracks.shown_counts(since=YEAR_AGO) == {"U1": 2}


async def test_a_hint_in_words_is_no_card(database: Database) -> None:
    async with database.begin() as tx:
        rep, deal = await deal_of(tx)
        await tx.tracks.show([showing(deal, rep, card="hint-1", place=0)])
        assert await tx.tracks.last_card_of(rep.id) is None
        assert await tx.tracks.shown_counts(since=YEAR_AGO) == {}


async def test_what_became_of_a_track_follows_its_deal(database: Database) -> None:
    async with database.begin() as tx:
        rep, deal = await deal_of(tx)
        await tx.tracks.show([showing(deal, rep, place=place) for place in (1, 2, 3)])
        await tx.tracks.judge("c1", 1, Result.USED)
        await tx.tracks.judge("c1", 2, Result.UNFIT)
        key = ("U1", "manufacturing/small/new")
        for state, tally in (
            (OpportunityState.OPEN, Tally(used=1, unfit=1)),
            (OpportunityState.WON, Tally(won=1, unfit=1)),
            (OpportunityState.LOST, Tally(lost=1, unfit=1)),
            (OpportunityState.ON_HOLD, Tally(used=1, unfit=1)),
        ):
            await tx.opportunities.save(replace(deal, state=state))
            assert await tx.tracks.evidence("manufacturing", since=YEAR_AGO) == {key: tally}
            assert await tx.tracks.tallies(since=YEAR_AGO) == {"U1": tally}
        assert await tx.tracks.evidence("saas", since=YEAR_AGO) == {}
        assert await tx.tracks.evidence("manufacturing", since=after(1)) == {}


async def test_a_profile_is_what_was_told_last(database: Database) -> None:
    async with database.begin() as tx:
        rep = await member(tx, "zhang3")
        account = await customer(tx, rep)
        assert await tx.tracks.profile(account.id) == Profile()
        for profile in (Profile(60), Profile(60, 200_000_000)):
            await tx.tracks.save_profile(account.id, profile, AT)
            assert await tx.tracks.profile(account.id) == profile


async def test_the_profile_of_a_merged_customer_is_known_of_the_one_that_stands(
    database: Database,
) -> None:
    async with database.begin() as tx:
        rep = await member(tx, "zhang3")
        gone, stands = await customer(tx, rep), await customer(tx, rep, "宁波甬江轴承有限公司")
        await tx.tracks.save_profile(gone.id, Profile(60), AT)
        await tx.merges.merge(gone.id, stands.id, by=rep.id, at=after(1))
        assert await tx.tracks.profile(stands.id) == Profile(60)


async def test_losses_are_those_recorded_in_time_and_not_taken_back(database: Database) -> None:
    async with database.begin() as tx:
        rep = await member(tx, "zhang3")
        account = await customer(tx, rep)
        deal = await sale(tx, account)
        told: dict[str, object] = {
            "intent": "log_loss",
            "loss_reason": "other",
            "loss_note": "关系户",
            "objections": ["other", "budget"],
        }
        for number, slots in enumerate((told, {**told, "intent": "log_win"}, told)):
            entry = activity(
                account,
                f"s{number}",
                opportunity_id=deal.id,
                unit="",
                slots=slots,
                recorded_at=after(number),
            )
            stored = await tx.activities.add(entry)
            assert stored is not None
        gone = replace(
            entry, source_id="gone", slots={}, retracts_id=stored.id, recorded_at=after(9)
        )
        await tx.activities.add(gone)
        (loss,) = await tx.refusals.losses(since=AT, until=after(60))
        assert (loss.primary, loss.reasons, loss.text) == ("other", ("other", "budget"), "关系户")
        assert loss.opportunity_id == deal.id
        assert await tx.refusals.losses(since=after(3), until=after(60)) == []


async def test_a_profile_goes_with_a_merge_and_comes_back_with_its_undo(
    database: Database,
) -> None:
    told = Profile(60, 200_000_000)
    async with database.begin() as tx:
        rep = await member(tx, "zhang3")
        gone, into, last = [
            await tx.accounts.add(name=name, owner_id=rep.id, at=AT)
            for name in ("恒锐机电", "甬江轴承", "越城纺机")
        ]
        await tx.tracks.save_profile(gone.id, told, AT)
        await tx.tracks.save_profile(last.id, Profile(9), AT)
        first = await tx.merges.merge(gone.id, into.id, by=rep.id, at=AT)
        assert await tx.tracks.profile(into.id) == told
        await tx.merges.merge(into.id, last.id, by=rep.id, at=AT)  # which has its own
        assert await tx.tracks.profile(last.id) == Profile(9)
        await tx.merges.undo(first, after(1))
        assert await tx.tracks.profile(gone.id) == told
        assert await tx.tracks.profile(last.id) == Profile(9)
