"""What names a customer goes out whole; what is personal in it goes for good."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import String, Text, update
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow, GroupMember
from bot.errors import NotFound
from bot.messages import StoredFile
from bot.messages import Text as Words
from storage.database import Database
from storage.engines import to_url
from storage.personal.customer_columns import GOES_WHOLE, PERSONAL
from storage.personal.customer_traces import naming
from storage.tables import (
    Json,
    accounts,
    archive_chats,
    audit,
    contracts,
    forecast_lines,
    opportunities,
)
from tests.storage.samples import AT, activity, customer, envelope, everything, member, message

SECRETS = ("王建国", "13800001111", "孩子上小学")
FILE = StoredFile("a" * 64, 3, "application/pdf", "王建国的方案.pdf")

HARMLESS = {
    "account_keys.key", "accounts.aliases", "accounts.credit_code", "accounts.domain",
    "accounts.industry", "accounts.name", "accounts.pool_reason", "activities.file_hashes",
    "activities.grade", "activities.invalid_reason", "activities.library", "activities.source_id",
    "activities.title", "activities.unit",
    "approvals.app", "approvals.applicant", "approvals.digest", "approvals.meaning",
    "approvals.number", "approvals.platform", "approvals.revoked_by", "approvals.state",
    "approvals.template", "assignments.outcome", "assignments.step", "attendance_facts.key",
    "attendance_facts.kind", "attendance_facts.platform", "attendance_facts.trouble",
    "clause_reviews.checklist", "clause_reviews.outcome", "clause_reviews.reviewers",
    "collisions.decision", "collisions.reasons", "contracts.number", "deadlines.awaited",
    "deadlines.state", "drafts.awaiting", "drafts.candidates", "drafts.confidence",
    "drafts.conversation", "drafts.file_hashes", "drafts.library", "drafts.source_id",
    "drafts.state", "drafts.unit", "erp_customers.code", "erp_customers.credit_code",
    "erp_customers.name", "erp_customers.reasons", "erp_customers.state", "erp_customers.system",
    "erp_forecasts.customer_code", "erp_forecasts.evidence", "erp_forecasts.key",
    "erp_forecasts.level", "erp_forecasts.opportunity", "erp_forecasts.system",
    "erp_orders.contract_number", "erp_orders.currency", "erp_orders.customer_code",
    "erp_orders.customer_name", "erp_orders.number", "erp_orders.status", "erp_orders.system",
    "erp_receipts.contract_number", "erp_receipts.currency",
    "erp_receipts.line", "erp_receipts.number", "erp_receipts.payer", "erp_receipts.system",
    "evidence.kind", "evidence.number", "evidence.sha256", "level_changes.after",
    "level_changes.before", "level_changes.cause", "forecast_cosigns.answers",
    "forecast_lines.answers",
    "forecast_lines.evidence", "forecast_lines.level",
    "supply_notices.evidence_id", "supply_notices.kind",
    "file_uses.sha256", "learnt_aliases.alias", "learnt_aliases.state",
    "light_episodes.cleared_reason", "light_episodes.next_step", "opportunities.furthest",
    "opportunities.library", "opportunities.light", "opportunities.name", "opportunities.stage",
    "opportunities.state", "payout_deals.kind", "payout_dispute_notes.file_hashes",
    "payout_dispute_notes.kind", "payout_disputes.file_hashes", "payout_disputes.ruling",
    "payout_disputes.state", "payout_disputes.step", "payout_lines.kind", "payout_lines.month",
    "payout_lines.origin", "payout_lines.rule_id", "payout_lines.why", "payout_reviews.reason",
    "payout_reviews.why", "payout_snapshots.digest", "payout_snapshots.document",
    "pushes.card_id", "pushes.reason", "pushes.state", "pushes.step", "stage_events.came_from",
    "stage_events.kind", "stage_events.library", "stage_events.went_to", "track_showings.card_id",
    "track_showings.code", "track_showings.industry", "track_showings.objections",
    "track_showings.result", "track_showings.segment",
}  # fmt: skip
"""Columns of text that hold codes, numbers of ours, or a company's own name."""


def test_every_column_of_a_table_that_names_a_customer_is_judged() -> None:
    """A new table must say what of it is personal."""
    named = [accounts, *(table for table, _ in naming(dict.fromkeys(TARGETS)))]
    texts = {
        f"{column.table.name}.{column.name}"
        for table in named
        if table not in GOES_WHOLE
        for column in table.columns
        if isinstance(column.type, String | Text | type(Json))
    }
    personal = {f"{column.table.name}.{column.name}" for column in PERSONAL}
    assert personal <= texts
    assert texts - personal == HARMLESS


TARGETS = (accounts, opportunities, forecast_lines, contracts, archive_chats)


async def test_out_goes_all_of_one_customer_and_nothing_of_another(database: Database) -> None:
    mine, other = await _two_customers(database)
    async with database.read() as tx:
        told = await tx.personal_data.rows(await tx.personal_data.trace(mine))
    whole = json.dumps(told, default=str, ensure_ascii=False)
    assert all(secret in whole for secret in SECRETS)
    assert "李小龙" not in whole
    assert {"accounts", "contacts", "activities", "files", "inbox"} <= told.keys()
    assert other not in {row["id"] for row in told["accounts"]}


async def test_gone_is_gone_everywhere_and_the_rest_stands(
    database: Database, database_url: str
) -> None:
    mine, other = await _two_customers(database)
    async with database.begin() as tx:
        traces = await tx.personal_data.trace(mine)
        counts = await tx.personal_data.erase(traces, AT)
        hashes = await tx.personal_data.let_go()
    assert (counts["contacts"], counts["inbox"], hashes) == (1, 1, [FILE.sha256])
    left = await everything(database_url)
    assert not [secret for secret in SECRETS if secret in left]
    assert "李小龙" in left
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        kept = (await tx.activities.page(mine, limit=5, before=None))[0][0]
        untouched = (await tx.activities.page(other, limit=5, before=None))[0][0]
    assert (kept.text, kept.unit, kept.valid) == ("", "call", True)
    assert kept.slots == {"duration_min": 25, "objections": ["price_high"],
                          "next_contact": "2026-02-04"}  # fmt: skip
    assert untouched.text == "李小龙嫌贵"


async def test_nothing_is_filed_under_the_numbers_of_who_is_gone(
    database: Database, database_url: str
) -> None:
    mine, _ = await _two_customers(database)
    async with database.begin() as tx:
        await tx.duplicates.file({mine: ["+8613800001111", "core 恒锐"]}, AT)
    async with database.begin() as tx:
        await tx.personal_data.erase(await tx.personal_data.trace(mine), AT)
    left = await everything(database_url)
    assert "13800001111" not in left
    assert "core 恒锐" in left


async def test_bound_contacts_go_with_their_customer(database: Database, database_url: str) -> None:
    mine, other = await _two_customers(database)
    async with database.begin() as tx:
        for key, name, account_id in (("wm1", "何大伟", mine), ("wm2", "孙小美", other)):
            contact = ExternalContact("wecom", key, name, mobile=f"1390000{account_id:04d}")
            follow = Follow("wecom", "zhang3", key, remark=f"备注{name}", tags=(name,))
            news = ContactNews("wecom", (contact,), (follow,))
            await tx.external_contacts.save(news, places=frozenset(), at=AT)
            bound = [("wecom", key, ChatKind.CONTACT, account_id, BoundBy.HAND)]
            await tx.chat_bindings.bind(bound, by=1, at=AT, source_id=key)
            group = ChatGroup("wecom", f"wr{key}", "群", members=(GroupMember(key, False, name),))
            await tx.chat_groups.save(group, at=AT)
            bound = [("wecom", f"wr{key}", ChatKind.GROUP, account_id, BoundBy.HAND)]
            await tx.chat_bindings.bind(bound, by=1, at=AT, source_id=key)
        traces = await tx.personal_data.trace(mine)
        assert {"何大伟", "wm1"} <= set(traces.words)
        told = await tx.personal_data.rows(traces)
        assert [row["name"] for row in told["external_contacts"]] == ["何大伟"]
        counts = await tx.personal_data.erase(traces, AT)
    assert (counts["external_contacts"], counts["chat_members"], counts["chat_bindings"]) == (
        1,
        1,
        2,
    )
    left = await everything(database_url)
    assert "何大伟" not in left
    assert "孙小美" in left


async def test_erased_chats_are_not_replayed(database: Database) -> None:
    mine, _ = await _two_customers(database)
    async with database.begin() as tx:
        await tx.personal_data.erase(await tx.personal_data.trace(mine), AT)
    async with database.begin() as tx:
        since = AT - timedelta(days=1)
        assert await tx.delivery.mark_for_replay(failed=False, since=since, ids=[]) == 1


async def test_erasing_twice_is_erasing_once(database: Database) -> None:
    mine, _ = await _two_customers(database)
    for _ in range(2):
        async with database.begin() as tx:
            counts = await tx.personal_data.erase(await tx.personal_data.trace(mine), AT)
    assert not any(counts.values())


async def test_content_erased_without_a_word_is_tampering(
    database: Database, database_url: str
) -> None:
    await _two_customers(database)
    engine = create_async_engine(to_url(database_url))
    async with engine.begin() as conn:
        nothing = {"before": "", "after": "", "salt": ""}
        await conn.execute(update(audit).where(audit.c.seq == 1).values(nothing))
    await engine.dispose()
    async with database.read() as tx:
        assert await tx.audit.verify() == 1


async def test_there_must_be_such_a_customer(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(NotFound):
            await tx.personal_data.trace(77)


async def _two_customers(database: Database) -> tuple[int, int]:
    """One with everything personal there can be, and one beside it."""
    for number, text in (("1", "刚和王建国聊了，他孩子上小学"), ("2", "李小龙说再看看")):
        inbox_id = await database.append(envelope(number, body=text.encode(), conversation=number))
        async with database.begin() as tx:
            await tx.delivery.finish(inbox_id or 0, at=AT)
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        mine = await customer(tx, zhang)
        other = await customer(tx, zhang, "东风机械")
        await tx.accounts.add_contact(mine.id, "王建国", title="厂长", mobile="13800001111")
        await tx.files.record(FILE, AT)
        await tx.files.use(FILE.sha256, mine.id, AT)
        slots: dict[str, Any] = {
            "duration_min": 25, "objections": ["price_high"], "contact": "王建国",
            "next_contact": "2026-02-04",
        }  # fmt: skip
        told = activity(mine, "1", text="他孩子上小学", slots=slots, valid=True,
                        file_hashes=(FILE.sha256,))  # fmt: skip
        await tx.activities.add(told)
        await tx.activities.add(activity(other, "2", text="李小龙嫌贵"))
        await tx.delivery.queue(
            [message("1", content=Words("恒锐机电：王建国，13800001111"))], at=AT
        )
        await tx.audit.append(
            at=AT, actor="person:1", action="identify_customer", subject=f"account:{mine.id}",
            before=None, after={"phone": "13800001111"},
        )  # fmt: skip
    return mine.id, other.id
