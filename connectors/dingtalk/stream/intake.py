"""One frame -> one stored envelope, and what the platform is told of it.

The same way in as over HTTP: store, answer, and only then let the work begin.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from time import perf_counter

from bot.clock import Clock
from bot.messages import Envelope
from bot.ports import Accept, Release
from connectors.dingtalk import deliveries
from connectors.dingtalk.deliveries import NotOurs
from connectors.dingtalk.read import moment
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream import frames
from connectors.dingtalk.stream.frames import Code, Frame, answer
from connectors.watching.answers import note_answer

# DingTalk does not promise to send a robot message again, so what is in hand is stored as soon
# as the database takes it; a minute later it may come again by itself (protocol notes 0.2).
PATIENCE_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a frame came to. answer: the frame to send back; None for silence. release: lets the
    work begin."""

    answer: str | None
    release: Release


class Intake:
    """Stores what comes over all connections of one application."""

    def __init__(self, app: DingtalkApp, accept: Accept, clock: Clock) -> None:
        self._app = app
        self._accept = accept
        self._clock = clock

    async def take(self, frame: Frame) -> Taken:
        """Store a push; its answer says OK only once it is on disk."""
        began = perf_counter()
        taken = await self._take(frame)
        note_answer(f"dingtalk:{self._app.name}:stream", perf_counter() - began)
        return taken

    async def _take(self, frame: Frame) -> Taken:
        try:
            match frame.kind, frame.topic:
                case frames.CALLBACK, frames.ROBOT:
                    return await self._robot(frame)
                case frames.CALLBACK, frames.CARDS:
                    return await self._press(frame)
                case frames.EVENT, _:
                    return await self._event(frame)
        except NotOurs as error:
            self._refuse(frame, str(error))
            return Taken(answer(frame, {}, Code.NOT_OURS), _nothing)
        deliveries.count(self._app.name, "stream", "unknown")
        log.warning("a push of an unknown kind", extra=self._fields(frame))
        return Taken(answer(frame, {}, Code.UNKNOWN), _nothing)

    async def _robot(self, frame: Frame) -> Taken:
        """Without an answer the platform may send it again, which is what a failure needs."""
        raw = frame.data.encode("utf-8", "replace")
        envelope = deliveries.robot_message(self._app, raw, self._clock.now())
        release = await self._store(envelope)
        for wait_s in PATIENCE_S:
            if release is not None:
                break
            await asyncio.sleep(wait_s)
            release = await self._store(envelope)
        if release is None:
            return Taken(None, _nothing)
        return Taken(answer(frame, {"response": None}), release)

    async def _press(self, frame: Frame) -> Taken:
        """The person waits for two seconds; after a failure the client tells them to press
        again, so it must not act later. An empty response leaves the card as it is: the update
        follows once the press has been worked on."""
        raw = frame.data.encode("utf-8", "replace")
        now = self._clock.now()
        sent_at = moment(frame.headers, "time") or now
        release = await self._store(deliveries.card_press(self._app, raw, sent_at, now))
        if release is None:
            return Taken(answer(frame, {}, Code.FAILED), _nothing)
        return Taken(answer(frame, {"response": {}}), release)

    async def _event(self, frame: Frame) -> Taken:
        """LATER: the platform keeps it and sends it again."""
        envelope = deliveries.pushed_event(self._app, frame.headers, frame.data, self._clock.now())
        release = await self._store(envelope)
        if release is None:
            return Taken(answer(frame, {"status": "LATER"}), _nothing)
        return Taken(answer(frame, {"status": "SUCCESS"}), release)

    async def _store(self, envelope: Envelope) -> Release | None:
        """None when it could not be stored."""
        try:
            release = await self._accept(envelope)
        except Exception:
            deliveries.count(self._app.name, envelope.door, "not_stored")
            fields = {"channel": envelope.channel, "delivery_id": envelope.delivery_id}
            log.exception("a push could not be stored", extra={"action": "accept", **fields})
            return None
        outcome = "unreadable" if envelope.unreadable else "accepted"
        deliveries.count(self._app.name, envelope.door, outcome)
        return release

    def _refuse(self, frame: Frame, why: str) -> None:
        door = {frames.ROBOT: "robot", frames.CARDS: "cards"}.get(frame.topic, "events")
        deliveries.count(self._app.name, door, "refused")
        fields = {**self._fields(frame), "action": "refuse", "reason": why}
        log.warning("a delivery was refused", extra=fields)

    def _fields(self, frame: Frame) -> dict[str, object]:
        return {
            "action": "stream",
            "channel": f"dingtalk:{self._app.name}:stream",
            "kind": frame.kind,
            "topic": frame.topic,
        }


def _nothing() -> None:
    """Nothing was stored, or nothing is to be worked on."""
