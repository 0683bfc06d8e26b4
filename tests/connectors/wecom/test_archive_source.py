"""The archive through its worker process, against the emulated library: real RSA, real deaths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.archive import Consent, Pair, Status
from bot.errors import AuthFailed, PermanentError, Unavailable
from connectors.sandbox.wecom_archive import DEADLY, SLICE_BYTES
from connectors.wecom.archive.errors import FileGone
from tests.connectors.wecom.archive_bed import (
    LIN,
    NOW,
    ROOM,
    WANG,
    ArchiveBed,
    archive_bed,
    private_key,
)


@pytest.fixture
async def bed() -> AsyncIterator[ArchiveBed]:
    async with archive_bed() as opened:
        yield opened


async def test_what_was_said_comes_decrypted_and_in_order(bed: ArchiveBed) -> None:
    first = bed.text("zhang", WANG, "报价单发您了")
    second = bed.text(WANG, "zhang", "收到，谢谢")
    source = bed.source(in_process=True)
    page = await source.page(0)
    read = [source.read(one.content or "") for one in page]
    assert [one and (one.msgid, one.text) for one in read] == [
        (first, "报价单发您了"),
        (second, "收到，谢谢"),
    ]
    assert await source.page(page[-1].sealed.seq) == []


async def test_a_message_that_ends_the_process_costs_itself_alone(bed: ArchiveBed) -> None:
    bed.text("zhang", WANG, "前")
    bed.state.add_plain("deadly", DEADLY)
    bed.text("zhang", WANG, "后")
    page = await bed.source(in_process=True).page(0)
    assert [one.content is not None for one in page] == [True, False, True]
    assert "ends the library's process" in page[1].why
    assert page[1].sealed.body


async def test_a_death_over_fetching_is_told_and_the_next_try_works(bed: ArchiveBed) -> None:
    bed.text("zhang", WANG, "你好")
    source = bed.source(in_process=True)
    bed.fault("archive/chatdata", drop=True, times=2)
    with pytest.raises(Unavailable):
        await source.page(0)
    assert len(await source.page(0)) == 1


async def test_a_library_that_is_not_there_is_said_in_words() -> None:
    async with archive_bed() as bed:
        adapter = "connectors.wecom.archive.library:load"
        for library in ("/nowhere/libWeWorkFinanceSdk_C.so", "relative.so"):
            with pytest.raises(PermanentError, match="library"):
                await bed.source(library=library, adapter=adapter).page(0)


async def test_a_key_that_is_not_at_hand_leaves_the_message_sealed(bed: ArchiveBed) -> None:
    key, pem = private_key()
    bed.text("zhang", WANG, "旧的")
    bed.state.replace_key(key)
    bed.text("zhang", WANG, "新的")
    old, new = await bed.source().page(0)
    assert old.content is not None
    assert (new.content, new.lacks_key, new.sealed.key_version) == (None, True, 2)
    opened = await bed.source(keys={2: pem}).open([new.sealed])
    assert "新的" in (opened[0].content or "")


async def test_what_cannot_be_decrypted_is_told_and_never_reaches_the_library(
    bed: ArchiveBed,
) -> None:
    bed.text("zhang", WANG, "好的")
    whole = bed.state.messages[0].sealed
    key, body = whole["encrypt_random_key"], whole["encrypt_chat_msg"]
    for number, (bad_key, bad_body) in enumerate(
        (("", body), ("%%%", body), (key, "%%%"), (key, "QUJD"), ("QUJD", body), (key, key))
    ):
        bed.state.add_sealed(f"bad{number}", bad_key, bad_body, version=1)
    page = await bed.source(in_process=True).page(0)
    assert [one.content is not None for one in page] == [True, *[False] * 6]
    assert all(one.why for one in page[1:])


@pytest.mark.parametrize(
    ("code", "error"),
    [(10001, Unavailable), (10003, Unavailable), (10009, AuthFailed), (301052, AuthFailed)],
)
async def test_codes_become_errors(bed: ArchiveBed, code: int, error: type[Exception]) -> None:
    bed.fault("archive/chatdata", errcode=code)
    with pytest.raises(error, match=str(code)):
        await bed.source().page(0)


async def test_a_page_that_is_too_large_is_halved(bed: ArchiveBed) -> None:
    for number in range(5):
        bed.text("zhang", WANG, str(number))
    source = bed.source(page=4)
    bed.fault("archive/chatdata", errcode=301058)
    assert len(await source.page(0)) == 2


async def test_messages_older_than_five_days_are_gone(bed: ArchiveBed) -> None:
    bed.text("zhang", WANG, "太久了", at=NOW - timedelta(days=6))
    bed.text("zhang", WANG, "还在", at=NOW - timedelta(days=4))
    assert len(await bed.source().page(0)) == 1


async def test_a_file_comes_in_slices(bed: ArchiveBed) -> None:
    data = bytes(range(256)) * 3000
    assert len(data) > SLICE_BYTES
    handle = bed.state.put_file(data)["sdkfileid"]
    source = bed.source(in_process=True)
    first = await source.slice(handle, "")
    assert not first.is_last
    second = await source.slice(handle, first.mark)
    assert second.is_last
    assert first.data + second.data == data
    with pytest.raises(FileGone):
        await source.slice("unheard of", "")


async def test_consents_between_two(bed: ArchiveBed) -> None:
    bed.consent("disagree", WANG, "zhang")
    asked = [Pair("zhang", WANG), Pair("chen", WANG), Pair("nobody", WANG)]
    told = await bed.source().consents(asked)
    assert [told[pair].status for pair in asked] == [
        Status.REFUSED,
        Status.AGREED,  # Default_Agree: told, and not refused
        Status.UNKNOWN,
    ]
    strict = await bed.source(silence_agrees=False).consents(asked)
    assert strict[Pair("chen", WANG)].status is Status.UNKNOWN


async def test_consents_of_a_group(bed: ArchiveBed) -> None:
    bed.text("zhang", [WANG, LIN, "chen"], "大家好", room=ROOM)
    bed.consent("agree", WANG, "zhang", room=ROOM, at=NOW)
    told = await bed.source(silence_agrees=False).consents(
        [Pair(ROOM, WANG, in_group=True), Pair(ROOM, LIN, in_group=True)]
    )
    assert told[Pair(ROOM, WANG)] == Consent(Status.AGREED, NOW)
    assert told[Pair(ROOM, LIN)].status is Status.UNKNOWN


async def test_of_whom_the_platform_says_nothing_nothing_is_known(bed: ArchiveBed) -> None:
    """One such question must not stop the reading."""
    unheard = Pair("wrUnheardOf", WANG, in_group=True)
    told = await bed.source().consents([unheard, Pair("nobody", WANG)])
    assert {one.status for one in told.values()} == {Status.UNKNOWN}


async def test_the_check_names_bad_keys(bed: ArchiveBed) -> None:
    await bed.source().check()
    bad = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"
    with pytest.raises(PermanentError, match="第 2 版"):
        await bed.source(keys={2: bad}).check()
    with pytest.raises(AuthFailed):
        await bed.source(secret="wrong").check()
