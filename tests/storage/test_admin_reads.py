"""What administrators' lists read: the audit searched in bounded pieces, queues, dead letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.messages import Envelope
from storage import audit_search
from storage.audit_search import Wanted
from storage.boxes import DeadKind
from storage.database import Database

NOW = datetime(2026, 1, 28, 7, tzinfo=UTC)


async def _fill(database: Database, count: int) -> None:
    """An entry a minute: 1 and 2 take turns, every tenth is a hand-over."""
    async with database.begin() as tx:
        for number in range(count):
            await tx.audit.append(
                at=NOW + timedelta(minutes=number),
                actor=f"person:{number % 2 + 1}",
                action="hand_over_all" if number % 10 == 0 else "log_activity",
                subject=f"account:{number}",
                before=None,
                after={"number": number},
            )


async def _every(database: Database, wanted: Wanted, *, limit: int) -> list[int]:
    found: list[int] = []
    before: int | None = None
    for _ in range(50):
        async with database.read() as tx:
            page = await tx.audit_search.search(wanted, before=before, limit=limit)
        found += [one.seq for one in page.entries]
        before = page.before
        if before is None:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), list(range(60, 0, -1))),
        (Wanted(actor="person:2"), list(range(60, 0, -2))),
        (Wanted(action="hand_over_all"), [51, 41, 31, 21, 11, 1]),
        (Wanted(subject="account:5"), [*range(60, 50, -1), 6]),
        (Wanted(since=NOW + timedelta(minutes=57)), [60, 59, 58]),
        (Wanted(until=NOW + timedelta(minutes=3)), [3, 2, 1]),
        (
            Wanted(since=NOW + timedelta(minutes=10), until=NOW + timedelta(minutes=12)),
            [12, 11],
        ),
        (Wanted(action="never"), []),
    ],
)
async def test_a_search_finds_all_in_pages_whatever_piece_it_looks_at(
    database: Database, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, expected: list[int]
) -> None:
    monkeypatch.setattr(audit_search, "SPAN", 7)
    monkeypatch.setattr(audit_search, "SLACK", 2)
    await _fill(database, 60)
    for limit in (3, 50):
        assert await _every(database, wanted, limit=limit) == expected


async def test_queues_tell_how_much_waits_and_how_long(database: Database) -> None:
    for number in range(3):
        for channel, unreadable in (("wecom:sales:app", None), ("dingtalk:sales:robot", "bad")):
            await database.append(
                Envelope(
                    channel=channel,
                    delivery_id=str(number),
                    conversation=channel,
                    sent_at=NOW,
                    received_at=NOW + timedelta(minutes=number),
                    body=b"{}",
                    unreadable=unreadable,
                )
            )
    async with database.read() as tx:
        (queue,) = await tx.boxes.queues()
        received = await tx.boxes.last_received()
        kinds = await tx.boxes.dead_kinds()
        ids = await tx.boxes.dead_of_kind(DeadKind("inbox", "dingtalk:sales:robot", "bad", 0))
        first = await tx.boxes.dead_page("inbox", before=None, limit=2)
        rest = await tx.boxes.dead_page("inbox", before=first[-1].id, limit=2)
    assert (queue.place, queue.count, queue.oldest_at) == ("wecom:sales:app", 3, NOW)
    assert received["dingtalk:sales:robot"] == NOW + timedelta(minutes=2)
    assert kinds == [DeadKind("inbox", "dingtalk:sales:robot", "bad", 3)]
    assert [one.id for one in (*first, *rest)] == sorted(ids, reverse=True)


async def test_letters_buried_one_by_one_have_their_reason_in_common(database: Database) -> None:
    """Each bears a number of its own at its end, by which it is found in the log."""
    reasons = ("no model [3f1c09ab]", "no model [5be2d110]", "no model", "no model [of ours]")
    for number, reason in enumerate(reasons):
        await database.append(
            Envelope(
                channel="wecom:sales:app",
                delivery_id=str(number),
                conversation="wecom:sales:u:zhang",
                sent_at=NOW,
                received_at=NOW,
                body=b"{}",
                unreadable=reason,
            )
        )
    async with database.read() as tx:
        kinds = await tx.boxes.dead_kinds()
        ids = await tx.boxes.dead_of_kind(kinds[0])
    assert [(one.reason, one.count) for one in kinds] == [
        ("no model", 3),
        ("no model [of ours]", 1),
    ]
    assert len(ids) == 3
