"""The few Protocols the engine needs, where it must not know the one behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Container, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from bot.domain.activities import Record
from bot.domain.archive import ArchivedMessage, Consent, Opened, Pair, Sealed, Slice
from bot.domain.erp import ErpCustomer, ErpOrder, Told
from bot.domain.erp_forecasts import ForecastFacts
from bot.domain.external import ChatGroup
from bot.domain.mails import Mail, MailPlace
from bot.domain.paper import PaperLine
from bot.domain.people import Directory
from bot.domain.receivables import Receipt as ErpReceipt
from bot.messages import (
    Address,
    Attachment,
    Content,
    Envelope,
    ForecastLine,
    InboundMessage,
    Incoming,
    Load,
    OutboundMessage,
    Receipt,
    StoredFile,
)

Release = Callable[[], None]
"""Called by a door once the platform has its answer; only then does the work begin."""

Accept = Callable[[Envelope], Awaitable[Release]]
"""Store an envelope durably. Raises if it could not be stored: then answer 5xx, so that
the platform sends it again. A known delivery id is accepted and not worked on twice."""


AppKey = tuple[str, str]
"""Platform and name of an application."""


class EnvelopeReader(Protocol):
    """Reads what came through one door; all that is needed where nobody is answered."""

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Read an envelope. Raises InvalidInput when it cannot be read. Pure."""
        ...


class Erp(Protocol):
    """An ERP that can be asked for its receipts."""

    @property
    def name(self) -> str: ...

    async def receipts(self, since: datetime) -> Sequence[ErpReceipt]:
        """Every line that was entered or changed since then; reversals negative.
        Raises BotError."""
        ...


class ErpCustomers(Protocol):
    """An ERP that can be asked for its customers."""

    @property
    def name(self) -> str: ...

    async def customers(self, since: datetime) -> Told[ErpCustomer]:
        """Every customer that was entered or changed since then. Raises BotError."""
        ...


class ErpOrders(Protocol):
    """An ERP that can be asked for its sales orders."""

    @property
    def name(self) -> str: ...

    async def orders(self, since: datetime) -> Told[ErpOrder]:
        """Every order that was entered or changed since then. Raises BotError."""
        ...


class ErpForecasts(Protocol):
    """An ERP that keeps forecast lines for us."""

    @property
    def name(self) -> str: ...

    async def write(self, line: ForecastLine) -> Receipt:
        """Make it stand there once as `line` says, read it back, and answer with the ERP's
        number of it. However often it is written, there is one. Raises TransientError or
        PermanentError: Rejected, with CONFLICT in front, for what somebody changed there."""
        ...

    async def held(self) -> Mapping[str, ForecastFacts]:
        """key -> every line of ours, as the ERP has it now. Raises BotError."""
        ...

    def kept(self, facts: ForecastFacts) -> ForecastFacts:
        """As this ERP can hold them: emptied where it has no field. Pure."""
        ...


class Archive(Protocol):
    """The chat archive of one company. What is asked of the platform raises TransientError or
    PermanentError."""

    @property
    def corp(self) -> str: ...

    @property
    def key_versions(self) -> Collection[int]:
        """Of the private keys at hand."""
        ...

    async def page(self, after: int) -> Sequence[Opened]:
        """The next messages after that seq, in order; none for now when it is empty."""
        ...

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[Opened]:
        """Decrypt what was kept encrypted, in order."""
        ...

    def read(self, content: str) -> ArchivedMessage | None:
        """A decrypted message; None for one that is no part of a conversation. Raises
        InvalidInput. Pure."""
        ...

    async def consents(self, pairs: Sequence[Pair]) -> Mapping[Pair, Consent]:
        """What the platform knows of them; UNKNOWN for the rest."""
        ...

    async def room(self, room: str) -> ChatGroup | None:
        """What a group of members alone is called and who is in it; None where it is none."""
        ...

    async def slice(self, handle: str, mark: str) -> Slice:
        """A part of a file; mark: of the slice before, "" for the first. Raises
        PermanentError when it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class MailLook:
    """What is new in a folder: one envelope for each mail with somebody outside, in order. place:
    up to where that is. more: there is more behind it."""

    envelopes: Sequence[Envelope]
    place: MailPlace
    more: bool


class MailFolder(Protocol):
    """One folder of one mailbox, which is only read: nothing is marked, moved or deleted. All
    raise TransientError or PermanentError."""

    @property
    def name(self) -> str: ...

    async def look(self, after: MailPlace | None, *, since: date, at: datetime) -> MailLook:
        """The heads of what came after that place; of what came since that day where there is no
        such place, or its UIDVALIDITY is another one."""
        ...

    async def whole(self, mail: Mail, *, most_bytes: int) -> bytes | None:
        """As the server has it, a byte more than most_bytes where it is longer; None where the
        server no longer has it."""
        ...


CONFLICT = "conflict"
"""How a refusal begins that says what stands in the ERP instead of ours."""


class ChatConnector(Protocol):
    """One application on one platform."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Read an envelope. Raises InvalidInput when it cannot be read. Pure."""
        ...

    def split(self, content: Content) -> Sequence[Content]:
        """The content in parts none of which the platform would cut. Pure."""
        ...

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        """Send one part. Raises TransientError or PermanentError.

        The dedupe key of an answer begins with the source_id of what it answers, for platforms
        where that makes a difference. A CardUpdate that the platform can no longer show in
        place is sent as a new card.
        """
        ...

    def note_sent(self, to: Address, at: datetime) -> None:
        """Something went there before this process began to send, in order of time: it counts
        against the platform's limits."""
        ...

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        """Bytes and file name. Raises TransientError, or PermanentError when it is gone."""
        ...

    async def read_directory(self) -> Directory:
        """Everybody in range."""
        ...

    async def read_users(self, user_ids: Sequence[str]) -> Directory:
        """Only these; `whole` is False, the ones that are gone in `left_user_ids`."""
        ...


class Transcriber(Protocol):
    """Audio to text. Raises TransientError or PermanentError; "" when nothing was heard."""

    async def transcribe(self, audio: bytes, *, name: str) -> str: ...


class LanguageModel(Protocol):
    """Answers in words. Raises TransientError or PermanentError, soon either way."""

    async def answer(self, *, rules: str, text: str) -> str: ...


class SecondReader(Protocol):
    """Reads what the rules could not read surely, over the network. None when it was not
    needed, or could not be reached in time, or nothing of what it said held."""

    async def suggest(self, incoming: Incoming) -> Record | None: ...


class PaperReader(Protocol):
    """PDFs and pictures to lines, () when nothing stands there. Raises TransientError, or
    PermanentError, whose text says why in Chinese."""

    async def read(self, data: bytes) -> Sequence[PaperLine]: ...

    async def seals(self, data: bytes) -> int:
        """How many red seals there seem to be. Raises as `read` does."""
        ...


class Preparation(Protocol):
    """Work that a message asks for and that must not be done inside its transaction, because it
    takes long. It may have short transactions of its own, and is done again after a crash."""

    async def prepare(self, incoming: Incoming, *, last_try: bool) -> Incoming:
        """The message with what came of it. Raises TransientError, unless it is the last try."""
        ...


class FileStore(Protocol):
    """Content-addressed bytes. Both raise FilesAway while they cannot be reached."""

    async def put(self, data: bytes, *, name: str) -> StoredFile:
        """Durable when it returns. Raises InvalidInput above 100 MB."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Raises FileNotFoundError."""
        ...


class TokenStore(Protocol):
    """Access tokens shared by all tasks and processes. name: "<platform>:<app>"."""

    async def load_token(self, name: str) -> tuple[str, datetime] | None:
        """Token and when it expires (UTC)."""
        ...

    async def save_token(self, name: str, token: str, expires_at: datetime) -> None: ...

    async def drop_token(self, name: str, token: str) -> None:
        """Forget it, if it is still the one that failed."""
        ...


class CallCounter(Protocol):
    """Counts calls against a monthly quota. month: "2026-11" in the team's zone."""

    async def add_calls(self, name: str, month: str, calls: int) -> int:
        """The month's total after adding."""
        ...


@dataclass(frozen=True, slots=True)
class Fence:
    """What work was begun under: a lease by name, and which of its terms. Once somebody else has
    the lease, its term is another, and the database refuses what was begun before."""

    name: str
    term: int


class Shares(Protocol):
    """What this process may do, where several share one database."""

    def fence_of(self, conversation: str) -> Fence | None:
        """Under what that conversation is handled here; None: another process handles it."""
        ...

    def sends(self, platform: str, app: str) -> bool:
        """Whether that application's messages are sent from here."""
        ...


class Place(Protocol):
    """Where this process stands, for what starts and ends with it."""

    async def held(self, name: str) -> None:
        """Wait until this process has it."""
        ...

    async def lost(self, name: str) -> None:
        """Wait until it has it no more, or not without a break."""
        ...


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
