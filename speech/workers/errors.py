"""Why a worker's job came to nothing, whatever the work was. Both are permanent; what an operator
can do about it stands in the message (请…)."""

from __future__ import annotations

from bot.errors import PermanentError


class TooSlow(PermanentError):
    """It took longer than its size allows."""


class EngineMissing(PermanentError):
    """A package or a model that is configured is not there, or not whole."""
