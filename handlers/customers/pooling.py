"""The public pool in chat: what lies there, take one, put one back; and the round that warns
owners and puts there what nobody works on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from bot.domain.opportunities import Account, OpportunityState
from bot.domain.pool import Fate, Idle, judge_idle
from bot.errors import InvalidInput, NotAllowed, Refused
from bot.messages import OutboundMessage, Text
from handlers.customers import customers
from handlers.desk import Desk, Office
from handlers.texts import pool as texts
from storage.unit_of_work import UnitOfWork

SHOWN = 10
BATCH = 500
ANY_LATE_S = 10 * 60
"""A round serves whatever is due, so a missed one needs no making up for long."""


async def show(desk: Desk, words: str) -> None:
    """«公海», «公海 轴承»."""
    ids, total = await desk.tx.pool.list_in(words, limit=SHOWN)
    found = [await desk.tx.accounts.get(number) for number in ids]
    lines = []
    for account in found:
        assert account.in_pool_since is not None
        since = account.in_pool_since.astimezone(desk.office.zone).date()
        lines.append(texts.line(account.name, account.industry, since, account.pool_reason))
    customers.tell_alone(desk, texts.TITLE, texts.listed(words, lines, total))


async def claim(desk: Desk, words: str) -> None:
    """«领取 X». The first one gets it. Raises Refused where a limit is reached, or for who had
    it last."""
    if not words:
        raise InvalidInput(texts.CLAIM_WHICH)
    account = await customers.named(desk, words)
    if account is None:
        return
    if account.in_pool_since is None:
        raise Refused(texts.not_in_pool(account.name))
    await _refuse_greed(desk, account)
    if not await desk.tx.pool.take(
        account.id, desk.rep.id, at=desk.at, calendar=desk.office.calendar, claimed=True
    ):
        raise Refused(texts.not_in_pool(account.name))
    await _note_and_judge(desk.tx, desk.office, account.id, desk.at, add=desk.add)
    await _audit(desk, "claim_customer", account, texts.CLAIMED)
    desk.say(texts.claimed(account.name))


async def put_back(desk: Desk, words: str) -> None:
    """«放回公海 X 原因», by the owner or who leads them."""
    name, _, reason = words.strip().partition(" ")
    if not name:
        raise InvalidInput(texts.PUT_BACK_WHICH)
    account = await customers.named(desk, name)
    if account is None:
        return
    if account.in_pool_since is not None:
        raise Refused(texts.lies_there(account.name))
    led = await customers.leads(desk.tx, desk.rep, account.owner_id)
    if account.owner_id != desk.rep.id and not led:
        raise NotAllowed(texts.NOT_YOURS_TO_PUT)
    if not reason.strip():
        raise InvalidInput(texts.why_put_back(account.name))
    desk.add(await put(desk.tx, desk.office, account, reason=reason.strip()[:200], at=desk.at))
    await _audit(desk, "pool_customer", account, reason.strip())
    desk.say(texts.put_back(account.name))


async def put(
    tx: UnitOfWork, office: Office, account: Account, *, reason: str, at: datetime
) -> list[OutboundMessage]:
    """Nobody looks after it any more; its lights end. Raises Refused for a customer with
    something won or on hold."""
    for deal in await tx.opportunities.of_account(account.id):
        if deal.state in (OpportunityState.WON, OpportunityState.ON_HOLD):
            raise Refused(texts.exempt(account.name))
    messages: list[OutboundMessage] = []
    if await tx.pool.put(account.id, reason=reason, at=at, calendar=office.calendar):
        await _note_and_judge(tx, office, account.id, at, add=messages.extend)
    return messages


async def sweep(tx: UnitOfWork, office: Office, at: datetime) -> Sequence[OutboundMessage]:
    """The job: whose time has come. What is not done in one round is done in the next; while the
    pool is switched off, nothing."""
    if not office.policy.customers.pool_after_workdays:
        return ()
    warned: defaultdict[int, list[tuple[str, date]]] = defaultdict(list)
    lost: defaultdict[int, list[str]] = defaultdict(list)
    messages: list[OutboundMessage] = []
    for idle in await tx.pool.list_due(at, limit=BATCH):
        judged = judge_idle(idle, policy=office.policy.customers, calendar=office.calendar, at=at)
        if judged.fate is Fate.POOL:
            messages += await _lose(tx, office, idle, at)
            lost[idle.owner_id].append(idle.name)
            continue
        warned_at = None
        if judged.pool_on is not None:
            warned[idle.owner_id].append((idle.name, judged.pool_on))
            warned_at = at
        await tx.pool.plan(idle.account_id, judged.next_at, warned_at=warned_at)
    told = {owner: texts.warning(names) for owner, names in warned.items()}
    messages += await _tell(tx, office, told, key=f"pool-warning:{at.isoformat()}")
    told = {owner: texts.lost(names) for owner, names in lost.items()}
    return [*messages, *await _tell(tx, office, told, key=f"pool:{at.isoformat()}")]


async def _lose(tx: UnitOfWork, office: Office, idle: Idle, at: datetime) -> list[OutboundMessage]:
    account = await tx.accounts.get(idle.account_id)
    days = office.policy.customers.pool_after_workdays
    messages = await put(tx, office, account, reason=texts.idle_reason(days), at=at)
    await tx.audit.append(
        at=at,
        actor="system",
        action="pool_customer",
        subject=f"account:{account.id}",
        before={"owner_id": account.owner_id},
        after={"idle_since": idle.since.isoformat()},
    )
    return messages


async def _refuse_greed(desk: Desk, account: Account) -> None:
    policy = desk.office.policy.customers
    assert account.in_pool_since is not None
    again_at = account.in_pool_since + timedelta(days=policy.reclaim_after_days)
    if account.owner_id == desk.rep.id and desk.at < again_at:
        raise Refused(texts.not_again(account.name, desk.office.calendar.day_of(again_at)))
    today = desk.office.calendar.midnight(desk.office.calendar.day_of(desk.at))
    if await desk.tx.pool.claims_since(desk.rep.id, today) >= policy.claims_per_day:
        raise Refused(texts.enough_today(policy.claims_per_day))
    if await desk.tx.pool.claims_held(desk.rep.id) >= policy.claims_held:
        raise Refused(texts.enough_held(policy.claims_held))


async def _note_and_judge(
    tx: UnitOfWork,
    office: Office,
    account_id: int,
    at: datetime,
    *,
    add: Callable[[list[OutboundMessage]], None],
) -> None:
    """The names in memory and the lights, after it went in or out."""
    office.customers.put(await tx.accounts.get(account_id))
    for deal in await tx.opportunities.open_of_account(account_id):
        add(await office.lights.on_state_changed(tx, deal, at))


async def _tell(
    tx: UnitOfWork, office: Office, texts_by_owner: dict[int, str], *, key: str
) -> list[OutboundMessage]:
    messages = []
    for owner_id, text in texts_by_owner.items():
        to = office.address_of(await tx.people.get(owner_id))
        if to is not None:
            messages.append(OutboundMessage(f"{key}:{owner_id}", to, Text(text)))
    return messages


async def _audit(desk: Desk, action: str, account: Account, reason: str) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject=f"account:{account.id}",
        before={"owner_id": account.owner_id},
        after={"reason": reason},
    )
