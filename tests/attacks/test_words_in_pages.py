"""Words of customers and reps on every page there is: text, and never anything that acts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.people import Role
from connectors.web.assets import BUILD
from storage.database import Database
from tests.handlers.pages import test_role_matrix as matrix
from tests.pages.website import Website, serving

pytestmark = pytest.mark.skipif(
    not (BUILD / "manifest.json").exists(), reason="the front end is not built"
)

HOOK = "pwned"
ATTACK = f"\"'><img src={HOOK} onerror={HOOK}()><script>{HOOK}()</script>{{{{{HOOK}}}}}"
ACTS = re.compile(rf"<img src={HOOK}|<script>{HOOK}|onerror={HOOK}\(\)>")
INLINE = re.compile(r"""<script(?![^>]*\bsrc=)[^>]*>|<style\b|\son\w+\s*=\s*["']|javascript:""")


@pytest.fixture
async def website(database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(database, tmp_path / "files") as running:
        yield running


async def test_no_page_lets_words_act(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "HENGRUI", f"{ATTACK}甲")
    monkeypatch.setattr(matrix, "YONGJIANG", f"{ATTACK}乙")
    things = await matrix._things(website)
    chat = website.chat
    async with chat.database.begin() as tx:
        await tx.people.set_roles(chat.people["zhao"].id, [Role.ADMIN, Role.SALES_DIRECTOR])
    account = await chat.customer(f"{ATTACK}丙", "chen")
    await website.entry(
        account, 2, text=ATTACK, title=ATTACK, data=b"x", name=f"{ATTACK}.html",
        slots={"contact": ATTACK, "objection_text": ATTACK, "objections": ["price"]},
    )  # fmt: skip
    browser = await website.sign_in("zhao")
    shown, acting = [], []
    for (method, template), row in matrix.TABLE.items():
        if method != "GET" or template in ("/live", "/assets/{name}") or not row.own:
            continue
        for path in {things.of[kind](template) for kind in ("own", "foreign")}:
            status, page = await browser.get(path)
            if "/files/" in path or status != 200:
                continue
            if HOOK in page:
                shown.append(template)
            if ACTS.search(page) or INLINE.search(page):
                acting.append(path)
    status, page = await browser.get(f"/customers/{account.id}")
    assert status == 200
    assert page.count(HOOK) >= 6, "the words are to be seen"
    assert not ACTS.search(page)
    assert acting == []
    assert len(set(shown)) >= 4, shown


async def test_a_query_is_never_echoed_as_more_than_text(website: Website) -> None:
    browser = await website.sign_in("zhao")
    for method, path in matrix.TABLE:
        if method == "GET" and "{" not in path and path != "/live":
            for name in ("q", "kind", "after", "page", "next", "period", "quarter", "to"):
                _, page = await browser.get(f"{path}?{name}=%22%27%3E%3Cimg%20src%3D{HOOK}%3E")
                assert not ACTS.search(page), (path, name)
