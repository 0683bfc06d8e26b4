"""Versions and uses of libraries, deals that are written over, and who is above whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.leaders import leaders_above
from bot.domain.library import ActionLibrary, LibraryUse, Stage
from bot.domain.opportunities import OpportunityState
from bot.domain.people import Directory, DirectoryDepartment, DirectoryUser
from bot.domain.stages import MoveKind
from storage.database import Database
from tests.storage.samples import AT, after, customer, everybody_is_a_rep, member, sale

SAAS = ActionLibrary("saas", "SaaS", (Stage("lead", "线索", 5), Stage("demo", "演示", 5)), ())


async def test_each_version_of_a_library_is_kept_under_its_number(database: Database) -> None:
    async with database.begin() as tx:
        zhao = await member(tx, "zhao")
        for source in (b"one", b"two"):
            await tx.libraries.add_version(
                "pumps", file_name="pumps.yaml", source=source, person_id=zhao.id, at=AT
            )
        await tx.libraries.add_version(
            "anvils", file_name="a.yaml", source=b"x", person_id=zhao.id, at=AT
        )
    async with database.read() as tx:
        kept = await tx.libraries.list_versions()
    assert [(one.key, one.version, one.source) for one in kept] == [
        ("anvils", 1, b"x"),
        ("pumps", 1, b"one"),
        ("pumps", 2, b"two"),
    ]


async def test_the_newest_use_of_each_team_is_in_force(database: Database) -> None:
    async with database.begin() as tx:
        li = await member(tx, "li")
        for use in (
            LibraryUse(None, "saas@0"),
            LibraryUse(li.id, "fmcg@0"),
            LibraryUse(None, "retail@0"),
        ):
            await tx.libraries.use(use, by=li.id, at=AT)
    async with database.read() as tx:
        uses = {one.team_id: one.ref for one in await tx.libraries.list_uses()}
    assert uses == {None: "retail@0", li.id: "fmcg@0"}


async def test_living_deals_are_written_over_and_say_so(database: Database) -> None:
    async with database.begin() as tx:
        zhang, chen = await member(tx, "zhang"), await member(tx, "chen", "陈静")
        account = await customer(tx, zhang)
        living, lost = await sale(tx, account), await sale(tx, account, "已丢")
        foreign = await sale(tx, await customer(tx, chen, "天目湖精工"))
        closed = await tx.opportunities.get_for_update(lost.id)
        await tx.opportunities.save(replace(closed, state=OpportunityState.LOST))
        counted = await tx.libraries.count_deals([zhang.id])
        await tx.libraries.move_deals(
            [zhang.id], old="", new=SAAS, stages={"lead": "demo"}, by=chen.id, at=after(5)
        )
    assert [(one.stage, one.count) for one in counted] == [("lead", 1)]
    async with database.read() as tx:
        deals = [await tx.opportunities.get(one.id) for one in (living, lost, foreign)]
        events = await tx.stages.of_deal(living.id)
    assert [(one.library, one.stage) for one in deals] == [
        ("saas@0", "demo"),
        ("", "lead"),
        ("", "lead"),
    ]
    assert deals[0].stage_since == living.stage_since
    assert [one.kind for one in events] == [MoveKind.OPENED, MoveKind.REMAPPED]
    assert (events[1].came_from, events[1].went_to, events[1].slots) == ("lead", "demo", {})
    assert (events[1].rank, deals[0].furthest) == (1, "demo")


async def test_what_is_kept_in_memory_follows_only_a_commit(database: Database) -> None:
    told: list[str] = []

    async def fail() -> None:
        async with database.begin() as tx:
            tx.once_committed(lambda: told.append("rolled back"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.begin() as tx:
        tx.once_committed(lambda: told.append("committed"))
        assert told == []
    assert told == ["committed"]


async def test_everybodys_leaders_are_those_that_each_one_has(database: Database) -> None:
    departments = (
        DirectoryDepartment("1", "公司", leaders=("wang",)),
        DirectoryDepartment("2", "销售部", "1", leaders=("li",)),
        DirectoryDepartment("3", "一组", "2"),
    )
    users = (
        DirectoryUser("wang", "王建国", departments=("1",)),
        DirectoryUser("li", "李敏", departments=("2",), main_department="2"),
        DirectoryUser("zhang", "张伟", departments=("3",), leaders=("chen",)),
        DirectoryUser("chen", "陈静", departments=("3", "2"), main_department="3"),
    )
    async with database.begin() as tx:
        told = Directory("wecom", users, departments)
        await tx.people.save_directory(told, roles_by_title=everybody_is_a_rep, at=AT)
        chen, li = [await tx.people.find_by_identity("wecom", key) for key in ("chen", "li")]
        assert chen is not None
        assert li is not None
        await tx.people.set_supervisor_override(chen.id, li.id)
        lines = await tx.libraries.leaders_of_everybody()
        for person in await tx.people.list_active():
            facts = await tx.people.leader_facts(person.id)
            assert lines[person.id] == list(dict.fromkeys(one.id for one in leaders_above(facts)))
