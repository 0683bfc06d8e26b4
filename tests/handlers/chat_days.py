"""The company that talks to the bot, with days that pass by the real scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import FixedClock, MovableClock
from bot.messages import OutboundMessage, Receipt
from bot.scheduler import Scheduler
from storage.unit_of_work import UnitOfWork
from tests.handlers.chat_company import Chat, words
from tests.handlers.light_company import SHANGHAI, at, next_fire


@dataclass
class Days:
    """arrived: what the jobs sent, when it came (local), after what was answered in chat."""

    chat: Chat
    arrived: list[tuple[datetime, OutboundMessage]] = field(default_factory=list)

    async def until(self, text: str) -> None:
        """Every job runs on the way and every message arrives."""
        chat = self.chat
        self._clock = MovableClock(chat.now, wall=FixedClock(chat.now))
        scheduler: Scheduler[UnitOfWork] = Scheduler(
            store=chat.database,
            jobs=chat.handlers.jobs(),
            next_fire=next_fire,
            clock=self._clock,
            split=list,
        )
        await scheduler.jump(
            self._clock, at(text), settle=self._deliver, also_due=self._next_outgoing
        )
        chat.now = self._clock.now()

    def story(self, who: str) -> list[str]:
        """When each message of a job came and how it began."""
        return [
            f"{when:%m-%d %H:%M} {words(one.content).splitlines()[0]}"
            for when, one in self.arrived
            if one.to.user_id == who
        ]

    def told(self, who: str) -> str:
        return "\n".join(words(one.content) for _, one in self.arrived if one.to.user_id == who)

    async def _deliver(self) -> None:
        chat, now = self.chat, self._clock.now()
        known = {one.dedupe_key for one in chat.said}
        async with chat.database.begin() as tx:
            while due := await tx.delivery.take_due(at=now, limit=50):
                for message in due:
                    await tx.delivery.mark_sent(message.id, Receipt(), at=now)
                    if message.dedupe_key in known:
                        continue
                    one = OutboundMessage(message.dedupe_key, message.to, message.content)
                    chat.said.append(one)
                    self.arrived.append((now.astimezone(SHANGHAI), one))

    async def _next_outgoing(self) -> datetime | None:
        async with self.chat.database.begin() as tx:
            return await tx.delivery.next_outgoing_at()
