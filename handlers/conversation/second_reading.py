"""A second reading by a language model, for texts that the rules could not read surely.

It goes over the network, so the dispatcher asks for it before the message's transaction. What
it finds only fills gaps of a draft, and a person confirms every draft.
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bot.domain.activities import Record
from bot.errors import BotError
from bot.messages import Incoming
from bot.ports import LanguageModel
from bot.router import pick
from handlers import ROUTES, commands
from handlers.conversation import answers, hearing
from handlers.desk import Desk, Office
from handlers.understanding.model_answers import ground, resembles
from handlers.understanding.model_prompt import RULES, Question, masked, question
from handlers.understanding.suggestions import is_unsure
from storage.unit_of_work import UnitOfWork

MOST_NAMES = 20
MOST_OWNED = 2_000  # who owns more looks after a pool; comparing all would hold up the others

log = logging.getLogger(__name__)


class _Read(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[UnitOfWork]: ...


class SecondReading:
    """Has a language model read what the rules could not. `bot.ports.SecondReader`. read: a
    transaction to look things up in; it has ended when the model is asked."""

    def __init__(self, office: Office, model: LanguageModel, *, read: _Read) -> None:
        self._office = office
        self._model = model
        self._read = read

    async def suggest(self, incoming: Incoming) -> Record | None:
        """See `bot.ports.SecondReader`."""
        asked = await self._question(incoming)
        if asked is None:
            return None
        fields = {"action": "second reading", "delivery_id": incoming.source_id}
        try:
            answer = await self._model.answer(rules=RULES, text=question(asked))
        except BotError as error:
            log.info("no second reading", extra={**fields, "error": str(error)})
            return None
        grounded = ground(answer, asked, self._office.calendar)
        if grounded.refused:
            log.info("not in the message", extra={**fields, "slots": grounded.refused})
        return grounded.record

    async def _question(self, incoming: Incoming) -> Question | None:
        """What to ask about a message, None if the rules can do without."""
        message = incoming.message
        if message.kind not in commands.WORDS or not message.sender_id:
            return None
        async with self._read() as tx:
            desk = await Desk.open(tx, incoming, self._office)
            person = desk.person
            if person is None or pick(ROUTES, desk).handle is not hearing.hear:
                return None
            text = hearing.spoken_text(desk)
            answering = len(text) <= answers.SHORT_ANSWER and bool(
                await tx.drafts.open_of(desk.conversation, person.id)
            )
        if answering or not is_unsure(hearing.read_words(desk, text), text):
            return None
        plain = masked(text)
        names = self._office.customers.names_of(person.id)
        likely = [name for name in names[:MOST_OWNED] if resembles(plain, name)]
        return Question(plain, answers.said_at(desk), tuple(likely[:MOST_NAMES]))
