"""«未归属邮件», «邮件 #12 归 恒锐机电», «邮件 #12 不是客户», «解绑邮箱 li@hengrui.cn»."""

from __future__ import annotations

import re

from bot.domain.mails import FORWARDED, OUT
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.errors import InvalidInput, NotFound, Refused
from handlers.binding import scopes
from handlers.customers import customers
from handlers.desk import Desk
from handlers.mails import matching
from handlers.mails.reading import channel_of, handle_again
from handlers.texts import mails as texts
from storage.mails import OPEN, MailRow

MOST_BOUND = 500
SELLING = frozenset({Role.REP, Role.SUPERVISOR, Role.SALES_DIRECTOR, Role.CSM, Role.ADMIN})

ORDER = r"邮件(?=[ :：]*(?:#|\d{1,9} ?(?:归(?!档)|不是客户|与客户无关|忽略)))"
"""«邮件12号发给王总了» is a report, and no order."""

_GIVE = re.compile(
    r"#? ?(?P<number>\d{1,9}) ?(?:归属于|归属|归到|归给|归)[ :：]*(?P<customer>.{1,80})"
)
_DROP = re.compile(r"#? ?(?P<number>\d{1,9}) ?(?:不是客户的?|与客户无关|忽略)")


async def list_open(desk: Desk, _: str) -> None:
    """Those of the mailboxes that the speaker may look into."""
    boxes = _visible(desk)
    rows = await desk.tx.mails.open_in(boxes, limit=texts.MOST_LISTED + 1)
    if not rows:
        nothing = texts.NOTHING_UNBOUND if desk.office.mailboxes else texts.NO_BOXES
        desk.say_privately(texts.UNBOUND, nothing)
        return
    lines = [_line(desk, row) for row in rows[: texts.MOST_LISTED]]
    body = texts.unbound(lines, more=len(rows) > texts.MOST_LISTED)
    customers.tell_alone(desk, texts.UNBOUND, body)


async def order(desk: Desk, words: str) -> None:
    """«邮件 #12 …». Raises InvalidInput, NotFound, NotAllowed, Refused with the words to say."""
    give, drop = _GIVE.fullmatch(words), _DROP.fullmatch(words)
    if drop is not None:
        await _drop(desk, await _the_mail(desk, int(drop["number"])))
        return
    if give is None:
        raise InvalidInput(texts.BIND_WHAT)
    row = await _the_mail(desk, int(give["number"]))
    if row.direction == FORWARDED:
        raise Refused(texts.cannot_bind(row.id))
    account = await customers.named(desk, give["customer"].strip())
    if account is not None:
        await _give(desk, row, account)


async def unbind(desk: Desk, words: str) -> None:
    """«解绑邮箱 li@hengrui.cn». What stands in the stream stays."""
    name = words.strip().casefold()
    if "@" not in name:
        raise InvalidInput(texts.UNBIND_WHAT)
    number = (await desk.tx.mails.customers_of([name])).get(name)
    if number is None:
        raise NotFound(texts.not_bound(name))
    account = await desk.tx.accounts.get(number)
    await scopes.refuse_others(desk, account)
    await desk.tx.mails.forget(name)
    await _audit(desk, "unbind_mail", f"account:{account.id}", {"name": name})
    desk.say(texts.unbound_address(name, account.name))


async def _the_mail(desk: Desk, number: int) -> MailRow:
    """Raises NotFound also for one in a mailbox that is none of the speaker's business."""
    row = await desk.tx.mails.get(number)
    if row is None or row.box not in _visible(desk):
        raise NotFound(texts.no_such(number))
    if row.state != OPEN:
        raise Refused(texts.settled(number))
    return row


async def _give(desk: Desk, row: MailRow, account: Account) -> None:
    """The address is the customer's from now on, and all that waited with it is handled anew."""
    await scopes.refuse_others(desk, account)
    address = row.address
    if address:
        await _refuse_held(desk, address, account)
        await desk.tx.mails.learn(address, account.id, by=desk.rep.id, at=desk.at)
    domain = row.domain if row.domain and await _learn_domain(desk, row.domain, account) else ""
    await desk.tx.mails.wait(row.id, account.id, tries=0)
    others = await desk.tx.mails.open_from(address, domain, limit=MOST_BOUND)
    for one in (row, *others):
        await handle_again(desk.tx, one.box, [one.key])
    desk.tx.once_committed(desk.office.wake_inbox)
    facts = {"mail": row.id, "address": address, "domain": domain, "others": len(others)}
    await _audit(desk, "bind_mail", f"account:{account.id}", facts)
    desk.say(texts.bound(row.id, account.name, address, domain, len(others)))


async def _learn_domain(desk: Desk, domain: str, account: Account) -> bool:
    """Whether its mails are this customer's from now on. One that several customers have says
    nothing of any of them."""
    holders = await matching.holders_of_domain(desk.tx, domain)
    known = await desk.tx.mails.customers_of([domain])
    if domain in known and known[domain] is None:
        return False
    alone = not holders - {account.id}
    learnt = account.id if alone else None
    await desk.tx.mails.learn(domain, learnt, by=desk.rep.id, at=desk.at)
    return alone


async def _refuse_held(desk: Desk, address: str, account: Account) -> None:
    """Raises Refused; whose it is, only those hear who may see that customer."""
    holder = (await desk.tx.mails.customers_of([address])).get(address)
    if holder is None or holder == account.id:
        return
    other = await desk.tx.accounts.get(holder)
    if await customers.may_show(desk.tx, desk.rep, other, desk.at):
        raise Refused(texts.held_by(address, other.name))
    raise Refused(texts.held_elsewhere(address))


async def _drop(desk: Desk, row: MailRow) -> None:
    await desk.tx.mails.drop(row.id)
    await desk.tx.mails.blank(channel_of(row.box), [row.key])
    desk.say(texts.dropped(row.id))


def _visible(desk: Desk) -> list[str]:
    """Shared mailboxes are written to the company: everybody who sells for it may see what is
    nobody's there. Somebody's own is theirs alone, whoever leads them."""
    own = {f"{one.platform}:{one.user_id}" for one in desk.rep.identities}
    sells = bool(desk.rep.roles & SELLING)
    boxes = desk.office.mailboxes.items()
    return [box for box, owner in boxes if (sells if not owner else owner in own)]


def _line(desk: Desk, row: MailRow) -> str:
    local = row.sent_at.astimezone(desk.office.zone)
    if row.direction == FORWARDED:
        who = texts.outside(row.sender_name, [row.sender])
        return texts.forwarded_line(row.id, local, who, subject=row.subject, box=row.box)
    name = "" if row.direction == OUT else row.sender_name
    who = texts.outside(name, row.outsiders)
    out = row.direction == OUT
    return texts.line(row.id, local, who, out=out, subject=row.subject, box=row.box)


async def _audit(desk: Desk, action: str, subject: str, after: dict[str, object]) -> None:
    await desk.tx.audit.append(
        at=desk.at, actor=f"person:{desk.rep.id}", action=action, subject=subject, before=None,
        after={**after, "source": desk.incoming.source_id},
    )  # fmt: skip
