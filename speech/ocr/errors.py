"""Why a paper cannot be read, besides `workers.errors`. All are permanent: the file is kept, and
its sender is asked to type. Their texts are shown to the sender."""

from __future__ import annotations

from bot.errors import PermanentError


class NotPaper(PermanentError):
    """Neither a PDF nor a picture in a format that we know."""


class DamagedPaper(PermanentError):
    """Of a known format, and cannot be opened."""


class TooLarge(PermanentError):
    """More bytes than are worth an engine's time."""


BAD_PAPER = (NotPaper, DamagedPaper, TooLarge)
"""What a worker process may answer, besides what all workers may."""
