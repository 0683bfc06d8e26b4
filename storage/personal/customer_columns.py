"""What of a customer's rows is personal, and what takes its place."""

from __future__ import annotations

from typing import Any

from bot.domain.privacy import impersonal
from storage.personal.erasing import Changes, gone, no_fields, nothing_left
from storage.tables import (
    account_merges,
    accounts,
    activities,
    approvals,
    archive_chats,
    archive_files,
    archive_messages,
    attendance_facts,
    chat_bindings,
    clause_reviews,
    collisions,
    contacts,
    customer_signals,
    deal_outlooks,
    drafts,
    erp_customers,
    evidence,
    forecast_cosigns,
    forecast_lines,
    level_changes,
    light_episodes,
    mail_addresses,
    mails,
    payout_complaints,
    payout_dispute_notes,
    payout_disputes,
    signal_events,
    signal_links,
    signal_visitors,
    stage_events,
    supply_notices,
)


def _without_phone(value: Any) -> Any:
    """Of what was entered of a customer, or moved with it."""
    if isinstance(value, dict):
        return {key: "" if key == "phone" else _without_phone(part) for key, part in value.items()}
    return value


PERSONAL: Changes = {
    accounts.c.phone: gone,
    account_merges.c.moved: _without_phone,
    activities.c.text: gone,
    activities.c.slots: impersonal,
    approvals.c.title: gone,
    approvals.c.controls: nothing_left,
    approvals.c.nodes: nothing_left,
    attendance_facts.c.place: gone,
    attendance_facts.c.note: gone,
    clause_reviews.c.note: gone,
    collisions.c.asked: _without_phone,
    collisions.c.reason: gone,
    deal_outlooks.c.risk: gone,
    drafts.c.text: gone,
    drafts.c.slots: impersonal,
    erp_customers.c.phone: gone,
    evidence.c.fields: no_fields,
    evidence.c.withdrawal_reason: gone,
    forecast_cosigns.c.argument: gone,
    forecast_cosigns.c.agreed_reason: gone,
    forecast_lines.c.risk: gone,
    level_changes.c.reason: gone,
    supply_notices.c.reason: gone,
    light_episodes.c.snooze_reason: gone,
    payout_complaints.c.text: gone,
    payout_dispute_notes.c.text: gone,
    payout_disputes.c.reason: gone,
    payout_disputes.c.report: gone,
    stage_events.c.slots: impersonal,
    stage_events.c.reason: gone,
}
"""Columns of rows that name a customer, and what takes the place of their values. A test wants
every other column of text of such a table, but for GOES_WHOLE, to be listed as harmless."""

OF_CUSTOMER = (
    contacts, chat_bindings, customer_signals, signal_events, signal_visitors, signal_links,
    mails, mail_addresses,
)  # fmt: skip

GOES_WHOLE = (*OF_CUSTOMER, archive_files, archive_messages, archive_chats)
"""Tables whose rows are nothing but personal: people, where one talks with them, what they said,
and what they looked at. A conversation that is archived again after that is a new one, and
nobody's. Who agreed to the archive stays: it proves that it was lawful."""
