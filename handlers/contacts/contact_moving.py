"""External contacts go to another member: asked of the platform, and asked after until it is done.

The platform takes a day, in which the customer may refuse, and tells of its success nobody
but who asks. Asking twice is harmless: a contact on the way is refused the second time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from bot.clock import Clock
from bot.domain.external import ChatGroup
from bot.errors import BotError, TransientError
from bot.messages import OutboundMessage, Text
from bot.router import Begin
from handlers.desk import Office
from handlers.texts import binding as texts
from storage.contact_transfers import CONTACT, GROUP, Transfer, TransferState
from storage.unit_of_work import UnitOfWork

AT_ONCE = 100  # contacts in one call
ASK_AGAIN = timedelta(hours=1)
BUSY_FOR = timedelta(minutes=2)
GIVEN_UP_AFTER = timedelta(days=3)
_DONE, _WAITING = 1, 2

_Pair = tuple[str, str, str, bool]  # platform, from, to, has left
_Step = Callable[[_Pair, Sequence[Transfer]], Awaitable[None]]


@runtime_checkable
class MovesContacts(Protocol):
    """A source whose platform hands contacts over. Every method raises BotError."""

    @property
    def platform(self) -> str: ...

    async def transfer(
        self, external_ids: Sequence[str], *, of: str, to: str, has_left: bool
    ) -> dict[str, int]:
        """At most AT_ONCE. External id -> 0 where it is on the way, else the platform's code."""
        ...

    async def transfer_groups(
        self, chat_ids: Sequence[str], *, to: str, has_left: bool
    ) -> dict[str, str]:
        """At most AT_ONCE, which get another owner at once. Chat id -> why not, of those that
        did not."""
        ...

    async def transferred(self, *, of: str, to: str, has_left: bool) -> dict[str, int]:
        """External id -> 1 done, 2 waiting, 3 refused by the customer, 4 the new one has too
        many, 5 no such transfer."""
        ...


def moving_platforms(sources: Iterable[object]) -> frozenset[str]:
    return frozenset(one.platform for one in sources if isinstance(one, MovesContacts))


class ContactMoving:
    """Carries out transfers of contacts from one member to another. `work` does what is due;
    `next_at` says when to come back."""

    def __init__(
        self,
        office: Office,
        sources: Iterable[object],
        *,
        begin: Begin[UnitOfWork],
        clock: Clock,
        queued: Callable[[], None],
    ) -> None:
        movers = [one for one in sources if isinstance(one, MovesContacts)]
        self._movers: Mapping[str, MovesContacts] = {one.platform: one for one in movers}
        self._office = office
        self._begin = begin
        self._clock = clock
        self._queued = queued

    async def next_at(self) -> datetime | None:
        async with self._begin() as tx:
            return await tx.contact_transfers.next_at(self._movers)

    async def work(self) -> int:
        """How many transfers were worked on."""
        if not self._movers:
            return 0
        async with self._begin() as tx:
            due = await tx.contact_transfers.due(self._movers, at=self._clock.now(), limit=1_000)
        groups = [one for one in due if one.kind == GROUP]
        for pair, own in _by_pair(groups).items():
            for start in range(0, len(own), AT_ONCE):
                await self._tried(self._move_groups, pair, own[start : start + AT_ONCE])
        contacts = [one for one in due if one.kind == CONTACT]
        steps: tuple[tuple[TransferState, _Step], ...] = (
            (TransferState.ASKED, self._ask),
            (TransferState.SENT, self._look),
        )
        for state, step in steps:
            for pair, own in _by_pair(one for one in contacts if one.state is state).items():
                for start in range(0, len(own), AT_ONCE):
                    await self._tried(step, pair, own[start : start + AT_ONCE])
        return len(due)

    async def _tried(self, step: _Step, pair: _Pair, own: Sequence[Transfer]) -> None:
        try:
            await step(pair, own)
        except TransientError:
            at = self._clock.now()
            async with self._begin() as tx:
                for state, some in _by_state(own).items():
                    ids = [one.id for one in some]
                    await tx.contact_transfers.set(ids, state, due_at=at + BUSY_FOR)
        except BotError as error:
            await self._fail({one.id: str(error) for one in own}, own)

    async def _ask(self, pair: _Pair, own: Sequence[Transfer]) -> None:
        """Of what is refused it is looked up whether it is on the way already: an answer of the
        platform may have been lost."""
        platform, of, to, has_left = pair
        mover = self._movers[platform]
        codes = await mover.transfer(
            [one.external_id for one in own], of=of, to=to, has_left=has_left
        )
        refused = [one for one in own if codes.get(one.external_id) != 0]
        known: Mapping[str, int] = {}
        if refused:
            known = await mover.transferred(of=of, to=to, has_left=has_left)
        failed = {
            one.id: texts.refused_at_once(codes.get(one.external_id))
            for one in refused
            if known.get(one.external_id) not in (_DONE, _WAITING)
        }
        sent = [one.id for one in own if one.id not in failed]
        at = self._clock.now()
        async with self._begin() as tx:
            await tx.contact_transfers.set(sent, TransferState.SENT, due_at=at + ASK_AGAIN)
        await self._fail(failed, own)

    async def _move_groups(self, pair: _Pair, own: Sequence[Transfer]) -> None:
        """Done with the call; no event tells of it, so it is noted here."""
        platform, _, to, has_left = pair
        refused = await self._movers[platform].transfer_groups(
            [one.external_id for one in own], to=to, has_left=has_left
        )
        moved = [one for one in own if one.external_id not in refused]
        at = self._clock.now()
        async with self._begin() as tx:
            for one in moved:
                group = ChatGroup(platform, one.external_id, "", owner=to)
                await tx.chat_groups.save(group, at=at)
            await tx.contact_transfers.set([one.id for one in moved], TransferState.DONE)
        failed = {one.id: refused[one.external_id] for one in own if one.external_id in refused}
        await self._fail(failed, own)

    async def _look(self, pair: _Pair, own: Sequence[Transfer]) -> None:
        platform, of, to, has_left = pair
        results = await self._movers[platform].transferred(of=of, to=to, has_left=has_left)
        at = self._clock.now()
        failed: dict[int, str] = {}
        async with self._begin() as tx:
            for one in own:
                status = results.get(one.external_id, _WAITING)
                if status == _DONE:
                    await tx.external_contacts.move(platform, one.external_id, of=of, to=to, at=at)
                    await tx.contact_transfers.set([one.id], TransferState.DONE)
                elif status == _WAITING and at < one.asked_at + GIVEN_UP_AFTER:
                    due_at = at + ASK_AGAIN
                    await tx.contact_transfers.set([one.id], TransferState.SENT, due_at=due_at)
                else:
                    failed[one.id] = texts.OUTCOMES.get(status, texts.NOT_IN_TIME)
        await self._fail(failed, own)

    async def _fail(self, reasons: Mapping[int, str], own: Sequence[Transfer]) -> None:
        """Told to who asked, in one message for each reason."""
        by_reason: dict[tuple[int, str], list[Transfer]] = defaultdict(list)
        for one in own:
            if one.id in reasons:
                by_reason[one.asked_by, reasons[one.id]].append(one)
        if not by_reason:
            return
        at = self._clock.now()
        async with self._begin() as tx:
            for (asked_by, reason), some in by_reason.items():
                ids = [one.id for one in some]
                await tx.contact_transfers.set(ids, TransferState.FAILED, reason=reason)
                names = await _names(tx, some)
                to = self._office.address_of(await tx.people.get(asked_by))
                if to is not None:
                    is_group = some[0].kind == GROUP
                    tell = texts.groups_not_moved if is_group else texts.transfer_failed
                    said = Text(tell(names, reason))
                    note = OutboundMessage(f"transfer:{ids[0]}:failed", to, said)
                    await tx.delivery.queue([note], at=at)
        self._queued()


async def _names(tx: UnitOfWork, transfers: Sequence[Transfer]) -> list[str]:
    """Of the contacts or groups, as people call them."""
    platform, ids = transfers[0].platform, [one.external_id for one in transfers]
    if transfers[0].kind == GROUP:
        return list((await tx.chat_groups.names(platform, ids)).values())
    known = await tx.external_contacts.known(platform, ids)
    return [one.name for one in known.values()]


def _by_pair(transfers: Iterable[Transfer]) -> dict[_Pair, list[Transfer]]:
    found: dict[_Pair, list[Transfer]] = defaultdict(list)
    for one in transfers:
        found[one.platform, one.from_user, one.to_user, one.has_left].append(one)
    return found


def _by_state(transfers: Iterable[Transfer]) -> dict[TransferState, list[Transfer]]:
    found: dict[TransferState, list[Transfer]] = defaultdict(list)
    for one in transfers:
        found[one.state].append(one)
    return found
