"""One sandbox for the stories of a module; stories use different customers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browsers import launched
from tests.scenarios.driver import Sandbox, Speaker


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sandbox]:
    """A module may give its options, as the parameter of this fixture."""
    options: tuple[str, ...] = getattr(request, "param", ())
    running = Sandbox(Path(tmp_path_factory.mktemp("sandbox")), *options)
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest.fixture
def rep(sandbox: Sandbox) -> Speaker:
    """张伟, a rep on WeCom."""
    return Speaker(sandbox, "wecom", "zhangwei")


@pytest.fixture
def ding_rep(sandbox: Sandbox) -> Speaker:
    """吴磊, a rep on DingTalk."""
    return Speaker(sandbox, "dingtalk", "wulei01")
