"""Customers in chat: which one is meant, who may see it, create one, show one."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.activities import Activity, Record
from bot.domain.opportunities import Account, Light, Opportunity, OpportunityState
from bot.domain.people import Person, Role
from bot.domain.valid_actions import Invalid
from bot.errors import NotAllowed, NotFound
from bot.messages import Button, Card
from handlers.deadlines import owing
from handlers.desk import Desk
from handlers.erp import erp_showing
from handlers.levels.showing import level_lines
from handlers.signals import heating
from handlers.texts import customers as texts
from handlers.texts import dialog
from handlers.texts import pool as pool_texts
from handlers.texts.money import amount_words
from handlers.understanding.customers import SURE, Mention
from storage.unit_of_work import UnitOfWork

SEES_ALL = frozenset({Role.ADMIN, Role.SALES_DIRECTOR, Role.LEGAL, Role.FINANCE, Role.HRBP})
STREAM, PAGE, CHATS = "stream", "page", "chats"  # buttons of a customer's card


@dataclass(frozen=True, slots=True)
class Found:
    """What a record says of its customer: settled, or several to choose from, or a name
    that nobody knows."""

    account: Account | None = None
    candidates: tuple[Account, ...] = ()
    mention: str = ""


async def settle(desk: Desk, record: Record) -> Found:
    """The customer a record speaks of. Raises NotAllowed if it is somebody else's."""
    words = mention_of(record)
    if record.customer is not None:
        account = await desk.tx.accounts.find_by_name(record.customer)
        if account is None:
            return Found(mention=record.customer)
        if record.needs_confirm:
            return Found(candidates=(account,), mention=words)
        await refuse_foreign(desk, account)
        return Found(account=account)
    candidates = [await desk.tx.accounts.find_by_name(name) for name in record.ambiguous]
    known = tuple(account for account in candidates if account is not None)
    return Found(candidates=known[:5], mention=words)


def mention_of(record: Record) -> str:
    """The words for an unclear customer, without the person there: 天目湖精工李总."""
    words = record.customer_mention or record.words.get("customer", "")
    shorter = words.removesuffix(record.contact or "")
    return shorter if len(shorter) > 1 else words


async def refuse_foreign(desk: Desk, account: Account) -> None:
    """Raises NotAllowed unless the speaker may log for this customer: the owner, who covers
    for the owner, and those who lead the owner may."""
    if account.in_pool_since is not None:
        raise NotAllowed(pool_texts.take_first(account.name))
    if not await may_log(desk.tx, desk.rep, account, desk.at):
        owner = await desk.tx.people.get(account.owner_id)
        raise NotAllowed(dialog.owned_by_other(account.name, owner))


async def refuse_to_show(desk: Desk, account: Account) -> None:
    """Raises NotFound unless the speaker may see this customer's stream."""
    if not await may_show(desk.tx, desk.rep, account, desk.at):
        raise NotFound(texts.not_visible(account.name))


async def may_show(tx: UnitOfWork, person: Person, account: Account, at: datetime) -> bool:
    """Who may see a customer, in chat and on pages: whoever may log for it, who sees all, and
    everybody what lies in the pool."""
    pooled = account.in_pool_since is not None
    return pooled or bool(person.roles & SEES_ALL) or await may_log(tx, person, account, at)


async def may_log(tx: UnitOfWork, person: Person, account: Account, at: datetime) -> bool:
    """The owner, who leads the owner, and who stands in for the owner; nobody in the pool."""
    if account.in_pool_since is not None:
        return False
    if account.owner_id == person.id or await leads(tx, person, account.owner_id):
        return True
    return stands_in(person, await tx.people.get(account.owner_id), at)


def stands_in(person: Person, owner: Person, at: datetime) -> bool:
    """Whether `person` covers for somebody who is on leave."""
    return owner.on_leave(at) and owner.deputy_id == person.id


def covers(desk: Desk, owner: Person) -> bool:
    """Whether the speaker stands in for somebody who is on leave."""
    return stands_in(desk.rep, owner, desk.at)


async def leads(tx: UnitOfWork, person: Person, other_id: int) -> bool:
    """Whether `person` stands anywhere above the other."""
    if Role.ADMIN in person.roles:
        return True
    facts = await tx.people.leader_facts(other_id)
    above = [facts.override, *facts.direct]
    for leaders in facts.department_leaders:
        above.extend(leaders)
    return any(leader is not None and leader.id == person.id for leader in above)


async def recent(
    desk: Desk, *, limit: int, besides: Container[int] = (), first: Sequence[int] = ()
) -> list[Account]:
    """The customers the speaker last worked on, to choose from; then the others they own.
    besides: ids to leave out. first: ids that are likelier still."""
    past = await desk.tx.activities.last_of_actor(desk.rep.id, 30)
    owned = await desk.tx.accounts.list_of_owner(desk.rep.id)
    numbers = dict.fromkeys(
        [*first, *(entry.account_id for entry in past), *(account.id for account in owned)]
    )
    found: list[Account] = []
    for number in numbers:
        account = await desk.tx.accounts.get(number)
        if number not in besides and await may_log(desk.tx, desk.rep, account, desk.at):
            found.append(account)
        if len(found) == limit:
            break
    return found


async def named(desk: Desk, words: str) -> Account | None:
    """The one customer these words can mean; None after asking which.

    Raises NotFound when there is no such name.
    """
    exact = await desk.tx.accounts.find_by_name(words)
    if exact is not None:
        return exact
    mentions = desk.office.customers.index.find(words)
    names = dict.fromkeys(
        candidate.name for mention in mentions for candidate in mention.candidates
    )
    if not names:
        raise NotFound(texts.no_such_customer(words))
    found = [await desk.tx.accounts.find_by_name(name) for name in names]
    accounts = [account for account in found if account is not None]
    visible = [
        account for account in accounts if await may_show(desk.tx, desk.rep, account, desk.at)
    ]
    if len(visible) == 1:
        return visible[0]
    if not visible:
        hidden = accounts[0].name if len(accounts) == 1 else words
        raise NotFound(texts.not_visible(hidden))
    desk.say(texts.which_one(words, [account.name for account in visible[:6]]))
    return None


async def exactly(desk: Desk, words: str) -> Account | None:
    """The customer whom these words name and nothing else; None if they say more, or fit
    several."""
    words = words.strip()
    mentions = desk.office.customers.index.find(words)
    sure = mentions[0].sure if len(mentions) == 1 else None
    if sure is None or sure.score < SURE or not _covers(mentions, words):
        return await desk.tx.accounts.find_by_name(words)
    return await desk.tx.accounts.find_by_name(sure.name)


async def sure_of(desk: Desk, record: Record) -> Account | None:
    """The customer that a record names beyond doubt."""
    if record.customer is None or record.needs_confirm:
        return None
    return await desk.tx.accounts.find_by_name(record.customer)


def are_a_name(desk: Desk, words: str) -> bool:
    """Whether they name customers, one or several, and say nothing else."""
    words = words.strip()
    return _covers(desk.office.customers.index.find(words), words)


def _covers(mentions: Sequence[Mention], words: str) -> bool:
    return bool(mentions) and mentions[0].end - mentions[0].start >= len(words) - 1


async def show_customer(desk: Desk, words: str) -> None:
    """«客户 恒锐机电»."""
    account = await named(desk, words)
    if account is not None:
        await show(desk, account)


async def show(desk: Desk, account: Account) -> None:
    """State, lights and the last five activities. Raises NotFound for who may not see it."""
    await refuse_to_show(desk, account)
    owner = await desk.tx.people.get(account.owner_id)
    deals = await desk.tx.opportunities.of_account(account.id)
    page, _ = await desk.tx.activities.page(account.id, limit=5, before=None)
    waiting = await desk.tx.deadlines.waiting_of_account(account.id)
    lines = [
        *(_deal_line(desk, deal) for deal in deals[:3]),
        *await level_lines(desk, deals),
        *await heating.lines(
            desk.tx, desk.policy, account.id, desk.at.astimezone(desk.office.zone)
        ),
        *await erp_showing.lines(desk, account),
        *(
            owing.line_of(owed, desk.office.policies, desk.office.calendar)
            for owed in waiting
            if owed.shows(desk.at)
        ),
        "最近动态：" if page else "还没有动态。",
        *(await _activity_lines(desk, page)),
    ]
    pooled = account.in_pool_since is not None
    facts = [("负责人", texts.in_pool_from(owner.name) if pooled else owner.name)]
    if account.industry:
        facts.append(("行业", account.industry))
    facts += await erp_showing.facts(desk, account)
    contacts = await desk.tx.accounts.contacts(account.id)
    chats = await desk.tx.chat_bindings.of_customer(account.id)
    if contacts:
        facts.append(("联系人", "、".join(contact.name for contact in contacts[:4])))
    card = Card(
        card_id=f"customer-{account.id}-{desk.message.message_id[-24:]}".translate(_CARD_SAFE),
        title=dialog.shorten(account.name, 36),
        lines=tuple(lines),
        facts=tuple(facts),
        buttons=(
            Button(STREAM, "更多动态"),
            *((Button(CHATS, "打开聊天"),) if chats else ()),
            *_page_button(desk),
        ),
    )
    await desk.show_privately(card, subject=f"customer:{account.id}")
    _say_where(desk)


def tell_alone(desk: Desk, title: str, text: str, ours: Sequence[str] = ()) -> None:
    """Customers are nobody else's business: in a group the answer goes to the asker alone.
    ours: see Markdown."""
    desk.say_privately(title, text, ours)
    _say_where(desk)


def _page_button(desk: Desk) -> tuple[Button, ...]:
    return (Button(PAGE, "打开网页"),) if desk.office.pages_url else ()


def _say_where(desk: Desk) -> None:
    if desk.message.in_group:
        desk.say(dialog.TOLD_PRIVATELY)


async def show_stream(desk: Desk, words: str) -> None:
    """«动态 恒锐机电»: the last ten entries of the stream."""
    account = await named(desk, words)
    if account is not None:
        await tell_stream(desk, account)


async def tell_stream(desk: Desk, account: Account) -> None:
    await refuse_to_show(desk, account)
    page, more = await desk.tx.activities.page(account.id, limit=10, before=None)
    if not page:
        desk.say(texts.no_stream(account.name))
        return
    lines = await _activity_lines(desk, page)
    body = "\n".join(f"- {line}" for line in lines)
    tail = texts.STREAM_HAS_MORE if more else ""
    title = f"{account.name} 最近动态"
    tell_alone(desk, title, f"**{title}**\n{body}{tail}")


async def open_opportunity(desk: Desk, account: Account, *, since: datetime) -> Opportunity:
    """A first opportunity with a customer; its lights count from `since`."""
    library = await desk.office.libraries.of_person(desk.tx, account.owner_id)
    deal = await desk.tx.opportunities.add(
        account_id=account.id,
        name=f"{account.name} 商机",
        owner_id=account.owner_id,
        stage=library.stages[0].key,
        rank=0,
        library=library.ref,
        at=since,
        light_due_at=desk.at,
    )
    desk.opened.append(deal)
    return deal


def light_words(desk: Desk, deal: Opportunity, at: datetime) -> str:
    """«红灯 · 已6个工作日没有有效跟进»."""
    since = deal.last_valid_at or deal.assigned_at
    zone = desk.office.zone
    gap = desk.office.calendar.workdays_between(
        since.astimezone(zone).date(), at.astimezone(zone).date()
    )
    return texts.light(deal.light, gap, stuck=deal.stuck)


def _deal_line(desk: Desk, deal: Opportunity) -> str:
    stage = desk.office.libraries.stage(deal)
    amount = f" {amount_words(deal.amount_fen)}" if deal.amount_fen is not None else ""
    state = texts.STATES[deal.state]
    words = [f"{stage.label if stage else deal.stage}{amount}"]
    if deal.state is OpportunityState.OPEN:
        words.append(light_words(desk, deal, desk.at))
    else:
        words.append(state)
    if deal.next_contact_at is not None and deal.state is OpportunityState.OPEN:
        words.append(texts.promised(deal.next_contact_at.astimezone(desk.office.zone)))
    mark = {Light.RED: "🔴", Light.YELLOW: "🟡", Light.GREEN: "🟢"}[deal.light]
    return f"{mark} {' · '.join(words)}"


async def _activity_lines(desk: Desk, page: list[Activity]) -> list[str]:
    taken_back = await desk.tx.activities.retracted_among([one.id for one in page])
    locked = await desk.tx.deadlines.locked_among([one.id for one in page])
    lines = []
    for one in page:
        when = texts.when(one.occurred_at.astimezone(desk.office.zone))
        mark = _mark(one, taken_back=one.id in taken_back, locked=one.id in locked)
        lines.append(f"{when} {one.title}{mark} {dialog.shorten(one.text, 40)}".rstrip())
    return lines


def _mark(entry: Activity, *, taken_back: bool, locked: bool) -> str:
    if taken_back:
        return "（已撤回）"
    counts = entry.valid or not entry.unit
    late = "（补录）" if entry.late else ""
    if locked or entry.invalid_reason == Invalid.LOCKED:
        return f"{late}（已锁定）"
    return late if counts else f"{late}（不计有效）"


_CARD_SAFE = {ord(character): "-" for character in "=+/.:@ "}
