"""What was said goes word for word after as many days as the policy says, at night."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.clock import FixedClock
from bot.domain.activities import DraftState
from bot.domain.policy import Policy, PrivacyPolicy
from bot.messages import Receipt, Text
from bot.router import Job
from bot.scheduler import Scheduler
from storage import admin, raw_words
from storage.database import Database
from storage.unit_of_work import UnitOfWork
from tests.handlers.chat_company import Chat
from tests.storage.samples import AT, LI, draft, envelope, everything, message

DAYS = 180
TOLD = "王建国的女儿上小学"


@pytest.fixture
async def chat(database: Database) -> Chat:
    return await Chat(database).open()


async def night(chat: Chat, days: float) -> None:
    """The timer as the scheduler runs it, so many days after AT."""
    at = AT + timedelta(days=days)
    job = next(one for one in chat.handlers.jobs() if one.name == "empty old words")

    def not_asked(_: Job[UnitOfWork], __: datetime) -> datetime:
        raise AssertionError

    scheduler = Scheduler(
        store=chat.database, jobs=[job], next_fire=not_asked, clock=FixedClock(at), split=list
    )
    assert await scheduler.run_tick(job, at)


async def received(chat: Chat, key: str, *, days: float = 0, state: str = "done") -> int:
    """A delivery that came so many days after AT."""
    at = AT + timedelta(days=days)
    body = f"{TOLD}，{key}".encode()
    inbox_id = await chat.database.append(envelope(key, received_at=at, body=body))
    assert inbox_id is not None
    async with chat.database.begin() as tx:
        if state == "done":
            assert await tx.delivery.finish(inbox_id, at=at)
        elif state == "dead":
            assert await tx.delivery.bury(inbox_id, at=at, reason="after 5 attempts")
    return inbox_id


async def told(chat: Chat, key: str, *, state: str = "sent") -> None:
    """What the bot said at AT."""
    content = Text(f"{TOLD}，{key}")
    async with chat.database.begin() as tx:
        await tx.delivery.queue([message(key, LI, content=content)], at=AT)
        (due,) = [one for one in await tx.delivery.take_due(at=AT, limit=9) if one.to == LI]
        if state == "sent":
            await tx.delivery.mark_sent(due.id, Receipt(f"handle-{key}"), at=AT)
        elif state == "dead":
            await tx.delivery.give_up(due.id, at=AT, reason="refused")


async def drafted(chat: Chat, key: str, state: DraftState) -> None:
    async with chat.database.begin() as tx:
        slots = {"contact": f"{TOLD}，{key}"}
        new = draft(chat.people["zhang"], key, text=f"{TOLD}，{key}", slots=slots)
        await tx.drafts.save(replace(await tx.drafts.add(new), state=state))


async def company_that_talked(chat: Chat) -> None:
    for state in ("done", "dead", "new"):
        await received(chat, f"inbox-{state}", state=state)
    for state in ("sent", "dead", "queued"):  # queued last: an address has one head
        await told(chat, f"outbox-{state}", state=state)
    for ended in DraftState:
        await drafted(chat, f"draft-{ended}", ended)


def words_of(whole: str) -> set[str]:
    """The keys of those rows that still say what they said."""
    return set(re.findall(rf"{TOLD}，([\w-]+)", whole))


WAITING = {"inbox-new", "outbox-queued", "draft-open"}


async def test_words_stay_until_their_day_and_then_go_but_for_what_waits(
    chat: Chat, database_url: str
) -> None:
    await company_that_talked(chat)
    await night(chat, DAYS)
    assert len(words_of(await everything(database_url))) == 10
    await night(chat, DAYS + 0.01)
    assert words_of(await everything(database_url)) == WAITING
    assert await admin.verify(database_url) == []
    (pending,) = await chat.database.unfinished()
    assert TOLD in pending.envelope.body.decode()
    async with chat.database.begin() as tx:
        (due,) = await tx.delivery.take_due(at=AT, limit=9)
    assert (due.to, due.content) == (LI, Text(f"{TOLD}，outbox-queued"))


async def test_what_is_emptied_is_known_when_it_comes_again(chat: Chat) -> None:
    await company_that_talked(chat)
    await night(chat, DAYS + 1)
    for key in ("inbox-done", "inbox-dead"):
        assert await chat.database.append(envelope(key)) is None
    async with chat.database.begin() as tx:
        await tx.delivery.queue([message("outbox-sent", LI)], at=AT)
        again = draft(chat.people["zhang"], "draft-confirmed")
        assert (await tx.drafts.add(again)).state is DraftState.CONFIRMED
        due = await tx.delivery.take_due(at=AT, limit=9)
    assert [one.dedupe_key for one in due] == ["outbox-queued"]
    assert len(await chat.database.unfinished()) == 1


async def test_it_is_neither_handled_nor_sent_again(chat: Chat) -> None:
    await company_that_talked(chat)
    await night(chat, DAYS + 1)
    async with chat.database.begin() as tx:
        since = AT - timedelta(days=1)
        assert await tx.delivery.mark_for_replay(failed=False, since=since, ids=[]) == 0
        assert await tx.delivery.mark_for_replay(failed=True, since=None, ids=[]) == 0
        assert await tx.delivery.send_again(since=None, at=AT) == 0
        dead = [
            one
            for box in ("inbox", "outbox")
            for one in await tx.boxes.dead_page(box, before=None, limit=9)
        ]
    assert [one.emptied for one in dead] == [True, True]
    assert dead[1] == replace(dead[1], address="", reason="refused")


async def test_the_audit_says_once_a_night_how_many_it_were(chat: Chat) -> None:
    await company_that_talked(chat)
    for days in (DAYS, DAYS + 1, DAYS + 2):
        await night(chat, days)
    await received(chat, "later", days=9)
    await night(chat, DAYS + 10)
    assert await audited(chat) == [
        {"days": DAYS, "years": 3, "rows": {"drafts": 3, "inbox": 2, "outbox": 2}},
        {"days": DAYS, "years": 3, "rows": {"inbox": 1}},
    ]


async def test_what_waited_that_night_goes_once_it_is_handled(
    chat: Chat, database_url: str
) -> None:
    waiting = await received(chat, "waiting", state="new")
    await received(chat, "handled")
    await night(chat, DAYS + 1)
    assert words_of(await everything(database_url)) == {"waiting"}
    async with chat.database.begin() as tx:
        await tx.delivery.finish(waiting, at=AT + timedelta(days=DAYS + 1))
    await night(chat, DAYS + 2)
    assert words_of(await everything(database_url)) == set()


async def test_however_many_there_are_it_goes_batch_by_batch(
    chat: Chat, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where some wait, and some came under a clock that was wrong for a while."""
    monkeypatch.setattr(raw_words, "BATCH", 3)
    young = {4, 11, 12, 20}
    waiting = {2, 3, 7}
    for number in range(21):
        days = 100 if number in young else number / 100
        await received(chat, str(number), days=days, state="new" if number in waiting else "done")
    await night(chat, DAYS + 0.205)
    left = words_of(await everything(database_url))
    await night(chat, DAYS + 0.205 + 1)
    assert left == words_of(await everything(database_url))
    assert left == {str(number) for number in young | waiting}
    assert [entry["rows"] for entry in await audited(chat)] == [{"inbox": 14}]


async def test_no_batch_is_longer_than_it_should_be(
    chat: Chat, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_words, "BATCH", 4)
    for number in range(10):
        await received(chat, str(number))
    left = []
    for _ in range(3):
        async with chat.database.begin() as tx:
            at = AT + timedelta(days=DAYS)
            await tx.raw_words.go_on("inbox", before=at, at=at)
        left.append(len(words_of(await everything(database_url))))
    assert left == [6, 2, 0]


async def test_a_night_that_breaks_off_is_told_the_next(
    chat: Chat,
) -> None:
    await company_that_talked(chat)
    job = next(one for one in chat.handlers.jobs() if one.name == "empty old words")
    assert job.prepare is not None
    await job.prepare(chat.database.begin, AT + timedelta(days=DAYS + 1))
    assert await audited(chat) == []
    await night(chat, DAYS + 2)
    assert [entry["rows"]["inbox"] for entry in await audited(chat)] == [2]


async def test_with_0_they_stay_for_ever(database: Database, database_url: str) -> None:
    chat = await Chat(database, policy=Policy(privacy=PrivacyPolicy(raw_chat_days=0))).open()
    await received(chat, "kept")
    await night(chat, 20 * 365)
    assert words_of(await everything(database_url)) == {"kept"}


async def test_the_days_are_those_that_an_administrator_set_last(
    chat: Chat, database_url: str
) -> None:
    await received(chat, "kept")
    assert "不能" in await chat.say("zhao", "设置 原文保留 7") + chat.heard_by("zhao")
    await chat.say("zhao", "设置 原文保留 400")
    await chat.press("zhao", chat.card("zhao"), "确认修改")
    await night(chat, DAYS + 1)
    assert words_of(await everything(database_url)) == {"kept"}
    await night(chat, 401)
    assert words_of(await everything(database_url)) == set()


async def audited(chat: Chat) -> list[dict[str, object]]:
    async with chat.database.read() as tx:
        assert await tx.audit.verify() is None
        rows = await tx.audit._page(after=0)
    return [json.loads(row.after) for row in rows if row.action == "empty_old_words"]
