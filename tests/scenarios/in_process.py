"""The program's sandbox in this process, for tests that look behind it or break what lies between
it and the platforms. Speakers of `driver` talk to it as to one in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel

from config.wiring import sandbox
from config.wiring.bot import Bot
from connectors.sandbox.app import Platforms
from tests.scenarios.driver import Sandbox

Configuration = dict[str, Any]


class InProcess(Sandbox):
    """bot: what runs. platforms: the emulated ones beside it."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        bot: Bot,
        platforms: Platforms | None = None,
    ) -> None:
        super().__init__(Path())
        self.url, self._session, self.bot, self._platforms = url, session, bot, platforms

    @property
    def platforms(self) -> Platforms:
        assert self._platforms is not None
        return self._platforms


@asynccontextmanager
async def running(
    folder: Path,
    *,
    engines: Mapping[str, BaseModel] | None = None,
    change: Callable[[Configuration], Configuration] = lambda given: given,
) -> AsyncIterator[InProcess]:
    """change: of what the operator wrote. engines: as `config.wiring.sandbox` takes them."""
    built: list[Bot] = []
    emulated: list[Platforms] = []
    build, configuration = sandbox.build, Platforms.configuration
    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:  # only so long: another one may start beside it
            patch.setattr(
                sandbox, "build", lambda *a, **k: built.append(build(*a, **k)) or built[0]
            )

            def changed(platforms: Platforms, files: Path) -> Configuration:
                emulated.append(platforms)
                return change(configuration(platforms, files))

            patch.setattr(Platforms, "configuration", changed)
            url = await stack.enter_async_context(
                sandbox.sandbox("127.0.0.1", 0, folder, empty=False, engines=engines or {})
            )
        jar = aiohttp.CookieJar(unsafe=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(url, cookie_jar=jar))
        yield InProcess(url, http, built[0], emulated[0])
