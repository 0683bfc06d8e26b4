"""«恒锐下周定»: a promise, kept as its day; never evidence."""

from __future__ import annotations

from bot.domain.activities import Record
from handlers.customers import customers
from handlers.desk import Desk
from handlers.erp import erp_entries
from handlers.levels import claiming
from handlers.texts import levels as texts
from handlers.understanding.promises import read_promise


async def take(desk: Desk, record: Record, text: str) -> bool:
    """Whether words without a level name a day. Raises NotAllowed, Refused."""
    if record.intent_level is not None or record.customer is None:
        return False
    today = desk.office.calendar.day_of(desk.at)
    found = read_promise(text, today, desk.office.calendar)
    account = await desk.tx.accounts.find_by_name(record.customer) if found else None
    if found is None or account is None:
        return False
    await customers.refuse_foreign(desk, account)
    deal = await claiming.open_deal(desk, account, text)
    words, day = found
    await desk.tx.forecasts.note_outlook(deal.id, {"promise_on": day}, by=desk.rep.id, at=desk.at)
    await erp_entries.enter(
        desk.tx, account.id, texts.PROMISE_ENTRY, f"{words}：{day.month}月{day.day}日",
        occurred_at=desk.at, at=desk.at, key=f"promise:{desk.incoming.source_id}",
        by=desk.rep.id, opportunity_id=deal.id,
    )  # fmt: skip
    desk.say(texts.promise_kept(words, f"{day.month}月{day.day}日"))
    return True
