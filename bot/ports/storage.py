"""The database, as the engine sees it: inbox, outbox and ticks in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from bot.domain.sharing import AppKey
from bot.messages import Address, Envelope, Load, OutboundMessage, Receipt
from bot.ports.sharing import Fence


@dataclass(frozen=True, slots=True)
class Pending:
    """A stored envelope still to be handled. attempts: tries so far. replayed: it was handled
    to its end before. fence: under which it was taken; None where one process has everything."""

    id: int
    envelope: Envelope
    attempts: int
    replayed: bool = False
    fence: Fence | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A queued outbound message that is due. trace: of what caused it, see
    `bot.watching.trace_under_way`."""

    id: int
    dedupe_key: str
    to: Address
    content: Load
    attempts: int
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A message that could not be sent. given_up: else it is tried again, and somebody has
    to mend what stands in `reason`."""

    outgoing: Outgoing
    reason: str
    given_up: bool


class Delivery(Protocol):
    """Inbox, outbox and ticks inside one transaction."""

    async def finish(
        self,
        inbox_id: int,
        *,
        at: datetime,
        note: str = "",
        fence: Fence | None = None,
        received_at: datetime | None = None,
    ) -> bool:
        """Mark handled. False when it was no longer to be handled: whoever had it first has
        acted, so this transaction must not. So too when the fence is another's by now. note: a
        lasting remark such as a lost attachment; then `replay --failed` finds it. received_at: of
        it, which spares looking for it in every month."""
        ...

    async def postpone(
        self, inbox_id: int, *, until: datetime, reason: str, received_at: datetime | None = None
    ) -> None: ...

    async def bury(
        self,
        inbox_id: int,
        *,
        at: datetime,
        reason: str,
        fence: Fence | None = None,
        received_at: datetime | None = None,
    ) -> bool:
        """Make it a dead letter. False as for `finish`."""
        ...

    async def answered(self, source_id: str) -> bool:
        """Whether an answer to this delivery was ever queued."""
        ...

    async def queue(self, messages: Sequence[OutboundMessage], *, at: datetime) -> None:
        """Append to the outbox; known dedupe keys are passed over."""
        ...

    async def take_due(
        self, *, at: datetime, limit: int, busy: Container[AppKey] = ()
    ) -> Sequence[Outgoing]:
        """The due heads: for each address the oldest queued one, so order holds; without
        those of busy applications. What has expired is dropped on the way."""
        ...

    async def next_outgoing_at(self, *, busy: Container[AppKey] = ()) -> datetime | None: ...

    async def sent_since(self, app: AppKey, since: datetime) -> Sequence[tuple[Address, datetime]]:
        """What went through this application, and when, in order of time."""
        ...

    async def mark_sent(self, outbox_id: int, receipt: Receipt, *, at: datetime) -> None: ...

    async def retry_later(
        self, outbox_id: int, *, until: datetime, reason: str, counted: bool = True
    ) -> None:
        """counted: False where the platform only asked for patience."""
        ...

    async def try_now(self, app: AppKey, *, at: datetime) -> None:
        """What waits for another try through this application is due at once."""
        ...

    async def give_up(self, outbox_id: int, *, at: datetime, reason: str) -> None: ...

    async def claim_tick(self, job: str, scheduled_at: datetime, *, at: datetime) -> bool:
        """False when that tick was claimed before."""
        ...


class UnitOfWork(Protocol):
    """What the engine sees of a transaction."""

    @property
    def delivery(self) -> Delivery: ...


Tx_co = TypeVar("Tx_co", bound=UnitOfWork, covariant=True)


class Store(Protocol[Tx_co]):
    """The database, as the engine sees it."""

    async def append(self, envelope: Envelope) -> int | None:
        """Durable when it returns (group commit). None: the delivery id was known."""
        ...

    def begin(self) -> AbstractAsyncContextManager[Tx_co]:
        """One transaction: commits on leaving, rolls back when the block raises."""
        ...

    async def unfinished(
        self,
        *,
        besides: Container[int] = frozenset(),
        ours: Callable[[str], bool] | None = None,
    ) -> Sequence[Pending]:
        """Stored and not yet handled, in order of sent_at then arrival: the first page of them.
        besides: ids that are left out; not even read, as there may be many. ours: of these
        conversations only."""
        ...

    async def pending(self, inbox_id: int) -> Pending | None: ...

    async def pending_of(self, inbox_ids: Sequence[int]) -> Sequence[Pending]:
        """Those of them that are still to be handled, in the same order."""
        ...

    async def first_of(self, conversation: str) -> Pending | None:
        """What is to be handled next there, whichever process took it in."""
        ...
