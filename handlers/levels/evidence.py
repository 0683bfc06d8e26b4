"""«凭据 恒锐», «撤回凭据 #12 原因», «取消定级 恒锐 原因»: what levels rest on, and its end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.levels import Cause, Evidence, Level
from bot.errors import InvalidInput, NotFound, Refused
from handlers.customers import customers
from handlers.desk import Desk
from handlers.levels import changing, claiming, showing
from handlers.texts import levels as texts

_WITHDRAW = re.compile(r"#?(?P<number>\d{1,9})[ ，,:：]+(?:因为|原因)?[:： ]*(?P<reason>.{2,120})")
_NO_LEVEL = re.compile(r"(?P<customer>.{2,40}?)[ ，,:：]+(?:因为|原因)?[:： ]*(?P<reason>.{2,120})")


async def show(desk: Desk, words: str) -> None:
    """«凭据 恒锐机电»: all of it, what ended as well."""
    if not words:
        raise InvalidInput(texts.EVIDENCE_WHOSE)
    account = await customers.named(desk, words)
    if account is None:
        return
    await customers.refuse_to_show(desk, account)
    deals = await desk.tx.opportunities.of_account(account.id)
    lines: list[str] = []
    level: Level | None = None
    for deal in deals:
        held = await desk.tx.levels.evidence_of(deal.id)
        _, holds = await changing.standing(desk.tx, deal.id, desk.at)
        level = holds if holds is not None else level
        lines += await _lines(desk, held)
    text = "\n".join(f"- {line}" for line in lines) or texts.NO_EVIDENCE
    customers.tell_alone(desk, texts.evidence_title(account.name, level), text)


async def withdraw(desk: Desk, words: str) -> None:
    """Raises InvalidInput, NotFound, NotAllowed, Refused."""
    match = _WITHDRAW.fullmatch(words)
    if match is None:
        raise InvalidInput(texts.WITHDRAW_HOW)
    piece = await desk.tx.levels.get_evidence(int(match["number"]))
    deal = await desk.tx.opportunities.get_for_update(piece.opportunity_id)
    account = await desk.tx.accounts.get(deal.account_id)
    if not await customers.may_show(desk.tx, desk.rep, account, desk.at):
        raise NotFound("没有这份凭据。")
    await customers.refuse_foreign(desk, account)
    reason = match["reason"].strip()
    gone = await desk.tx.levels.withdraw(piece.id, by=desk.rep.id, reason=reason, at=desk.at)
    if gone is None:
        raise Refused(texts.WITHDRAWN_BEFORE)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="withdraw_evidence",
        subject=f"opportunity:{deal.id}",
        before={"evidence": piece.id, "kind": str(piece.kind), "sha256": piece.sha256},
        after={"reason": reason},
    )
    changed = await changing.settle(
        desk.tx, desk.office, deal, cause=Cause.WITHDRAWN, at=desk.at, by=desk.rep.id, reason=reason
    )
    desk.say(texts.withdrawn(piece.id, showing.what(piece), changed.change if changed else None))
    desk.add(changed.messages if changed else [])


async def give_up_level(desk: Desk, words: str) -> None:
    """«取消定级 恒锐机电 预算没了»: no level any more."""
    match = _NO_LEVEL.fullmatch(words)
    account = await customers.exactly(desk, match["customer"]) if match else None
    if match is None or account is None:
        raise InvalidInput(texts.GIVE_UP_HOW)
    await customers.refuse_foreign(desk, account)
    deal = await claiming.open_deal(desk, account, words)
    locked = await desk.tx.opportunities.get_for_update(deal.id)
    done = await changing.set_level(
        desk.tx, desk.office, locked, None, cause=Cause.LOWERED, at=desk.at, by=desk.rep.id,
        reason=match["reason"].strip(),
    )  # fmt: skip
    desk.say(texts.was_lowered(account.name, done.change))
    desk.add(done.messages)


async def _lines(desk: Desk, held: Sequence[Evidence]) -> list[str]:
    names = await desk.tx.people.names({one.added_by for one in held})
    stored = await desk.tx.files.list_some(one.sha256 for one in held if one.sha256)
    lines = []
    for one in reversed(held):
        file = stored.get(one.sha256)
        added = f"{showing.day(desk.office, one.added_at)} {names.get(one.added_by, '')}"
        name = file.name if file is not None else ""
        lines.append(showing.evidence_line(desk.office, one, name, added, desk.at))
    return lines
