"""The small talk around the work: greetings, what cannot be read, presses without a draft."""

from __future__ import annotations

from bot.errors import NotFound
from handlers.binding import opening
from handlers.conversation import drafts, files, hearing
from handlers.customers import creating, customers
from handlers.desk import Desk
from handlers.pages import signing_in
from handlers.people.directory import tell_admins
from handlers.texts import dialog


async def ignore(desk: Desk) -> None:
    """Understood, and nothing to do."""


async def welcome(desk: Desk) -> None:
    """Once a day at most: opening the application fires the event each time."""
    seen = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    today = desk.at.astimezone(desk.office.zone).date().isoformat()
    if seen.get("greeted_on") == today:
        return
    await desk.tx.dialogs.put(
        desk.conversation, desk.rep.id, {**seen, "greeted_on": today}, desk.at
    )
    desk.say(dialog.welcome(desk.rep.name, desk.rep.roles))


async def over_quota(desk: Desk) -> None:
    """DingTalk withheld the text. No answer, which would cost quota too; one word a day to
    the administrators."""
    day = desk.at.astimezone(desk.office.zone).date()
    key = f"over-quota:{desk.message.app}:{day}"
    desk.add(await tell_admins(desk.tx, desk.office, dialog.OVER_QUOTA, key=key))


async def unsupported(desk: Desk) -> None:
    desk.say(dialog.UNSUPPORTED)


async def mute_voice(desk: Desk) -> None:
    """A recording without a transcript: kept for the record that is typed next."""
    if await files.keep(desk):
        desk.say(dialog.VOICE_UNREADABLE)


async def words_and_files(desk: Desk) -> None:
    """Text with pictures, or a recording with its transcript: the files are kept first, so
    that the draft made of the words takes them along."""
    kept = await files.keep(desk)
    await hearing.hear(desk)
    if kept:
        await files.place_rest(desk)


async def unknown_card(desk: Desk) -> None:
    desk.say(dialog.CARD_UNKNOWN)


async def press_customer(desk: Desk) -> None:
    """«更多动态», «打开聊天» or «打开网页» on a customer's card."""
    action = desk.message.action
    assert action is not None
    account = await desk.tx.accounts.get(int(action.card_id.split("-")[1]))
    if action.action == customers.PAGE:
        await signing_in.send_customer(desk, account)
    elif action.action == customers.CHATS:
        await opening.tell(desk, account)
    else:
        await customers.tell_stream(desk, account)


async def press_new_customer(desk: Desk) -> None:
    """A button under customers that are like a new one. Drafts that wait for it take it."""
    settled = await creating.press(desk)
    if settled is not None:
        account, asked = settled
        await drafts.adopt(desk, account, asked=asked)


async def press_lights(desk: Desk) -> None:
    """«知道了», «延后» … on a card of lights."""
    action = desk.message.action
    assert action is not None
    try:
        desk.add(await desk.office.lights.press(desk.tx, action, desk.rep, desk.at))
    except NotFound:
        desk.say(dialog.CARD_UNKNOWN)
