"""What the pages ask of the rest of the bot. Everything answered here is plain data for the
templates, already cut to what the visitor may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bot.domain.page_sessions import Entered, Visitor
from bot.domain.sign_in import Caller, Errand
from bot.messages import StoredFile


class Site(Protocol):
    """Each method raises UserError with words for the visitor: NotFound, NotAllowed,
    InvalidInput."""

    async def visitor(self, secret: str) -> Visitor | None:
        """Whose cookie that is; None when its session is over."""
        ...

    def face(self, visitor: Visitor) -> Any:
        """What every page shows of its visitor."""
        ...

    async def way_of(self, ticket: str, visitor: Visitor | None) -> str | None:
        """Where a link leads, if it is this visitor's."""
        ...

    async def enter(self, ticket: str) -> Entered | None:
        """Open a session with a link; None when it opens none."""
        ...

    def errand(self, path: str) -> Errand:
        """For a browser that is sent to its platform, and wants to go to `path` afterwards."""
        ...

    def holds(self, errand: Errand) -> bool:
        """Whether there is still time for it."""
        ...

    async def come_in(self, caller: Caller, errand: Errand) -> Entered:
        """Open a session for whom a platform has named."""
        ...

    async def leave(self, visitor: Visitor) -> None: ...

    async def note_denial(self, visitor: Visitor, path: str, why: str) -> None: ...

    async def customers(self, visitor: Visitor, *, after: str | None) -> Any: ...

    async def customer(self, visitor: Visitor, number: int, *, kind: str) -> Any: ...

    async def stream(
        self, visitor: Visitor, number: int, *, kind: str, before: str | None
    ) -> Any: ...

    async def file(
        self, visitor: Visitor, number: int, *, entry: int, place: int
    ) -> tuple[bytes, StoredFile]: ...

    async def opportunity(self, visitor: Visitor, number: int, *, kind: str) -> Any: ...

    async def deal_stream(
        self, visitor: Visitor, number: int, *, kind: str, before: str | None
    ) -> Any: ...

    async def side(self, visitor: Visitor, kind: str, key: str) -> Any:
        """Beside a conversation with that contact, or in that group. kind: contact or group."""
        ...

    async def bind_chat(self, visitor: Visitor, kind: str, key: str, *, number: str) -> None:
        """This conversation belongs to that customer."""
        ...

    async def ask_to_log(self, visitor: Visitor, *, number: str) -> None:
        """Have the bot ask the visitor about that customer, in its own conversation."""
        ...

    async def screen(self, visitor: Visitor) -> Any:
        """The big screen as it is now; cheap to ask again and again."""
        ...

    async def refusals(self, visitor: Visitor, *, period: str) -> Any: ...

    async def forecast(self, visitor: Visitor, asked: Mapping[str, str]) -> Any: ...

    async def supply(self, visitor: Visitor) -> Any: ...

    async def diagnosis(self, visitor: Visitor) -> Any: ...

    async def payouts(self, visitor: Visitor, asked: Mapping[str, str]) -> Any: ...

    async def payout_pack(
        self, visitor: Visitor, *, month: str, person: str
    ) -> tuple[bytes, StoredFile]:
        """A new evidence pack as a zip."""
        ...

    async def disputes(self, visitor: Visitor, *, kind: str, before: str) -> Any: ...

    async def dispute(self, visitor: Visitor, number: int) -> Any: ...

    async def rule(self, visitor: Visitor, number: int, told: Mapping[str, str]) -> Any:
        """What the ruling of a form would do; with told["sure"] it is done, and None."""
        ...

    async def ask_disputer(self, visitor: Visitor, number: int, words: str) -> None: ...

    async def fund(self, visitor: Visitor, *, person: str) -> Any: ...

    async def fund_consent(self, visitor: Visitor, told: Mapping[str, str]) -> None:
        """The visitor agrees, or with told["stop"] no longer does."""
        ...

    async def redeem(self, visitor: Visitor, told: Mapping[str, str]) -> Any:
        """What would be asked for; with told["sure"] it is, and None."""
        ...

    async def settle_redemption(self, visitor: Visitor, number: int, act: str) -> None:
        """act: withdraw, approve, reject."""
        ...
