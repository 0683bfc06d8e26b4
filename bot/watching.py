"""What the engine shows to whoever measures it: how long, how late, how it ended. Never what
people wrote, and nobody's name."""

from __future__ import annotations

from asyncio import CancelledError
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

from bot.errors import BotError, InvalidInput
from bot.messages import Envelope
from bot.ports import AppKey, Outgoing

trace_under_way: ContextVar[str] = ContextVar("trace_under_way", default="")
"""W3C's traceparent of the delivery that this task handles, "" where none is collected. What is
queued meanwhile is kept with it, so that it is sent in the same trace, whoever sends it."""

_NOTHING = nullcontext()


class Aside(Exception):
    """Raised where something is neither done nor failed: it is somebody else's, or another
    time's."""


class Watcher:
    """Told what the engine does; this one does nothing with it, who measures overrides. What is
    raised inside a context goes on its way: it is shown, and not to be caught."""

    def accepting(self, envelope: Envelope) -> AbstractContextManager[None]:
        """A door stores a delivery."""
        return _NOTHING

    def handling(self, envelope: Envelope, attempts: int) -> AbstractContextManager[None]:
        """One try at a delivery; attempts: those before."""
        return nullcontext()

    def sending(self, app: AppKey, outgoing: Outgoing) -> AbstractContextManager[None]:
        """One try at a message."""
        return nullcontext()

    def ticking(self, job: str, late_s: float) -> AbstractContextManager[None]:
        """A job runs, so long after its scheduled time."""
        return nullcontext()

    def dropped_tick(self, job: str) -> None:
        """It would have run too late."""

    def buried(self, box: str, kind: str) -> None:
        """A dead letter more. box: "inbox" or "outbox". kind: of `kind_of`."""


def kind_of(error: BaseException) -> str:
    """The class of `bot.errors` as a word for a label, "timed_out"; whatever else was raised is a
    "bug", unless it ends what had not to be done."""
    if isinstance(error, Aside | CancelledError):
        return "aside"
    if isinstance(error, InvalidInput):
        return "unreadable"
    if not isinstance(error, BotError):
        return "bug"
    classes = type(error).__mro__
    name = next(one.__name__ for one in classes if one.__module__ == BotError.__module__)
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")
