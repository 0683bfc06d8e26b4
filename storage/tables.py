"""Every table. Times are UTC; money is integer fen; JSON columns hold plain values only."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware datetime in and out; UTC inside. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER keys up by itself
Json = JSON().with_variant(postgresql.JSONB, "postgresql")


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = True) -> Column[int]:
    return Column(name, Id, ForeignKey(target), nullable=nullable, index=index)


inbox = Table(
    "inbox",
    metadata,
    _id(),
    Column("channel", String(80), nullable=False),
    Column("delivery_id", String(200), nullable=False),
    Column("conversation", String(300), nullable=False),
    Column("sent_at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),  # new, done, dead
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Utc),
    Column("finished_at", Utc),
    Column("reason", Text, nullable=False, default=""),
    Column("replayed", Boolean, nullable=False, default=False),
    UniqueConstraint("channel", "delivery_id"),
    Index("ix_inbox_unfinished", "sent_at", "id", sqlite_where=text("state = 'new'"),
          postgresql_where=text("state = 'new'")),
    Index("ix_inbox_failed", "finished_at", sqlite_where=text("reason <> ''"),
          postgresql_where=text("reason <> ''")),
    Index("ix_inbox_dead", "id", sqlite_where=text("state = 'dead'"),
          postgresql_where=text("state = 'dead'")),
)  # fmt: skip

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("dedupe_key", String(200), nullable=False, unique=True),
    Column("platform", String(20), nullable=False),
    Column("app", String(40), nullable=False),
    Column("user_id", String(128)),
    Column("chat_id", String(128)),
    Column("webhook", String(80)),
    Column("address", String(300), nullable=False),  # Address.key
    Column("content", Text, nullable=False),
    Column("subject", String(120), nullable=False, default=""),
    Column("card_id", String(64)),  # of a Card or CardUpdate
    Column("queued_at", Utc, nullable=False),
    Column("due_at", Utc, nullable=False),  # not_before, later the next attempt
    Column("expires_at", Utc),
    Column("state", String(10), nullable=False),  # queued, sent, dead, dropped
    Column("attempts", Integer, nullable=False, default=0),
    Column("reason", Text, nullable=False, default=""),
    Column("finished_at", Utc),  # sent, given up or dropped
    Column("handle", String(300), nullable=False, default=""),
    Column("response_code", String(300), nullable=False, default=""),
    Column("undelivered", Json),
    Index("ix_outbox_due", "due_at", "id", sqlite_where=text("state = 'queued'"),
          postgresql_where=text("state = 'queued'")),
    Index("ix_outbox_heads", "address", "due_at", "id", sqlite_where=text("state = 'queued'"),
          postgresql_where=text("state = 'queued'")),
    Index("ix_outbox_retrying", "address",
          sqlite_where=text("state = 'queued' AND attempts > 0"),
          postgresql_where=text("state = 'queued' AND attempts > 0")),
    Index("ix_outbox_dead", "id", sqlite_where=text("state = 'dead'"),
          postgresql_where=text("state = 'dead'")),
    Index("ix_outbox_subject", "subject", sqlite_where=text("state = 'queued'"),
          postgresql_where=text("state = 'queued'")),
    Index("ix_outbox_card", "card_id", "id"),
)  # fmt: skip

ticks = Table(
    "ticks",
    metadata,
    Column("job", String(60), primary_key=True),
    Column("scheduled_at", Utc, primary_key=True),
    Column("claimed_at", Utc, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(120), primary_key=True),  # "<platform>:<app>"
    Column("token", Text, nullable=False),
    Column("expires_at", Utc, nullable=False),
)

call_counts = Table(  # the monthly quota of DingTalk, and calls worth watching
    "call_counts",
    metadata,
    Column("name", String(120), primary_key=True),  # "dingtalk:<app>:api"
    Column("month", String(7), primary_key=True),  # "2026-11", in the team's zone
    Column("calls", Integer, nullable=False),
)

people = Table(
    "people",
    metadata,
    _id(),
    Column("name", String(80), nullable=False),
    Column("mobile", String(32), index=True),
    Column("status", String(10), nullable=False),
    Column("roles", Json, nullable=False),
    Column("roles_fixed", Boolean, nullable=False, default=False),  # set by an admin
    Column("on_leave_until", Utc),
    _ref("deputy_id", "people.id", nullable=True, index=False),
    _ref("supervisor_override_id", "people.id", nullable=True, index=False),
)

identities = Table(
    "identities",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    _ref("person_id", "people.id"),
    Column("titles", Json, nullable=False),
    Column("departments", Json, nullable=False),
    Column("main_department", String(64)),
    Column("leaders", Json, nullable=False),
    Column("status", String(10), nullable=False),
)

departments = Table(
    "departments",
    metadata,
    Column("platform", String(20), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("parent_id", String(64)),
    Column("leaders", Json, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("aliases", Json, nullable=False),
    Column("industry", String(80), nullable=False, default=""),
    _ref("owner_id", "people.id"),
    Column("created_at", Utc, nullable=False),
    Column("credit_code", String(18), nullable=False, server_default=""),
    Column("phone", String(20), nullable=False, server_default=""),
    Column("domain", String(120), nullable=False, server_default=""),
    Column("keyed_at", Utc),  # when account_keys was last written; NULL: not since a change
    _ref("merged_into_id", "accounts.id", nullable=True),
    Column("in_pool_since", Utc),
    Column("pool_reason", String(200), nullable=False, server_default=""),
    Column("pool_due_at", Utc),  # when to look next whether it goes to the pool
    Column("pool_warned_at", Utc),
    Index("ix_accounts_unkeyed", "id",
          sqlite_where=text("keyed_at IS NULL"), postgresql_where=text("keyed_at IS NULL")),
    Index("ix_accounts_pool", "in_pool_since", "id",
          sqlite_where=text("in_pool_since IS NOT NULL"),
          postgresql_where=text("in_pool_since IS NOT NULL")),
    Index("ix_accounts_pool_due", "pool_due_at",
          sqlite_where=text("pool_due_at IS NOT NULL"),
          postgresql_where=text("pool_due_at IS NOT NULL")),
)  # fmt: skip

account_keys = Table(  # what a customer is filed under, so that its duplicates are found
    "account_keys",
    metadata,
    Column("key", String(240), primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True, index=True),
)

account_merges = Table(
    "account_merges",
    metadata,
    _id(),
    _ref("account_id", "accounts.id"),  # the one that is no more
    _ref("into_id", "accounts.id"),
    _ref("person_id", "people.id", index=False),
    Column("merged_at", Utc, nullable=False),
    Column("moved", Json, nullable=False),  # what an undo needs
    Column("undone_at", Utc),
)

collisions = Table(  # two people want one customer; whoever leads both decides
    "collisions",
    metadata,
    _id(),
    _ref("account_id", "accounts.id"),
    _ref("holder_id", "people.id", index=False),
    _ref("claimant_id", "people.id", index=False),
    Column("asked", Json, nullable=False),  # the customer as the claimant entered it
    Column("reasons", Json, nullable=False),
    Column("asked_at", Utc, nullable=False),
    Column("decided_at", Utc),
    _ref("decided_by", "people.id", nullable=True, index=False),
    Column("decision", String(10), nullable=False, default=""),
    Column("reason", String(200), nullable=False, default=""),
)

pool_claims = Table(
    "pool_claims",
    metadata,
    _id(),
    _ref("account_id", "accounts.id"),
    _ref("person_id", "people.id", index=False),
    Column("claimed_at", Utc, nullable=False),
    Index("ix_pool_claims_person", "person_id", "claimed_at"),
)

assignments = Table(  # a lead given to somebody, until they take it
    "assignments",
    metadata,
    _id(),
    _ref("account_id", "accounts.id"),
    _ref("person_id", "people.id", index=False),
    _ref("assigned_by", "people.id", index=False),
    Column("assigned_at", Utc, nullable=False),
    Column("step", String(12), nullable=False),  # who hears of it next: supervisor, leader
    Column("due_at", Utc),  # NULL: nobody any more
    Column("settled_at", Utc),
    Column("outcome", String(12), nullable=False, default=""),
    Index("ix_assignments_due", "due_at",
          sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
)  # fmt: skip

learnt_aliases = Table(  # what a rep calls a customer, by the rep's own confirmed choice
    "learnt_aliases",
    metadata,
    _id(),
    Column("alias", String(60), nullable=False),  # in one spelling: normalised
    _ref("account_id", "accounts.id"),
    _ref("person_id", "people.id", index=False),
    Column("state", String(10), nullable=False),  # held, undone, denied
    Column("activity_id", Id),  # the record whose confirmation taught it
    Column("learnt_at", Utc, nullable=False),
    UniqueConstraint("alias", "account_id", "person_id"),
    Index("ix_learnt_aliases_activity", "activity_id"),
)

contacts = Table(
    "contacts",
    metadata,
    _id(),
    _ref("account_id", "accounts.id"),
    Column("name", String(80), nullable=False),
    Column("title", String(80), nullable=False, default=""),
    Column("mobile", String(32)),
    Column("external_id", String(140), nullable=False, server_default=""),
    UniqueConstraint("account_id", "name"),
)

opportunities = Table(
    "opportunities",
    metadata,
    _id(),
    _ref("account_id", "accounts.id"),
    Column("name", String(200), nullable=False),
    _ref("owner_id", "people.id"),
    Column("stage", String(40), nullable=False),
    Column("stage_since", Utc, nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("assigned_at", Utc, nullable=False),
    Column("amount_fen", BigInteger),
    Column("last_valid_at", Utc),
    Column("hold_until", Utc),
    Column("light", String(8), nullable=False, default="green"),
    Column("stuck", Boolean, nullable=False, default=False),
    Column("light_due_at", Utc),
    Column("episode", Integer, nullable=False, default=0),
    Column("next_contact_at", Utc),
    Column("library", String(40), nullable=False, server_default=""),  # ActionLibrary.ref
    Index("ix_opportunities_due", "light_due_at", "id",
          sqlite_where=text("light_due_at IS NOT NULL"),
          postgresql_where=text("light_due_at IS NOT NULL")),
    Index("ix_opportunities_owner_light", "owner_id", "light"),
    Index("ix_opportunities_stuck", "owner_id", sqlite_where=text("stuck = 1"),
          postgresql_where=text("stuck")),
)  # fmt: skip

library_versions = Table(  # action libraries that administrators sent; none is ever changed
    "library_versions",
    metadata,
    _id(),
    Column("key", String(30), nullable=False),
    Column("version", Integer, nullable=False),
    Column("file_name", String(120), nullable=False),
    Column("source", LargeBinary, nullable=False),
    _ref("person_id", "people.id", index=False),
    Column("added_at", Utc, nullable=False),
    UniqueConstraint("key", "version"),
)

library_uses = Table(  # which library is worked by; the newest of a team is in force
    "library_uses",
    metadata,
    _id(),
    _ref("team_id", "people.id", nullable=True, index=False),  # NULL: the organisation
    Column("library", String(40), nullable=False),
    _ref("person_id", "people.id", index=False),
    Column("since", Utc, nullable=False),
)

stage_events = Table(  # every change of a deal's stage or state, append only
    "stage_events",
    metadata,
    _id(),
    _ref("opportunity_id", "opportunities.id", index=False),
    _ref("account_id", "accounts.id"),
    Column("kind", String(12), nullable=False),
    Column("library", String(40), nullable=False),
    Column("came_from", String(40), nullable=False),
    Column("went_to", String(40), nullable=False),
    Column("at", Utc, nullable=False),
    _ref("person_id", "people.id", nullable=True, index=False),
    Column("required_filled", Integer, nullable=False),
    Column("slots", Json, nullable=False),
    Column("reason", String(200), nullable=False),
    Index("ix_stage_events_of", "opportunity_id", "id"),
    Index("ix_stage_events_at", "at", "id"),
)

drafts = Table(
    "drafts",
    metadata,
    _id(),
    Column("conversation", String(300), nullable=False),
    _ref("person_id", "people.id"),
    Column("unit", String(40), nullable=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("occurred_at", Utc, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("touched_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    _ref("account_id", "accounts.id", nullable=True, index=False),
    _ref("opportunity_id", "opportunities.id", nullable=True, index=False),
    Column("slots", Json, nullable=False),
    Column("confidence", Json, nullable=False, server_default="{}"),
    Column("file_hashes", Json, nullable=False),
    Column("candidates", Json, nullable=False),
    Column("awaiting", String(40), nullable=False, default=""),
    Column("revision", Integer, nullable=False, default=1),
    Column("activity_id", Id),
    Column("card_no", Integer, nullable=False, default=0),
    Column("library", String(40), nullable=False, server_default=""),  # ActionLibrary.ref
    Index("ix_drafts_open", "conversation", "person_id",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    Index("ix_drafts_expiring", "expires_at",
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
)  # fmt: skip

activities = Table(
    "activities",
    metadata,
    _id(),
    _ref("account_id", "accounts.id", index=False),
    _ref("opportunity_id", "opportunities.id", nullable=True, index=False),
    _ref("actor_id", "people.id", nullable=True, index=False),
    Column("unit", String(40), nullable=False),
    Column("title", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("occurred_at", Utc, nullable=False),
    Column("recorded_at", Utc, nullable=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("slots", Json, nullable=False),
    Column("file_hashes", Json, nullable=False),
    Column("valid", Boolean, nullable=False),
    Column("invalid_reason", String(200), nullable=False, default=""),
    Column("grade", String(4), nullable=False),
    Column("late", Boolean, nullable=False, default=False),
    _ref("retracts_id", "activities.id", nullable=True),
    Column("library", String(40), nullable=False, server_default=""),  # ActionLibrary.ref
    Index("ix_activities_stream", "account_id", "occurred_at", "id"),
    Index("ix_activities_opportunity", "opportunity_id", "occurred_at", "id"),
    Index("ix_activities_actor", "actor_id", "recorded_at", "id"),
    Index("ix_activities_notes", "recorded_at",
          sqlite_where=text("unit = ''"), postgresql_where=text("unit = ''")),
)  # fmt: skip

deadlines = Table(  # what an entry of the stream still owes: minutes, fields, a word of unlocking
    "deadlines",
    metadata,
    _id(),
    Column("activity_id", Id, ForeignKey("activities.id"), nullable=False, unique=True),
    _ref("account_id", "accounts.id", index=False),
    _ref("opportunity_id", "opportunities.id", nullable=True),
    _ref("person_id", "people.id", index=False),
    Column("awaited", String(10), nullable=False),  # minutes, fields, late
    Column("state", String(10), nullable=False),  # open, locked, done, dropped
    Column("acted_at", Utc, nullable=False),
    Column("since", Utc, nullable=False),
    Column("hours", Integer, nullable=False),
    Column("step", Integer, nullable=False, default=0),
    Column("due_at", Utc),  # the next reminder, or the lock; NULL: nothing more
    Column("reopened_at", Utc),
    Column("locked_at", Utc),
    Column("settled_at", Utc),
    Index("ix_deadlines_due", "due_at", "id", sqlite_where=text("due_at IS NOT NULL"),
          postgresql_where=text("due_at IS NOT NULL")),
    Index("ix_deadlines_locked", "locked_at", sqlite_where=text("locked_at IS NOT NULL"),
          postgresql_where=text("locked_at IS NOT NULL")),
    *(
        Index(f"ix_deadlines_{name}", f"{name}_id",
              sqlite_where=text("state IN ('open', 'locked')"),
              postgresql_where=text("state IN ('open', 'locked')"))
        for name in ("person", "account")
    ),
)  # fmt: skip

files = Table(
    "files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("name", String(255), nullable=False),
    Column("stored_at", Utc, nullable=False),
)

file_uses = Table(  # which customer a file was sent to: the anti-gaming rule asks
    "file_uses",
    metadata,
    Column("sha256", String(64), ForeignKey("files.sha256"), primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("first_used_at", Utc, nullable=False),
)

loose_files = Table(  # sent without saying for whom: waits for the answer
    "loose_files",
    metadata,
    _id(),
    Column("conversation", String(300), nullable=False, index=True),
    _ref("person_id", "people.id", index=False),
    Column("sha256", String(64), ForeignKey("files.sha256"), nullable=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("received_at", Utc, nullable=False),
    Column("settled_at", Utc),
)

light_episodes = Table(
    "light_episodes",
    metadata,
    _id(),
    _ref("opportunity_id", "opportunities.id", index=False),
    Column("episode", Integer, nullable=False),
    _ref("owner_id", "people.id"),
    Column("yellow_at", Utc, nullable=False),
    Column("red_at", Utc),
    Column("cleared_at", Utc),
    Column("cleared_reason", String(40), nullable=False, default=""),
    Column("acked_at", Utc),
    _ref("acked_by", "people.id", nullable=True, index=False),
    Column("snoozed_until", Utc),
    Column("snooze_reason", String(200), nullable=False, default=""),
    Column("next_push_at", Utc),  # when the next step may be owed; NULL: nothing owed
    Column("next_step", String(24), nullable=False, default=""),
    UniqueConstraint("opportunity_id", "episode"),
    Index("ix_light_episodes_next_push", "next_push_at",
          sqlite_where=text("next_push_at IS NOT NULL"),
          postgresql_where=text("next_push_at IS NOT NULL")),
    Index("ix_light_episodes_open", "opportunity_id",
          sqlite_where=text("cleared_at IS NULL"), postgresql_where=text("cleared_at IS NULL")),
)  # fmt: skip

pushes = Table(  # one light push owed to or received by one person: at most once per key
    "pushes",
    metadata,
    _id(),
    _ref("opportunity_id", "opportunities.id", index=False),
    Column("episode", Integer, nullable=False),
    Column("step", String(24), nullable=False),
    _ref("receiver_id", "people.id", index=False),
    Column("owed_at", Utc, nullable=False),
    Column("send_at", Utc, nullable=False),  # after the group wait and quiet hours
    Column("state", String(10), nullable=False),  # owed, pushed, dropped, digested
    Column("reason", String(40), nullable=False, default=""),
    Column("pushed_at", Utc),
    Column("card_id", String(64)),
    UniqueConstraint("opportunity_id", "episode", "step", "receiver_id"),
    Index("ix_pushes_owed", "send_at", "receiver_id",
          sqlite_where=text("state = 'owed'"), postgresql_where=text("state = 'owed'")),
    Index("ix_pushes_receiver", "receiver_id", "pushed_at"),
    Index("ix_pushes_card", "card_id"),
)  # fmt: skip

cards = Table(  # what each card of ours shows now, so that a late press can be answered
    "cards",
    metadata,
    Column("card_id", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("subject", String(120), nullable=False),  # "draft:12", "lights:5:2026-01-28"
    Column("address", String(300), nullable=False),
    Column("state", String(10), nullable=False),  # open, closed
    Column("data", Json, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

dialogs = Table(  # what we await in a chat beside drafts
    "dialogs",
    metadata,
    Column("conversation", String(300), primary_key=True),
    Column("person_id", Id, primary_key=True),
    Column("state", Json, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

group_words = Table(  # what was said to the bot in a group, for «上面那个记一下»
    "group_words",
    metadata,
    _id(),
    Column("conversation", String(300), nullable=False),
    _ref("person_id", "people.id", index=False),
    Column("source_id", String(200), nullable=False, unique=True),
    Column("text", Text, nullable=False),
    Column("said_at", Utc, nullable=False),
    Column("recorded", Boolean, nullable=False, default=False),
    Index("ix_group_words_said", "conversation", "said_at"),
)

contracts = Table(  # what was agreed about payment, one row a contract number
    "contracts",
    metadata,
    _id(),
    Column("number", String(60), nullable=False, unique=True),
    _ref("account_id", "accounts.id"),
    Column("amount_fen", BigInteger, nullable=False),
    Column("signed_on", Date, nullable=False),
    Column("prepayment_fen", BigInteger),
    Column("prepayment_due_on", Date),
    Column("post_paid", Boolean, nullable=False),
    _ref("recorded_by", "people.id", nullable=True, index=False),
    Column("recorded_at", Utc, nullable=False),
    Column("check_at", Utc),  # when the payment must have come; NULL: nothing to look for
    Index("ix_contracts_check", "check_at",
          sqlite_where=text("check_at IS NOT NULL"),
          postgresql_where=text("check_at IS NOT NULL")),
)  # fmt: skip

erp_receipts = Table(  # lines of receipts as the ERPs tell them; reversals are negative
    "erp_receipts",
    metadata,
    _id(),
    Column("system", String(32), nullable=False),
    Column("number", String(80), nullable=False),
    Column("line", String(40), nullable=False),
    Column("contract_number", String(60), nullable=False),
    _ref("contract_id", "contracts.id", nullable=True),
    Column("amount_fen", BigInteger, nullable=False),  # hundredths of `currency`
    Column("currency", String(12), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("payer", String(120), nullable=False),
    Column("first_told_at", Utc, nullable=False),
    UniqueConstraint("system", "number", "line"),
    Index("ix_erp_receipts_open", "contract_number",
          sqlite_where=text("contract_id IS NULL"),
          postgresql_where=text("contract_id IS NULL")),
)  # fmt: skip

erp_bookmarks = Table(  # up to when an ERP has told us everything of a kind
    "erp_bookmarks",
    metadata,
    Column("system", String(32), primary_key=True),
    Column("kind", String(20), primary_key=True),  # receipts
    Column("known_until", Utc, nullable=False),
)

clause_reviews = Table(  # 合同条款复核: one a contract, reopened with the next round
    "clause_reviews",
    metadata,
    _id(),
    _ref("contract_id", "contracts.id", index=False),
    Column("round", Integer, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("deadline_at", Utc, nullable=False),
    Column("remind_at", Utc),  # NULL: reminded, or closed
    Column("reviewers", Json, nullable=False),  # ids of people
    Column("checklist", Json, nullable=False),  # [{"item", "done_by"}], done_by "" until ticked
    Column("outcome", String(20), nullable=False),  # "" while open
    Column("note", String(200), nullable=False),
    _ref("decided_by", "people.id", nullable=True, index=False),
    Column("decided_at", Utc),
    UniqueConstraint("contract_id"),
    Index("ix_clause_reviews_remind", "remind_at",
          sqlite_where=text("remind_at IS NOT NULL"),
          postgresql_where=text("remind_at IS NOT NULL")),
)  # fmt: skip

talk_tracks = Table(  # an administrator's own, and changes to those that come with Gendan
    "talk_tracks",
    metadata,
    _id(),
    Column("code", String(8), nullable=False),
    Column("version", Integer, nullable=False),  # the highest one holds
    Column("body", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    _ref("author_id", "people.id", index=False),
    Column("written_at", Utc, nullable=False),
    UniqueConstraint("code", "version"),
)

track_showings = Table(  # one talk track shown to one rep; whether the deal was won, it says
    "track_showings",
    metadata,
    _id(),
    Column("card_id", String(64), nullable=False),
    Column("place", Integer, nullable=False),  # on the card, from 1; 0 for a hint in words
    Column("code", String(8), nullable=False),
    _ref("account_id", "accounts.id", index=False),
    _ref("opportunity_id", "opportunities.id"),
    _ref("person_id", "people.id", index=False),
    Column("industry", String(40), nullable=False),
    Column("segment", String(80), nullable=False),
    Column("objections", Json, nullable=False),  # what was in play then
    Column("shown_at", Utc, nullable=False),
    Column("result", String(10), nullable=False),  # shown, used, unfit
    UniqueConstraint("card_id", "place"),
    Index("ix_track_showings_account", "account_id", "shown_at"),
    Index("ix_track_showings_person", "person_id", "shown_at"),
    Index("ix_track_showings_judged", "industry", "shown_at",
          sqlite_where=text("result <> 'shown'"), postgresql_where=text("result <> 'shown'")),
)  # fmt: skip

customer_profiles = Table(  # what a rep told of a customer's size and purchases
    "customer_profiles",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("employees", Integer),
    Column("yearly_fen", BigInteger),
    Column("told_at", Utc, nullable=False),
)

settings_rows = Table(  # values an admin changed without code: calendars, policy numbers
    "settings",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Json, nullable=False),
    Column("updated_at", Utc, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("actor", String(80), nullable=False),  # "person:5", "system", "admin:cli"
    Column("action", String(60), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("before", Text, nullable=False),  # canonical JSON
    Column("after", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_subject", "subject", "seq"),
)
