"""Talk tracks for a rep: three for a new deal or on «话术 恒锐机电», one press on each, and one
line when a customer objects."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.activities import OBJECTIONS, Activity
from bot.domain.coaching import (
    OFFERED,
    Choice,
    Evidence,
    Past,
    Result,
    Situation,
    answering,
    choose,
    explained,
)
from bot.domain.opportunities import Account, Opportunity, OpportunityState
from bot.domain.tracks import Track
from bot.errors import NotAllowed, NotFound
from bot.messages import Button, Card, FileContent, Markdown
from handlers.coaching import coaching_facts as facts
from handlers.conversation.judging import stream_of
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import coaching as texts
from handlers.texts import dialog
from storage.tracks import Showing

CARD = "tracks-"  # how the ids of its cards begin
LOOKED_AT = 200  # showings to one customer
WECOM_BUTTONS = 6  # one more would come as a message of its own

UNASKED_AFTER = timedelta(minutes=1)
"""Tracks that nobody asked for wait, so that they do not fall into what the rep is telling."""


async def show_for(desk: Desk, words: str) -> None:
    """«话术 恒锐机电»."""
    if not words:
        desk.say(texts.WHICH_CUSTOMER)
        return
    account = await customers.named(desk, words)
    if account is None:
        return
    await customers.refuse_to_show(desk, account)
    open_ones = await desk.tx.opportunities.open_of_account(account.id)
    if not open_ones:
        desk.say(texts.no_open_deal(account.name))
        return
    deal = max(open_ones, key=lambda one: (one.last_valid_at or one.assigned_at, one.id))
    if not await _offer(desk, account, deal):
        desk.say(texts.NO_TRACKS)
    elif desk.message.in_group:
        desk.say(dialog.TOLD_PRIVATELY)


async def follow(desk: Desk) -> None:
    """What a message led to: tracks for a deal that was opened by it, one line for what a
    customer objects to. While a draft is being filled in, the tracks wait for its end."""
    if desk.person is None or not desk.office.tracks:
        return
    offered = {deal.account_id for deal in await _offer_for_new(desk)}
    for activity in desk.recorded:
        if activity.account_id not in offered:
            await _hint(desk, activity)


async def press(desk: Desk) -> None:
    """«用了», «不合适», «换一批» on the card."""
    action = desk.message.action
    assert action is not None
    name, _, place = action.action.partition("-")
    await _act(desk, action.card_id, name, int(place) if place.isdigit() else 0)


async def by_words(desk: Desk, name: str, place: int = 0) -> None:
    """The same in words, about the card that the speaker was shown last."""
    card_id = await desk.tx.tracks.last_card_of(desk.rep.id)
    if card_id is None:
        raise NotFound(texts.NO_CARD)
    await _act(desk, card_id, name, place)


async def material(desk: Desk, words: str) -> None:
    """«材料 M07»: the file or link, to forward."""
    track = (await facts.library(desk)).get(words.upper())
    if track is None:
        raise NotFound(texts.no_such_track(words))
    if not track.file and not track.link:
        desk.say(texts.no_material(track))
        return
    if track.file:
        desk.answer(FileContent("file", track.file, track.file_name))
    if track.link:
        desk.say(texts.material_link(track))


async def _offer_for_new(desk: Desk) -> list[Opportunity]:
    """The deals that tracks were shown for."""
    begun = [await _begun_by(desk, activity) for activity in desk.recorded]
    fresh = [*desk.opened, *(deal for deal in begun if deal is not None)]
    if not fresh:
        return []
    open_drafts = await desk.tx.drafts.open_of(desk.conversation, desk.rep.id)
    waiting = {draft.account_id for draft in open_drafts}
    offered = []
    for deal in {deal.id: deal for deal in fresh}.values():
        account = await desk.tx.accounts.get(deal.account_id)
        held_up = None in waiting or deal.account_id in waiting
        if not held_up and await _offer(desk, account, deal, not_before=desk.at + UNASKED_AFTER):
            offered.append(deal)
    return offered


async def _begun_by(desk: Desk, activity: Activity) -> Opportunity | None:
    """The living deal that this is the first entry of, unless tracks were shown for it."""
    if activity.opportunity_id is None:
        return None
    deal = await desk.tx.opportunities.get(activity.opportunity_id)
    entries = await stream_of(desk, deal.id)
    if deal.state is not OpportunityState.OPEN or len(entries) != 1:
        return None
    shown = await desk.tx.tracks.of_account(deal.account_id, limit=LOOKED_AT)
    return None if any(one.opportunity_id == deal.id for one in shown) else deal


async def _offer(
    desk: Desk, account: Account, deal: Opportunity, *, not_before: datetime | None = None
) -> bool:
    """Show up to three tracks, word for word and as a card to press; whether there are any."""
    situation = await facts.situation(desk, account, deal)
    shown = await desk.tx.tracks.of_account(account.id, limit=LOOKED_AT)
    tracks = list((await facts.library(desk)).values())
    choices = _choose(desk, situation, shown, tracks, await facts.evidence(desk, situation))
    if not choices:
        return False
    digest = hashlib.sha256(desk.incoming.source_id.encode()).hexdigest()
    card_id = f"{CARD}{deal.id}-{digest[:16]}"
    showings = [
        _showing(desk, deal, situation, choice, card_id=card_id, place=place)
        for place, choice in enumerate(choices, 1)
    ]
    await desk.tx.tracks.show(showings)
    full = texts.in_full(account.name, choices, situation)
    materials = tuple(choice.track.link for choice in choices if choice.track.link)
    words = Markdown(texts.title(account.name), full, materials)
    desk.send(desk.private, words, not_before=not_before)
    card = _card(account, choices, situation, showings)
    await desk.show_privately(card, subject=f"tracks:{account.id}", not_before=not_before)
    return True


async def _hint(desk: Desk, activity: Activity) -> None:
    """At most one line a day for each customer, and none for a deal that has ended."""
    said = activity.slots.get("objections")
    if not isinstance(said, list) or not said or activity.opportunity_id is None:
        return
    deal = await desk.tx.opportunities.get(activity.opportunity_id)
    if deal.state is not OpportunityState.OPEN:
        return
    account = await desk.tx.accounts.get(activity.account_id)
    shown = await desk.tx.tracks.of_account(account.id, limit=LOOKED_AT)
    day_of = desk.office.calendar.day_of
    if any(day_of(one.shown_at) == day_of(desk.at) for one in shown):
        return
    objections = tuple(code for code in said if code in OBJECTIONS)
    situation = await facts.situation(desk, account, deal, objections=objections)
    keep, industry = desk.office.just_read.get, situation.industry
    tracks = await keep("tracks", desk.at, lambda: facts.library(desk))
    proven = await keep(("proven", industry), desk.at, lambda: facts.evidence(desk, situation))
    serving = answering(tracks.values(), situation)
    choices = _choose(desk, situation, shown, serving, proven, count=1)
    if choices:
        track = choices[0].track
        held = [code for code in situation.objections if code in track.objections]
        desk.say_on(texts.hint(held, track, account.name))
        card_id = f"hint-{activity.id}"
        hinted = _showing(desk, deal, situation, choices[0], card_id=card_id, place=0)
        await desk.tx.tracks.show([hinted])


async def _act(desk: Desk, card_id: str, name: str, place: int) -> None:
    showings = await desk.tx.tracks.on_card(card_id)
    if not showings:
        raise NotFound(dialog.CARD_UNKNOWN)
    if showings[0].person_id != desk.rep.id:
        owner = await desk.tx.people.get(showings[0].person_id)
        raise NotAllowed(dialog.not_yours_to_press(owner.name))
    account = await desk.tx.accounts.get(showings[0].account_id)
    deal = await desk.tx.opportunities.get(showings[0].opportunity_id)
    if name == "more":
        await _redraw(desk, account, deal, card_id, closed=texts.SWAPPED)
        if deal.state is not OpportunityState.OPEN:
            desk.say(texts.no_open_deal(account.name))
        elif not await _offer(desk, account, deal):
            desk.say(texts.NO_TRACKS)
        return
    if name not in ("used", "unfit") or place not in [one.place for one in showings]:
        raise NotFound(texts.NO_SUCH_PLACE)
    fresh = await desk.tx.tracks.judge(card_id, place, Result(name))
    await _redraw(desk, account, deal, card_id)
    if not fresh:
        desk.say(texts.ALREADY_JUDGED)
        return
    track = (await facts.library(desk, stopped=True)).get(showings[place - 1].code)
    desk.say(texts.used(track) if name == "used" and track else texts.UNFIT_NOTED)


async def _redraw(
    desk: Desk, account: Account, deal: Opportunity, card_id: str, *, closed: str = ""
) -> None:
    showings = await desk.tx.tracks.on_card(card_id)
    tracks = await facts.library(desk, stopped=True)
    situation = await facts.situation(desk, account, deal)
    known = [one for one in showings if one.code in tracks]
    evidence = await facts.evidence(desk, situation)
    choices = [explained(tracks[one.code], situation, evidence) for one in known]
    card = replace(_card(account, choices, situation, known), closed=closed)
    await desk.change(card, subject=f"tracks:{account.id}")


def _card(
    account: Account, choices: Sequence[Choice], situation: Situation, showings: Sequence[Showing]
) -> Card:
    lines, buttons = [], []
    for choice, showing in zip(choices, showings, strict=True):
        place = showing.place
        lines.append(texts.head(place, choice, situation, texts.result_words(showing.result)))
        if showing.result is Result.SHOWN:
            buttons.append(Button(f"used-{place}", f"用了{place}", style="primary"))
            buttons.append(Button(f"unfit-{place}", f"不合适{place}"))
    if len(buttons) < WECOM_BUTTONS:  # else the words above say it
        buttons.append(Button("more", texts.MORE))
    return Card(
        card_id=showings[0].card_id,
        title=texts.title(account.name),
        lines=tuple(lines),
        buttons=tuple(buttons),
    )


def _choose(
    desk: Desk,
    situation: Situation,
    shown: Sequence[Showing],
    tracks: Sequence[Track],
    evidence: Evidence,
    *,
    count: int = OFFERED,
) -> list[Choice]:
    """The same message chooses the same, so that a replay changes nothing."""
    chance = random.Random(desk.incoming.source_id)  # noqa: S311 - a choice, not a secret
    return choose(tracks, situation, evidence, _past(shown, situation), chance, count=count)


def _past(shown: Sequence[Showing], situation: Situation) -> Past:
    """Newest first. The last card is not to be repeated unless the customer objects to
    something that was not in play then."""
    on_cards = [one for one in shown if one.place > 0]
    last = [one for one in on_cards if one.card_id == on_cards[0].card_id]
    new_objection = bool(last) and not set(situation.objections) <= set(last[0].objections)
    return Past(
        times=Counter(one.code for one in on_cards),
        unfit=frozenset(one.code for one in on_cards if one.result is Result.UNFIT),
        last=frozenset() if new_objection else frozenset(one.code for one in last),
    )


def _showing(
    desk: Desk,
    deal: Opportunity,
    situation: Situation,
    choice: Choice,
    *,
    card_id: str,
    place: int,
) -> Showing:
    return Showing(
        card_id=card_id,
        place=place,
        code=choice.track.code,
        account_id=deal.account_id,
        opportunity_id=deal.id,
        person_id=desk.rep.id,
        industry=situation.industry,
        segment=situation.segment,
        objections=situation.objections,
        shown_at=desk.at,
    )
