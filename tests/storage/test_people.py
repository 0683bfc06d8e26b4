"""Who is who on which platform, what they may do, and who leads them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest

from bot.domain.people import (
    Directory,
    DirectoryDepartment,
    DirectoryUser,
    Identity,
    Person,
    PersonStatus,
    Role,
)
from bot.errors import NotFound, Refused
from storage.database import Database
from storage.directory import DirectorySaved, RolesByTitle, plain_mobile
from storage.unit_of_work import UnitOfWork
from tests.storage.samples import (
    AT,
    activity,
    after,
    customer,
    draft,
    everybody_is_a_rep,
    member,
    sale,
)

ZHANG = DirectoryUser("zhang3", "张三", mobile="13800000001", titles=("销售",))
WANG = DirectoryUser("wang5", "王五", mobile="13800000002", titles=("销售总监",))


async def test_a_directory_makes_people(database: Database) -> None:
    saved = await _save(database, ZHANG, WANG)
    assert saved == DirectorySaved(created=2, updated=0, joined=0, left=0)
    zhang = await _find(database, "wecom", "zhang3")
    assert (zhang.name, zhang.status, zhang.mobile) == ("张三", PersonStatus.ACTIVE, "13800000001")
    assert zhang.identities == (Identity("wecom", "zhang3"),)


async def test_the_same_directory_again_changes_nothing(database: Database) -> None:
    await _save(database, ZHANG, WANG)
    assert await _save(database, ZHANG, WANG) == DirectorySaved(0, 0, 0, 0)


async def test_a_changed_member_is_updated_and_a_withheld_mobile_is_kept(
    database: Database,
) -> None:
    await _save(database, ZHANG)
    renamed = replace(ZHANG, name="张三丰", mobile=None, status=PersonStatus.INACTIVE)
    assert await _save(database, renamed) == DirectorySaved(0, 1, 0, 0)
    zhang = await _find(database, "wecom", "zhang3")
    assert (zhang.name, zhang.mobile) == ("张三丰", "13800000001")
    assert zhang.status is PersonStatus.INACTIVE


async def test_who_is_missing_from_a_whole_directory_has_left(database: Database) -> None:
    await _save(database, ZHANG, WANG)
    assert (await _save(database, WANG)).left == 1
    assert (await _find(database, "wecom", "zhang3")).status is PersonStatus.LEFT
    async with database.read() as tx:
        assert [person.name for person in await tx.people.list_active()] == ["王五"]


async def test_part_of_a_directory_says_nothing_about_the_others(database: Database) -> None:
    await _save(database, ZHANG, WANG)
    news = Directory("wecom", whole=False, left_user_ids=("wang5", "nobody"))
    assert (await _save_all(database, news)).left == 1
    assert (await _find(database, "wecom", "zhang3")).status is PersonStatus.ACTIVE
    assert (await _find(database, "wecom", "wang5")).status is PersonStatus.LEFT


async def test_who_comes_back_is_the_same_person(database: Database) -> None:
    await _save(database, ZHANG)
    before = await _find(database, "wecom", "zhang3")
    await _save(database)
    await _save(database, ZHANG)
    assert await _find(database, "wecom", "zhang3") == before


@pytest.mark.parametrize(
    ("name", "mobile", "joined"),
    [
        ("张三", "+86-138 0000 0001", True),
        ("张三(华东)", "13800000001", True),
        ("李四", "13800000001", False),
        ("张三", "13900000009", False),
        ("张三", None, False),
    ],
)
async def test_two_platforms_are_joined_by_mobile_unless_the_names_contradict(
    database: Database, name: str, mobile: str | None, joined: bool
) -> None:
    await _save(database, ZHANG)
    twin = DirectoryUser("01", name, mobile=mobile)
    saved = await _save(database, twin, platform="dingtalk")
    assert (saved.created, saved.joined) == ((0, 1) if joined else (1, 0))
    on_wecom = await _find(database, "wecom", "zhang3")
    on_dingtalk = await _find(database, "dingtalk", "01")
    assert (on_wecom == on_dingtalk) is joined


async def test_a_mobile_shared_by_two_joins_neither(database: Database) -> None:
    await _save(database, ZHANG, replace(ZHANG, user_id="zhang3b"))
    saved = await _save(database, replace(ZHANG, user_id="01"), platform="dingtalk")
    assert (saved.created, saved.joined) == (1, 0)


async def test_a_mobile_told_later_joins_later(database: Database) -> None:
    await _save(database, replace(ZHANG, mobile=None))
    await _save(database, replace(ZHANG, user_id="01"), platform="dingtalk")
    assert (await _save(database, ZHANG)).joined == 1
    zhang = await _find(database, "wecom", "zhang3")
    assert zhang.identities == (Identity("dingtalk", "01"), Identity("wecom", "zhang3"))


async def test_who_left_one_platform_works_on_on_the_other(database: Database) -> None:
    await _save(database, ZHANG)
    await _save(database, replace(ZHANG, user_id="01"), platform="dingtalk")
    await _save(database)
    zhang = await _find(database, "wecom", "zhang3")
    assert zhang.status is PersonStatus.ACTIVE
    assert zhang.identities == (Identity("dingtalk", "01"),)


async def test_roles_follow_titles_and_leading(database: Database) -> None:
    sales = DirectoryDepartment("2", "销售部", leaders=("wang5",))
    li = DirectoryUser("li4", "李四", leads=("3",))
    east = DirectoryDepartment("3", "华东")
    chief = DirectoryUser("zhao6", "赵六", titles=("销售总监",))
    rep = replace(ZHANG, leaders=("zhao6",))
    people = (rep, replace(WANG, titles=()), li, chief)
    await _save_all(database, Directory("wecom", people, (sales, east)), roles=_roles)
    roles = {user.user_id: (await _find(database, "wecom", user.user_id)).roles for user in people}
    assert roles == {
        "zhang3": {Role.REP},
        "wang5": {Role.REP, Role.SUPERVISOR},
        "li4": {Role.REP, Role.SUPERVISOR},
        "zhao6": {Role.SALES_DIRECTOR, Role.SUPERVISOR},
    }


async def test_news_about_one_may_make_another_a_supervisor(database: Database) -> None:
    await _save(database, ZHANG, WANG)
    promoted = Directory("wecom", (replace(ZHANG, leaders=("wang5",)),), whole=False)
    await _save_all(database, promoted)
    assert Role.SUPERVISOR in (await _find(database, "wecom", "wang5")).roles
    leading = DirectoryDepartment("2", "销售部", leaders=("zhang3",))
    await _save_all(database, Directory("wecom", departments=(leading,), whole=False))
    assert Role.SUPERVISOR in (await _find(database, "wecom", "zhang3")).roles


async def test_news_of_a_few_leave_everybody_as_a_whole_reading_would(database: Database) -> None:
    """Twenty people, thirty changes: another leader, another department's head, somebody gone."""
    chance = random.Random(20261126)
    users = {f"u{n}": DirectoryUser(f"u{n}", f"员工{n}") for n in range(20)}
    folders = {str(n): DirectoryDepartment(str(n), f"{n}部") for n in range(4)}
    await _save_all(database, Directory("wecom", (*users.values(),), (*folders.values(),)))
    for _ in range(30):
        who, leader = chance.sample(sorted(users), 2)
        match chance.choice(("led", "led", "head", "gone")):
            case "led":
                users[who] = replace(users[who], leaders=(leader,))
                news = Directory("wecom", (users[who],), whole=False)
            case "head":
                number = chance.choice(sorted(folders))
                folders[number] = replace(folders[number], leaders=(leader,))
                news = Directory("wecom", departments=(folders[number],), whole=False)
            case _:
                if len(users) > 10:
                    del users[who]
                news = Directory("wecom", whole=False, left_user_ids=(who,) * (who not in users))
        await _save_all(database, news)
        whole = Directory("wecom", (*users.values(),), (*folders.values(),))
        assert await _save_all(database, whole) == DirectorySaved(0, 0, 0, 0)


async def test_roles_set_by_an_administrator_stay(database: Database) -> None:
    await _save(database, ZHANG)
    zhang = await _find(database, "wecom", "zhang3")
    async with database.begin() as tx:
        await tx.people.set_roles(zhang.id, {Role.ADMIN, Role.FINANCE})
    await _save_all(database, Directory("wecom", (ZHANG,)), roles=_roles)
    assert (await _find(database, "wecom", "zhang3")).roles == {Role.ADMIN, Role.FINANCE}
    async with database.read() as tx:
        assert [one.name for one in await tx.people.list_by_role(Role.ADMIN)] == ["张三"]
        assert await tx.people.list_by_role(Role.REP) == []


async def test_leave_and_override_are_kept_and_ended(database: Database) -> None:
    await _save(database, ZHANG, WANG)
    zhang, wang = [await _find(database, "wecom", key) for key in ("zhang3", "wang5")]
    async with database.begin() as tx:
        await tx.people.set_leave(zhang.id, after(60), wang.id)
        await tx.people.set_supervisor_override(zhang.id, wang.id)
    away = await _find(database, "wecom", "zhang3")
    assert away.on_leave(AT)
    assert not away.on_leave(after(60))
    assert (away.deputy_id, away.supervisor_override_id) == (wang.id, wang.id)
    async with database.begin() as tx:
        await tx.people.set_leave(zhang.id, None, None)
        with pytest.raises(NotFound):
            await tx.people.set_leave(10**6, None, None)
    assert not (await _find(database, "wecom", "zhang3")).on_leave(AT)


async def test_leaders_come_nearest_first_up_to_the_root(database: Database) -> None:
    departments = (
        DirectoryDepartment("1", "公司", leaders=("boss",)),
        DirectoryDepartment("2", "销售部", parent_id="1", leaders=("wang5", "li4")),
        DirectoryDepartment("3", "华东", parent_id="2"),
    )
    names = {"boss": "老板", "wang5": "王五", "li4": "李四", "zhao6": "赵六", "gone": "离职"}
    users = [DirectoryUser(user_id, name) for user_id, name in names.items()]
    rep = replace(ZHANG, departments=("9", "3"), main_department="3", leaders=("zhao6", "ghost"))
    await _save_all(database, Directory("wecom", (*users, rep), departments))
    zhang = await _find(database, "wecom", "zhang3")
    async with database.begin() as tx:
        boss = await tx.people.find_by_identity("wecom", "boss")
        assert boss is not None
        await tx.people.set_supervisor_override(zhang.id, boss.id)
        facts = await tx.people.leader_facts(zhang.id)
    assert facts.override is not None
    assert facts.override.name == "老板"
    assert [one.name for one in facts.direct] == ["赵六"]
    levels = [[one.name for one in level] for level in facts.department_leaders]
    assert levels == [[], ["王五", "李四"], ["老板"]]


async def test_departments_that_contain_each_other_do_not_hang_us(database: Database) -> None:
    ring = (DirectoryDepartment("1", "甲", "2"), DirectoryDepartment("2", "乙", "1", ("wang5",)))
    rep = replace(ZHANG, departments=("1",))
    await _save_all(database, Directory("wecom", (rep, WANG), ring))
    async with database.read() as tx:
        zhang = await tx.people.find_by_identity("wecom", "zhang3")
        assert zhang is not None
        facts = await tx.people.leader_facts(zhang.id)
    assert [[one.name for one in level] for level in facts.department_leaders] == [[], ["王五"]]


async def test_joining_two_people_moves_everything_to_the_first(database: Database) -> None:
    async with database.begin() as tx:
        first = await member(tx, "zhang3", "张三", mobile="13800000001")
        other = await member(tx, "01", "Zhang San", platform="dingtalk")
        account = await customer(tx, other)
        deal = await sale(tx, account)
        entry = await tx.activities.add(activity(account, "s1"))
        open_draft = await tx.drafts.add(draft(other, "d1"))
        await tx.dialogs.put("c", first.id, {"awaits": "first"}, AT)
        await tx.dialogs.put("c", other.id, {"awaits": "other"}, AT)
        await tx.dialogs.put("d", other.id, {"awaits": "an answer"}, AT)
        await tx.people.set_supervisor_override(first.id, other.id)
        person = await tx.people.join(first.id, other.id)
        assert person.identities == (Identity("dingtalk", "01"), Identity("wecom", "zhang3"))
        assert person.supervisor_override_id is None
        assert (await tx.accounts.get(account.id)).owner_id == first.id
        assert (await tx.opportunities.get(deal.id)).owner_id == first.id
        assert entry is not None
        assert (await tx.activities.get(entry.id)).actor_id == first.id
        assert (await tx.drafts.get_for_update(open_draft.id)).person_id == first.id
        assert await tx.dialogs.get("c", first.id) == {"awaits": "first"}
        assert await tx.dialogs.get("d", first.id) == {"awaits": "an answer"}
        with pytest.raises(NotFound):
            await tx.people.get(other.id)


async def test_two_members_of_one_platform_cannot_be_joined(database: Database) -> None:
    await _save(database, ZHANG, WANG)
    async with database.begin() as tx:
        zhang, wang = await tx.people.list_active()
        with pytest.raises(Refused, match="不能合并"):
            await tx.people.join(zhang.id, wang.id)
        assert await tx.people.join(zhang.id, zhang.id) == zhang


async def test_splitting_gives_one_platform_back_with_its_open_draft(database: Database) -> None:
    async with database.begin() as tx:
        first = await member(tx, "zhang3", "张三")
        other = await member(tx, "01", "Zhang San", platform="dingtalk")
        here = await tx.drafts.add(draft(first, "d1"))
        there = await tx.drafts.add(replace(draft(other, "d2"), conversation="dingtalk:sales:u:01"))
        await tx.people.join(first.id, other.id)
        parted = await tx.people.split(
            first.id, Identity("dingtalk", "01"), name="Zhang San", mobile=None
        )
        assert parted.identities == (Identity("dingtalk", "01"),)
        assert (await tx.people.get(first.id)).identities == (Identity("wecom", "zhang3"),)
        assert (await tx.drafts.get_for_update(there.id)).person_id == parted.id
        assert (await tx.drafts.get_for_update(here.id)).person_id == first.id
        with pytest.raises(Refused, match="不用拆分"):
            await tx.people.split(parted.id, Identity("dingtalk", "01"), name="x", mobile=None)


async def test_a_stranger_is_not_found(database: Database) -> None:
    async with database.read() as tx:
        assert await tx.people.find_by_identity("wecom", "nobody") is None
        with pytest.raises(NotFound, match="没有这个人"):
            await tx.people.get(1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_company_of_thousands_is_taken_in_one_go(database: Database) -> None:
    users = [DirectoryUser(f"u{n}", f"员工{n}", mobile=str(13800000000 + n)) for n in range(3_000)]
    async with asyncio.timeout(30):
        assert (await _save(database, *users)).created == 3_000
        joined = (await _save(database, *users[:50], platform="dingtalk")).joined
    assert joined == 50


def test_mobiles_compare_by_their_digits() -> None:
    assert plain_mobile("+86-138 0000 0001") == plain_mobile("008613800000001") == "13800000001"
    assert plain_mobile("+852 6123 4567") == "85261234567"
    assert plain_mobile("") is None


def _roles(titles: tuple[str, ...]) -> frozenset[Role]:
    return frozenset({Role.SALES_DIRECTOR if "销售总监" in titles else Role.REP})


async def _save(
    database: Database, *users: DirectoryUser, platform: str = "wecom"
) -> DirectorySaved:
    return await _save_all(database, Directory(platform, users))


async def _save_all(
    database: Database, directory: Directory, roles: RolesByTitle = everybody_is_a_rep
) -> DirectorySaved:
    async with database.begin() as tx:
        return await tx.people.save_directory(directory, roles_by_title=roles, at=AT)


async def _find(database: Database, platform: str, user_id: str) -> Person:
    async with database.read() as tx:
        return await _found(tx, platform, user_id)


async def _found(tx: UnitOfWork, platform: str, user_id: str) -> Person:
    person = await tx.people.find_by_identity(platform, user_id)
    assert person is not None
    return person
