"""A website whose company has bonuses, and what its people ask of the pages of rules."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from storage.database import Database
from storage.tables import outbox
from tests.handlers.payouts.payout_company import PayoutCompany
from tests.pages.website import HTML, Browser, Website, serving

WHOLE: dict[str, Any] = {
    "id": "阶梯",
    "version": 1,
    "effective_from": "2026-01-01",
    "mode": "whole",
    "base": "contract_fen",
    "tiers": [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 50_000_000, "rate_bp": 500}],
}

# The marks that keep a figure and its unit in one line, which nobody reads.
KEPT = re.compile(r'<span class="keep">(.*?)</span>')


@dataclass
class RuleWorld:
    """何姐 the HRBP writes, 钱进 at finance approves, 张伟 sells."""

    website: Website
    company: PayoutCompany
    browsers: dict[str, Browser] = field(default_factory=dict)

    async def browser(self, who: str) -> Browser:
        if who not in self.browsers:
            self.browsers[who] = await self.website.sign_in(who)
        return self.browsers[who]

    async def get(self, who: str, path: str) -> tuple[int, str]:
        status, page = await (await self.browser(who)).get(path)
        return status, KEPT.sub(r"\1", page)

    async def post(self, who: str, path: str, **fields: str) -> tuple[int, str]:
        browser = await self.browser(who)
        status, page = await browser.post(path, form_key=await browser.form_key(), **fields)
        return status, KEPT.sub(r"\1", page)

    async def call(
        self, who: str, path: str, body: Any, *, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """As the canvas calls. body: JSON, or the bytes themselves."""
        browser = await self.browser(who)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {**HTML, "X-Form-Key": await browser.form_key() if key is None else key}
        async with browser.http.post(browser.url + path, data=data, headers=headers) as answer:
            assert answer.content_type == "application/json", await answer.text()
            return answer.status, await answer.json()

    async def draft(self, *rules: dict[str, Any], by: str = "he") -> int:
        async with self.company.chat.database.begin() as tx:
            author = self.company.chat.people[by].id
            change = await tx.payout_rules.add(rules, author_id=author, at=self.company.chat.now)
        return change.id

    async def queued_to(self, who: str) -> str:
        """What pages have sent to somebody's chat."""
        query = select(outbox.c.content).where(outbox.c.user_id == who).order_by(outbox.c.id)
        async with self.company.chat.database.read() as tx:
            found = await tx.delivery._conn.execute(query)
            return "\n".join(row.content for row in found)

    async def stored(self, number: int) -> Any:
        async with self.company.chat.database.read() as tx:
            return await tx.payout_rules.look_at(number)


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[RuleWorld]:
    async with serving(database, tmp_path / "files") as website:
        yield RuleWorld(website, await PayoutCompany.beside(website.chat))
