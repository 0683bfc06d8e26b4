"""A sandbox whose bot reaches the platforms through a proxy that breaks calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connectors.http import Http
from tests.faults.proxy import Proxy, proxying
from tests.scenarios.driver import Sandbox, Speaker
from tests.scenarios.in_process import Configuration, InProcess, running

PATIENCE_S = 0.8  # of the bot with a call, for these tests; a message may take 10 otherwise
HELP = "像平时说话一样"
REPS = {"wecom": ("chenjing", "陈静"), "dingtalk": ("wulei01", "吴磊")}
_URLS = ("base_url", "api_url", "oapi_url")


@dataclass
class Bench:
    """booked: receipts so far."""

    sandbox: InProcess
    proxy: Proxy
    booked: int = 0

    async def settle(self, minutes: float = 20) -> None:
        await self.sandbox.quiesce()
        await self.sandbox.post("clock", advance=minutes * 60)
        await self.sandbox.quiesce()


@asynccontextmanager
async def benched(folder: Path) -> AsyncIterator[Bench]:
    exchange = Http._exchange

    @asynccontextmanager
    async def impatient(
        self: Http, method: str, url: str, what: str, timeout_s: float, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        least = min(timeout_s, PATIENCE_S)
        async with exchange(self, method, url, what, least, **options) as answer:
            yield answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Http, "_exchange", impatient)
        async with proxying() as proxy:

            def through_the_proxy(given: Configuration) -> Configuration:
                proxy.target = given["public_url"]
                for kind in ("wecom", "dingtalk", "erp"):
                    for app in given[kind].values():
                        for key in app.keys() & set(_URLS):
                            app[key] = app[key].replace(proxy.target, proxy.url)
                archive = given["wecom"]["sales"]["archive"]
                archive["library"] = archive["library"].replace(proxy.target, proxy.url)
                archive["timeout_s"], archive["poll_s"] = 1, 1
                for box in given["mail"].values():
                    box["timeout_s"] = PATIENCE_S
                return given

            async with running(folder, change=through_the_proxy) as sandbox:
                yield Bench(sandbox, proxy)


async def customer_of(sandbox: Sandbox, speaker: Speaker) -> dict[str, Any]:
    owner = REPS[speaker.platform][1]
    world = await sandbox.get("world")
    return next(one for one in world["customers"] if one["owner"] == owner)
