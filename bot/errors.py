"""The error tree. Who raises what and who catches it: docs/architecture.md, "Errors".

BotError
  UserError         the sender can fix it; its text is shown to them
    InvalidInput    could not be read
    NotAllowed      not their right
    NotFound        no such thing, or not theirs to see
    Refused         the rule said no
  TransientError    worth another try; may carry retry_after_s
    RateLimited, Unavailable, TimedOut
    FilesAway       our own store of files; what needs it waits for it
  PermanentError    another try cannot help; an operator must look
    AuthFailed, Rejected
"""

from __future__ import annotations


class BotError(Exception):
    """Root of everything Gendan raises on purpose. code: the platform's own for it, where it has
    one."""

    code: str = ""


class UserError(BotError):
    """The sender can fix it; the text is Chinese and shown to them as it is."""


class InvalidInput(UserError):
    """Could not be read."""


class NotAllowed(UserError):
    """Not their right."""


class NotFound(UserError):
    """No such thing, or not theirs to see."""


class Refused(UserError):
    """A business rule said no."""


class TransientError(BotError):
    """Worth another try. `retry_after_s`: the platform named a wait, in seconds."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(TransientError):
    """The platform asked for fewer calls."""


class Unavailable(TransientError):
    """The platform answered 5xx, not at all, or not in its own format."""


class TimedOut(TransientError):
    """No answer in time; whether it acted is unknown."""


class FilesAway(TransientError):
    """Our store of files is away, too slow, or refuses us: no fault of what needs it, which waits
    until it is back. The text is Chinese and may be shown to anybody."""


class PermanentError(BotError):
    """Another try cannot help; an operator must look."""


class AuthFailed(PermanentError):
    """Credentials, permission or caller address refused."""


class Rejected(PermanentError):
    """The platform understood the request and said no."""
