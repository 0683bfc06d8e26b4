"""Archived chats in customers' streams: once, in order, with who said it and where, and only what
may be kept."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.activities import Grade
from bot.domain.archive import Consents
from bot.domain.external import ChatGroup
from bot.errors import Unavailable
from connectors.sandbox.wecom_archive import DEADLY
from handlers.archive.bindings import BoundChats
from handlers.archive.keeping import Keeping, Read
from handlers.texts import archive as texts
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.connectors.wecom.archive_bed import CORP, LIN, ROOM, WANG, private_key
from tests.handlers.archive_company import ArchiveCompany, Ways, archive_company
from tests.handlers.test_binding import meets

PDF = b"%PDF-1.4 " + b"quote" * 10
AMR = b"#!AMR\n" + b"\x00" * 64


@pytest.fixture
async def company(database: Database, tmp_path: Path) -> AsyncIterator[ArchiveCompany]:
    async with archive_company(database, tmp_path) as opened:
        yield opened


async def test_a_conversation_stands_in_its_customers_stream(company: ArchiveCompany) -> None:
    company.bind()
    company.bed.text("zhang", WANG, "报价单发您了")
    company.bed.text(WANG, "Zhang", "收到，价格能再谈谈吗")
    archive = await company.read()
    await company.read(archive)
    ours, theirs = await company.stream()
    assert ours.text == "张伟 → 王总：报价单发您了"
    assert theirs.text == "王总 → 张伟：收到，价格能再谈谈吗"
    assert (ours.title, ours.grade) == (texts.CHAT_TITLE, Grade.PLATFORM_PROVEN)
    assert (ours.actor_id, theirs.actor_id) == (None, None)
    assert not ours.valid


async def test_what_was_kept_enters_the_stream_once_in_order_when_it_is_bound_in_chat(
    company: ArchiveCompany,
) -> None:
    await meets(company.chat, WANG, "王总")
    said = [f"第{number}句" for number in range(5)]
    for words in said:
        company.bed.text("zhang", WANG, words)
    await company.read(bindings=BoundChats())
    assert await company.told() == []
    assert "恒锐机电" in await company.chat.say("zhang", "绑定客户 王总 恒锐机电")
    assert await company.told() == [f"张伟 → 王总：{words}" for words in said]
    company.bed.text(WANG, "zhang", "再来一句")
    await company.read(bindings=BoundChats())
    assert [one.split("：")[1] for one in await company.told()] == [*said, "再来一句"]


async def test_what_is_said_after_the_binding_ended_is_kept_as_of_nobody(
    company: ArchiveCompany,
) -> None:
    await meets(company.chat, WANG, "王总")
    await company.chat.say("zhang", "绑定客户 王总 恒锐机电")
    for words, order in (("一", "撤销绑定"), ("二", "绑定客户 王总 恒锐机电")):
        company.bed.text("zhang", WANG, words)
        await company.read(bindings=BoundChats())
        assert [one[-1] for one in await company.told()] == ["一"]
        await company.chat.say("zhang", order)
    assert [one[-1] for one in await company.told()] == ["一", "二"]


async def test_a_group_that_is_bound_gets_what_was_said_in_it(company: ArchiveCompany) -> None:
    group = ChatGroup("wecom", ROOM, "恒锐采购群", "zhang")
    async with company.chat.database.begin() as tx:
        await tx.chat_groups.save(group, at=company.chat.now)
    company.bed.text("zhang", WANG, "大家好", room=ROOM)
    await company.read(bindings=BoundChats())
    assert await company.told() == []
    await company.chat.say("zhang", "绑定客户 恒锐采购群 恒锐机电")
    assert [one.endswith("大家好") for one in await company.told()] == [True]


async def test_found_bound_with_a_later_message_what_was_kept_comes_first(
    company: ArchiveCompany,
) -> None:
    company.bed.text("zhang", WANG, "一")
    await company.read()
    company.bind()
    company.bed.text("zhang", WANG, "二")
    await company.read()
    assert [one[-1] for one in await company.told()] == ["一", "二"]


async def test_the_same_message_under_another_seq_is_known(company: ArchiveCompany) -> None:
    company.bind()
    for _ in range(3):
        company.bed.text("zhang", WANG, "好", msgid="m1_external")
    await company.read()
    company.bed.text("zhang", WANG, "好", msgid="m1_external")
    await company.read()
    assert len(await company.stream()) == 1


async def test_by_the_contacts_on_record(company: ArchiveCompany) -> None:
    async with company.chat.database.begin() as tx:
        await tx.accounts.add_contact(company.account.id, "王建军", external_id=f"wecom:{WANG}")
    company.bed.text(WANG, "zhang", "你好")
    await company.read(bindings=BoundChats())
    assert await company.told() == ["王建军 → 张伟：你好"]


async def test_a_contact_of_two_customers_binds_to_neither(company: ArchiveCompany) -> None:
    other = await company.chat.customer("东风机械")
    async with company.chat.database.begin() as tx:
        for account in (company.account, other):
            await tx.accounts.add_contact(account.id, "王总", external_id=f"wecom:{WANG}")
    company.bed.text(WANG, "zhang", "你好")
    await company.read(bindings=BoundChats())
    assert await company.told() == []


async def test_a_recall_marks_the_message_and_deletes_nothing(company: ArchiveCompany) -> None:
    company.bind()
    sent = company.bed.text("zhang", WANG, "发错了")
    await company.read()
    company.bed.state.add("zhang", [WANG], "revoke", {"revoke": {"pre_msgid": sent}})
    await company.read()
    original, recall = await company.stream()
    assert "发错了" in original.text
    assert (recall.retracts_id, recall.text) == (original.id, "张伟 → 王总：撤回了一条消息")


async def test_a_recall_of_what_was_not_yet_bound(company: ArchiveCompany) -> None:
    sent = company.bed.text("zhang", WANG, "发错了")
    company.bed.state.add("zhang", [WANG], "revoke", {"revoke": {"pre_msgid": sent}})
    await company.read()
    company.bind()
    company.bed.text("zhang", WANG, "看这个")
    await company.read()
    original, recall, _ = await company.stream()
    assert original.title == texts.CHAT_TITLE + texts.RECALLED
    assert recall.retracts_id == original.id


async def test_a_recall_after_consent_was_withdrawn_still_marks(company: ArchiveCompany) -> None:
    company.bind()
    sent = company.bed.text("zhang", WANG, "发错了")
    await company.read()
    company.clock.at += timedelta(minutes=1)
    company.bed.consent("disagree", WANG, "zhang")
    company.bed.state.add("zhang", [WANG], "revoke", {"revoke": {"pre_msgid": sent}})
    await company.read()
    original, mark = await company.stream()
    assert (mark.retracts_id, mark.text) == (original.id, texts.TAKEN_BACK)


async def test_who_disagrees_leaves_nothing_from_then_on(company: ArchiveCompany) -> None:
    company.bind()
    company.bed.text(WANG, "zhang", "之前说的")
    await company.read()
    company.clock.at += timedelta(minutes=1)
    company.bed.consent("disagree", WANG, "zhang")
    company.bed.text(WANG, "zhang", "不许存的")
    company.bed.text("zhang", WANG, "回他的")
    await company.read()
    assert await company.told() == ["王总 → 张伟：之前说的"]
    assert (await company.rows())["kept"] == 1
    company.clock.at += timedelta(minutes=1)
    company.bed.consent("agree", WANG, "zhang")
    company.bed.text(WANG, "zhang", "又可以了")
    await company.read()
    assert [one.split("：")[1] for one in await company.told()][1:] == [
        "同意了会话存档", "又可以了",
    ]  # fmt: skip


async def test_unknown_is_as_good_as_no(company: ArchiveCompany) -> None:
    """And the platform is asked again later."""
    company.bind()
    del company.bed.state.consents["zhang", WANG]
    company.bed.text(WANG, "zhang", "还没表态")
    archive = company.archive(silence_agrees=False)
    await company.read(archive)
    assert await company.told() == []
    assert not await company.rows()
    company.bed.state.consents["zhang", WANG] = "Agree", company.clock.now()
    company.bed.text(WANG, "zhang", "太早了")
    await company.read(archive)
    company.clock.at += timedelta(minutes=11)
    company.bed.text(WANG, "zhang", "同意以后")
    await company.read(archive)
    assert await company.told() == ["王总 → 张伟：同意以后"]


async def test_not_refusing_counts_where_the_company_says_so(company: ArchiveCompany) -> None:
    company.bind()
    del company.bed.state.consents["zhang", WANG]
    company.bed.text(WANG, "zhang", "你好")
    await company.read()
    assert len(await company.told()) == 1


async def test_while_consents_cannot_be_asked_nothing_is_lost(company: ArchiveCompany) -> None:
    company.bind()
    company.bed.text(WANG, "zhang", "你好")
    company.bed.fault("msgaudit/check_single_agree", status=503)
    archive = company.archive()
    with pytest.raises(Unavailable):
        await company.read(archive)
    assert not await company.rows()
    await company.read(archive)
    assert len(await company.told()) == 1


async def test_a_group_shows_who_speaks_and_hides_who_refused(company: ArchiveCompany) -> None:
    company.bind(ROOM)
    state = company.bed.state
    state.consents[ROOM, WANG] = "Agree", company.clock.now()
    state.consents[ROOM, LIN] = "Disagree", company.clock.now()
    company.bed.text("zhang", [WANG, LIN, "chen"], "各位好", room=ROOM)
    company.bed.text(LIN, ["zhang", WANG, "chen"], "别记我", room=ROOM)
    company.bed.text(WANG, ["zhang", LIN, "chen"], "在的", room=ROOM)
    await company.read()
    entries = await company.stream()
    assert [one.text for one in entries] == ["张伟：各位好", "王总：在的"]
    assert {one.title for one in entries} == {texts.GROUP_TITLE}
    async with company.chat.database.read() as tx:
        group = (await tx.archive_chats.by_key(CORP, [ROOM]))[ROOM]
    assert set(group.conversation.members) == {"zhang", WANG, "chen"}


async def test_a_worker_that_dies_again_and_again_costs_nothing(company: ArchiveCompany) -> None:
    """The real process: it is ended over three fetches, and by one message twice."""
    company.bind()
    company.bed.text("zhang", WANG, "一")
    company.bed.state.add_plain("deadly_external", DEADLY)
    company.bed.text("zhang", WANG, "二")
    company.bed.fault("archive/chatdata", drop=True, times=3)
    archive = company.archive(in_process=True)
    with pytest.raises(Unavailable):
        await company.read(archive)
    await company.read(archive)
    assert await company.rows() == {"kept": 2, "broken": 1}
    assert [one[-1] for one in await company.told()] == ["一", "二"]


async def test_a_message_over_which_we_stumble_keeps_no_other_away(
    company: ArchiveCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.bind()
    for words in ("一", "出错", "二"):
        company.bed.text("zhang", WANG, words)
    mend = Keeping._may_keep

    def stumble(self: Keeping, one: Read, consents: Consents) -> bool:
        assert one.message is not None
        if one.message.text == "出错":
            raise ZeroDivisionError("a mistake of ours")
        return mend(self, one, consents)

    monkeypatch.setattr(Keeping, "_may_keep", stumble)
    archive = await company.read()
    assert await company.rows() == {"kept": 2, "broken": 1}
    monkeypatch.setattr(Keeping, "_may_keep", mend)
    async with company.chat.database.begin() as tx:
        await tx.archive.try_broken_again()
    company.clock.at += timedelta(minutes=2)
    await company.read(archive)
    assert sorted(one[-1] for one in await company.told()) == sorted("一二错")


async def test_internal_chats_only_where_the_company_wants_them(company: ArchiveCompany) -> None:
    company.bed.text("zhang", "chen", "中午吃什么")
    await company.read()
    assert not await company.rows()
    company.bed.text("zhang", "chen", "下午开会")
    await company.read(ways=Ways(keep_internal=True))
    assert (await company.rows())["kept"] == 1


async def test_a_key_that_comes_later_opens_what_was_kept(company: ArchiveCompany) -> None:
    company.bind()
    key, pem = private_key()
    company.bed.text("zhang", WANG, "旧钥匙")
    company.bed.state.replace_key(key)
    company.bed.text("zhang", WANG, "新钥匙")
    archive = await company.read()
    assert await company.rows() == {"kept": 1, "sealed": 1}
    async with company.chat.database.begin() as tx:
        told = await archive.job().run(tx, company.clock.now())
    assert "第 2 版" in told[0].content.text  # type: ignore[union-attr]
    await company.read(keys={1: company.bed.source()._access.keys[1], 2: pem})
    assert await company.rows() == {"kept": 2}
    assert [one.split("：")[1] for one in await company.told()] == ["旧钥匙", "新钥匙"]


async def test_a_broken_message_is_kept_with_its_reason_and_can_be_tried_again(
    company: ArchiveCompany,
) -> None:
    company.bind()
    company.bed.text("zhang", WANG, "前")
    company.bed.state.add_plain("broken_external", "不是 JSON".encode())
    company.bed.text("zhang", WANG, "后")
    archive = await company.read()
    assert await company.rows() == {"kept": 2, "broken": 1}
    async with company.chat.database.begin() as tx:
        assert (await archive.figures(tx, company.clock.now()))["broken"] == 1
        assert await tx.archive.try_broken_again() == 1
    company.clock.at += timedelta(minutes=2)
    await company.read(archive)
    assert await company.rows() == {"kept": 2, "broken": 1}


async def test_a_crash_at_any_transaction_loses_nothing_and_repeats_nothing(
    company: ArchiveCompany,
) -> None:
    company.bind()
    crashes, text_count = 0, 0
    for fatal in range(1, 40):
        for _ in range(3):
            text_count += 1
            company.bed.text("zhang", WANG, f"第{text_count}句")
        file = company.bed.state.put_file(PDF + str(fatal).encode())
        company.bed.state.add("zhang", [WANG], "file", {"file": {**file, "filename": "a.pdf"}})
        mortal = _Mortal(company.chat.database, fatal)
        try:
            await company.read(begin=mortal.begin, page=2)
        except _CrashError:
            crashes += 1
            await company.read(page=2)
        entries = await company.stream()
        assert len(entries) == len({one.source_id for one in entries}) == 4 * fatal
        if not mortal.died:
            break
    assert crashes > 5
    assert not mortal.died
    told = [one.text.split("：")[1] for one in entries if "句" in one.text]
    assert told == [f"第{number}句" for number in range(1, text_count + 1)]


class _CrashError(BaseException):
    """Nothing that a program could handle."""


class _Mortal:
    """Begins transactions, of which one is never committed."""

    def __init__(self, database: Database, fatal: int) -> None:
        self._database = database
        self._left = fatal
        self.died = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        self._left -= 1
        async with self._database.begin() as tx:
            yield tx
            if self._left == 0:
                self.died = True
                raise _CrashError


async def test_what_is_old_is_forgotten_beside_the_stream(company: ArchiveCompany) -> None:
    company.bind()
    company.bed.emulator.archive("zhang", [WANG], "image", {}, file=PDF)
    company.bed.text("chen", WANG, "无主的")
    archive = await company.read()
    later = company.clock.now() + timedelta(days=179)
    async with company.chat.database.begin() as tx:
        await archive.job().run(tx, later)
    assert sum((await company.rows()).values()) == 2
    async with company.chat.database.begin() as tx:
        await archive.job().run(tx, later + timedelta(days=2))
    assert not await company.rows()
    assert len(await company.stream()) == 1


async def test_administrators_hear_of_an_outage_once(company: ArchiveCompany) -> None:
    company.bed.text("zhang", WANG, "好")
    archive = await company.read()
    company.bed.fault("archive/chatdata", errcode=10009, times=9)
    company.clock.at += timedelta(hours=1)
    archive._reading._note_failure(Unavailable("10009 本机 IP 不在可信 IP 里"))
    told = []
    for _ in range(2):
        async with company.chat.database.begin() as tx:
            told += await archive.job().run(tx, company.clock.now())
    assert "可信 IP" in told[0].content.text  # type: ignore[union-attr]
    assert len({one.dedupe_key for one in told}) == 1


@pytest.mark.parametrize("merged", [False, True])
async def test_erasing_a_customer_takes_the_conversation_along(
    company: ArchiveCompany, merged: bool
) -> None:
    company.bind()
    company.bed.emulator.archive("zhang", [WANG], "image", {}, file=PDF)
    company.bed.text("zhang", WANG, "私事")
    await company.read()
    account_id = company.account.id
    if merged:
        other = await company.chat.customer("恒锐机电二")
        async with company.chat.database.begin() as tx:
            await tx.merges.merge(
                account_id, other.id, by=company.account.owner_id, at=company.clock.now()
            )
        account_id = other.id
    async with company.chat.database.begin() as tx:
        counts = await tx.personal_data.erase(
            await tx.personal_data.trace(account_id), company.clock.now()
        )
        hashes = await tx.personal_data.let_go()
    assert (counts["archive_messages"], counts["archive_chats"]) == (2, 1)
    assert len(hashes) == 1
    assert {one.text for one in await company.stream()} <= {""}
    assert not await company.rows()


async def test_what_is_no_message_is_passed_over_also_when_its_key_comes_late(
    company: ArchiveCompany,
) -> None:
    key, pem = private_key()
    company.bed.state.replace_key(key)
    switch = {"msgid": "s1", "action": "switch", "time": 1, "user": "zhang"}
    company.bed.state.add_plain("s1", json.dumps(switch).encode())
    await company.read()
    assert await company.rows() == {"sealed": 1}
    await company.read(keys={2: pem})
    assert not await company.rows()


async def test_chats_do_not_bury_what_a_rep_recorded(company: ArchiveCompany) -> None:
    """«撤销» looks at the speaker's last fifty entries."""
    company.bind()
    await company.chat.say("zhang", "刚和恒锐机电通了25分钟电话，嫌价格高，下周三再联系")
    await company.chat.say("zhang", "确认")
    for number in range(60):
        company.bed.text("zhang", WANG, str(number))
    await company.read()
    assert "撤销" in await company.chat.say("zhang", "撤销")
    living = await company.chat.living()
    assert all(not one.unit for one in living["恒锐机电"])
