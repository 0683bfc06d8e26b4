"""From the chat to a page: a link for one person, and the session that it becomes.

The link carries a random ticket and no signature. It must be remembered anyway, since it opens
once only; and so there is no key that could leak or would have to be changed. Signing in by a
platform (platform_sign_in.py) ends in `begin` too.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.domain import markup
from bot.domain.opportunities import Account
from bot.domain.page_sessions import (
    KEPT_FOR,
    SESSION_LIVES,
    TICKET_LIVES,
    Entered,
    Ticket,
    Visitor,
    is_own_path,
)
from bot.domain.people import Person, PersonStatus, Role
from bot.errors import NotAllowed
from handlers.customers import customers
from handlers.desk import Desk
from handlers.leading.teams import LEADING
from handlers.pages.admin.rooms import OVERSEERS
from handlers.texts import pages as texts
from storage.unit_of_work import UnitOfWork

BY_LINK = "link"
SIGNED_OUT, LEFT = "signed out", "left"
SECRET_BYTES = 32
SCREEN, OWN_CUSTOMERS, ADMIN = "/", "/customers", "/admin"
NAMED = {
    "预测": ("/forecast", "预测"),
    "备货": ("/supply", "备货"),
    "奖金规则": ("/rules", "奖金规则"),
    "奖金": ("/payouts", "我的奖金"),
    "我的奖金": ("/payouts", "我的奖金"),
    "申诉": ("/disputes", "申诉"),
    "奖金申诉": ("/disputes", "申诉"),
    "成长基金": ("/fund", "成长基金"),
}
"""What pages are called in the chat, and where they are."""
ADMIN_WORDS = ("管理", "管理页", "后台")


async def show_screen(desk: Desk, _: str) -> None:
    """«看板»: a link to the big screen, for who leads nobody to the own customers."""
    if desk.rep.roles & LEADING:
        await send_link(desk, SCREEN, "大屏")
    else:
        await send_link(desk, OWN_CUSTOMERS, "我的客户")


async def show_page(desk: Desk, words: str) -> None:
    """«网页», «网页 奖金», «网页 恒锐机电»."""
    named = NAMED.get(words.strip())
    if named is not None:
        await send_link(desk, *named)
        return
    if not words:
        await send_link(desk, OWN_CUSTOMERS, "我的客户")
        return
    if words in ADMIN_WORDS:
        await show_admin(desk, "")
        return
    account = await customers.named(desk, words)
    if account is not None:
        await send_customer(desk, account)


async def show_admin(desk: Desk, _: str) -> None:
    """«管理», «网页 管理». Raises NotAllowed."""
    if not desk.rep.roles & OVERSEERS:
        raise NotAllowed(texts.ONLY_ADMINS)
    await send_link(desk, ADMIN, "管理")


async def send_customer(desk: Desk, account: Account) -> None:
    """Raises NotFound for who may not see the customer."""
    await customers.refuse_to_show(desk, account)
    await send_link(desk, f"/customers/{account.id}", account.name)


async def send_link(desk: Desk, path: str, label: str) -> None:
    """To the speaker alone, whichever chat they spoke in."""
    if not desk.office.pages_url:
        admin = Role.ADMIN in desk.rep.roles
        desk.say(texts.NO_PAGES_FOR_ADMIN if admin else texts.NO_PAGES)
        return
    secret = await make_ticket(desk.tx, desk.rep, path, desk.at)
    url = f"{desk.office.pages_url}/in/{secret}"
    to_page = markup.link(texts.opens(label), url)
    customers.tell_alone(desk, texts.LINK_TITLE, texts.link(to_page), [to_page])


async def make_ticket(tx: UnitOfWork, person: Person, path: str, at: datetime) -> str:
    """What a link carries. path: of our own site."""
    assert is_own_path(path), path
    await tx.page_sessions.drop_tickets(at - KEPT_FOR)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    ticket = Ticket(person.id, path, expires_at=at + TICKET_LIVES)
    await tx.page_sessions.add_ticket(secret, ticket, at=at)
    return secret


async def redeem(tx: UnitOfWork, ticket: str, at: datetime) -> Entered | None:
    """None when it opens nothing: unknown, used, expired, or its person is gone."""
    used = await tx.page_sessions.use_ticket(ticket, at=at)
    if used is None:
        return None
    person = await tx.people.get(used.person_id)
    if person.status is not PersonStatus.ACTIVE:
        return None
    return await begin(tx, person, used.path, came_by=BY_LINK, at=at)


async def begin(
    tx: UnitOfWork, person: Person, path: str, *, came_by: str, at: datetime
) -> Entered:
    """A session of somebody who has proved who they are. came_by: how."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    session = await tx.page_sessions.begin(
        secret,
        person_id=person.id,
        form_key=secrets.token_urlsafe(SECRET_BYTES),
        came_by=came_by,
        at=at,
        expires_at=at + SESSION_LIVES,
    )
    await _note(tx, person, "sign_in", f"page session:{session.id}", after={"by": came_by}, at=at)
    return Entered(secret, path)


async def visitor(tx: UnitOfWork, secret: str, at: datetime) -> Visitor | None:
    """Whose session a cookie is; None for one that has ended, and for who has left: nobody
    waits for somebody to end their sessions."""
    session = await tx.page_sessions.find(secret)
    if session is None or not session.is_open(at):
        return None
    person = await tx.people.get(session.person_id)
    return Visitor(person, session) if person.status is PersonStatus.ACTIVE else None


async def sign_out(tx: UnitOfWork, visitor: Visitor, at: datetime) -> None:
    await tx.page_sessions.end(visitor.session.id, at=at, why=SIGNED_OUT)
    subject = f"page session:{visitor.session.id}"
    await _note(tx, visitor.person, "sign_out", subject, after={}, at=at)


async def note_denial(tx: UnitOfWork, visitor: Visitor, path: str, why: str, at: datetime) -> None:
    """Whoever asked for what is not theirs to see stands in the audit chain."""
    await _note(tx, visitor.person, "page_denied", f"page:{path[:100]}", after={"why": why}, at=at)


async def _note(
    tx: UnitOfWork,
    person: Person,
    action: str,
    subject: str,
    *,
    after: dict[str, str],
    at: datetime,
) -> None:
    await tx.audit.append(
        at=at,
        actor=f"person:{person.id}",
        action=action,
        subject=subject,
        before=None,
        after=after,
    )
