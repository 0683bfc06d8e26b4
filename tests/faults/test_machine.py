"""The machine itself runs out of something: the bot says so, waits, and goes on by itself. A full
disk and a locked database are tried in tests/scenarios/test_faults_storage.py."""

from __future__ import annotations

import asyncio
import os
import resource
from pathlib import Path

import aiohttp

from tests.scenarios.driver import Sandbox, Speaker, words

HELP = "像平时说话一样"


async def test_without_file_handles_it_waits_and_then_goes_on(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, "--empty")
    await sandbox.start()
    try:
        rep = Speaker(sandbox, "wecom", "chenjing")
        assert words(await rep.say("帮助")).count(HELP) == 1
        soft, hard = resource.prlimit(sandbox.pid, resource.RLIMIT_NOFILE)
        opened = len(os.listdir(f"/proc/{sandbox.pid}/fd"))
        resource.prlimit(sandbox.pid, resource.RLIMIT_NOFILE, (opened, hard))
        # Connections that are open go on; nobody new gets in.
        said = {"platform": "wecom", "from": "chenjing", "chat": None, "text": "帮助"}
        tried = await asyncio.gather(
            *(knock(sandbox, said) for _ in range(8)), return_exceptions=True
        )
        resource.prlimit(sandbox.pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert any(isinstance(one, TimeoutError | aiohttp.ClientError) for one in tried)
        await asyncio.sleep(1.5)  # by itself it tries to accept again after a second
        await sandbox.quiesce()
        await rep.say("帮助")
        accepted, answered = tried.count(200), words(await rep.all()).count(HELP)
        assert 2 + accepted <= answered <= 2 + len(tried), "what was accepted is answered, once"
        async with sandbox.http.get("/readyz") as answer:
            assert answer.status == 200, await answer.text()
    finally:
        await sandbox.stop()


async def knock(sandbox: Sandbox, said: dict[str, object]) -> int:
    """As somebody new; the status of the answer."""
    timeout = aiohttp.ClientTimeout(total=2)
    async with (
        aiohttp.ClientSession(sandbox.url, timeout=timeout) as stranger,
        stranger.post("/sandbox/api/say", json=said) as answer,
    ):
        return answer.status
