"""«收到»: a station has taken note, by the button or by words."""

from __future__ import annotations

from itertools import count

from bot.domain.people import Role
from bot.domain.supply import ROLES, Notice, NoticeKind, Station
from bot.errors import NotAllowed, NotFound
from bot.messages import Card, CardUpdate, OutboundMessage
from handlers.desk import Desk
from handlers.supply import groups
from handlers.supply.notices import PREFIX
from handlers.texts import supply as texts
from storage.cards import ShownCard

MAY_SEE = frozenset({Role.WAREHOUSE, Role.PLANNING, Role.SALES_DIRECTOR, Role.ADMIN})
MOST_LISTED = 20


async def press(desk: Desk) -> None:
    """On one of the cards; those of the same station show it too."""
    action = desk.message.action
    assert action is not None
    number, station_name, _ = action.card_id.removeprefix(PREFIX).split("-", 2)
    notice = await desk.tx.supply.get(int(number))
    if notice is None:
        raise NotFound(texts.NONE)
    await _acknowledge(desk, notice, [_may(desk, Station(station_name))])


async def by_words(desk: Desk, words: str) -> None:
    """«收到 CK20260128-0001»: the newest notice under that number."""
    number = words.strip().upper()
    if not number:
        desk.say(texts.WHICH)
        return
    stations = [one for one in Station if ROLES[one] in desk.rep.roles]
    if not stations and Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.ONLY_STATIONS)
    notice = await desk.tx.supply.numbered(number)
    if notice is None:
        raise NotFound(texts.no_such(number))
    await _acknowledge(desk, notice, stations or list(Station))


async def show(desk: Desk, _: str) -> None:
    """«备货»: what stands, with who has not acknowledged it."""
    if not desk.rep.roles & MAY_SEE:
        raise NotAllowed(texts.MAY_SEE_ROLES)
    found = await desk.tx.supply.newest(standing=True, limit=MOST_LISTED)
    if not found:
        desk.say(texts.NONE)
        return
    acks = {(one.notice_id, one.station) for one in await desk.tx.supply.acks_of(
        [one.id for one in found])}  # fmt: skip
    deals = await desk.tx.opportunities.list_some(one.opportunity_id for one in found)
    lines = []
    for notice in found:
        deal = deals[notice.opportunity_id]
        waiting = [one for one in Station if (notice.id, one) not in acks]
        day = desk.office.calendar.day_of(notice.at)
        lines.append(texts.listed(notice, deal.account_name, waiting, day))
    desk.say_privately(texts.LIST_TITLE, "\n".join(lines))


def _may(desk: Desk, station: Station) -> Station:
    if not desk.rep.roles & {ROLES[station], Role.ADMIN}:
        raise NotAllowed(texts.ONLY_STATIONS)
    return station


async def _acknowledge(desk: Desk, notice: Notice, stations: list[Station]) -> None:
    for station in stations:
        first = await desk.tx.supply.acknowledge(notice.id, station, desk.rep.id, desk.at)
        ack = next(
            one for one in await desk.tx.supply.acks_of([notice.id]) if one.station is station
        )
        who = (await desk.tx.people.get(ack.person_id)).name
        local = ack.at.astimezone(desk.office.zone)
        await _close(desk, notice, station, texts.acknowledged(station, who, f"{local:%H:%M}"))
        if first:
            await desk.tx.audit.append(
                at=desk.at,
                actor=f"person:{desk.rep.id}",
                action="acknowledge_supply",
                subject=f"opportunity:{notice.opportunity_id}",
                before=None,
                after={"notice": notice.key, "station": str(station)},
            )
        elif ack.person_id != desk.rep.id:
            desk.say(texts.acknowledged_before(who))
    desk.say(texts.thanks(notice))


async def _close(desk: Desk, notice: Notice, station: Station, words: str) -> None:
    """Every card of that station, wherever it was sent."""
    pressed = desk.message.action.card_id if desk.message.action else ""
    for place in count():
        card_id = f"{PREFIX}{notice.id}-{station}-{place}"
        shown = await desk.tx.cards.get(card_id)
        if shown is None:
            return
        if shown.state != "open":
            continue
        card = _as_shown(card_id, shown, notice.kind, words)
        if card_id == pressed:
            await desk.change(card, subject=shown.subject)
        else:
            desk.add(await _update(desk, card, shown))


def _as_shown(card_id: str, shown: ShownCard, kind: NoticeKind, closed: str) -> Card:
    return Card(
        card_id=card_id,
        title=texts.TITLES[kind],
        lines=tuple(shown.data.get("lines", ())),
        facts=tuple((name, value) for name, value in shown.data.get("facts", ())),
        revision=shown.revision + 1,
        closed=closed,
    )


async def _update(desk: Desk, card: Card, shown: ShownCard) -> list[OutboundMessage]:
    await desk.tx.cards.show(
        card, shown.address, subject=shown.subject, data=shown.data, at=desk.at
    )
    key = f"{desk.incoming.source_id}:{card.card_id}"
    to = groups.address_of(shown.address)
    return [OutboundMessage(key, to, CardUpdate(card, only_in_place=True))]
