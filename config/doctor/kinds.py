"""What the doctor wants of an application, a robot or a quota. Every method raises BotError; what
each asks for stands at the check of the same name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable


class Application(Protocol):
    """One application of a platform, as far as it can be examined. Every method raises
    BotError; what each asks for stands at the check of the same name."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    async def check_credentials(self) -> None: ...

    async def check_address(self) -> None: ...

    async def count_people(self) -> int: ...

    async def platform_time(self) -> datetime: ...


class Robot(Protocol):
    """An intelligent robot of WeCom, which has no token and no directory of its own."""

    @property
    def app(self) -> str: ...

    @property
    def is_called(self) -> bool:
        """Else it keeps a connection open."""
        ...

    async def check_link(self) -> None:
        """Whether the platform's end of the connection answers. Subscribes nobody, since that
        would evict the bot that is running. Raises BotError."""
        ...


class QuotaState(Protocol):
    """The month's paid calls, as far as the doctor tells of them."""

    @property
    def used(self) -> int: ...

    @property
    def limit(self) -> int: ...

    @property
    def foretold(self) -> int | None:
        """At the month's end; None while it is too early to say."""
        ...


@runtime_checkable
class Metered(Protocol):
    """An application whose calls are paid for by the month."""

    async def quota(self) -> QuotaState: ...


@runtime_checkable
class Listening(Protocol):
    """An application that may keep connections open instead of being called."""

    @property
    def is_streamed(self) -> bool: ...

    async def check_stream(self) -> None:
        """Whether a connection could be opened. Opens none. Raises BotError."""
        ...


@runtime_checkable
class KnowsLeaves(Protocol):
    """An application that may be allowed to read approved leaves."""

    @property
    def reads_leaves(self) -> bool: ...

    async def read_leaves(
        self, user_ids: Sequence[str], *, at: datetime
    ) -> Sequence[object] | None: ...


@runtime_checkable
class Knocking(Protocol):
    """An application, or a robot that is called, whose door answers a signed question."""

    async def check_door(self, url: str) -> None:
        """Whether a bot with this configuration answers there. Raises BotError."""
        ...


@runtime_checkable
class Numbered(Protocol):
    """An application with an AgentId that its token must fit."""

    async def check_agent(self) -> str:
        """The trusted domain of its pages, as `agent` wants it."""
        ...


@runtime_checkable
class Templated(Protocol):
    """An application whose cards want a template of the console."""

    @property
    def has_template(self) -> bool: ...

    async def check_template(self) -> None: ...


@runtime_checkable
class GroupRobots(Protocol):
    """An application with webhooks of group robots."""

    @property
    def group_robots(self) -> Sequence[str]: ...

    async def check_group_robot(self, name: str) -> None: ...
