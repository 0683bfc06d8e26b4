"""Lists of a company with much in it: one page of each, of bounded size, and a way to the rest."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, Table, cast, insert, update

from storage.database import Database
from storage.tables import (
    accounts,
    activities,
    audit,
    chat_bindings,
    chat_groups,
    contacts,
    contracts,
    forecast_lines,
    growth_items,
    growth_postings,
    growth_redemptions,
    identities,
    inbox,
    opportunities,
    outbox,
    page_sessions,
    payout_disputes,
    payout_lines,
    payout_rule_changes,
    people,
    supply_notices,
)
from storage.tables import forecasts as forecast_table
from tests.pages.payouts_website import with_a_fund, with_bonuses
from tests.pages.rule_world import KEPT
from tests.pages.website import Browser, Website, serving
from tests.statements import statements

MANY, MOST, MOST_VERSIONS = 20_000, 50_000, 1_000
FIRST = 1_000_000
"""Numbers from here on are of rows made here."""
ROWS, BYTES, STATEMENTS = 101, 150_000, 150
"""What a page may have at most: a row more than its hundred for the heads of a table; and how often
it may ask the database, which is told of 20,000 numbers some hundred at a time."""


@pytest.fixture
async def website(sqlite_database: Database, tmp_path: Path) -> Any:
    async with serving(sqlite_database, tmp_path / "files", change=with_a_fund) as running:
        yield running


async def put(website: Website, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    async with website.chat.database.begin() as tx:
        await tx.delivery._conn.execute(insert(table), rows)


async def many_customers(website: Website, number: int = MANY, *, owner: str = "zhang") -> None:
    row = {
        "aliases": [], "owner_id": website.chat.people[owner].id,
        "created_at": website.chat.now, "keyed_at": website.chat.now,
    }  # fmt: skip
    numbers = range(FIRST, FIRST + number)
    await put(website, accounts, [{**row, "id": n, "name": f"客户{n}有限公司"} for n in numbers])


async def customers(website: Website) -> str:
    await many_customers(website, MOST)
    return "/customers"


async def stream(website: Website) -> str:
    await many_customers(website, 1)
    row = {
        "account_id": FIRST, "actor_id": website.chat.people["zhang"].id, "unit": "followup_call",
        "title": "跟进电话", "text": "聊了价格" * 20, "recorded_at": website.chat.now, "slots": {},
        "file_hashes": [], "valid": True, "grade": "E0",
    }  # fmt: skip
    moments = [website.chat.now - timedelta(minutes=n) for n in range(MANY)]
    rows = [{**row, "occurred_at": at, "source_id": f"much:{at}"} for at in moments]
    await put(website, activities, rows)
    return f"/customers/{FIRST}"


async def colleagues(website: Website) -> str:
    numbers = range(FIRST, FIRST + MANY)
    named = [{"id": n, "name": f"同事{n}", "status": "active", "roles": ["rep"]} for n in numbers]
    await put(website, people, named)
    row = {
        "platform": "wecom", "titles": {}, "departments": [], "leaders": ["li"], "status": "active",
    }  # fmt: skip
    known = [{**row, "user_id": f"u{n}", "person_id": n} for n in numbers]
    await put(website, identities, known)
    return "/admin/people"


async def forecasts(website: Website) -> str:
    await colleagues(website)
    return "/forecast"


async def bindings(website: Website) -> str:
    await many_customers(website, 1)
    row = {
        "platform": "wecom", "kind": "contact", "account_id": FIRST, "how": "company",
        "bound_by": website.chat.people["zhao"].id, "bound_at": website.chat.now, "source_id": "",
    }  # fmt: skip
    await put(website, chat_bindings, [{**row, "chat_key": f"wm{n}"} for n in range(MANY)])
    return "/admin/bindings/bound"


async def groups(website: Website) -> str:
    rows = [
        {
            "platform": "wecom",
            "chat_id": f"wr{n}",
            "name": f"项目群{n}",
            "owner": "zhang",
            "version": "",
            "seen_at": website.chat.now,
        }
        for n in range(MANY)
    ]
    await put(website, chat_groups, rows)
    return "/admin/bindings/unbound?kind=group"


async def failed_to_handle(website: Website) -> str:
    row = {
        "channel": "wecom:sales", "conversation": "wecom:zhang", "body": b"{}", "state": "dead",
        "sent_at": website.chat.now, "received_at": website.chat.now, "attempts": 5,
        "finished_at": website.chat.now, "reason": "没有连上模型",
    }  # fmt: skip
    await put(website, inbox, [{**row, "delivery_id": f"d{n}"} for n in range(MANY)])
    return "/admin/dead-letters?box=inbox"


async def failed_to_send(website: Website) -> str:
    row = {
        "platform": "wecom", "app": "sales", "user_id": "zhang", "address": "wecom:zhang",
        "content": "{}", "queued_at": website.chat.now, "due_at": website.chat.now,
        "state": "dead", "attempts": 5, "finished_at": website.chat.now, "reason": "不在可见范围",
    }  # fmt: skip
    await put(website, outbox, [{**row, "dedupe_key": f"k{n}"} for n in range(MANY)])
    return "/admin/dead-letters?box=outbox"


async def entries(website: Website) -> str:
    async with website.chat.database.read() as tx:
        head, _ = await tx.audit.head()
    row = {
        "at": website.chat.now, "actor": "system", "action": "page_session", "before": "null",
        "after": '{"by":"link"}', "previous_hash": "0" * 64, "hash": "0" * 64,
    }  # fmt: skip
    rows = [{**row, "seq": head + n, "subject": f"page session:{n}"} for n in range(1, MOST + 1)]
    await put(website, audit, rows)
    return "/admin/audit"


async def lines(website: Website, *, whose: Callable[[int], int] | None = None) -> str:
    await with_bonuses(website)
    zhang = website.chat.people["zhang"].id
    row = {
        "month": "2026-03", "kind": "commission", "fen": 123_456,
        "why": "回款 40,000.00元 × 3%" * 3, "origin": "rules", "made_at": website.chat.now,
    }  # fmt: skip
    rows = [
        {**row, "id": FIRST + n, "person_id": whose(n) if whose else zhang} for n in range(MANY)
    ]
    await put(website, payout_lines, rows)
    return "/payouts?month=2026-03"


async def everybodys_lines(website: Website) -> str:
    await colleagues(website)
    return await lines(website, whose=lambda n: FIRST + n)


async def disputes(website: Website) -> str:
    await lines(website)
    row = {
        "person_id": website.chat.people["zhang"].id, "state": "reported", "reason": "少算了",
        "file_hashes": [], "drafted_at": website.chat.now, "submitted_at": website.chat.now,
        "worked_s": 0, "step": "", "report": "", "ruling": "",
    }  # fmt: skip
    await put(website, payout_disputes, [{**row, "line_id": FIRST + n} for n in range(MANY)])
    return "/disputes"


async def many_deals(website: Website, **more: Any) -> range:
    """One of each customer. more: columns."""
    await many_customers(website)
    deal = {
        "name": "伺服产线", "owner_id": website.chat.people["zhang"].id, "stage": "quote",
        "stage_since": website.chat.now, "state": "open", "created_at": website.chat.now,
        "assigned_at": website.chat.now, **more,
    }  # fmt: skip
    numbers = range(FIRST, FIRST + MANY)
    await put(website, opportunities, [{**deal, "id": n, "account_id": n} for n in numbers])
    return numbers


async def notices(website: Website) -> str:
    row = {
        "kind": "push", "generation": 1, "amount_fen": 30_000_000, "reason": "",
        "at": website.chat.now,
    }  # fmt: skip
    told = [
        {**row, "opportunity_id": n, "evidence_id": f"CK{n}"} for n in await many_deals(website)
    ]
    await put(website, supply_notices, told)
    return "/supply"


async def own_forecast(website: Website) -> str:
    numbers, today = await many_deals(website), website.chat.now.date()
    rep = {
        "id": FIRST, "person_id": website.chat.people["zhang"].id, "week": "2026-W05",
        "on_day": today, "late": False, "submitted_at": website.chat.now,
    }  # fmt: skip
    await put(website, forecast_table, [rep])
    row = {
        "forecast_id": FIRST, "level": "L2", "amount_fen": 30_000_000, "evidence": [],
        "risk": "", "answers": [],
    }  # fmt: skip
    lines = [
        {**row, "opportunity_id": n, "expected_on": today + timedelta(days=n % 90)} for n in numbers
    ]
    await put(website, forecast_lines, lines)
    return "/forecast"


async def losses(website: Website) -> str:
    numbers = await many_deals(website, state="lost")
    row = {
        "actor_id": website.chat.people["zhang"].id, "unit": "", "title": "丢单", "text": "贵",
        "occurred_at": website.chat.now,
        "recorded_at": website.chat.now - timedelta(days=1),
        "slots": {"intent": "log_loss", "objections": ["price"], "loss_reason": "price"},
        "file_hashes": [], "valid": False, "grade": "E0",
    }  # fmt: skip
    lost = [
        {**row, "account_id": n, "opportunity_id": n, "source_id": f"lost:{n}"} for n in numbers
    ]
    await put(website, activities, lost)
    return "/refusals"


async def neglected(website: Website) -> str:
    past = website.chat.now - timedelta(days=9)
    await many_deals(website, light="red", next_contact_at=past, last_valid_at=past)
    return "/diagnosis"


async def wishes(website: Website) -> str:
    await with_bonuses(website)
    zhang, he = website.chat.people["zhang"].id, website.chat.people["he"].id
    numbers = range(FIRST, FIRST + MANY)
    item = {
        "kind": "course", "price_fen": 15_000, "note": "两天", "added_by": he,
        "added_at": website.chat.now,
    }  # fmt: skip
    await put(website, growth_items, [{**item, "id": n, "name": f"课程{n}"} for n in numbers])
    hold = {
        "person_id": zhang, "kind": "hold", "entries": {"own": -15_000, "held": 15_000},
        "why": "课程", "at": website.chat.now,
    }  # fmt: skip
    await put(website, growth_postings, [{**hold, "id": n, "key": f"hold:{n}"} for n in numbers])
    wish = {"person_id": zhang, "state": "waiting", "asked_at": website.chat.now}
    asked = [{**wish, "id": n, "item_id": n, "hold_id": n} for n in numbers]
    await put(website, growth_redemptions, asked)
    return "/fund"


async def contracts_and_contacts(website: Website) -> str:
    await many_customers(website, 1)
    row = {
        "account_id": FIRST, "amount_fen": 30_000_000, "signed_on": website.chat.now.date(),
        "post_paid": False, "recorded_at": website.chat.now,
        "recorded_by": website.chat.people["zhang"].id,
    }  # fmt: skip
    await put(website, contracts, [{**row, "number": f"HT-{n}"} for n in range(MANY)])
    named = [{"account_id": FIRST, "name": f"联系人{n}", "title": ""} for n in range(MANY)]
    await put(website, contacts, named)
    return f"/customers/{FIRST}"


async def versions(website: Website) -> str:
    await with_bonuses(website)
    rule = {"id": "老规则", "mode": "flat", "base": "paid_fen", "rate_bp": 300}
    first = website.chat.now.date() - timedelta(days=3 * MOST_VERSIONS)
    rules = [
        {**rule, "version": n + 1, "effective_from": str(first + timedelta(days=n))}
        for n in range(MOST_VERSIONS)
    ]
    he = website.chat.people["he"].id
    change = {
        "rules": rules, "state": "published", "author_id": he, "created_at": website.chat.now,
        "approved_by": he, "approved_at": website.chat.now, "published_by": he,
        "published_at": website.chat.now,
    }  # fmt: skip
    await put(website, payout_rule_changes, [change])
    return "/rules/versions?rule=老规则"


async def sessions(website: Website) -> str:
    zhang = website.chat.people["zhang"].id
    row = {
        "person_id": zhang, "form_key": "k", "came_by": "link", "began_at": website.chat.now,
        "expires_at": website.chat.now + timedelta(days=7),
    }  # fmt: skip
    await put(website, page_sessions, [{**row, "digest": f"{n:064}"} for n in range(MANY)])
    return f"/admin/people/{zhang}"


async def waiting(website: Website) -> str:
    came = {
        "channel": "wecom:sales", "body": b"{}", "state": "new", "sent_at": website.chat.now,
        "received_at": website.chat.now, "attempts": 0,
    }  # fmt: skip
    goes = {
        "platform": "wecom", "app": "sales", "content": "{}", "queued_at": website.chat.now,
        "due_at": website.chat.now, "state": "queued", "attempts": 0,
    }  # fmt: skip
    numbers = range(MANY)
    await put(
        website, inbox,
        [{**came, "delivery_id": f"d{n}", "conversation": f"wecom:u{n}"} for n in numbers],
    )  # fmt: skip
    await put(
        website, outbox,
        [{**goes, "dedupe_key": f"k{n}", "user_id": f"u{n}", "address": f"wecom:u{n}"}
         for n in numbers],
    )  # fmt: skip
    return "/admin/operations"


async def each_for_its_own_reason(website: Website) -> str:
    path = await failed_to_handle(website)
    async with website.chat.database.begin() as tx:
        other = update(inbox).values(reason=inbox.c.reason + cast(inbox.c.id, String))
        await tx.delivery._conn.execute(other)
    return path


Fill = Callable[[Website], Awaitable[str]]
LISTS: list[tuple[Fill, str]] = [
    (customers, "zhang"), (stream, "zhang"), (colleagues, "zhao"), (bindings, "zhao"),
    (groups, "zhao"), (failed_to_handle, "zhao"), (failed_to_send, "zhao"), (entries, "zhao"),
    (lines, "zhang"), (everybodys_lines, "qian"), (disputes, "qian"), (forecasts, "li"),
    (own_forecast, "zhang"), (versions, "zhang"), (each_for_its_own_reason, "zhao"),
]  # fmt: skip
COUNTED: list[tuple[Fill, str, str]] = [
    (notices, "wang", "只列最新的100单"), (losses, "li", "丢了20000单"),
    (neglected, "li", "20000<small>处"), (wishes, "he", "有20000件兑换等你批准"),
    (contracts_and_contacts, "zhang", "共20000份"), (sessions, "zhao", "开着20000个网页登录"),
    (waiting, "zhao", "20,000"),
]  # fmt: skip
"""Of which a page shows some, or a figure."""
ONWARD = re.compile(
    r'<a [^>]*href="(?P<to>[^"]+)"[^>]*>(?:下一页|后面的|更早的动态|更早的版本)</a>'
)


@pytest.mark.parametrize(("fill", "who"), LISTS, ids=[fill.__name__ for fill, _ in LISTS])
async def test_a_long_list_comes_a_page_at_a_time(website: Website, fill: Fill, who: str) -> None:
    path = await fill(website)
    browser = await website.sign_in(who)
    first = await _page(browser, path)
    onward = ONWARD.search(first)
    assert onward is not None, "nothing leads to the rest"
    second = await _page(browser, onward["to"].replace("&amp;", "&"))
    assert _shown(first) != _shown(second)


@pytest.mark.parametrize(("fill", "who", "told"), COUNTED, ids=[one[0].__name__ for one in COUNTED])
async def test_of_what_is_not_listed_it_is_said_how_much_there_is(
    website: Website, fill: Fill, who: str, told: str
) -> None:
    path = await fill(website)
    assert told in KEPT.sub(r"\1", await _page(await website.sign_in(who), path))


async def _page(browser: Browser, path: str) -> str:
    with statements() as asked:
        status, page = await browser.get(path)
    assert status == 200, path
    assert len(asked) <= STATEMENTS, f"{path} asks {len(asked)} times"
    assert len(page.encode()) < BYTES, path
    rows = page.count("<tr>"), page.count("<li><div"), page.count('class="entry"')
    assert max(rows) <= ROWS, path
    return page


def _shown(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]
