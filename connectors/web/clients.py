"""The platforms' client programs in which pages open: what the pages ask of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from bot.domain.sign_in import Caller


class Client(Protocol):
    """One application in its platform's client. Calls raise TransientError or PermanentError.

    script_url: the platform's own script, which only pages that need it may load.
    """

    platform: str
    app: str
    script_url: str

    def shows(self, user_agent: str) -> bool:
        """Whether a browser that calls itself so is this client."""
        ...

    def sign_in_url(self, back: str, state: str) -> str | None:
        """Where to send the browser, which comes back to `back` with a code and `state`. None
        where a page's script gets the code."""
        ...

    async def who(self, code: str) -> Caller | None:
        """None for a code that is no good."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the platform's script must be told of us; nothing secret."""
        ...

    async def signatures(self, url: str) -> dict[str, Any]:
        """For its calls from the page at that address, which is ours and has no fragment."""
        ...


def client_of(clients: Sequence[Client], request: web.Request) -> Client | None:
    """The client that asks; None for a plain browser."""
    agent = request.headers.get("User-Agent", "")
    return next((one for one in clients if one.shows(agent)), None)


def own_address(url: str, public_url: str) -> str | None:
    """A page of ours as it is signed, without the fragment; None for anybody else's."""
    try:
        given, ours = urlsplit(url.split("#")[0]), urlsplit(public_url)
    except ValueError:
        return None
    if not public_url or (given.scheme, given.netloc) != (ours.scheme, ours.netloc):
        return None
    return given.geturl()
