"""One of ours who left: out goes all about them, and gone is what proves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Column, select
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.levels import Evidence, EvidenceKind
from bot.domain.people import Directory
from bot.errors import NotFound, Refused
from bot.messages import StoredFile
from bot.messages import Text as Words
from storage.cards import ShownCard
from storage.database import Database
from storage.engines import to_url
from storage.personal import person_columns as columns
from storage.tables import (
    Json,
    accounts,
    approvals,
    archive_chats,
    inbox,
    metadata,
    payout_disputes,
    settings_rows,
)
from tests.storage.one_of_each import fill, is_text, where_told
from tests.storage.samples import (
    AT,
    ZHANG,
    activity,
    customer,
    envelope,
    everybody_is_a_rep,
    member,
    message,
    sale,
)

NAME, MOBILE, ACCOUNT = "张三丰", "13900001234", "zhang3feng"
ACCOUNT_ON_WECOM, OWN_CHAT = f"wecom:{ACCOUNT}", f"wecom:sales:u:{ACCOUNT}"
SECRETS = (NAME, MOBILE, ACCOUNT)
GONE_WITH_THEIR_ROWS = {*columns.GOES_WHOLE, *columns.OF_ACCOUNT}

HARMLESS = {
    "account_keys.key", "account_merges.moved", "accounts.aliases", "accounts.credit_code",
    "accounts.domain", "accounts.industry", "accounts.name", "accounts.phone",
    "activities.file_hashes", "activities.grade", "activities.library",
    "activities.unit", "approvals.app", "approvals.digest", "approvals.meaning",
    "approvals.number", "approvals.platform", "approvals.revoked_by", "approvals.state",
    "approvals.template", "archive_bookmarks.corp", "archive_chats.corp",
    "archive_chats.outsiders", "archive_chats.room", "archive_consents.corp",
    "archive_consents.outsider", "archive_consents.status", "archive_files.handle",
    "archive_files.kind", "archive_files.mark", "archive_files.md5", "archive_files.sha256",
    "archive_files.state", "archive_files.why", "archive_messages.corp",
    "archive_messages.kind", "archive_messages.msgid", "archive_messages.revokes",
    "archive_messages.sealed", "archive_messages.state", "archive_messages.why",
    "assignments.outcome", "assignments.step", "attendance_facts.kind",
    "attendance_facts.platform", "attendance_facts.trouble", "audit.action", "audit.actor",
    "audit.content_hash", "audit.hash", "audit.previous_hash", "audit.subject",
    "call_counts.month", "call_counts.name", "cards.card_id", "cards.state", "cards.subject",
    "chat_bindings.chat_key", "chat_bindings.how", "chat_bindings.kind",
    "chat_bindings.platform", "chat_groups.chat_id",
    "chat_groups.platform", "chat_groups.version", "clause_reviews.checklist",
    "clause_reviews.outcome", "clause_reviews.reviewers", "collisions.decision",
    "collisions.reasons", "contact_transfers.external_id", "contact_transfers.kind",
    "contact_transfers.platform", "contact_transfers.state", "contacts.external_id",
    "contacts.mobile", "contacts.name", "contacts.title", "contracts.number",
    "customer_signals.events", "customer_signals.key", "customer_signals.pages",
    "customer_signals.rule", "customer_signals.task", "deadlines.awaited", "deadlines.state",
    "departments.id", "departments.parent_id", "departments.platform", "drafts.awaiting",
    "drafts.candidates", "drafts.confidence", "drafts.file_hashes", "drafts.library",
    "drafts.state", "drafts.unit", "erp_bookmarks.kind",
    "erp_bookmarks.system", "erp_customers.code", "erp_customers.credit_code",
    "erp_customers.name", "erp_customers.phone", "erp_customers.reasons",
    "erp_customers.state", "erp_customers.system", "erp_forecasts.customer_code",
    "erp_forecasts.evidence", "erp_forecasts.key", "erp_forecasts.level",
    "erp_forecasts.opportunity", "erp_forecasts.system", "erp_orders.contract_number",
    "erp_orders.currency", "erp_orders.customer_code", "erp_orders.customer_name",
    "erp_orders.number", "erp_orders.status", "erp_orders.system",
    "erp_receipts.contract_number", "erp_receipts.currency", "erp_receipts.line",
    "erp_receipts.number", "erp_receipts.payer", "erp_receipts.system", "evidence.kind",
    "evidence.number", "evidence.sha256", "external_contacts.digest",
    "external_contacts.external_id", "external_contacts.platform",
    "external_contacts.union_id", "external_reads.app", "external_reads.key",
    "external_reads.platform", "external_reads.version", "external_reads.what",
    "file_uses.sha256", "files.media_type", "files.sha256", "forecast_lines.evidence",
    "forecast_lines.level", "forecast_targets.quarter", "forecasts.week", "growth_items.kind",
    "growth_items.name", "growth_postings.key", "growth_postings.kind",
    "growth_postings.quarter", "growth_redemptions.state", "inbox.channel",
    "inbox.state", "learnt_aliases.alias", "learnt_aliases.state",
    "leases.name", "leases.node", "level_changes.after", "level_changes.before",
    "level_changes.cause", "library_uses.library", "library_versions.key",
    "library_versions.source", "light_episodes.cleared_reason", "light_episodes.next_step",
    "machine_forecasts.estimates", "machine_forecasts.method", "machine_forecasts.reasons",
    "machine_forecasts.scope", "machine_forecasts.version", "mail_addresses.name",
    "mail_boxes.box", "mails.address", "mails.box", "mails.direction", "mails.domain",
    "mails.key", "mails.outsiders", "mails.sender", "mails.state", "mails.thread", "nodes.id",
    "opportunities.furthest", "opportunities.library", "opportunities.light",
    "opportunities.name", "opportunities.stage", "opportunities.state", "outbox.app",
    "outbox.card_id", "outbox.chat_id", "outbox.handle", "outbox.platform",
    "outbox.response_code", "outbox.state", "outbox.subject", "outbox.trace", "outbox.webhook",
    "payout_deals.kind", "payout_dispute_notes.file_hashes", "payout_dispute_notes.kind",
    "payout_disputes.file_hashes", "payout_disputes.state", "payout_disputes.step",
    "payout_lines.kind", "payout_lines.month", "payout_lines.origin", "payout_lines.rule_id",
    "payout_reviews.reason", "payout_rule_changes.layout", "payout_rule_changes.state",
    "payout_rule_changes.writers", "payout_runs.month", "payout_runs.state",
    "payout_snapshots.digest", "people.roles", "people.status", "policy_changes.after",
    "policy_changes.before", "policy_changes.key", "pushes.card_id", "pushes.reason",
    "pushes.state", "pushes.step", "signal_events.event_id", "signal_events.kind",
    "signal_events.page", "signal_events.site", "signal_events.state", "signal_events.visitor",
    "signal_links.contact", "signal_links.site", "signal_links.url", "signal_visitors.contact",
    "signal_visitors.site", "signal_visitors.visitor", "stage_events.came_from",
    "stage_events.kind", "stage_events.library", "stage_events.went_to", "supply_acks.station",
    "supply_notices.evidence_id", "supply_notices.kind", "supply_reminders.station",
    "supply_reminders.step", "talk_tracks.body", "talk_tracks.code", "ticks.job",
    "tokens.name", "tokens.token", "track_showings.card_id", "track_showings.code",
    "track_showings.industry", "track_showings.objections", "track_showings.result",
    "track_showings.segment", "used_sign_ins.state",
}  # fmt: skip
"""Columns of text that name nobody of ours: codes, numbers of ours, what is said of customers by
themselves or by a system."""


def names(judged: Any) -> set[str]:
    return {f"{column.table.name}.{column.name}" for column in judged}


def test_every_column_of_every_table_is_judged() -> None:
    """A new table must say what of it is personal to one of ours."""
    texts = names(
        column
        for table in metadata.sorted_tables
        if table not in GONE_WITH_THEIR_ROWS
        for column in table.columns
        if is_text(column)
    )
    personal = {column for changes in columns.PERSONAL.values() for column in changes}
    judged = names(
        column
        for column in (*personal, *columns.MENTIONS, *columns.ACCOUNTS, *columns.EMPTIED,
                       *columns.EVIDENCE)
        if column.table not in GONE_WITH_THEIR_ROWS
    )  # fmt: skip
    assert judged <= texts
    assert texts - judged == HARMLESS


async def test_a_row_in_every_table_and_afterwards_only_evidence_tells_of_them(
    database: Database, database_url: str
) -> None:
    person = await _everywhere(database, database_url)
    before = await where_told(database_url, *SECRETS)
    assert before >= names(columns.EVIDENCE)
    filled = {column for column in columns.MENTIONS if column.table not in (accounts, inbox)}
    assert before >= names(filled)
    assert before >= names(one for one in columns.ACCOUNTS if one.table is not inbox)
    assert {"inbox.body", "outbox.content", "cards.data", "audit.after"} <= before
    await _erase(database)
    left = await where_told(database_url, *SECRETS)
    assert left == names(columns.EVIDENCE)
    assert left != before
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        assert (await tx.people.get(person)).name == f"离职员工{person}"


async def test_rows_stay_that_prove_wages_with_their_times_and_amounts(
    database: Database, database_url: str
) -> None:
    await _everywhere(database, database_url)
    proof = "payout_lines", "payout_snapshots", "activities", "forecasts", "attendance_facts"
    before = [await _facts(database_url, table) for table in proof]
    await _erase(database)
    assert [await _facts(database_url, table) for table in proof] == before


async def test_erasing_twice_is_erasing_once(database: Database, database_url: str) -> None:
    person = await _everywhere(database, database_url)
    await _erase(database)
    assert not any((await _erase(database, str(person))).values())


async def test_out_goes_all_about_them_but_for_keys(database: Database, database_url: str) -> None:
    await _everywhere(database, database_url)
    async with database.read() as tx:
        told = await tx.personal_data.rows(await tx.personal_data.trace_person(ACCOUNT_ON_WECOM))
    assert {"people", "identities", "drafts", "activities", "payout_lines", "payout_disputes",
            "forecasts", "attendance_facts", "page_sessions", "group_words", "dialogs", "inbox",
            "outbox", "audit", "archive_messages", "external_follows"} <= told.keys()  # fmt: skip
    assert not {"digest", "form_key"} & told["page_sessions"][0].keys()
    assert all(secret in json.dumps(told, default=str, ensure_ascii=False) for secret in SECRETS)


async def test_whoever_is_still_there_is_told_what_to_do_first(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, ACCOUNT, NAME, mobile=MOBILE)
        await customer(tx, zhang)
        await customer(tx, zhang, "东风机械")
    with pytest.raises(Refused, match=f"{NAME}还在通讯录里.*把这位成员删除"):
        await _erase(database, leave=False)
    with pytest.raises(Refused, match=f"还有 2 家客户没有交接.*「交接 {NAME} 给 同事姓名」"):
        await _erase(database)


async def test_cards_in_their_chats_go_also_without_a_name(database: Database) -> None:
    async with database.begin() as tx:
        await member(tx, ACCOUNT, NAME)
        await member(tx, "li4", "李四")
        for card, address in (("theirs", OWN_CHAT), ("other", "wecom:sales:u:li4")):
            line = {"line": "三家亮灯"}
            await tx.cards.put(ShownCard(card, 1, "lights", address, "open", line, AT))
    await _erase(database)
    async with database.read() as tx:
        assert await tx.cards.get("theirs") is None
        assert await tx.cards.get("other") is not None


async def test_a_name_that_others_bear_is_replaced_only_where_it_is_theirs(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, ACCOUNT, NAME, mobile=MOBILE)
        li = await member(tx, "li4", "李四")
        await member(tx, "zhang3feng2", NAME)
        account = await customer(tx, li)
        await tx.activities.add(activity(account, "1", text=f"{NAME}一起去的", actor_id=zhang.id))
        await tx.activities.add(activity(account, "2", text=f"{NAME}还没回话"))
        await tx.delivery.queue([message("1", content=Words(f"{NAME}的灯红了"))], at=AT)
    with pytest.raises(Refused, match="有 2 位员工叫"):
        await _erase(database)
    await _erase(database, str(zhang.id))
    async with database.read() as tx:
        page = (await tx.activities.page(account.id, limit=5, before=None))[0]
    assert {one.text for one in page} == {f"离职员工{zhang.id}一起去的", f"{NAME}还没回话"}
    assert "outbox.content" in await where_told(database_url, NAME)


async def test_who_is_called_a_little_longer_keeps_their_name(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        await member(tx, ACCOUNT, "张伟")
        account = await customer(tx, await member(tx, "li4", "李四"))
        await tx.accounts.add_contact(account.id, "张伟强")
        await tx.activities.add(activity(account, "1", text="张伟强说再看看"))
    await _erase(database, "张伟")
    assert await where_told(database_url, "张伟强") == {"contacts.name", "activities.text"}


async def test_voice_goes_and_what_is_evidence_stays(database: Database) -> None:
    voice, photo, signed, unsaid = (
        StoredFile(mark * 64, 3, kind, f"{NAME}.x")
        for mark, kind in (("a", "audio/amr"), ("b", "image/png"), ("c", "audio/amr"),
                           ("d", "image/png"))
    )  # fmt: skip
    async with database.begin() as tx:
        zhang = await member(tx, ACCOUNT, NAME)
        account = await customer(tx, await member(tx, "li4", "李四"))
        for file in (voice, photo, signed, unsaid):
            await tx.files.record(file, AT)
        hashes = (voice.sha256, photo.sha256, signed.sha256)
        await tx.activities.add(activity(account, "1", actor_id=zhang.id, file_hashes=hashes))
        await tx.files.use(photo.sha256, account.id, AT)
        await tx.drafts.add_loose(ZHANG.key, zhang.id, unsaid.sha256, "s:0", AT)
        sold = await sale(tx, account)
    await _prove(database, sold.id, signed.sha256)
    await _erase(database)
    async with database.read() as tx:
        assert await tx.personal_data.let_go() == [voice.sha256, unsaid.sha256]
        page = (await tx.activities.page(account.id, limit=5, before=None))[0]
    assert page[0].file_hashes == hashes


async def test_there_must_be_such_a_person(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(NotFound, match="没有这位员工「孙悟空」"):
            await tx.personal_data.trace_person("孙悟空")


async def _everywhere(database: Database, url: str) -> int:
    """A row of theirs in every table, with their name, mobile or account wherever it may stand."""
    async with database.begin() as tx:
        person = await member(tx, ACCOUNT, NAME, mobile=MOBILE)
        account = await customer(tx, await member(tx, "li4", "李四", leaders=(ACCOUNT,)))
        await tx.audit.append(
            at=AT, actor=f"person:{person.id}", action="hand_over", subject="account:1",
            before=None, after={"to": NAME, "call": MOBILE},
        )  # fmt: skip
    assert person.id == 1  # as every number that is no reference
    for number, sent in enumerate((OWN_CHAT, "wecom:sales:g:group1")):
        body = f"<xml><FromUserName><![CDATA[{ACCOUNT}]]></FromUserName>在吗</xml>".encode()
        said = envelope(str(number), body=body, conversation=sent)
        inbox_id = await database.append(said)
        async with database.begin() as tx:
            await tx.delivery.finish(inbox_id or 0, at=AT)
    await fill(url, {"people": person.id, "accounts": account.id, "identities": None}, _words)
    return person.id


def _words(column: Column[Any]) -> Any:
    """What stands there, as it is shaped there."""
    if column.name == "platform":
        return "wecom"
    if column is settings_rows.c.name:
        return f"joined:{ACCOUNT_ON_WECOM}"
    if column is payout_disputes.c.state:
        return "rejected"
    if column is approvals.c.nodes:
        return [{"user": ACCOUNT, "outcome": "agree", "remark": f"{NAME}请批"}]
    if column in columns.ACCOUNTS or column in columns.OF_ACCOUNT.values():
        return _account(column)
    named = (*columns.MENTIONS, *columns.EVIDENCE, *columns.EMPTIED)
    personal = (one for changes in columns.PERSONAL.values() for one in changes)
    if column in {*named, *personal} or column.table in columns.GOES_WHOLE:
        return {"note": f"{NAME}电话{MOBILE}"} if _is_json(column) else f"{NAME}电话{MOBILE}"
    return None


def _account(column: Column[Any]) -> Any:
    if _is_json(column):
        return [ACCOUNT, "li4"]
    if column.name in ("conversation", "address"):
        return OWN_CHAT
    if column.name == "source_id":
        return f"checkin:{ACCOUNT_ON_WECOM}:outside:1"
    return f"{ACCOUNT}|wm1" if column is archive_chats.c.key else ACCOUNT


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, type(Json))


async def _erase(database: Database, who: str = NAME, *, leave: bool = True) -> dict[str, int]:
    gone = Directory("wecom", whole=False, left_user_ids=(ACCOUNT,) if leave else ())
    async with database.begin() as tx:
        await tx.people.save_directory(gone, roles_by_title=everybody_is_a_rep, at=AT)
    async with database.begin() as tx:
        return await tx.personal_data.erase(await tx.personal_data.trace_person(who), AT)


async def _facts(url: str, name: str) -> list[Any]:
    """Numbers, moments and references of a table's rows."""
    table = metadata.tables[name]
    engine = create_async_engine(to_url(url))
    async with engine.connect() as conn:
        query = select(*(column for column in table.columns if not is_text(column)))
        rows = [tuple(row) for row in await conn.execute(query)]
    await engine.dispose()
    assert rows
    return rows


async def _prove(database: Database, deal: int, sha256: str) -> None:
    async with database.begin() as tx:
        await tx.levels.add_evidence(Evidence(0, deal, EvidenceKind.NEED, 1, AT, AT, sha256=sha256))
