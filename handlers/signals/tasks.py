"""A customer did something that wants a call: the card's buttons, and its line in the lists."""

from __future__ import annotations

from bot.domain.activities import Intent, Record
from bot.errors import NotFound
from bot.messages import Card
from handlers.conversation import drafts
from handlers.customers import customers
from handlers.desk import Desk
from handlers.signals.finding import CALLED, CARD, SEEN
from handlers.texts import signals as texts


async def press(desk: Desk) -> None:
    """Raises NotAllowed for who may not log for the customer, NotFound for a signal that is
    gone with its customer."""
    action = desk.message.action
    assert action is not None
    number = int(action.card_id.removeprefix(CARD))
    found = await desk.tx.signals.get(number)
    if found is None:
        raise NotFound(texts.SETTLED)
    account = await desk.tx.accounts.get(found.account_id)
    await customers.refuse_foreign(desk, account)
    if action.action == SEEN:
        if not await desk.tx.signals.settle(number):
            desk.say(texts.SETTLED)
        card = Card(action.card_id, texts.task_title(account.name), closed=texts.SEEN_CLOSED)
        await desk.change(card, subject=f"account:{account.id}")
        return
    intent = Intent.LOG_CALL if action.action == CALLED else Intent.LOG_MESSAGE
    record = Record(intent=intent, customer=account.name)
    await drafts.open_draft(desk, record, number=0, text=texts.from_the_card(account.name))
