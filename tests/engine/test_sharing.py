"""Several processes on one PostgreSQL, here several engines in one: each acts for its share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from bot.clock import FixedClock
from bot.dispatcher import Dispatcher
from bot.domain.sharing import Division
from bot.errors import Unavailable
from bot.handling import Handling, Wording
from bot.membership import Membership
from bot.messages import Address, Incoming, OutboundMessage, Platform, Text
from bot.outbox import Outbox
from bot.ports import Fence
from bot.router import Job
from bot.scheduler import Scheduler
from storage.database import Database
from storage.leases import Leases
from storage.unit_of_work import UnitOfWork
from tests.engine.parts import START, Peer, Shelf, envelope, until

pytestmark = pytest.mark.postgres
DIVISION = Division(senders=frozenset({("wecom", "sales")}))
TALK = "wecom:sales:u:zhang3"


class Node:
    """One process: a dispatcher over its own connections, and a share of the conversations."""

    def __init__(self, name: str, database: Database, leases: Leases, seen: list[str]) -> None:
        self.name = name
        self.database = database
        self.leases = leases
        self.handed_over: list[int] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.begun = asyncio.Event()
        self.failures = 0
        self.membership = Membership(name, DIVISION, leases)
        self.peer = Peer()
        self._seen = seen
        self.dispatcher: Dispatcher[UnitOfWork] = Dispatcher(
            Handling(
                store=database,
                connectors={("wecom", "sales"): self.peer},
                files=Shelf(),
                handle=self._handle,
                clock=FixedClock(START),
                wording=Wording(apology=lambda reference: "sorry"),
                backoff_s=0.01,
            ),
            shares=self.membership,
            hand_over=lambda _, stored: self.handed_over.append(stored),
        )

    async def _handle(self, tx: UnitOfWork, incoming: Incoming) -> Sequence[OutboundMessage]:
        self.begun.set()
        await self.goes_on.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable("for a moment")
        await tx.settings.put(f"seen {incoming.message.text}", self.name, incoming.at)
        tx.once_committed(lambda: self._seen.append(f"{self.name}: {incoming.message.text}"))
        answer = Text(f"re {incoming.message.text}")
        return [OutboundMessage(f"{incoming.source_id}:0", incoming.message.origin, answer)]


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[tuple[Node, Node, list[str]]]:
    """ "a", which has everything as yet, and "b"."""
    seen: list[str] = []
    made = []
    for name in "ab":
        database = await Database.open(postgres_url)
        made.append(Node(name, database, Leases(postgres_url), seen))
    a, b = made
    await a.membership.join()
    yield a, b, seen
    for one in made:
        one.goes_on.set()
        await one.dispatcher.stop()
        await one.leases.close()
        await one.database.close()


async def take_over(old: Node, new: Node) -> None:
    """As after the old one's death, which it knows nothing of."""
    await old.leases.leave(old.name)
    await new.membership.join()


async def test_another_process_hands_over_what_it_takes_in(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    a, b, seen = nodes
    (await b.dispatcher.accept(envelope("hi")))()
    await a.dispatcher.take(b.handed_over)
    await a.dispatcher.drained()
    assert seen == ["a: hi"]


async def test_words_to_two_processes_keep_their_order(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    """The second comes to who handles them, before it has heard of the first."""
    a, b, seen = nodes
    (await b.dispatcher.accept(envelope("first", number=1, seconds=1)))()
    (await a.dispatcher.accept(envelope("second", number=2, seconds=2)))()
    await a.dispatcher.drained()
    assert seen == ["a: first", "a: second"]
    await a.dispatcher.take(b.handed_over)
    await a.dispatcher.drained()
    assert len(seen) == 2


async def test_a_word_that_stands_in_line_twice_holds_nobody_up(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    """The database tells of the first before it is handed over, and it wants another try."""
    a, b, seen = nodes
    a.failures = 1
    (await b.dispatcher.accept(envelope("first", number=1, seconds=1)))()
    a.goes_on.clear()
    (await a.dispatcher.accept(envelope("second", number=2, seconds=2)))()
    await a.begun.wait()
    await a.dispatcher.take(b.handed_over)
    a.goes_on.set()
    async with asyncio.timeout(10):
        await a.dispatcher.drained()
    (await a.dispatcher.accept(envelope("third", number=3, seconds=3)))()
    async with asyncio.timeout(10):
        await a.dispatcher.drained()
    assert seen == ["a: first", "a: second", "a: third"]


async def test_what_a_dead_process_left_is_handled_by_who_takes_over(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    a, b, seen = nodes
    for number in (1, 2):
        await a.dispatcher.accept(envelope(f"word {number}", number=number, seconds=number))
    await take_over(a, b)
    assert await b.dispatcher.recover() == 2
    await b.dispatcher.drained()
    assert seen == ["b: word 1", "b: word 2"]


async def test_who_was_replaced_while_at_work_acts_no_more(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    """It stood still in the middle: what it was at is done once, by the other, and what follows is
    not its own any more, though it does not know that yet."""
    a, b, seen = nodes
    a.goes_on.clear()
    for number in (1, 2):
        release = await a.dispatcher.accept(
            envelope(f"word {number}", number=number, seconds=number)
        )
        release()
    await a.begun.wait()
    await take_over(a, b)
    await b.dispatcher.recover()
    await b.dispatcher.drained()
    a.goes_on.set()
    await a.dispatcher.stop()
    assert seen == ["b: word 1", "b: word 2"]


async def test_what_waits_is_dropped_with_the_lease_and_stays_stored(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    a, b, seen = nodes
    a.goes_on.clear()
    for number in (1, 2, 3):
        release = await a.dispatcher.accept(
            envelope(f"word {number}", number=number, seconds=number)
        )
        release()
    await a.begun.wait()
    await a.membership.leave()
    a.dispatcher.drop_others()
    a.goes_on.set()
    await a.dispatcher.stop()
    assert seen == ["a: word 1"]  # nobody had taken over, so its end still counts
    await b.membership.join()
    await b.dispatcher.recover()
    await b.dispatcher.drained()
    assert seen == ["a: word 1", "b: word 2", "b: word 3"]


async def test_a_tick_that_two_fire_at_once_acts_once(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    ran: list[str] = []

    def scheduler(node: Node) -> tuple[Scheduler[UnitOfWork], Job[UnitOfWork]]:
        async def run(tx: UnitOfWork, at: object) -> Sequence[OutboundMessage]:
            await asyncio.sleep(0.05)  # the other one claims meanwhile
            tx.once_committed(lambda: ran.append(node.name))
            return []

        job = Job("diary", {}, run)
        return Scheduler(
            store=node.database,
            jobs=[job],
            next_fire=lambda _, after: after + timedelta(minutes=1),
            clock=FixedClock(START),
            split=list,
        ), job

    made = [scheduler(node) for node in nodes[:2]]
    fired = await asyncio.gather(*(ticking.run_tick(job, START) for ticking, job in made))
    assert sorted(fired) == [False, True]
    assert len(ran) == 1


async def test_a_claim_that_came_to_nothing_leaves_the_tick_to_the_other(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    a, b, _ = nodes
    claimed = asyncio.Event()

    async def die_after_claiming() -> None:
        async with a.database.begin() as tx:
            assert await tx.delivery.claim_tick("diary", START, at=START)
            claimed.set()
            await asyncio.sleep(0.05)
            raise ConnectionError("dead")

    async def claim() -> bool:
        await claimed.wait()
        async with b.database.begin() as tx:
            return await tx.delivery.claim_tick("diary", START, at=START)

    failed, taken = await asyncio.gather(die_after_claiming(), claim(), return_exceptions=True)
    assert isinstance(failed, ConnectionError)
    assert taken is True


def outbox(node: Node) -> Outbox[UnitOfWork]:
    return Outbox(
        store=node.database,
        connectors={("wecom", "sales"): node.peer},
        clock=FixedClock(START),
        shares=node.membership,
    )


async def test_an_application_sends_from_one_process_whichever_queued(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    a, b, _ = nodes
    async with b.database.begin() as tx:
        to = Address(Platform.WECOM, "sales", user_id="zhang3")
        await tx.delivery.queue([OutboundMessage("k", to, Text("hello"))], at=START)
    await asyncio.gather(outbox(a)._start_due(START), outbox(b)._start_due(START))
    await until(lambda: a.peer.sent)
    assert a.peer.sent == [("zhang3", "hello")]
    assert b.peer.sent == []


async def test_who_takes_over_an_application_knows_what_was_sent_through_it(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    """Or limits would begin anew with each take-over, and platforms drop what exceeds them."""
    a, b, _ = nodes
    to = Address(Platform.WECOM, "sales", user_id="zhang3")
    async with a.database.begin() as tx:
        await tx.delivery.queue([OutboundMessage("1", to, Text("one"))], at=START)
    await outbox(a).drain()
    await take_over(a, b)
    async with b.database.begin() as tx:
        await tx.delivery.queue([OutboundMessage("2", to, Text("two"))], at=START)
    await outbox(b).drain()
    assert b.peer.told_of == [("zhang3", START)]
    assert b.peer.sent == [("zhang3", "two")]


async def test_a_lease_that_cannot_be_renewed_is_not_relied_on(
    nodes: tuple[Node, Node, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _, _ = nodes
    assert isinstance(a.membership.fence("home"), Fence)
    loop = asyncio.get_running_loop()
    later = loop.time() + 5.0  # the lease itself would run for another second
    monkeypatch.setattr(loop, "time", lambda: later)
    assert a.membership.fence("home") is None
    assert a.membership.fence_of(TALK) is None
    assert not a.membership.sends("wecom", "sales")


async def test_what_was_taken_in_just_before_the_lease_went_is_handed_over(
    nodes: tuple[Node, Node, list[str]],
) -> None:
    """Whoever took over may have looked before it was stored."""
    a, b, seen = nodes
    release = await a.dispatcher.accept(envelope("hi"))
    await a.membership.leave()
    await b.membership.join()
    release()
    await b.dispatcher.take(a.handed_over)
    await b.dispatcher.drained()
    assert seen == ["b: hi"]
