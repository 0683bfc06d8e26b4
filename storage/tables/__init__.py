"""Every table. Times are UTC; money is integer fen; JSON columns hold plain values only."""

from __future__ import annotations

from storage.tables.archive import (
    archive_bookmarks,
    archive_chats,
    archive_consents,
    archive_files,
    archive_messages,
)
from storage.tables.attending import approvals, attendance_facts
from storage.tables.chat import cards, dialogs, group_words
from storage.tables.coaching import talk_tracks, track_showings
from storage.tables.columns import Id, Json, Utc, metadata
from storage.tables.conversations import (
    chat_bindings,
    chat_groups,
    chat_members,
    contact_transfers,
    external_contacts,
    external_follows,
    external_keys,
    external_reads,
)
from storage.tables.customers import (
    account_keys,
    account_merges,
    accounts,
    assignments,
    collisions,
    contacts,
    customer_profiles,
    learnt_aliases,
    pool_claims,
)
from storage.tables.deals import (
    lead_spans,
    library_uses,
    library_versions,
    opportunities,
    stage_events,
)
from storage.tables.delivery import call_counts, inbox, outbox, ticks, tokens
from storage.tables.erp import contract_deals, erp_customers, erp_forecasts, erp_orders
from storage.tables.forecasts import (
    account_csms,
    deal_outlooks,
    evidence,
    forecast_cosigns,
    forecast_judgements,
    forecast_lines,
    forecast_reopenings,
    forecast_targets,
    forecasts,
    level_changes,
)
from storage.tables.growth import (
    growth_consents,
    growth_items,
    growth_postings,
    growth_redemptions,
)
from storage.tables.lights import light_episodes, pushes
from storage.tables.machine_forecasts import machine_forecasts
from storage.tables.mails import mail_addresses, mail_boxes, mails
from storage.tables.pages import page_sessions, page_tickets, used_sign_ins
from storage.tables.payouts import (
    payout_complaints,
    payout_deals,
    payout_dispute_notes,
    payout_disputes,
    payout_lines,
    payout_reviews,
    payout_rule_changes,
    payout_runs,
    payout_shares,
    payout_snapshots,
)
from storage.tables.people import departments, identities, people
from storage.tables.policy import policy_changes
from storage.tables.receivables import clause_reviews, contracts, erp_bookmarks, erp_receipts
from storage.tables.records import audit, settings_rows
from storage.tables.sharing import leases, nodes
from storage.tables.signals import (
    customer_signals,
    signal_events,
    signal_links,
    signal_looks,
    signal_visitors,
)
from storage.tables.stream import activities, deadlines, drafts, file_uses, files, loose_files
from storage.tables.supply import (
    supply_acks,
    supply_notices,
    supply_numbers,
    supply_reminders,
)

__all__ = [
    "Id",
    "Json",
    "Utc",
    "account_csms",
    "account_keys",
    "account_merges",
    "accounts",
    "activities",
    "approvals",
    "archive_bookmarks",
    "archive_chats",
    "archive_consents",
    "archive_files",
    "archive_messages",
    "assignments",
    "attendance_facts",
    "audit",
    "call_counts",
    "cards",
    "chat_bindings",
    "chat_groups",
    "chat_members",
    "clause_reviews",
    "collisions",
    "contact_transfers",
    "contacts",
    "contract_deals",
    "contracts",
    "customer_profiles",
    "customer_signals",
    "deadlines",
    "deal_outlooks",
    "departments",
    "dialogs",
    "drafts",
    "erp_bookmarks",
    "erp_customers",
    "erp_forecasts",
    "erp_orders",
    "erp_receipts",
    "evidence",
    "external_contacts",
    "external_follows",
    "external_keys",
    "external_reads",
    "file_uses",
    "files",
    "forecast_cosigns",
    "forecast_judgements",
    "forecast_lines",
    "forecast_reopenings",
    "forecast_targets",
    "forecasts",
    "group_words",
    "growth_consents",
    "growth_items",
    "growth_postings",
    "growth_redemptions",
    "identities",
    "inbox",
    "lead_spans",
    "learnt_aliases",
    "leases",
    "level_changes",
    "library_uses",
    "library_versions",
    "light_episodes",
    "loose_files",
    "machine_forecasts",
    "mail_addresses",
    "mail_boxes",
    "mails",
    "metadata",
    "nodes",
    "opportunities",
    "outbox",
    "page_sessions",
    "page_tickets",
    "payout_complaints",
    "payout_deals",
    "payout_dispute_notes",
    "payout_disputes",
    "payout_lines",
    "payout_reviews",
    "payout_rule_changes",
    "payout_runs",
    "payout_shares",
    "payout_snapshots",
    "people",
    "policy_changes",
    "pool_claims",
    "pushes",
    "settings_rows",
    "signal_events",
    "signal_links",
    "signal_looks",
    "signal_visitors",
    "stage_events",
    "supply_acks",
    "supply_notices",
    "supply_numbers",
    "supply_reminders",
    "talk_tracks",
    "ticks",
    "tokens",
    "track_showings",
    "used_sign_ins",
]
