"""What a machine read on a paper: lines in reading order, each with how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from bot.domain.mail_checks import MailChecks


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line. confidence: 0..1; 1 where the file itself holds the text. page: from 1."""

    text: str
    confidence: float = 1.0
    page: int = 1


@dataclass(frozen=True, slots=True)
class MailHead:
    """What a saved mail says of itself, which its bearer could have written. sender: its address.
    checks: what its receiving server noted of the sender."""

    sender: str
    subject: str = ""
    sent_on: date | None = None
    checks: MailChecks = field(default_factory=MailChecks)

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2].casefold()
