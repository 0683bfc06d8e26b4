"""Words about levels, as `handlers.conversation.hearing` hands them over."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.activities import Intent, Record
from handlers.desk import Desk
from handlers.levels import claiming, promising


async def take(desk: Desk, records: Sequence[Record], text: str) -> bool:
    """«恒锐 L1 PO号 PO-2026-018», or «恒锐下周定»."""
    if len(records) != 1 or records[0].intent is not Intent.SET_INTENT:
        return False
    return await claiming.take(desk, records[0], text) or await promising.take(
        desk, records[0], text
    )
