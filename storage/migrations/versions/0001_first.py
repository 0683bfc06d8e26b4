"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", ID, autoincrement=False, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_subject", "audit", ["subject", "seq"], unique=False)
    op.create_table(
        "call_counts",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "month", name=op.f("pk_call_counts")),
    )
    op.create_table(
        "cards",
        sa.Column("card_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_cards")),
    )
    op.create_table(
        "departments",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("parent_id", sa.String(length=64), nullable=True),
        sa.Column("leaders", JSON, nullable=False),
        sa.PrimaryKeyConstraint("platform", "id", name=op.f("pk_departments")),
    )
    op.create_table(
        "dialogs",
        sa.Column("conversation", sa.String(length=300), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("state", JSON, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "person_id", name=op.f("pk_dialogs")),
    )
    op.create_table(
        "files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("stored_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_files")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("delivery_id", sa.String(length=200), nullable=False),
        sa.Column("conversation", sa.String(length=300), nullable=False),
        sa.Column("sent_at", UTC, nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UTC, nullable=True),
        sa.Column("finished_at", UTC, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("replayed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("channel", "delivery_id", name=op.f("uq_inbox_channel_delivery_id")),
    )
    op.create_index(
        "ix_inbox_dead",
        "inbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_inbox_failed",
        "inbox",
        ["finished_at"],
        unique=False,
        sqlite_where=sa.text("reason <> ''"),
        postgresql_where=sa.text("reason <> ''"),
    )
    op.create_index(
        "ix_inbox_unfinished",
        "inbox",
        ["sent_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("app", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=True),
        sa.Column("chat_id", sa.String(length=128), nullable=True),
        sa.Column("webhook", sa.String(length=80), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("card_id", sa.String(length=64), nullable=True),
        sa.Column("queued_at", UTC, nullable=False),
        sa.Column("due_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("finished_at", UTC, nullable=True),
        sa.Column("handle", sa.String(length=300), nullable=False),
        sa.Column("response_code", sa.String(length=300), nullable=False),
        sa.Column("undelivered", JSON, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
    )
    op.create_index("ix_outbox_card", "outbox", ["card_id", "id"], unique=False)
    op.create_index(
        "ix_outbox_dead",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_outbox_heads",
        "outbox",
        ["address", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_outbox_retrying",
        "outbox",
        ["address"],
        unique=False,
        sqlite_where=sa.text("state = 'queued' AND attempts > 0"),
        postgresql_where=sa.text("state = 'queued' AND attempts > 0"),
    )
    op.create_index(
        "ix_outbox_subject",
        "outbox",
        ["subject"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_table(
        "people",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("mobile", sa.String(length=32), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("roles", JSON, nullable=False),
        sa.Column("roles_fixed", sa.Boolean(), nullable=False),
        sa.Column("on_leave_until", UTC, nullable=True),
        sa.Column("deputy_id", ID, nullable=True),
        sa.Column("supervisor_override_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["deputy_id"], ["people.id"], name=op.f("fk_people_deputy_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["supervisor_override_id"],
            ["people.id"],
            name=op.f("fk_people_supervisor_override_id_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_mobile"), "people", ["mobile"], unique=False)
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )
    op.create_table(
        "ticks",
        sa.Column("job", sa.String(length=60), nullable=False),
        sa.Column("scheduled_at", UTC, nullable=False),
        sa.Column("claimed_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("job", "scheduled_at", name=op.f("pk_ticks")),
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tokens")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("aliases", JSON, nullable=False),
        sa.Column("industry", sa.String(length=80), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_accounts_owner_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_index(op.f("ix_accounts_owner_id"), "accounts", ["owner_id"], unique=False)
    op.create_table(
        "identities",
        sa.Column("platform", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("titles", JSON, nullable=False),
        sa.Column("departments", JSON, nullable=False),
        sa.Column("main_department", sa.String(length=64), nullable=True),
        sa.Column("leaders", JSON, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_identities_person_id_people")
        ),
        sa.PrimaryKeyConstraint("platform", "user_id", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_person_id"), "identities", ["person_id"], unique=False)
    op.create_table(
        "loose_files",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.String(length=300), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=200), nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("settled_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_loose_files_person_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["files.sha256"], name=op.f("fk_loose_files_sha256_files")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loose_files")),
        sa.UniqueConstraint("source_id", name=op.f("uq_loose_files_source_id")),
    )
    op.create_index(
        op.f("ix_loose_files_conversation"), "loose_files", ["conversation"], unique=False
    )
    op.create_table(
        "contacts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("mobile", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_contacts_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_contacts_account_id_name")),
    )
    op.create_index(op.f("ix_contacts_account_id"), "contacts", ["account_id"], unique=False)
    op.create_table(
        "file_uses",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("first_used_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_file_uses_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["files.sha256"], name=op.f("fk_file_uses_sha256_files")
        ),
        sa.PrimaryKeyConstraint("sha256", "account_id", name=op.f("pk_file_uses")),
    )
    op.create_table(
        "opportunities",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("stage_since", UTC, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("assigned_at", UTC, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("last_valid_at", UTC, nullable=True),
        sa.Column("hold_until", UTC, nullable=True),
        sa.Column("light", sa.String(length=8), nullable=False),
        sa.Column("stuck", sa.Boolean(), nullable=False),
        sa.Column("light_due_at", UTC, nullable=True),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("next_contact_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_opportunities_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_opportunities_owner_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunities")),
    )
    op.create_index(
        op.f("ix_opportunities_account_id"), "opportunities", ["account_id"], unique=False
    )
    op.create_index(
        "ix_opportunities_due",
        "opportunities",
        ["light_due_at", "id"],
        unique=False,
        sqlite_where=sa.text("light_due_at IS NOT NULL"),
        postgresql_where=sa.text("light_due_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_opportunities_owner_id"), "opportunities", ["owner_id"], unique=False)
    op.create_index(
        "ix_opportunities_owner_light", "opportunities", ["owner_id", "light"], unique=False
    )
    op.create_table(
        "activities",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("opportunity_id", ID, nullable=True),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("occurred_at", UTC, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("source_id", sa.String(length=200), nullable=False),
        sa.Column("slots", JSON, nullable=False),
        sa.Column("file_hashes", JSON, nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("invalid_reason", sa.String(length=200), nullable=False),
        sa.Column("grade", sa.String(length=4), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("retracts_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_activities_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["people.id"], name=op.f("fk_activities_actor_id_people")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_activities_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["retracts_id"], ["activities.id"], name=op.f("fk_activities_retracts_id_activities")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
        sa.UniqueConstraint("source_id", name=op.f("uq_activities_source_id")),
    )
    op.create_index(
        "ix_activities_actor", "activities", ["actor_id", "recorded_at", "id"], unique=False
    )
    op.create_index(
        "ix_activities_opportunity",
        "activities",
        ["opportunity_id", "occurred_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_activities_retracts_id"), "activities", ["retracts_id"], unique=False)
    op.create_index(
        "ix_activities_stream", "activities", ["account_id", "occurred_at", "id"], unique=False
    )
    op.create_table(
        "drafts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.String(length=300), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("occurred_at", UTC, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("touched_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("opportunity_id", ID, nullable=True),
        sa.Column("slots", JSON, nullable=False),
        sa.Column("file_hashes", JSON, nullable=False),
        sa.Column("candidates", JSON, nullable=False),
        sa.Column("awaiting", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("activity_id", ID, nullable=True),
        sa.Column("card_no", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_drafts_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_drafts_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_drafts_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("source_id", name=op.f("uq_drafts_source_id")),
    )
    op.create_index(
        "ix_drafts_expiring",
        "drafts",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_drafts_open",
        "drafts",
        ["conversation", "person_id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(op.f("ix_drafts_person_id"), "drafts", ["person_id"], unique=False)
    op.create_table(
        "light_episodes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("yellow_at", UTC, nullable=False),
        sa.Column("red_at", UTC, nullable=True),
        sa.Column("cleared_at", UTC, nullable=True),
        sa.Column("cleared_reason", sa.String(length=40), nullable=False),
        sa.Column("acked_at", UTC, nullable=True),
        sa.Column("acked_by", ID, nullable=True),
        sa.Column("snoozed_until", UTC, nullable=True),
        sa.Column("snooze_reason", sa.String(length=200), nullable=False),
        sa.Column("next_push_at", UTC, nullable=True),
        sa.Column("next_step", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["acked_by"], ["people.id"], name=op.f("fk_light_episodes_acked_by_people")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_light_episodes_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_light_episodes_owner_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_light_episodes")),
        sa.UniqueConstraint(
            "opportunity_id", "episode", name=op.f("uq_light_episodes_opportunity_id_episode")
        ),
    )
    op.create_index(
        "ix_light_episodes_next_push",
        "light_episodes",
        ["next_push_at"],
        unique=False,
        sqlite_where=sa.text("next_push_at IS NOT NULL"),
        postgresql_where=sa.text("next_push_at IS NOT NULL"),
    )
    op.create_index(
        "ix_light_episodes_open",
        "light_episodes",
        ["opportunity_id"],
        unique=False,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_index(
        op.f("ix_light_episodes_owner_id"), "light_episodes", ["owner_id"], unique=False
    )
    op.create_table(
        "pushes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("opportunity_id", ID, nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=24), nullable=False),
        sa.Column("receiver_id", ID, nullable=False),
        sa.Column("owed_at", UTC, nullable=False),
        sa.Column("send_at", UTC, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("pushed_at", UTC, nullable=True),
        sa.Column("card_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["opportunities.id"],
            name=op.f("fk_pushes_opportunity_id_opportunities"),
        ),
        sa.ForeignKeyConstraint(
            ["receiver_id"], ["people.id"], name=op.f("fk_pushes_receiver_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushes")),
        sa.UniqueConstraint(
            "opportunity_id",
            "episode",
            "step",
            "receiver_id",
            name=op.f("uq_pushes_opportunity_id_episode_step_receiver_id"),
        ),
    )
    op.create_index("ix_pushes_card", "pushes", ["card_id"], unique=False)
    op.create_index(
        "ix_pushes_owed",
        "pushes",
        ["send_at", "receiver_id"],
        unique=False,
        sqlite_where=sa.text("state = 'owed'"),
        postgresql_where=sa.text("state = 'owed'"),
    )
    op.create_index("ix_pushes_receiver", "pushes", ["receiver_id", "pushed_at"], unique=False)


def downgrade() -> None:
    for table in (
        "pushes",
        "light_episodes",
        "drafts",
        "activities",
        "opportunities",
        "file_uses",
        "contacts",
        "loose_files",
        "identities",
        "accounts",
        "tokens",
        "ticks",
        "settings",
        "people",
        "outbox",
        "inbox",
        "files",
        "dialogs",
        "departments",
        "cards",
        "call_counts",
        "audit",
    ):
        op.drop_table(table)
