"""Bonuses: rules on their way to being published, the facts they are computed from, the ledger of
lines, monthly runs, what a person must settle, disputes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.tables.columns import Id, Json, Utc, id_column, metadata, ref

payout_rule_changes = Table(  # new versions of rules; what is published is never edited
    "payout_rule_changes",
    metadata,
    id_column(),
    Column("rules", Json, nullable=False),  # as in a rules file
    Column("state", String(12), nullable=False),  # see bot.domain.payouts.rule_changes.State
    ref("author_id", "people.id", index=False),
    Column("created_at", Utc, nullable=False),
    Column("simulation", Json),  # NULL: not simulated yet
    Column("simulated_at", Utc),
    ref("approved_by", "people.id", nullable=True, index=False),
    Column("approved_at", Utc),
    Column("tested_since", Utc),
    ref("published_by", "people.id", nullable=True, index=False),
    Column("published_at", Utc),
    Column("note", String(200), nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default=text("0")),  # saves on the canvas
    Column("edited_at", Utc),  # the last of them
    Column("writers", Json),  # people who saved it, besides the author; who did last stands last
    Column("layout", Json),  # of the canvas: part -> [x, y]
    Index("ix_payout_rule_changes_state", "state", "id"),
)

payout_deals = Table(  # who earns with a contract, fixed when it came on record
    "payout_deals",
    metadata,
    ref("contract_id", "contracts.id", index=False, primary_key=True),
    Column("kind", String(20), nullable=False),  # new, upsell, renewal
    ref("closer_id", "people.id", nullable=True),
    ref("original_seller_id", "people.id", nullable=True, index=False),
    ref("lead_provider_id", "people.id", nullable=True, index=False),
    Column("stale_at", Utc),  # since when its bonuses wait to be computed anew
    Index("ix_payout_deals_stale", "stale_at", "contract_id",
          sqlite_where=text("stale_at IS NOT NULL"),
          postgresql_where=text("stale_at IS NOT NULL")),
)  # fmt: skip

payout_shares = Table(  # several people share a contract, in the order in which they were named
    "payout_shares",
    metadata,
    id_column(),
    ref("contract_id", "contracts.id", index=False),
    Column("position", Integer, nullable=False),
    ref("person_id", "people.id", nullable=True, index=False),
    Column("weight", Integer, nullable=False),
    UniqueConstraint("contract_id", "position"),
)

payout_complaints = Table(  # upheld ones
    "payout_complaints",
    metadata,
    id_column(),
    ref("contract_id", "contracts.id"),
    Column("text", String(300), nullable=False),
    ref("recorded_by", "people.id", index=False),
    Column("upheld_at", Utc, nullable=False),
)

payout_snapshots = Table(  # the facts of a contract as they were computed with, append only
    "payout_snapshots",
    metadata,
    id_column(),
    ref("contract_id", "contracts.id", index=False),
    Column("document", Json, nullable=False),  # {"deal", "events"} of the payout schema
    Column("digest", String(64), nullable=False),
    Column("at", Utc, nullable=False),
    Index("ix_payout_snapshots_of", "contract_id", "id"),
)

payout_runs = Table(  # one month's bonuses, approved and locked
    "payout_runs",
    metadata,
    id_column(),
    Column("month", String(7), nullable=False, unique=True),  # 2026-10
    Column("state", String(10), nullable=False),  # proposed, locked
    Column("cutoff", Utc, nullable=False),  # what happened up to then belongs to it
    Column("total_fen", BigInteger, nullable=False),  # as proposed, then as locked
    Column("lines", Integer, nullable=False),
    ref("proposed_by", "people.id", index=False),
    Column("proposed_at", Utc, nullable=False),
    ref("locked_by", "people.id", nullable=True, index=False),
    Column("locked_at", Utc),
    Column("paid_at", Utc),
)

payout_lines = Table(  # estimates are written anew; a line with a run is never changed
    "payout_lines",
    metadata,
    id_column(),
    ref("contract_id", "contracts.id", nullable=True),
    ref("person_id", "people.id", nullable=True, index=False),  # NULL: nobody knows whose
    Column("month", String(7), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("rule_id", String(120), nullable=False, server_default=""),
    Column("rule_version", Integer),
    Column("why", Text, nullable=False),
    Column("origin", String(10), nullable=False),  # rules, decision
    ref("run_id", "payout_runs.id", nullable=True),
    Column("paid_at", Utc),
    Column("made_at", Utc, nullable=False),
    Index("ix_payout_lines_month", "month", "person_id"),
    Index("ix_payout_lines_person", "person_id", "month"),
    Index("ix_payout_lines_open", "month",
          sqlite_where=text("run_id IS NULL"), postgresql_where=text("run_id IS NULL")),
)  # fmt: skip

payout_reviews = Table(  # what a named person must settle before an amount can be right
    "payout_reviews",
    metadata,
    id_column(),
    ref("contract_id", "contracts.id", index=False),
    Column("reason", String(60), nullable=False),
    Column("why", String(400), nullable=False),
    ref("person_id", "people.id", nullable=True, index=False),  # who is asked
    Column("opened_at", Utc, nullable=False),
    Column("settled_at", Utc),
    UniqueConstraint("contract_id", "reason"),
    Index("ix_payout_reviews_open", "person_id",
          sqlite_where=text("settled_at IS NULL"), postgresql_where=text("settled_at IS NULL")),
)  # fmt: skip

payout_disputes = Table(
    "payout_disputes",
    metadata,
    id_column(),
    ref("line_id", "payout_lines.id"),
    ref("contract_id", "contracts.id", nullable=True),
    ref("person_id", "people.id"),  # who disputes
    Column("state", String(16), nullable=False),  # see bot.domain.payouts.disputes.State
    Column("reason", Text, nullable=False),
    Column("file_hashes", Json, nullable=False),
    Column("drafted_at", Utc, nullable=False),
    Column("submitted_at", Utc),
    Column("clock_since", Utc),  # NULL: the clock stands still
    Column("worked_s", Integer, nullable=False),  # seconds that it ran before
    Column("next_at", Utc),  # when somebody is told that it takes long
    Column("step", String(10), nullable=False),
    ref("arbiter_id", "people.id", nullable=True),
    Column("report", Text, nullable=False),
    Column("ruling", Text, nullable=False),
    Column("awarded_fen", BigInteger),
    ref("posted_line_id", "payout_lines.id", nullable=True, index=False),
    ref("decided_by", "people.id", nullable=True, index=False),
    Column("decided_at", Utc),
    Column("closed_at", Utc),
    Column("appeal_of", Id),  # the dispute whose decision is disputed
    Index("uq_payout_disputes_open", "line_id", unique=True,
          sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")),
    Index("ix_payout_disputes_next", "next_at",
          sqlite_where=text("next_at IS NOT NULL"), postgresql_where=text("next_at IS NOT NULL")),
    Index("ix_payout_disputes_decided", "decided_at",
          sqlite_where=text("decided_at IS NOT NULL"),
          postgresql_where=text("decided_at IS NOT NULL")),
)  # fmt: skip

payout_dispute_notes = Table(  # what the arbiter asked, and what was answered
    "payout_dispute_notes",
    metadata,
    id_column(),
    ref("dispute_id", "payout_disputes.id"),
    ref("contract_id", "contracts.id", nullable=True),
    ref("person_id", "people.id", index=False),
    Column("kind", String(10), nullable=False),  # question, answer
    Column("text", Text, nullable=False),
    Column("file_hashes", Json, nullable=False),
    Column("at", Utc, nullable=False),
)
