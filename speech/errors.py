"""Why a recording cannot become text. All are permanent: the recording is kept, and the rep
is asked to type; what an operator can do about it stands in the message (请…)."""

from __future__ import annotations

from bot.errors import PermanentError


class BadAudio(PermanentError):
    """The recording itself is at fault."""


class NotAudio(BadAudio):
    """Empty, or in no format that we know."""


class DamagedAudio(BadAudio):
    """Of a known format, and cannot be decoded."""


class TooLong(BadAudio):
    """More bytes or more seconds than are worth an engine's time."""


class TooSlow(BadAudio):
    """It took longer than its length allows."""


class EngineMissing(PermanentError):
    """A package or a model that is configured is not there, or not whole."""


def by_name(name: str, message: str) -> PermanentError:
    """The error of that class name, as it comes from a worker process."""
    known = (BadAudio, NotAudio, DamagedAudio, TooLong, TooSlow, EngineMissing)
    cls = {one.__name__: one for one in known}.get(name, PermanentError)
    return cls(message)
