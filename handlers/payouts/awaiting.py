"""What the next words in a chat are for, after a press on a dispute's card asked for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from handlers.desk import Desk

AWAITED = "dispute"
AWAITED_FOR = timedelta(minutes=30)
REASON, ANSWER, QUESTION = "reason", "answer", "question"


async def wait_for(desk: Desk, dispute_id: int, what: str) -> None:
    """what: REASON, ANSWER, QUESTION, or the outcome whose ruling is asked for."""
    awaited = {"id": dispute_id, "what": what, "at": desk.at.isoformat()}
    await _keep(desk, awaited)


async def awaited(desk: Desk) -> dict[str, Any] | None:
    """{"id", "what"}; None when nothing is, or it was left lying."""
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    waiting: dict[str, Any] | None = state.get(AWAITED)
    if waiting is None or desk.at - datetime.fromisoformat(waiting["at"]) > AWAITED_FOR:
        return None
    return waiting


async def forget(desk: Desk) -> None:
    await _keep(desk, None)


async def _keep(desk: Desk, awaited: dict[str, Any] | None) -> None:
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    rest = {key: value for key, value in state.items() if key != AWAITED}
    if awaited is not None:
        rest[AWAITED] = awaited
    await desk.tx.dialogs.put(desk.conversation, desk.rep.id, rest, desk.at)
