"""One of a customer's people: out goes all that tells of them, and gone is nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Column, func, select
from sqlalchemy.ext.asyncio import create_async_engine

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow, GroupMember
from bot.domain.levels import Evidence, EvidenceKind
from bot.errors import NotFound, Refused
from bot.messages import StoredFile
from bot.messages import Text as Words
from storage.database import Database
from storage.engines import to_url
from storage.personal.customer_columns import GOES_WHOLE, OF_CUSTOMER, PERSONAL
from storage.tables import (
    Json,
    account_keys,
    account_merges,
    accounts,
    approvals,
    archive_chats,
    archive_messages,
    cards,
    chat_bindings,
    collisions,
    external_reads,
    group_words,
    metadata,
    outbox,
)
from tests.storage.one_of_each import fill, where_told
from tests.storage.samples import (
    AT,
    activity,
    customer,
    draft,
    envelope,
    everything,
    member,
    message,
    sale,
)

NAME, MOBILE, EXTERNAL = "王建国", "13800001111", "wmJianguo"
ADDRESS = "jg@hengrui.example"
SECRETS = (NAME, MOBILE, EXTERNAL, ADDRESS)
FILE = StoredFile("a" * 64, 3, "application/pdf", "王建国的方案.pdf")
BOTH = StoredFile("b" * 64, 3, "application/pdf", "报价.pdf")


async def test_what_tells_of_them_is_gone_from_every_table(
    database: Database, database_url: str
) -> None:
    account = await _everywhere(database, database_url)
    before = await where_told(database_url, *SECRETS)
    of_rows = (one for one in PERSONAL if one.table not in (*GOES_WHOLE, accounts))
    assert before >= {f"{one.table.name}.{one.name}" for one in of_rows}
    assert {str(table.name) for table in OF_CUSTOMER} <= {name.split(".")[0] for name in before}
    await _erase(database, account)
    assert await where_told(database_url, *SECRETS) == set()
    async with database.read() as tx:
        assert await tx.audit.verify() is None
        assert (await tx.accounts.get(account)).name == "恒锐机电"


async def test_deals_contracts_and_payouts_stay_as_they_were(
    database: Database, database_url: str
) -> None:
    account = await _everywhere(database, database_url)
    stays = ("accounts", "opportunities", "contracts", "activities", "payout_lines", "erp_receipts",
             "stage_events", "archive_consents")  # fmt: skip
    before = await _counts(database_url, stays)
    await _erase(database, account)
    assert await _counts(database_url, stays) == before


async def test_colleagues_of_theirs_stay(database: Database, database_url: str) -> None:
    account = await _two_contacts(database)
    counts = await _erase(database, account)
    assert (counts["contacts"], counts["external_contacts"], counts["chat_bindings"]) == (1, 1, 1)
    left = await everything(database_url)
    assert not [secret for secret in (NAME, MOBILE, EXTERNAL) if secret in left]
    assert "李小龙嫌贵" in left
    assert "报价.pdf" in left
    async with database.read() as tx:
        assert [one.name for one in await tx.accounts.contacts(account)] == ["李小龙"]
        page = (await tx.activities.page(account, limit=5, before=None))[0]
        assert await tx.personal_data.let_go() == [FILE.sha256]
    entry = next(one for one in page if one.source_id == "1")
    assert (entry.text, entry.unit, entry.valid) == ("", "call", True)
    assert entry.slots == {"duration_min": 25}
    assert "chat_members.member_id" in await where_told(database_url, "wmXiaolong")


async def test_out_goes_one_and_not_the_other(database: Database) -> None:
    account = await _two_contacts(database)
    for who in (NAME, MOBILE, EXTERNAL):
        async with database.read() as tx:
            traces = await tx.personal_data.trace_contact(account, who)
            told = await tx.personal_data.rows(traces)
        assert {"contacts", "activities", "files", "inbox", "external_contacts",
                "external_follows", "chat_members"} <= told.keys()  # fmt: skip
        whole = json.dumps(told, default=str, ensure_ascii=False)
        assert all(secret in whole for secret in (NAME, MOBILE, EXTERNAL))
        assert "李小龙" not in whole


@pytest.mark.parametrize("elsewhere", ["customer", "evidence", "nowhere"])
async def test_files_that_something_else_needs_stay(database: Database, elsewhere: str) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        mine, other = await customer(tx, zhang), await customer(tx, zhang, "东风机械")
        await tx.accounts.add_contact(mine.id, NAME)
        await tx.files.record(FILE, AT)
        told = activity(mine, "1", text=NAME, file_hashes=(FILE.sha256,))
        await tx.activities.add(told)
        if elsewhere == "customer":
            await tx.files.use(FILE.sha256, other.id, AT)
        if elsewhere == "evidence":
            deal = await sale(tx, mine)
            proof = Evidence(0, deal.id, EvidenceKind.NEED, 1, AT, AT, sha256=FILE.sha256)
            await tx.levels.add_evidence(proof)
    await _erase(database, mine.id)
    async with database.read() as tx:
        let_go = await tx.personal_data.let_go()
    assert let_go == ([FILE.sha256] if elsewhere == "nowhere" else [])


async def test_others_in_an_archived_group_stay(database: Database, database_url: str) -> None:
    account = await _two_contacts(database)
    await fill(
        database_url,
        {table.name: 1 for table in metadata.sorted_tables if table not in ARCHIVE},
        _in_a_group,
    )
    await _erase(database, account)
    assert await where_told(database_url, EXTERNAL) == set()
    assert await where_told(database_url, "wmXiaolong") >= {
        "archive_chats.outsiders", "archive_messages.sender", "archive_messages.recipients",
    }  # fmt: skip


async def test_a_polite_form_is_theirs_only_among_their_customers_rows(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        mine, other = await customer(tx, zhang), await customer(tx, zhang, "东风机械")
        await tx.accounts.add_contact(mine.id, "王总")
        await tx.activities.add(activity(mine, "1", text="王总说月底付款"))
        await tx.activities.add(activity(other, "2", text="王总出差了"))
        await tx.delivery.queue([message("1", content=Words("王总的单子"))], at=AT)
    await _erase(database, mine.id, "王总")
    left = await everything(database_url)
    assert "王总说月底付款" not in left
    assert "王总出差了" in left
    assert "王总的单子" in left


async def test_what_is_theirs_alone_is_found_among_other_customers(
    database: Database, database_url: str
) -> None:
    account = await _two_contacts(database)
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        other = await customer(tx, zhang, "东风机械")
        await tx.activities.add(activity(other, "3", text=f"{NAME}介绍来的"))
        await tx.activities.add(activity(other, "4", text="没有异议"))
        await tx.drafts.add(draft(zhang, "5", text=f"找{NAME}", conversation="wecom:sales:u:x"))
    await _erase(database, account)
    assert await where_told(database_url, NAME) == set()
    assert await where_told(database_url, "没有异议") == {"activities.text"}


async def test_who_is_called_a_little_longer_keeps_their_words(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        mine, other = await customer(tx, zhang), await customer(tx, zhang, "东风机械")
        await tx.accounts.add_contact(mine.id, NAME)
        await tx.accounts.add_contact(other.id, f"{NAME}华")
        await tx.activities.add(activity(other, "1", text=f"{NAME}华嫌贵"))
    await _erase(database, mine.id)
    assert await where_told(database_url, NAME) == {"contacts.name", "activities.text"}


async def test_a_name_that_others_bear_is_not_looked_for_elsewhere(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        mine, other = await customer(tx, zhang), await customer(tx, zhang, "东风机械")
        for account in (mine, other):
            await tx.accounts.add_contact(account.id, NAME)
        await tx.delivery.queue([message("1", content=Words(f"东风机械：{NAME}"))], at=AT)
        traces = await tx.personal_data.trace_contact(mine.id, NAME)
        assert traces.shared_names == [NAME]
        await tx.personal_data.erase(traces, AT)
    assert await where_told(database_url, NAME) == {"contacts.name", "outbox.content"}


async def test_somebody_without_a_card_is_known_by_what_was_recorded(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        account = await customer(tx, await member(tx, "zhang3"))
        slots = {"contact": f"{NAME}厂长", "duration_min": 5}
        await tx.activities.add(activity(account, "1", text=f"{NAME}嫌贵", slots=slots))
        await tx.activities.add(activity(account, "2", text="嫌贵"))
    await _erase(database, account.id)
    assert await where_told(database_url, NAME) == set()
    assert await where_told(database_url, "嫌贵") == {"activities.text"}


async def test_a_word_that_is_nobody_erases_nothing(database: Database) -> None:
    account = await _two_contacts(database)
    with pytest.raises(NotFound, match="没有联系人「嫌贵」"):
        await _erase(database, account, "嫌贵")


async def test_two_on_one_platform_are_told_apart_by_their_ids(database: Database) -> None:
    account = await _two_contacts(database)
    async with database.begin() as tx:
        await _bind(tx, account, ("wmOther", NAME))
    with pytest.raises(Refused, match="有几位「王建国」"):
        await _erase(database, account)
    await _erase(database, account, "wmOther")
    async with database.read() as tx:
        known = await tx.external_contacts.known("wecom", ["wmOther", EXTERNAL])
    assert list(known) == [EXTERNAL]


async def test_a_second_time_there_is_nobody(database: Database) -> None:
    account = await _two_contacts(database)
    await _erase(database, account)
    with pytest.raises(NotFound):
        await _erase(database, account)


async def _erase(database: Database, account: int, who: str = NAME) -> dict[str, int]:
    async with database.begin() as tx:
        traces = await tx.personal_data.trace_contact(account, who)
        return await tx.personal_data.erase(traces, AT)


async def _bind(tx: Any, account: int, *people: tuple[str, str]) -> None:
    for key, name in people:
        contact = ExternalContact("wecom", key, name, mobile=MOBILE if key == EXTERNAL else "")
        follow = Follow("wecom", "zhang3", key, remark=f"备注{name}", tags=(name,))
        news = ContactNews("wecom", (contact,), (follow,))
        await tx.external_contacts.save(news, places=frozenset(), at=AT)
        bound = [("wecom", key, ChatKind.CONTACT, account, BoundBy.HAND)]
        await tx.chat_bindings.bind(bound, by=1, at=AT, source_id=key)


async def _two_contacts(database: Database) -> int:
    inbox_id = await database.append(envelope("1", body=f"刚和{NAME}聊了".encode()))
    async with database.begin() as tx:
        await tx.delivery.finish(inbox_id or 0, at=AT)
        zhang = await member(tx, "zhang3")
        mine = await customer(tx, zhang)
        key = f"wecom:{EXTERNAL}"
        await tx.accounts.add_contact(mine.id, NAME, "厂长", mobile=MOBILE, external_id=key)
        await tx.accounts.add_contact(mine.id, "李小龙", mobile="13900002222")
        await _bind(tx, mine.id, (EXTERNAL, NAME), ("wmXiaolong", "李小龙"))
        members = [GroupMember(EXTERNAL, False, NAME), GroupMember("wmXiaolong", False, "李小龙"),
                   GroupMember("zhang3", True, "张三")]  # fmt: skip
        await tx.chat_groups.save(ChatGroup("wecom", "wr1", "群", members=tuple(members)), at=AT)
        for file in (FILE, BOTH):
            await tx.files.record(file, AT)
            await tx.files.use(file.sha256, mine.id, AT)
        slots: dict[str, Any] = {"duration_min": 25, "contact": NAME}
        told = activity(mine, "1", text=f"{NAME}的孩子上小学", slots=slots, valid=True,
                        file_hashes=(FILE.sha256, BOTH.sha256))  # fmt: skip
        await tx.activities.add(told)
        other = activity(mine, "2", text="李小龙嫌贵", file_hashes=(BOTH.sha256,))
        await tx.activities.add(other)
        await tx.delivery.queue([message("1", content=Words(f"恒锐机电：{NAME}，{MOBILE}"))], at=AT)
        await tx.audit.append(
            at=AT, actor="person:1", action="add_contact", subject=f"account:{mine.id}",
            before=None, after={"phone": MOBILE},
        )  # fmt: skip
    return mine.id


async def _everywhere(database: Database, url: str) -> int:
    """Everything that a customer can have, and all of it tells of one of its people."""
    async with database.begin() as tx:
        person = await member(tx, "zhang3")
        account = await customer(tx, person)
        await tx.audit.append(
            at=AT, actor="person:1", action="add_contact", subject=f"account:{account.id}",
            before=None, after={"name": NAME},
        )  # fmt: skip
    inbox_id = await database.append(envelope("1", body=f"刚和{NAME}聊了".encode()))
    async with database.begin() as tx:
        await tx.delivery.finish(inbox_id or 0, at=AT)
    await fill(url, {"people": person.id, "accounts": account.id, "identities": None}, _words)
    return account.id


_SPECIAL = {
    "platform": "wecom", "chat_key": EXTERNAL, "external_id": EXTERNAL, "member_id": EXTERNAL,
    "mobile": MOBILE, "mobiles": [MOBILE], "sender": ADDRESS, "address": ADDRESS,
    "outsiders": [ADDRESS], "direction": "in", "sender_name": NAME, "contact": NAME,
    "visitor": f"browser of {NAME}", "box": "sales", "pages": [], "events": [1],
}  # fmt: skip


def _words(column: Column[Any]) -> Any:
    if column in (approvals.c.nodes, approvals.c.controls):
        return [[NAME, MOBILE]]
    if column in (account_merges.c.moved, collisions.c.asked):
        return {"phone": MOBILE}
    if column is account_keys.c.key:
        return f"+86{MOBILE}"
    if column is external_reads.c.key:
        return EXTERNAL
    if column is chat_bindings.c.kind:
        return "contact"
    if column is archive_chats.c.outsiders or column is archive_messages.c.recipients:
        return [EXTERNAL]
    if column is archive_messages.c.sender:
        return EXTERNAL
    if column.table.name == "mail_addresses":
        return ADDRESS
    if column.table in (*OF_CUSTOMER, *GOES_WHOLE) or column.table.name.startswith("external_"):
        return _SPECIAL.get(column.name, [NAME] if _is_json(column) else NAME)
    if column in PERSONAL or column in (outbox.c.content, cards.c.data, group_words.c.text):
        return {"contact": f"{NAME}{MOBILE}"} if _is_json(column) else f"{NAME}{MOBILE}"
    return "wecom" if column.name == "platform" else None


def _is_json(column: Column[Any]) -> bool:
    return isinstance(column.type, type(Json))


ARCHIVE = (archive_chats, archive_messages)


def _in_a_group(column: Column[Any]) -> Any:
    if column is archive_messages.c.sender:
        return "wmXiaolong"
    lists = (archive_chats.c.outsiders, archive_chats.c.members, archive_messages.c.recipients)
    return [EXTERNAL, "wmXiaolong"] if column in lists else None


async def _counts(url: str, tables: tuple[str, ...]) -> list[int]:
    engine = create_async_engine(to_url(url))
    async with engine.connect() as conn:
        found = [
            await conn.scalar(select(func.count()).select_from(metadata.tables[name])) or 0
            for name in tables
        ]
    await engine.dispose()
    assert all(found), dict(zip(tables, found, strict=True))
    return found
