"""A website for each test, on each kind of database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.web.assets import BUILD
from storage.database import Database
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
