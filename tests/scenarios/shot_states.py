"""Pictures of what hardly happens in the demo company: an administrator's bad day, the side bar,
errors and pages on their way, a rule with a cliff. They are served in this process."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, Route
from sqlalchemy import text

from bot.domain.bindings import BoundBy, ChatKind
from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow, GroupMember
from bot.domain.people import Directory, DirectoryUser
from handlers.customers import duplicates
from handlers.understanding.names import places
from storage.admin import upgrade
from storage.database import Database
from tests.handlers.light_company import at
from tests.handlers.payouts.payout_company import FLAT, PayoutCompany
from tests.pages import troubled
from tests.pages.browsing import HENGRUI, LONG_NAME, company
from tests.pages.website import Website, serving

Act = Callable[[Website, Page], Awaitable[None]]


async def _stay(_: Website, __: Page) -> None:
    pass


async def _on_its_way(_: Website, page: Page) -> None:
    """Older entries never come."""

    async def never(_: Route) -> None:
        await asyncio.sleep(0)

    await page.route("**/*before=*", never)
    await page.get_by_role("link", name="更早的动态").click()


async def _offline(_: Website, page: Page) -> None:
    await page.context.set_offline(True)
    await page.get_by_role("link", name="更早的动态").click()
    await page.get_by_role("alert").wait_for()


async def _broken(website: Website, page: Page) -> None:
    await _rename(website, "accounts", "gone")
    await page.goto(f"{website.url}/customers")
    await _rename(website, "gone", "accounts")


async def _left(website: Website, page: Page) -> None:
    """陈静 leaves, and is back for the next picture."""
    await _told_of(website, Directory("wecom", left_user_ids=("chen",), whole=False))
    await page.reload()
    back = (DirectoryUser("chen", "陈静"),)
    await _told_of(website, Directory("wecom", users=back, whole=False))


async def _told_of(website: Website, news: Directory) -> None:
    roles_of = website.chat.policy.roles.roles_of
    async with website.chat.database.begin() as tx:
        await tx.people.save_directory(news, roles_by_title=roles_of, at=website.chat.now)


async def _rename(website: Website, table: str, to: str) -> None:
    async with website.chat.database.begin() as tx:
        await tx._conn.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


@dataclass(frozen=True)
class State:
    """who: "" for nobody. act: what happens once the page is there."""

    who: str
    path: str
    act: Act = _stay


BESIDE = "/side/contact/wmBound"
STATES = {
    "bad-admin": State("zhao", "/admin"),
    "bad-operations": State("zhao", "/admin/operations"),
    "bad-dead": State("zhao", "/admin/dead-letters"),
    "bad-dead-in": State("zhao", "/admin/dead-letters?box=inbox"),
    "bad-dead-later": State("zhao", "/admin/dead-letters?before=100"),
    "many-people": State("zhao", "/admin/people"),
    "long-person": State("zhao", "/admin/people/12"),
    "long-unbound": State("zhao", "/admin/bindings/unbound"),
    "long-groups": State("zhao", "/admin/bindings/unbound?kind=group"),
    "no-bindings": State("zhao", "/admin/bindings/bound?q=没有这家"),
    "policy-refused": State("zhao", "/admin/policies/lights.yellow_days?value=99"),
    "library-previewed": State("zhao", "/admin/libraries/medical?team=李敏"),
    "calendar-unknown": State("zhao", "/admin/calendar?year=2031"),
    "audit-none": State("zhao", "/admin/audit?who=王建国"),
    "audit-refused": State("zhao", "/admin/audit?who=无此人"),
    "side-bound": State("zhang", BESIDE),
    "side-unbound": State("zhang", "/side/contact/wmAlone"),
    "side-proposed": State("zhang", "/side/contact/wmLong"),
    "side-group": State("zhang", "/side/group/wrBound"),
    "side-told": State("zhang", f"{BESIDE}?told=1"),
    "side-not-theirs": State("chen", BESIDE),
    "side-no-client": State("zhang", "/side"),
    "side-signed-out": State("", BESIDE),
    "error-forbidden": State("zhang", "/admin"),
    "error-missing": State("zhang", "/customers/999"),
    "error-address": State("zhang", "/customers?after=x"),
    "error-broken": State("zhang", "/customers", _broken),
    "error-link": State("", "/in/" + "x" * 32),
    "stream-waits": State("zhang", "/customers/2", _on_its_way),
    "stream-offline": State("zhang", "/customers/2", _offline),
    "rule-cliff": State("he", "/rules/2"),
    "rule-published": State("he", "/rules/1"),
    "error-left": State("chen", "/customers", _left),
}
CLIFF = {
    **{key: value for key, value in FLAT.items() if key != "rate_bp"},
    "version": 2,
    "effective_from": "2026-03-01",
    "mode": "whole",
    "base": "contract_fen",
    "tiers": [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 30_000_000, "rate_bp": 300},
              {"from_fen": 50_000_000, "rate_bp": 500}],
}  # fmt: skip


@asynccontextmanager
async def troubled_website() -> AsyncIterator[Website]:
    """Everything that STATES show."""
    folder = Path(tempfile.mkdtemp(prefix="gendan-states-"))
    url = f"sqlite:///{folder / 'gendan.db'}"
    await upgrade(url)
    database = await Database.open(url)
    machine = troubled.machine(at("2026-01-28 15:00"))
    try:
        async with serving(database, folder / "files", machine=machine) as website:
            await _fill(website)
            yield website
    finally:
        await database.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(website: Website) -> None:
    payouts = await PayoutCompany.beside(website.chat)
    for number, amount in (("HT-2026-018", 100_000), ("HT-2026-019", 420_000)):
        await payouts.signed(number, f"{amount // 10_000}万")
        await payouts.tell(f"SK-{number}", amount, number)
    await payouts.publish(FLAT)
    await payouts.draft(CLIFF)
    await payouts.press("he", "试算三个月")
    await company(website)
    await _beside_chats(website)
    await troubled.befalls(website)
    await duplicates.file_all(website.chat.database.begin, website.chat.now)


async def _beside_chats(website: Website) -> None:
    """王总 and a group belong to 恒锐, 周工 to nobody."""
    chat = website.chat
    contacts = (
        ExternalContact("wecom", "wmBound", "王总", company=HENGRUI),
        ExternalContact("wecom", "wmAlone", "周工"),
    )
    follows = tuple(Follow("wecom", "zhang", one.external_id) for one in contacts)
    members = (GroupMember("zhang", is_staff=True), GroupMember("wmBound", is_staff=False))
    group = ChatGroup("wecom", "wrBound", f"{LONG_NAME}项目群", "zhang", members)
    async with chat.database.begin() as tx:
        news = ContactNews("wecom", contacts, follows)
        await tx.external_contacts.save(news, places=places(), at=chat.now)
        await tx.chat_groups.save(group, at=chat.now)
        account = await tx.accounts.find_by_name(HENGRUI)
        assert account is not None
        await tx.chat_bindings.bind(
            [("wecom", "wmBound", ChatKind.CONTACT, account.id, BoundBy.HAND),
             ("wecom", "wrBound", ChatKind.GROUP, account.id, BoundBy.HAND)],
            by=chat.people["zhang"].id, at=chat.now, source_id="shots",
        )  # fmt: skip


async def open_state(website: Website, page: Page, name: str) -> None:
    """Show it on the page, signed in as whoever sees it."""
    state = STATES[name]
    if state.who:
        await page.goto(website.url + await website.link(state.who))
        await page.wait_for_url(lambda url: "/in" not in url)
    await page.goto(website.url + state.path)
    await state.act(website, page)
