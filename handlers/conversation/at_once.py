"""Drafts that need no press (policy.drafts.auto_confirm): stored, and shown with 撤销."""

from __future__ import annotations

from dataclasses import replace

from bot.domain import confirming
from bot.domain.activities import Draft, DraftState
from bot.messages import Card, Kind
from handlers.conversation import draft_card, storing, undoing
from handlers.conversation.draft_card import DraftView
from handlers.desk import Desk
from handlers.texts import dialog


def is_due(desk: Desk, view: DraftView) -> bool:
    """Whether the draft is complete, clear, and nothing speaks against it. What was dictated
    was heard by a machine: its speaker has to see it first."""
    dictated = desk.message.kind is Kind.VOICE
    if dictated or any(file.transcript for file in desk.incoming.files):
        return False
    complete = view.customer and not (view.missing or view.question or view.warnings)
    return bool(complete) and not confirming.needs_press(desk.policy.drafts, view.draft)


async def store(desk: Desk, view: DraftView) -> tuple[Draft, Card]:
    """The draft as it was stored, and its card."""
    draft = view.draft
    assert draft.account_id is not None
    account = await desk.tx.accounts.get(draft.account_id)
    activity, _ = await storing.store(desk, draft, account, pressed=False)
    if activity is None:  # stored before: a replay
        draft = await desk.tx.drafts.get_for_update(draft.id)
    else:
        draft = storing.confirmed(desk, draft, activity)
    return draft, _card(replace(view, draft=draft))


async def is_shown(desk: Desk, draft: Draft) -> bool:
    """Whether the draft was stored like that, and its card still has the buttons."""
    shown = await desk.tx.cards.get(draft.card_id)
    return draft.state is DraftState.CONFIRMED and shown is not None and shown.state == "open"


async def press(desk: Desk, view: DraftView, action: str) -> None:
    """A button of such a card, but for 修改. What was on the draft before it was stored is
    answered with the card as it is now."""
    subject = f"draft:{view.draft.id}"
    card = _card(view)
    if action == draft_card.UNDO and view.draft.activity_id is not None:
        if await undoing.undo_entry(desk, view.draft.activity_id):
            return
        card = draft_card.closed(view, dialog.CARD_STORED)
    await desk.change(card, subject=subject)


def _card(view: DraftView) -> Card:
    counts = view.unit is not None and view.unit.counts
    return draft_card.stored(view, dialog.stored_at_once(valid=counts))
