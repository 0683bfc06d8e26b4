"""Every table. Times are UTC; money is integer fen; JSON columns hold plain values only."""

from __future__ import annotations

from storage.tables.chat import cards, dialogs, group_words
from storage.tables.coaching import talk_tracks, track_showings
from storage.tables.columns import Id, Json, Utc, metadata
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
from storage.tables.deals import library_uses, library_versions, opportunities, stage_events
from storage.tables.delivery import call_counts, inbox, outbox, ticks, tokens
from storage.tables.lights import light_episodes, pushes
from storage.tables.people import departments, identities, people
from storage.tables.receivables import clause_reviews, contracts, erp_bookmarks, erp_receipts
from storage.tables.records import audit, settings_rows
from storage.tables.stream import activities, deadlines, drafts, file_uses, files, loose_files

__all__ = [
    "Id",
    "Json",
    "Utc",
    "account_keys",
    "account_merges",
    "accounts",
    "activities",
    "assignments",
    "audit",
    "call_counts",
    "cards",
    "clause_reviews",
    "collisions",
    "contacts",
    "contracts",
    "customer_profiles",
    "deadlines",
    "departments",
    "dialogs",
    "drafts",
    "erp_bookmarks",
    "erp_receipts",
    "file_uses",
    "files",
    "group_words",
    "identities",
    "inbox",
    "learnt_aliases",
    "library_uses",
    "library_versions",
    "light_episodes",
    "loose_files",
    "metadata",
    "opportunities",
    "outbox",
    "people",
    "pool_claims",
    "pushes",
    "settings_rows",
    "stage_events",
    "talk_tracks",
    "ticks",
    "tokens",
    "track_showings",
]
