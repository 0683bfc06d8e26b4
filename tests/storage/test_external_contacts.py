"""Contacts, groups and the work on them, as they are kept."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow, GroupMember
from bot.domain.people import Identity
from storage.contact_matches import KeyInCommon
from storage.contact_transfers import Transfer, TransferState
from storage.database import Database
from storage.external_reads import CONTACT, GROUP, Reading
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import AT, after, customer, member

PLACES = frozenset({"杭州", "上海"})
WANG = ExternalContact("wecom", "wmWang", "王总", company="杭州恒锐机电有限公司")
ZHANGS = Follow(
    "wecom", "zhang3", "wmWang", remark="恒锐-王总", mobiles=("138 0000 1111",), tags=("恒锐机电",)
)
MINE = [Identity("wecom", "zhang3")]


async def save(tx: UnitOfWork, *follows: Follow, of_contacts: tuple[str, ...] = ()) -> int:
    news = ContactNews("wecom", (WANG,) if follows else (), follows, of_contacts=of_contacts)
    return await tx.external_contacts.save(news, places=PLACES, at=AT)


async def test_what_is_told_twice_is_written_once(database: Database) -> None:
    async with database.begin() as tx:
        assert await save(tx, ZHANGS) == 2
        assert await save(tx, ZHANGS) == 0
        assert await save(tx, replace(ZHANGS, remark="王总")) == 1
        assert await tx.external_contacts.known("wecom", ["wmWang", "wmNobody"]) == {"wmWang": WANG}
        [told] = await tx.external_contacts.follows_of("wecom", "wmWang")
    assert (told.remark, told.mobiles, told.tags) == ("王总", ZHANGS.mobiles, ZHANGS.tags)


async def test_who_has_a_contact_no_more_is_forgotten_with_the_last_one(
    database: Database,
) -> None:
    li = replace(ZHANGS, user_id="li4")
    async with database.begin() as tx:
        await save(tx, ZHANGS, li)
        await save(tx, li, of_contacts=("wmWang",))
        assert await tx.external_contacts.follows_of("wecom", "wmWang") == [li]
        assert await tx.external_contacts.unbound(MINE, limit=9) == []
        await save(tx, of_contacts=("wmWang",))
        assert await tx.external_contacts.unbound(None, limit=9) == []
        assert await tx.contact_matches.page(None, limit=9) == ([], None)
        assert await save(tx, ZHANGS) == 2
        assert await tx.external_contacts.unbound(MINE, limit=9) == [(WANG, ZHANGS)]


async def test_whom_a_long_list_left_out_is_only_named(database: Database) -> None:
    """They may have come while it was read."""
    async with database.begin() as tx:
        await save(tx, ZHANGS)
        told = {"zhang3": {"wmOther"}, "li4": set[str]()}
        assert await tx.external_contacts.untold("wecom", told) == ["wmWang"]
        assert await tx.external_contacts.untold("wecom", {"li4": set()}) == []
        assert await tx.external_contacts.follows_of("wecom", "wmWang") == [ZHANGS]


async def test_a_moved_contact_is_the_other_members(database: Database) -> None:
    async with database.begin() as tx:
        await save(tx, ZHANGS)
        await tx.external_contacts.move("wecom", "wmWang", of="zhang3", to="li4", at=after(1))
        [told] = await tx.external_contacts.follows_of("wecom", "wmWang")
        assert (told.user_id, told.remark, told.since) == ("li4", "恒锐-王总", after(1))
        assert await tx.external_contacts.unbound(MINE, limit=9) == []


async def test_a_contact_and_a_customer_meet_by_their_keys(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        mine = await customer(tx, zhang)
        await tx.duplicates.file({mine.id: ["core 恒锐机电", "+8613800001111"]}, AT)
        await save(tx, ZHANGS)
        found, following = await tx.contact_matches.page(MINE, limit=9)
        assert found == [
            KeyInCommon("wecom", "wmWang", how, mine.id)
            for how in (BoundBy.COMPANY, BoundBy.MOBILE, BoundBy.TAG)
        ]
        assert following is None
        assert await tx.contact_matches.page([Identity("wecom", "li4")], limit=9) == ([], None)
        bound = [("wecom", "wmWang", ChatKind.CONTACT, mine.id, BoundBy.MOBILE)]
        await tx.chat_bindings.bind(bound, by=zhang.id, at=AT, source_id="1")
        assert await tx.contact_matches.page(None, limit=9) == ([], None)
        assert await tx.external_contacts.unbound(None, limit=9) == []


async def test_matches_come_page_by_page_and_no_contact_in_two_parts(database: Database) -> None:
    async with database.begin() as tx:
        zhang = await member(tx, "zhang3")
        mine = await customer(tx, zhang)
        await tx.duplicates.file({mine.id: ["core 恒锐机电", "+8613800001111"]}, AT)
        for number in range(5):
            key = f"wm{number}"
            news = ContactNews(
                "wecom", (replace(WANG, external_id=key),), (replace(ZHANGS, external_id=key),)
            )
            await tx.external_contacts.save(news, places=PLACES, at=AT)
        seen: list[str] = []
        place: tuple[str, str] | None = ("", "")
        while place is not None:
            found, place = await tx.contact_matches.page(None, after=place, limit=7)
            seen += [one.external_id for one in found]
    assert seen == [f"wm{number}" for number in range(5) for _ in range(3)]


async def test_a_group_is_known_with_its_members(database: Database) -> None:
    group = ChatGroup("wecom", "wrEast", "恒锐项目群", "zhang3", version="2", members=(
        GroupMember("wmWang", is_staff=False, name="王总"),
        GroupMember("zhang3", is_staff=True, name="张三", joined_at=AT),
    ))  # fmt: skip
    async with database.begin() as tx:
        await tx.chat_groups.save(group, at=AT)
        assert await tx.chat_groups.get("wecom", "wrEast") == group
        await tx.chat_groups.save(ChatGroup("wecom", "wrEast", "恒锐交付群"), at=after(1))
        renamed = await tx.chat_groups.get("wecom", "wrEast")
        assert renamed == replace(group, name="恒锐交付群")
        assert [one.chat_id for one in await tx.chat_groups.unbound(MINE, limit=9)] == ["wrEast"]
        assert await tx.chat_groups.unbound([Identity("wecom", "li4")], limit=9) == []
        await tx.chat_groups.mark_gone("wecom", "wrEast", at=after(2))
        assert await tx.chat_groups.unbound(None, limit=9) == []


async def test_however_often_it_is_asked_for_it_is_read_once(database: Database) -> None:
    apps, whats = [("wecom", "sales")], [CONTACT, GROUP]
    first = Reading("wecom", "sales", CONTACT, "wmWang", "", AT, AT)
    later = replace(first, asked_at=after(1), due_at=after(1))
    async with database.begin() as tx:
        await tx.external_reads.ask([first, first, replace(first, key="wmLi")])
        assert await tx.external_reads.next_at(apps, whats) == AT
        await tx.external_reads.ask([later])
        due = await tx.external_reads.due(apps, whats, at=after(1), limit=9)
        assert [one.key for one in due] == ["wmLi", "wmWang"]
        await tx.external_reads.done(first)  # asked for again meanwhile
        assert len(await tx.external_reads.due(apps, whats, at=after(1), limit=9)) == 2
        await tx.external_reads.put_off(later, until=after(5))
        await tx.external_reads.done(due[0])
        assert await tx.external_reads.due(apps, whats, at=after(4), limit=9) == []
        [again] = await tx.external_reads.due(apps, whats, at=after(5), limit=9)
        assert again.tries == 1
        other = [("dingtalk", "sales")]
        assert await tx.external_reads.due(other, whats, at=after(5), limit=9) == []


async def test_a_contact_is_on_the_way_once(database: Database) -> None:
    asked = Transfer(
        0, "wecom", "wmWang", "zhang3", "li4", True, 1, AT, TransferState.ASKED, "", AT
    )
    async with database.begin() as tx:
        await member(tx, "zhao")
        assert await tx.contact_transfers.ask([asked]) == 1
        assert await tx.contact_transfers.ask([replace(asked, to_user="chen5")]) == 0
        [due] = await tx.contact_transfers.due(["wecom"], at=AT, limit=9)
        await tx.contact_transfers.set([due.id], TransferState.SENT, due_at=after(60))
        assert await tx.contact_transfers.next_at(["wecom"]) == after(60)
        assert await tx.contact_transfers.due(["wecom"], at=after(59), limit=9) == []
        await tx.contact_transfers.set([due.id], TransferState.FAILED, reason="客户拒绝了")
        assert await tx.contact_transfers.next_at(["wecom"]) is None
        assert await tx.contact_transfers.ask([replace(asked, to_user="chen5")]) == 1
