"""What of the rows of one of ours is personal, what takes its place, and what is
evidence. A test wants every column of text of every table to be in here or listed as harmless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Table

from bot.domain.privacy import impersonal
from storage.personal.erasing import Changes, gone, nothing_left
from storage.tables import (
    accounts,
    activities,
    approvals,
    archive_chats,
    archive_consents,
    archive_files,
    archive_messages,
    attendance_facts,
    audit,
    cards,
    chat_bindings,
    chat_groups,
    chat_members,
    clause_reviews,
    collisions,
    contact_transfers,
    deal_outlooks,
    departments,
    dialogs,
    drafts,
    evidence,
    external_contacts,
    external_follows,
    external_keys,
    files,
    forecast_cosigns,
    forecast_judgements,
    forecast_lines,
    forecast_reopenings,
    group_words,
    growth_consents,
    growth_items,
    growth_postings,
    identities,
    inbox,
    level_changes,
    library_versions,
    light_episodes,
    loose_files,
    mails,
    outbox,
    page_sessions,
    page_tickets,
    payout_complaints,
    payout_dispute_notes,
    payout_disputes,
    payout_lines,
    payout_reviews,
    payout_rule_changes,
    payout_snapshots,
    people,
    settings_rows,
    signal_links,
    stage_events,
    supply_notices,
)


def _without_remarks(nodes: Any) -> Any:
    """Who decided, and when, stays."""
    return [{**node, "remark": ""} for node in nodes]


GOES_WHOLE: Mapping[Table, Column[Any]] = {
    identities: identities.c.person_id,
    page_sessions: page_sessions.c.person_id,
    page_tickets: page_tickets.c.person_id,
    dialogs: dialogs.c.person_id,
    group_words: group_words.c.person_id,
    loose_files: loose_files.c.person_id,
}
"""Tables whose rows are nothing but the person's, by the column that names them: accounts,
sign-ins, what was said to the bot and became no record."""

OF_ACCOUNT: Mapping[Table, Column[Any]] = {
    external_follows: external_follows.c.user_id,
    external_keys: external_keys.c.user_id,
    chat_members: chat_members.c.member_id,
}
"""The same, by the account on a platform: what they noted of contacts, in which groups they are."""

PERSONAL: Mapping[Column[Any], Changes] = {
    drafts.c.person_id: {drafts.c.text: gone, drafts.c.slots: impersonal},
    attendance_facts.c.person_id: {attendance_facts.c.place: gone, attendance_facts.c.note: gone},
    approvals.c.person_id: {
        approvals.c.title: gone,
        approvals.c.controls: nothing_left,
        approvals.c.nodes: _without_remarks,
    },
}
"""By the column that names the person, what of such a row goes. What became a record stands in the
stream of its customer and stays there."""

MENTIONS = (
    accounts.c.pool_reason,
    activities.c.title, activities.c.text, activities.c.slots, activities.c.invalid_reason,
    approvals.c.title, approvals.c.controls, approvals.c.nodes,
    archive_files.c.name, archive_messages.c.text,
    attendance_facts.c.note,
    chat_groups.c.name,
    clause_reviews.c.note,
    collisions.c.asked, collisions.c.reason,
    contact_transfers.c.reason,
    deal_outlooks.c.risk,
    departments.c.name,
    drafts.c.text, drafts.c.slots,
    evidence.c.fields, evidence.c.withdrawal_reason,
    external_contacts.c.name, external_contacts.c.title, external_contacts.c.company,
    external_contacts.c.mobile,
    external_follows.c.remark, external_follows.c.description, external_follows.c.company,
    external_follows.c.mobiles, external_follows.c.tags,
    files.c.name,
    forecast_cosigns.c.answers, forecast_cosigns.c.argument, forecast_cosigns.c.agreed_reason,
    forecast_judgements.c.reason,
    forecast_lines.c.answers, forecast_lines.c.risk,
    forecast_reopenings.c.reason,
    growth_items.c.note,
    level_changes.c.reason,
    library_versions.c.file_name,
    light_episodes.c.snooze_reason,
    mails.c.sender_name, mails.c.subject,
    inbox.c.reason,
    outbox.c.reason,
    settings_rows.c.value,
    signal_links.c.title,
    stage_events.c.slots, stage_events.c.reason,
    supply_notices.c.reason,
)  # fmt: skip
"""Where words of others may name the person; a pseudonym stands there instead."""

ACCOUNTS = (
    activities.c.source_id,
    approvals.c.applicant, approvals.c.nodes,
    archive_chats.c.key, archive_chats.c.members,
    archive_messages.c.sender, archive_messages.c.recipients,
    attendance_facts.c.key,
    cards.c.address,
    chat_bindings.c.source_id,
    chat_groups.c.owner,
    contact_transfers.c.from_user, contact_transfers.c.to_user,
    departments.c.leaders,
    drafts.c.conversation, drafts.c.source_id,
    identities.c.leaders,
    inbox.c.conversation, inbox.c.delivery_id,
    outbox.c.dedupe_key, outbox.c.user_id, outbox.c.address, outbox.c.undelivered,
)  # fmt: skip
"""Where ids of accounts on platforms stand, alone, in an address, or in the id of a delivery."""

EMPTIED = (
    inbox.c.body,
    outbox.c.content,
    cards.c.data,
    audit.c.before, audit.c.after, audit.c.salt,
    people.c.name, people.c.mobile,
    settings_rows.c.name,
)  # fmt: skip
"""What is dealt with in ways of its own."""

EVIDENCE = (
    archive_consents.c.party,
    growth_consents.c.words,
    growth_postings.c.entries, growth_postings.c.why,
    payout_complaints.c.text,
    payout_dispute_notes.c.text,
    payout_disputes.c.reason, payout_disputes.c.report, payout_disputes.c.ruling,
    payout_lines.c.why,
    payout_reviews.c.why,
    payout_rule_changes.c.rules, payout_rule_changes.c.simulation, payout_rule_changes.c.note,
    payout_snapshots.c.document,
)  # fmt: skip
"""What may name the person and stays as it is: wages are proven by it, with the name of who was
paid, for as long as they can be disputed; and that an archive was lawful."""

NO_EXPORT = (page_sessions.c.digest, page_sessions.c.form_key, page_tickets.c.digest)
"""Keys that still open something."""
