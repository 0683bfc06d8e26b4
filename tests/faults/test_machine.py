"""The machine itself runs out of something: the bot says so, waits, and goes on by itself. A full
disk and a locked database are tried in tests/scenarios/test_faults_storage.py."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
from pathlib import Path

import aiohttp
import pytest

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


async def test_a_folder_that_turns_read_only_delays_what_was_sent_and_loses_nothing(
    tmp_path: Path,
) -> None:
    """A file system of its own below the bot's files. Under the database itself no kernel turns a
    file system read-only while it is open for writing, but in an emergency of its own; what the
    bot then meets is a refused write, as on a full disk."""
    files = tmp_path / "files"
    files.mkdir()
    if not mount("-t", "tmpfs", "tmpfs", str(files)):
        pytest.skip("nothing may be mounted here")
    sandbox = Sandbox(tmp_path)
    try:
        await sandbox.start()
        rep = Speaker(sandbox, "wecom", "zhangwei")
        await rep.say("全部取消")
        assert mount("-o", "remount,ro", str(files))
        form = aiohttp.FormData()
        for key, value in (("platform", "wecom"), ("from", "zhangwei"), ("kind", "file")):
            form.add_field(key, value)
        form.add_field("file", b"%PDF-1.4 read-only", filename="报价.pdf")
        async with sandbox.http.post("/sandbox/api/say", data=form) as answer:
            assert answer.status == 200
        other = Speaker(sandbox, "dingtalk", "wulei01")
        await sandbox.post("say", **{"platform": "dingtalk", "from": "wulei01", "text": "帮助"})
        async with asyncio.timeout(20):
            while HELP not in words(await other.look()):  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.1)
        assert "报价.pdf" not in words(await rep.look()), "nothing is told before it is kept"
        assert mount("-o", "remount,rw", str(files))
        await sandbox.quiesce()
        assert "报价.pdf" in words(await rep.look())
        kept = [one.read_bytes() for one in files.rglob("*") if one.is_file()]
        assert b"%PDF-1.4 read-only" in kept
    finally:
        await sandbox.stop()
        subprocess.run(["umount", str(files)], check=False)  # noqa: ASYNC221, S603, S607


def mount(*how: str) -> bool:
    """False where it is not allowed."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    done = subprocess.run(["mount", *how], capture_output=True, check=False)  # noqa: S603, S607
    return done.returncode == 0
