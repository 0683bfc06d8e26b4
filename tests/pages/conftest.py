"""A website for each test, on each kind of database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from connectors.web.assets import BUILD
from storage.database import Database
from tests.browsers import launched
from tests.pages.website import Website, serving


@pytest.fixture(autouse=True, scope="session")
def _front_end() -> None:
    if not (BUILD / "manifest.json").exists():
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse("the front end is not built: make web/build/manifest.json")


@pytest.fixture
async def website(database: Database, tmp_path: Path) -> AsyncIterator[Website]:
    async with serving(database, tmp_path / "files") as running:
        yield running


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """For what a browser shows, which does not hang on the kind of database."""
    opened = await Database.open(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture
async def chrome() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser
