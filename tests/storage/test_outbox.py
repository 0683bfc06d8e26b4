"""What is queued goes out once, in order for each address, and never for ever."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.messages import (
    Address,
    Card,
    CardUpdate,
    Field,
    Option,
    OutboundMessage,
    Platform,
    Receipt,
    Text,
)
from bot.ports import Outgoing
from bot.watching import trace_under_way
from storage.database import Database
from tests.storage.samples import AT, LI, ZHANG, after, message


async def test_what_comes_out_is_what_went_in(database: Database) -> None:
    card = Card(
        "draft-1",
        "跟进电话",
        facts=(("时长", "25分钟"),),
        fields=(Field("objection", "异议", options=(Option("price_high", "价格高"),)),),
    )
    group = Address(Platform.DINGTALK, "sales", chat_id="cidX==")
    await _queue(database, message("k1", group, content=card))
    (outgoing,) = await _take(database)
    assert (outgoing.to, outgoing.content, outgoing.attempts) == (group, card, 0)


async def test_a_message_keeps_the_trace_of_what_caused_it(database: Database) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    before = trace_under_way.set(trace)
    await _queue(database, message("answer"))
    trace_under_way.reset(before)
    await _queue(database, message("push", LI))
    assert {one.dedupe_key: one.trace for one in await _take(database)} == {
        "answer": trace,
        "push": "",
    }


async def test_a_known_dedupe_key_is_queued_once(database: Database) -> None:
    await _queue(database, message("k1"), message("k1", LI))
    await _queue(database, message("k1", content=Text("again")))
    assert [one.content for one in await _take(database)] == [Text("k1")]


async def test_each_address_gives_its_oldest_only(database: Database) -> None:
    await _queue(database, message("z1"), message("l1", LI), message("z2"), message("l2", LI))
    assert _keys(await _take(database)) == ["z1", "l1"]
    await _sent(database, "z1")
    assert _keys(await _take(database)) == ["l1", "z2"]


async def test_messages_of_one_call_go_in_their_order(database: Database) -> None:
    keys = [f"part-{number}" for number in range(20)]
    await _queue(database, *(message(key) for key in keys))
    assert await _send_all(database) == keys


async def test_behind_a_retry_its_address_waits_and_others_do_not(database: Database) -> None:
    await _queue(database, message("z1"), message("z2"), message("l1", LI))
    await _retry(database, "z1", minutes=10)
    assert _keys(await _take(database, minutes=5)) == ["l1"]
    assert _keys(await _take(database, minutes=10)) == ["l1", "z1"]
    await _sent(database, "z1", minutes=10)
    assert _keys(await _take(database, minutes=10)) == ["z2", "l1"]


async def test_a_scheduled_message_holds_nobody_up(database: Database) -> None:
    await _queue(database, message("tomorrow", not_before=after(600)), message("now"))
    assert _keys(await _take(database)) == ["now"]


async def test_a_scheduled_message_takes_its_place_when_its_time_comes(
    database: Database,
) -> None:
    await _queue(database, message("at 30", not_before=after(30)))
    await _queue(database, message("at 60"), minutes=60)
    assert await _send_all(database, minutes=90) == ["at 30", "at 60"]


async def test_what_was_waiting_behind_a_retry_keeps_its_place_before_scheduled_ones(
    database: Database,
) -> None:
    await _queue(database, message("first"), message("second"))
    await _queue(database, message("at 30", not_before=after(30)))
    await _retry(database, "first", minutes=60)
    assert _keys(await _take(database, minutes=45)) == []
    assert await _send_all(database, minutes=60) == ["first", "second", "at 30"]


async def test_a_limit_takes_the_longest_due(database: Database) -> None:
    people = [Address(Platform.WECOM, "sales", user_id=f"u{n}") for n in range(5)]
    for minute, person in enumerate(people):
        await _queue(database, message(str(minute), person), minutes=minute)
    assert _keys(await _take(database, minutes=10, limit=2)) == ["0", "1"]


async def test_the_next_moment_is_that_of_the_next_head(database: Database) -> None:
    assert await _next_at(database) is None
    await _queue(database, message("later", LI, not_before=after(30)))
    assert await _next_at(database) == after(30)
    await _queue(database, message("z1"), message("z2"))
    assert await _next_at(database) == AT
    await _retry(database, "z1", minutes=10)
    assert await _next_at(database) == after(10)  # z2 is due, and waits for z1


async def test_what_has_expired_is_dropped_and_lets_the_next_one_go(database: Database) -> None:
    await _queue(database, message("old news", expires_at=after(5)), message("news"))
    assert _keys(await _take(database, minutes=5)) == ["news"]
    assert (await _counts(database))["outbox_dead"] == 0


async def test_a_retry_that_would_come_too_late_is_dropped_at_once(database: Database) -> None:
    await _queue(database, message("old news", expires_at=after(5)), message("news"))
    await _retry(database, "old news", minutes=10)
    assert _keys(await _take(database, minutes=1)) == ["news"]


async def test_a_dead_letter_keeps_its_reason_and_frees_its_address(database: Database) -> None:
    await _queue(database, message("z1"), message("z2"))
    (head,) = await _take(database)
    async with database.begin() as tx:
        await tx.delivery.give_up(head.id, at=after(1), reason="81013 no such user")
    assert _keys(await _take(database, minutes=1)) == ["z2"]
    async with database.read() as tx:
        (letter,) = await tx.delivery.dead_letters(10)
    assert (letter.box, letter.place, letter.reason, letter.died_at) == (
        "outbox",
        ZHANG.key,
        "81013 no such user",
        after(1),
    )


async def test_a_subject_that_no_longer_matters_is_dropped(database: Database) -> None:
    await _queue(
        database,
        message("z1", subject="light:17:3"),
        message("l1", LI, subject="light:17:3"),
        message("z2", subject="light:18:1"),
    )
    await _sent(database, "l1")
    async with database.begin() as tx:
        assert await tx.delivery.drop_subjects(["light:17:3"], at=AT) == 1
    assert _keys(await _take(database)) == ["z2"]


@pytest.mark.parametrize("sent_with_update", [False, True])
async def test_a_response_code_is_given_out_until_it_was_used(
    database: Database, sent_with_update: bool
) -> None:
    await _queue(database, message("card", content=Card("draft-1", "草稿")))
    await _sent(database, "card", receipt=Receipt(handle="m1", response_code="RC1"))
    assert await _code(database, "draft-1") == "RC1"
    assert await _code(database, "draft-2") == ""
    code = "RC1" if sent_with_update else "from a press"
    update = CardUpdate(Card("draft-1", "草稿", revision=2), response_code=code)
    await _queue(database, message("update", content=update))
    assert await _code(database, "draft-1") == ("" if sent_with_update else "RC1")


async def test_the_newest_response_code_is_the_one(database: Database) -> None:
    for number in (1, 2):
        await _queue(database, message(f"card{number}", content=Card("draft-1", "草稿")))
        await _sent(database, f"card{number}", receipt=Receipt(response_code=f"RC{number}"))
    assert await _code(database, "draft-1") == "RC2"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_ten_thousand_queued_for_one_address_are_no_burden(database: Database) -> None:
    """The work of a look at the queue follows the addresses, not squares of the queue."""
    await _queue(database, *(message(str(number)) for number in range(10_000)))
    await _queue(database, message("l1", LI))
    assert _keys(await _take(database)) == ["0", "l1"]


async def test_what_waits_is_asked_for_by_application(database: Database) -> None:
    """A busy one is passed over, and one that nobody has configured is found."""
    group = Address(Platform.DINGTALK, "sales", chat_id="cidX==")
    await _queue(
        database,
        message("w", not_before=after(1)),
        message("d", group),
        message("x", Address(Platform.WECOM, "gone", user_id="li4"), not_before=after(2)),
    )
    wecom, dingtalk, gone = ("wecom", "sales"), ("dingtalk", "sales"), ("wecom", "gone")
    async with database.begin() as tx:
        for busy, keys, upcoming in (
            ([], ["d", "w", "x"], after(0)),
            ([dingtalk], ["w", "x"], after(1)),
            ([dingtalk, wecom], ["x"], after(2)),
            ([dingtalk, wecom, gone], [], None),
        ):
            assert await tx.delivery.next_outgoing_at(busy=busy) == upcoming
            assert _keys(await tx.delivery.take_due(at=after(2), limit=10, busy=busy)) == keys
        assert _keys(await tx.delivery.take_due(at=after(2), limit=2)) == ["d", "w"]


async def _queue(database: Database, *messages: OutboundMessage, minutes: float = 0) -> None:
    async with database.begin() as tx:
        await tx.delivery.queue(messages, at=after(minutes))


async def _take(database: Database, *, minutes: float = 0, limit: int = 100) -> list[Outgoing]:
    async with database.begin() as tx:
        return list(await tx.delivery.take_due(at=after(minutes), limit=limit))


async def _find(database: Database, key: str, minutes: float = 0) -> Outgoing:
    return next(one for one in await _take(database, minutes=minutes) if one.dedupe_key == key)


async def _sent(
    database: Database, key: str, *, minutes: float = 0, receipt: Receipt | None = None
) -> None:
    head = await _find(database, key, minutes)
    async with database.begin() as tx:
        await tx.delivery.mark_sent(head.id, receipt or Receipt(), at=after(minutes))


async def _retry(database: Database, key: str, *, minutes: float) -> None:
    head = await _find(database, key)
    async with database.begin() as tx:
        await tx.delivery.retry_later(head.id, until=after(minutes), reason="platform down")


async def _send_all(database: Database, *, minutes: float = 0) -> list[str]:
    sent = []
    while heads := await _take(database, minutes=minutes):
        for head in heads:
            async with database.begin() as tx:
                await tx.delivery.mark_sent(head.id, Receipt(), at=after(minutes))
            sent.append(head.dedupe_key)
    return sent


async def _next_at(database: Database) -> datetime | None:
    async with database.read() as tx:
        return await tx.delivery.next_outgoing_at()


async def _code(database: Database, card_id: str) -> str:
    async with database.read() as tx:
        return await tx.delivery.latest_response_code(card_id)


async def _counts(database: Database) -> dict[str, int]:
    async with database.read() as tx:
        return await tx.delivery.counts()


def _keys(heads: list[Outgoing]) -> list[str]:
    return [head.dedupe_key for head in heads]
