"""Working the morning list down: its buttons, and the card that follows what was recorded."""

from __future__ import annotations

from bot.domain.activities import Intent, Record
from bot.domain.notifying import Reason
from bot.errors import NotAllowed
from handlers.conversation import drafts
from handlers.deadlines import deadlines
from handlers.desk import Desk
from handlers.leading import morning_cards, worklist
from handlers.leading.morning_cards import CALLED, ITEM, LATER, REFRESH, UNCHOSEN
from handlers.leading.worklist import Item, Kind
from handlers.lights import light_showing
from handlers.texts import dialog
from handlers.texts import morning as texts
from handlers.texts import signals as signal_texts
from storage.cards import ShownCard


async def press(desk: Desk) -> None:
    """A button of the list: it acts on the item chosen, or on the first; then the list is
    shown as it stands now. Raises NotAllowed on somebody else's list."""
    action = desk.message.action
    assert action is not None
    owner_id = int(action.card_id.split("-")[1])
    if owner_id != desk.rep.id:
        raise NotAllowed(dialog.not_yours_to_press((await desk.tx.people.get(owner_id)).name))
    items = await worklist.of_person(desk.tx, desk.office.watch, desk.rep, desk.at)
    shown = await desk.tx.cards.get(action.card_id)
    todo = morning_cards.to_work(items, morning_cards.told_on(shown))
    key = action.values.get(ITEM, UNCHOSEN)
    meant = todo[:1] if key == UNCHOSEN else [item for item in todo if item.key == key]
    if action.action != REFRESH and not meant:
        desk.say(texts.GONE)
    elif action.action != REFRESH:
        await _act(desk, meant[0], action.action)
    await _show(desk, action.card_id, shown, only_in_place=action.action != REFRESH)


async def follow(desk: Desk) -> None:
    """Something was recorded: today's list, if there is one, shows what is left."""
    card_id = morning_cards.card_id_of(desk.rep.id, desk.office.calendar.day_of(desk.at))
    shown = await desk.tx.cards.get(card_id)
    if shown is not None and shown.state == "open" and not desk.message.in_group:
        await _show(desk, card_id, shown, only_in_place=True)


async def _show(desk: Desk, card_id: str, shown: ShownCard | None, *, only_in_place: bool) -> None:
    """Today's list, on its own card: what was sent under an id can be changed, not sent again."""
    watch = desk.office.watch
    today_id = morning_cards.card_id_of(desk.rep.id, desk.office.calendar.day_of(desk.at))
    if today_id != card_id:  # pressed on another day's list
        shown = await desk.tx.cards.get(today_id)
        if shown is not None and not only_in_place:
            desk.say(texts.ON_TODAYS_CARD)
    items = await worklist.of_person(desk.tx, watch, desk.rep, desk.at)
    told = morning_cards.told_on(shown)
    card = morning_cards.build(watch, desk.rep.id, items, desk.at, told=told)
    if shown is None and today_id != card_id:
        await desk.show(card, subject=today_id)
        return
    data = {morning_cards.TOLD: sorted(told)}
    await desk.change(card, subject=today_id, only_in_place=only_in_place, data=data)


async def _act(desk: Desk, item: Item, action: str) -> None:
    if item.kind is Kind.OWED:
        owed = await desk.tx.deadlines.get(item.number)
        assert owed is not None
        if action == LATER:
            desk.say(texts.OWED_NOT_LATER)
        else:
            await deadlines.write(desk, owed)
    elif item.kind is Kind.DRAFT:
        if action == LATER:
            desk.say(texts.DRAFT_NOT_LATER)
        else:
            await drafts.show(desk, await desk.tx.drafts.get_for_update(item.number))
    elif item.kind is Kind.SIGNAL and action == LATER:
        desk.say(signal_texts.later(item.account_name))
    elif action == LATER:
        await _put_off(desk, item)
    else:
        intent = Intent.LOG_CALL if action == CALLED else Intent.LOG_MESSAGE
        record = Record(intent=intent, customer=item.account_name)
        text = texts.from_the_list(item.account_name)
        if intent is Intent.LOG_MESSAGE:
            desk.say(texts.tell_me(item.account_name))
        await drafts.open_draft(desk, record, number=0, text=text)


async def _put_off(desk: Desk, item: Item) -> None:
    """A light wants a reason, on its own card; a promise wants a new day."""
    (lead,) = await desk.tx.lights.list_leads([item.number])
    if lead.episode is None:
        desk.say(texts.new_day(item.account_name))
        return
    card_id = f"lights-one-{item.number}-{int(desk.at.timestamp())}"
    await light_showing.show(desk, [lead], card_id=card_id, reason=Reason.FIRST)
