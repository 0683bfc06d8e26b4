"""Why a recording cannot become text, besides `workers.errors`. All are permanent: the recording is
kept, and the rep is asked to type."""

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


BAD_AUDIO = (NotAudio, DamagedAudio, TooLong)
"""What a worker process may answer, besides what all workers may."""
