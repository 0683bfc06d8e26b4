"""What of levels and forecasts comes by presses, files and the clock."""

from __future__ import annotations

from collections.abc import Callable

from bot.router import Job, Route
from handlers.conversation import conversations, files, hearing
from handlers.desk import Desk, Office
from handlers.forecasts import cosigning, locking, submitting
from handlers.forecasts.clock import Rounds
from handlers.levels import claiming, mail_evidence
from handlers.levels.expiring import Expiry
from handlers.receivables import paper_contracts
from storage.unit_of_work import UnitOfWork


def _pressed(prefix: str) -> Callable[[Desk], bool]:
    def is_on(desk: Desk) -> bool:
        action = desk.message.action
        return action is not None and action.card_id.startswith(prefix)

    return is_on


PRESSES: tuple[Route[Desk], ...] = (
    Route("press on a level", _pressed(claiming.CARD), claiming.press),
    Route("press on a mail", _pressed(mail_evidence.CARD), mail_evidence.press),
    Route("press on a forecast", _pressed(submitting.CARD), submitting.press),
    Route("press to reopen a forecast", _pressed(locking.CARD), locking.press),
    Route("press on a second signature", _pressed(cosigning.CARD), cosigning.press),
)


def is_evidence(desk: Desk) -> bool:
    """Files that were read as evidence."""
    return bool(desk.incoming.evidence and desk.incoming.files)


async def receive(desk: Desk) -> None:
    """With words that name a level, for the card that waits for them, or a mail alone."""
    if hearing.spoken_text(desk):
        await conversations.words_and_files(desk)
    elif await claiming.take_files(desk) or await mail_evidence.propose(desk):
        return
    elif paper_contracts.is_sent(desk):
        await paper_contracts.receive(desk)
    else:
        await files.receive(desk)


def jobs(office: Office) -> list[Job[UnitOfWork]]:
    return [*Expiry(office).jobs(), *Rounds(office).jobs()]
