"""What archived groups of members are called, and a customer's agreement told by an event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.archive import Consent, Pair, Status
from bot.domain.external import ContactHint
from bot.messages import Address, InboundMessage, Incoming, Kind, Platform
from connectors.sandbox.world import Fault
from storage.database import Database
from tests.connectors.wecom.archive_bed import CORP, ROOM, WANG
from tests.handlers.archive_company import ArchiveCompany, Ways, archive_company


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[ArchiveCompany]:
    async with archive_company(database, tmp_path) as company:
        yield company


async def test_a_group_of_members_is_known_by_its_name(company: ArchiveCompany) -> None:
    """One with customers is told with the external contacts."""
    company.bed.state.room_names["wrInside"] = "华东项目组"
    company.bed.text("zhang", "li", "周会改到三点", room="wrInside")
    company.bed.text("zhang", [WANG], "王总好", room=ROOM)
    archive = await company.read(ways=Ways(keep_internal=True))
    assert await archive.name_groups() >= 1
    async with company.chat.database.read() as tx:
        group = await tx.chat_groups.get("wecom", "wrInside")
        assert await tx.chat_groups.get("wecom", ROOM) is None
        assert await tx.chat_groups.living("wecom") == []  # no group with customers
    assert group is not None
    assert (group.name, group.owner) == ("华东项目组", "zhang")
    assert {one.member_id for one in group.members or ()} == {"zhang", "li"}


async def test_a_group_is_asked_about_once_a_week(company: ArchiveCompany) -> None:
    company.bed.state.room_names["wrInside"] = "华东项目组"
    company.bed.text("zhang", "li", "周会改到三点", room="wrInside")
    archive = await company.read(ways=Ways(keep_internal=True))
    assert [await archive.name_groups() for _ in range(2)] == [1, 0]
    company.clock.at += timedelta(days=6, hours=23)
    assert await archive.name_groups() == 0


async def test_a_platform_that_is_away_is_asked_at_the_next_tick(company: ArchiveCompany) -> None:
    company.bed.text("zhang", "li", "在吗", room="wrInside")
    archive = await company.read(ways=Ways(keep_internal=True))
    fault = Fault("wecom", "msgaudit/groupchat/get", errcode=-1, times=20)
    company.bed.world.faults.append(fault)
    [names] = [job for job in archive.jobs() if job.name.startswith("names")]
    assert names.prepare is not None
    await names.prepare(company.chat.database.begin, company.clock.now())
    company.bed.world.faults.clear()
    assert await archive.name_groups() == 1


async def hear_consent(company: ArchiveCompany, *, ago: timedelta = timedelta()) -> None:
    chat = company.chat
    message = InboundMessage(
        platform=Platform.WECOM, app="sales", message_id=f"agree{ago}",
        origin=Address(Platform.WECOM, "sales", user_id="sys"), sender_id="",
        sent_at=chat.now - ago, kind=Kind.CONTACT_CHANGE,
        contacts=ContactHint(agreed=((CORP, "zhang", WANG),)),
    )  # fmt: skip
    async with chat.database.begin() as tx:
        await chat.handlers.handle(tx, Incoming(message, f"door:{ago}", chat.now))


async def consent(company: ArchiveCompany) -> Status:
    async with company.chat.database.read() as tx:
        pair = Pair("zhang", WANG)
        known = await tx.archive_consents.of(CORP, [pair])
    return known[pair][0].status


async def test_who_agrees_by_event_is_archived_without_asking(company: ArchiveCompany) -> None:
    await hear_consent(company)
    assert await consent(company) is Status.AGREED
    company.bind()
    before = company.bed.world.counters.get("wecom:msgaudit/check_single_agree", 0)
    company.bed.text(WANG, "zhang", "报价发我")
    await company.read()
    assert ["报价发我" in one for one in await company.told()] == [True]
    assert company.bed.world.counters.get("wecom:msgaudit/check_single_agree", 0) == before


async def test_an_old_event_does_not_undo_a_later_refusal(company: ArchiveCompany) -> None:
    pair = Pair("zhang", WANG)
    async with company.chat.database.begin() as tx:
        refused = Consent(Status.REFUSED, company.chat.now - timedelta(hours=1))
        await tx.archive_consents.put(CORP, [(pair, refused)], company.chat.now)
    await hear_consent(company, ago=timedelta(hours=2))
    assert await consent(company) is Status.REFUSED
