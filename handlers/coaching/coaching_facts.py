"""What talk tracks are chosen by: the library, the deal as it stands, what was told of the
customer, and what became of tracks before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from bot.domain.activities import OBJECTIONS, Activity
from bot.domain.coaching import Evidence, Situation, buying_of, phase_of, size_of
from bot.domain.losses import REASON
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.tracks import INDUSTRIES, Track, industry_of
from handlers.conversation.judging import stream_of
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import coaching as texts
from handlers.texts import dialog
from handlers.texts.money import amount_words
from storage.tracks import Profile

EVIDENCE_FOR = timedelta(days=365)

_PROFILE = re.compile(
    r"\A(?P<who>.{1,60}?)[ :：,，]{1,9}(?P<told>\S{0,60}(?:\d{1,9} ?多?人|采购).*)"
)
_EMPLOYEES = re.compile(r"(\d{1,7}) ?(?:多)?人")
_YEARLY = re.compile(r"采购(?:额)?(?:约|大概)?[ :：]*(\S+)")


async def library(desk: Desk, *, stopped: bool = False) -> dict[str, Track]:
    """By code: those that come with Gendan, with what administrators wrote over them.
    stopped: those that are not offered too."""
    own = await desk.tx.tracks.own()
    found = {track.code: track for track in desk.office.tracks}
    found |= {code: one.track for code, one in own.items()}
    return {
        code: track
        for code, track in found.items()
        if stopped or code not in own or own[code].active
    }


async def situation(
    desk: Desk, account: Account, deal: Opportunity, *, objections: tuple[str, ...] | None = None
) -> Situation:
    """A customer whose industry nobody wrote down is taken to be of the library's. objections:
    those just said, instead of what the stream tells."""
    book = desk.office.libraries.of(deal.library)
    usual = book.key if book.key in INDUSTRIES else ""
    stages = [stage.key for stage in book.stages]
    place = stages.index(deal.stage) if deal.stage in stages else -1
    profile = await desk.tx.tracks.profile(account.id)
    since = desk.at - EVIDENCE_FOR
    past = await desk.tx.opportunities.of_account(account.id)
    won = [one for one in past if one.state is OpportunityState.WON]
    held = objections if objections is not None else await _held_now(desk, deal)
    sold = sum(one.amount_fen or 0 for one in won if one.created_at >= since)
    return Situation(
        industry=industry_of(account.industry) or usual,
        phase=phase_of(place, len(stages)),
        buying=buying_of(profile.yearly_fen or sold, len(won)),
        size=size_of(profile.employees),
        objections=held if held is not None else await _lost_for(desk, past),
    )


async def evidence(desk: Desk, situation: Situation) -> Evidence:
    since = desk.at - EVIDENCE_FOR
    return await desk.tx.tracks.evidence(situation.industry, since=since)


async def _held_now(desk: Desk, deal: Opportunity) -> tuple[str, ...] | None:
    """What the customer objected to in the newest entry that says anything of it; None where
    none does."""
    for entry in reversed(await _living(desk, deal)):
        said = entry.slots.get("objections")
        if isinstance(said, list):
            return tuple(code for code in said if code in OBJECTIONS)
    return None


async def _lost_for(desk: Desk, past: Sequence[Opportunity]) -> tuple[str, ...]:
    """The reason for which the customer's last deal was lost not long ago: likely to be heard
    again."""
    lost = [deal for deal in past if deal.state is OpportunityState.LOST]
    for entry in reversed(await _living(desk, lost[-1]) if lost else []):
        reason = entry.slots.get(REASON)
        if reason in OBJECTIONS:
            return (str(reason),)
    return ()


async def _living(desk: Desk, deal: Opportunity) -> list[Activity]:
    """A deal's entries that were not taken back, oldest first."""
    entries = await stream_of(desk, deal.id)
    taken_back = {entry.retracts_id for entry in entries}
    return [entry for entry in entries if entry.id not in taken_back]


async def tell_profile(desk: Desk, words: str) -> None:
    """«客户画像 恒锐机电 300人 年采购200万»."""
    match = _PROFILE.fullmatch(words)
    account = await customers.named(desk, match["who"]) if match else None
    if match is None:
        desk.say(texts.profile_how(""))
        return
    if account is None:
        return
    await customers.refuse_foreign(desk, account)
    profile = await desk.tx.tracks.profile(account.id)
    told = []
    if (people := _EMPLOYEES.search(match["told"])) is not None:
        profile = Profile(int(people[1]), profile.yearly_fen)
        told.append(f"{profile.employees}人")
    if (bought := _YEARLY.search(match["told"])) is not None:
        now = desk.message.sent_at.astimezone(desk.office.zone)
        fen = desk.office.reader.read_answer(bought[1], "amount_fen", now=now)
        if isinstance(fen, int) and fen >= 0:
            profile = Profile(profile.employees, fen)
            told.append(f"年采购{amount_words(fen)}")
    if not told:
        desk.say(texts.profile_how(dialog.short_company(account.name)))
        return
    await desk.tx.tracks.save_profile(account.id, profile, desk.at)
    desk.say(texts.profile_saved(account.name, told))
