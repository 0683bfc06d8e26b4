"""The command line: what is printed, and the exit code.

0: done. 1: the thing asked about does not hold. 2: wrong usage or configuration, in one line.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import typer

import run_bot
from storage import admin
from storage.database import Database
from tests.scenarios.driver import ROOT, Sandbox
from tests.storage.samples import AT, envelope, member

NOW = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Shell:
    """Commands in a folder of their own, with nothing of ours in the environment."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "gendan.db"

    @property
    def environment(self) -> Mapping[str, str]:
        ours = {
            "GENDAN_CONFIG": "gendan.toml",
            "GENDAN_STORAGE__URL": f"sqlite:///{self.database}",
            "GENDAN_STORAGE__FILES": str(self.folder / "files"),
        }
        return {**os.environ, **ours, **self.more}

    def configure(self, text: str) -> None:
        (self.folder / "gendan.toml").write_text(text, encoding="utf-8")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(ROOT / "run_bot.py"), *words]

    async def run(self, *words: str, stdin: bytes = b"") -> Ended:
        process = await asyncio.create_subprocess_exec(
            *self.command(*words),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(240):
            out, err = await process.communicate(stdin)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def refusal(self, *words: str) -> str:
        """The one line that a command says when it ends with 2."""
        ended = await self.run(*words)
        assert (ended.code, ended.out) == (2, ""), ended
        (line,) = ended.err.splitlines()
        return line.removeprefix("gendan: ")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    shell.configure("")
    return shell


@pytest.fixture
async def platforms(tmp_path: Path) -> AsyncIterator[Sandbox]:
    """Two emulated platforms to connect to, with a bot at the address that they call."""
    sandbox = Sandbox(tmp_path / "platforms", "--empty")
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


def connected_to(
    url: str, apps: list[dict[str, str]], *, dingtalk_mode: str = "http", **keys: str
) -> str:
    """A configuration for the emulated applications at `url`."""
    wecom, dingtalk = apps
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(
        [
            *lines,
            'admins = ["wecom:zhaoqian"]',
            "[wecom.sales]",
            f'corp_id = "{wecom["corp_id"]}"',
            f"agent_id = {wecom['agent_id']}",
            f'secret = "{wecom["app_secret"]}"',
            f'token = "{wecom["token"]}"',
            f'aes_key = "{wecom["aes_key"]}"',
            f'base_url = "{url}/sandbox/wecom"',
            "[dingtalk.sales]",
            f'corp_id = "{dingtalk["corp_id"]}"',
            f'client_id = "{dingtalk["app_key"]}"',
            f'client_secret = "{dingtalk["app_secret"]}"',
            f'mode = "{dingtalk_mode}"',
            f'api_url = "{url}/sandbox/dingtalk"',
            f'oapi_url = "{url}/sandbox/dingtalk"',
        ]
    )


async def apps_of(sandbox: Sandbox) -> list[dict[str, str]]:
    """Without the intelligent robot, which needs no configuration."""
    found: list[dict[str, str]] = (await sandbox.get("world"))["apps"]
    return [app for app in found if app["kind"] != "aibot"]


async def test_understand_answers_line_by_line_and_goes_on_after_a_bad_one(shell: Shell) -> None:
    said = {"text": "刚和恒锐机电王总通了25分钟电话，嫌价格高", "now": "2026-03-02T15:00:00+08:00"}
    lines = [json.dumps(said, ensure_ascii=False).encode(), b"{", b"\xff\xfe", b'{"text": 5}']
    ended = await shell.run("understand", stdin=b"\n".join(lines))
    answers = [json.loads(line) for line in ended.out.splitlines()]
    assert (ended.code, len(answers)) == (0, 4), ended.err
    assert answers[0]["duration_min"] == 25
    assert all("error" in answer for answer in answers[1:])


async def test_conversions_are_counted_from_a_file_or_refused_in_one_line(shell: Shell) -> None:
    moved = {"id": "e1", "at": "2026-03-02T00:30:00+08:00", "customer": "恒锐机电", "by": "zhang3"}
    moved |= {"from": "lead", "to": "opportunity"}
    for filled, name in ((3, "good.json"), ("3", "bad.json")):
        log = {"initial": {"恒锐机电": "lead"}, "events": [moved | {"required_filled": filled}]}
        (shell.folder / name).write_text(json.dumps(log), encoding="utf-8")
    ended = await shell.run("conversions", "--events", "good.json")
    assert ended.code == 0, ended.err
    day = {"numerator": 1, "denominator": 1, "rate": 1.0}
    assert json.loads(ended.out) == {"days": {"2026-03-02": day}, "rejected": []}
    assert "events[0]: required_filled" in await shell.refusal(
        "conversions", "--events", "bad.json"
    )
    assert "none.json" in await shell.refusal("conversions", "--events", "none.json")


async def test_understand_knows_the_customers_of_a_file(shell: Shell) -> None:
    (shell.folder / "names.txt").write_text("恒锐机电有限公司\n", encoding="utf-8")
    said = json.dumps({"text": "刚和恒锐机电通了10分钟电话"}).encode()
    ended = await shell.run(
        "understand", "--customers", "names.txt", "--now", "2026-03-02T15:00", stdin=said
    )
    assert (ended.code, "恒锐机电有限公司" in ended.out) == (0, True), ended


async def test_files_that_cannot_be_read_are_named(shell: Shell) -> None:
    (shell.folder / "gbk.txt").write_bytes("恒锐机电".encode("gbk"))
    names = ("nowhere.txt", "gbk.txt")
    told = await asyncio.gather(
        *(shell.refusal("understand", "--customers", name) for name in names)
    )
    assert all(name in line for name, line in zip(names, told, strict=True))


WRONG_USAGE = {
    "conquer": "conquer",
    "sandbox --port many": "--port",
    "understand --now tomorrow": "tomorrow",
    "understand --bogus": "--bogus",
    "replay": "--failed",
    "replay --since yesterday": "yesterday",
    "db": "command",
    "db backup": "file",
}


def test_every_command_says_what_each_of_its_words_means() -> None:
    untold = []
    waiting = [typer.main.get_command(run_bot.cli)]
    for command in waiting:
        waiting += getattr(command, "commands", {}).values()
        untold += [
            f"{command.name}: {param.name}"
            for param in command.params
            if not getattr(param, "help", None)
        ]
        assert command.help, command.name
    assert len(waiting) > 20
    assert untold == []


async def test_wrong_usage_is_told_in_one_line(shell: Shell) -> None:
    told = await asyncio.gather(*(shell.refusal(*line.split()) for line in WRONG_USAGE))
    for line, says in zip(told, WRONG_USAGE.values(), strict=True):
        assert says in line.lower()


async def test_without_a_platform_there_is_nothing_to_serve_or_examine(shell: Shell) -> None:
    told = await asyncio.gather(shell.refusal("serve"), shell.refusal("doctor"))
    assert all("gendan setup" in line for line in told)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 9000", "prot"),
        ("port = 'many'", "port"),
        ("[wecom.sales]\ncorp_id = 'ww1'\nagent_id = 'x'", "wecom.sales"),
        ("port = ", "gendan.toml"),
        ("policy = 'nowhere.toml'", "nowhere.toml"),
        ("[storage]\nurl = 'mysql://x'", "storage.url"),
    ],
)
async def test_a_wrong_configuration_names_the_key(shell: Shell, text: str, says: str) -> None:
    shell.configure(text)
    if "storage" in text:
        shell.more["GENDAN_STORAGE__URL"] = ""
    ended = await shell.run("understand")
    assert (ended.code, says in ended.err, "Traceback" in ended.err) == (2, True, False), ended


async def test_an_occupied_port_is_named(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in await shell.refusal(
            "sandbox", "--port", str(port), "--data", str(shell.folder / "data")
        )


async def test_a_missing_database_is_named_and_not_made(shell: Shell) -> None:
    commands = (["replay", "--failed"], ["db", "verify"], ["db", "backup", "copy.db"])
    told = await asyncio.gather(*(shell.refusal(*words) for words in commands))
    assert all(str(shell.database) in line for line in told)
    assert not shell.database.exists()


async def test_a_database_that_does_not_answer_is_told_in_one_line(shell: Shell) -> None:
    shell.more["GENDAN_STORAGE__URL"] = "postgresql://nobody:geheim@127.0.0.1:1/nothing"
    assert "geheim" not in await shell.refusal("db", "verify")


async def test_a_database_is_made_backed_up_and_verified(shell: Shell) -> None:
    assert (await shell.run("db", "upgrade")).code == 0
    assert (await shell.run("db", "verify")).code == 0
    assert (await shell.run("db", "backup", "copy.db")).code == 0
    assert "exists" in await shell.refusal("db", "backup", "copy.db")
    (shell.folder / "key").write_text("k" * 40, encoding="utf-8")
    assert (await shell.run("db", "backup", "sealed", "--key-file", "key")).code == 0
    assert "move it away" in await shell.refusal("db", "restore", "copy.db")
    for name, more in (("copy.db", ()), ("sealed", ("--key-file", "key"))):
        for file in shell.database.parent.glob(f"{shell.database.name}*"):
            file.unlink()
        ended = await shell.run("db", "restore", name, *more)
        assert (ended.code, "没有发现问题" in ended.out) == (0, True), ended
        assert (await shell.run("db", "verify")).code == 0


async def test_figures_are_rebuilt_by_libraries_that_were_sent_in_too(shell: Shell) -> None:
    """The command used to end with a traceback as soon as one library had been sent in."""
    url = shell.environment["GENDAN_STORAGE__URL"]
    await admin.upgrade(url)
    database = await Database.open(url)
    async with database.begin() as tx:
        zhao = await member(tx, "zhao")
        source = (ROOT / "config" / "actions" / "saas.toml").read_bytes()
        await tx.libraries.add_version(
            "ours", file_name="ours.toml", source=source, person_id=zhao.id, at=NOW
        )
    await database.close()
    ended = await shell.run("db", "rebuild-figures")
    assert ended == Ended(0, "重算完成：0 条阶段事件\n", "")


async def test_a_changed_audit_entry_does_not_verify(shell: Shell) -> None:
    url = shell.environment["GENDAN_STORAGE__URL"]
    await admin.upgrade(url)
    database = await Database.open(url)
    async with database.begin() as tx:
        await tx.audit.append(
            at=NOW, actor="system", action="x", subject="x", before=None, after={"amount": 1}
        )
    await database.close()
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("UPDATE audit SET after = '{\"amount\":2}'")
        connection.commit()
    ended = await shell.run("db", "verify")
    assert (ended.code, "审计链在第 1 条断开" in ended.out) == (1, True), ended


async def test_an_audit_chain_without_its_end_does_not_verify_by_its_head(shell: Shell) -> None:
    url = shell.environment["GENDAN_STORAGE__URL"]
    await admin.upgrade(url)
    database = await Database.open(url)
    for _ in range(2):
        async with database.begin() as tx:
            await tx.audit.append(
                at=NOW, actor="system", action="x", subject="x", before=None, after=None
            )
            seq, seal = await tx.audit.head()
    await database.close()
    assert (await shell.run("db", "verify", "--head", f"{seq}:{seal}")).code == 0
    assert (await shell.run("db", "verify", "--head", f"{seq}:{seal[:8]}")).code == 2
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("DELETE FROM audit WHERE seq = 2")
        connection.commit()
    assert (await shell.run("db", "verify")).code == 0
    ended = await shell.run("db", "verify", "--head", f"{seq}:{seal}")
    assert (ended.code, "第 2 条和给出的校验值对不上" in ended.out) == (1, True), ended


async def test_replay_puts_back_what_it_is_told(shell: Shell) -> None:
    await shell.run("db", "upgrade")
    told = await asyncio.gather(
        shell.run("replay", "--failed"),
        shell.run("replay", "--id", "4711", "--id", "4712"),
        shell.run("replay", "--since", "2026-01-28T08:00"),
    )
    for ended in told:
        assert (ended.code, ended.out) == (0, "0 条已放回，等待重新处理或发送\n"), ended


async def test_replay_says_whose_words_are_gone(shell: Shell) -> None:
    await shell.run("db", "upgrade")
    database = await Database.open(shell.environment["GENDAN_STORAGE__URL"])
    inbox_id = await database.append(envelope(unreadable="torn"))
    later = AT + timedelta(days=1)
    async with database.begin() as tx:
        await tx.raw_words.go_on("inbox", before=later, at=later)
    await database.close()
    ended = await shell.run("replay", "--id", str(inbox_id))
    assert (ended.code, ended.err) == (0, ""), ended
    assert f"0 条已放回，等待重新处理或发送\n{inbox_id} 的原文已经删除" in ended.out


async def test_the_doctor_finds_everything_in_order(shell: Shell, platforms: Sandbox) -> None:
    shell.configure(connected_to(platforms.url, await apps_of(platforms), public_url=platforms.url))
    await shell.run("db", "upgrade")
    ended = await shell.run("doctor")
    assert (ended.code, ended.err) == (0, ""), ended
    other = [line for line in ended.out.splitlines() if line[0] != "✓"]
    unseen = [line.partition("：")[0] for line in other if "机器人没有在运行" not in line]
    assert unseen == ["– 钉钉 sales 卡片模板", "– 语音", "– 合同识别"], other
    assert sum("收到的回调" in line for line in other) == 3
    assert "企业微信 sales 权限：能读到 13 人" in ended.out
    assert "本月已用 0 / 5000 次" in ended.out


async def test_the_doctor_tells_what_is_wrong_and_looks_at_the_rest(
    shell: Shell, platforms: Sandbox
) -> None:
    """A secret that was reset, no database yet, and nobody at the public address; which
    DingTalk does not need when the bot listens over Stream."""
    wecom, dingtalk = await apps_of(platforms)
    wecom["app_secret"] = "reset"
    nobody = "http://127.0.0.1:1"
    apps = [wecom, dingtalk]
    shell.configure(connected_to(platforms.url, apps, dingtalk_mode="stream", public_url=nobody))
    ended = await shell.run("doctor")
    told = dict(line.split("：", 1) for line in ended.out.splitlines())
    assert ended.code == 1
    assert "Secret 不正确" in told["✗ 企业微信 sales 凭证"]
    assert "✗ 企业微信 sales 回调" in told
    assert "no database" in told["✗ 数据库"]
    assert "✓ 钉钉 sales 凭证" in told
    assert "✓ 钉钉 sales Stream" in told
    assert not any("钉钉" in name and "回调" in name for name in told)
    assert "reset" not in ended.out


async def test_setup_writes_a_configuration_and_examines_it(
    shell: Shell, platforms: Sandbox
) -> None:
    wecom, _ = await apps_of(platforms)
    shell.more["GENDAN_WECOM__SALES__BASE_URL"] = f"{platforms.url}/sandbox/wecom"
    answers = [
        "1", "", wecom["corp_id"], wecom["agent_id"], wecom["app_secret"], wecom["token"],
        wecom["aes_key"], platforms.url, "zhaoqian",
        "0",
    ]  # fmt: skip
    (shell.folder / "gendan.toml").unlink()
    ended = await shell.run("setup", stdin="".join(f"{answer}\n" for answer in answers).encode())
    assert ended.code == 0, ended
    assert "✓ 企业微信 sales 凭证" in ended.out
    assert wecom["app_secret"] not in ended.out
    assert (shell.folder / "secrets" / "sales-secret").read_text() == f"{wecom['app_secret']}\n"


async def test_stopping_in_the_middle_of_setup_changes_nothing(shell: Shell) -> None:
    ended = await shell.run("setup", stdin=b"1\nsales\n")
    assert (ended.code, ended.err.splitlines()[-1]) == (2, "gendan: 已中断 (interrupted)")
    assert (shell.folder / "gendan.toml").read_text() == ""


async def test_the_bot_serves_while_its_platforms_are_away_and_notices_their_return(
    shell: Shell, platforms: Sandbox
) -> None:
    """A line when a platform is lost, one when it is back; the menu is made then."""
    apps = await apps_of(platforms)
    port = int(platforms.url.rsplit(":", 1)[1])
    await platforms.stop()
    own = free_port()
    shell.configure(connected_to(platforms.url, apps, host="127.0.0.1"))
    shell.more["GENDAN_PORT"] = str(own)
    process = await asyncio.create_subprocess_exec(
        *shell.command("serve"), cwd=shell.folder, env=shell.environment, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(240):
            await heard(process, "platform out of reach", times=2)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{own}") as http:
                async with http.get("/readyz") as answer:
                    assert answer.status == 200
                    troubles = (await answer.json())["troubles"]
                    assert set(troubles) == {"wecom:sales", "dingtalk:sales"}
                await platforms.start(port)
                await heard(process, "platform in reach again", times=2)
                async with http.get("/readyz") as answer:
                    assert (await answer.json())["troubles"] == {}
            menu = (await platforms.get("world"))["menus"]["wecom"]["button"]
            assert [entry["name"] for entry in menu] == ["待办", "我的灯", "帮助"]
    finally:
        process.terminate()
        assert await process.wait() == 0


async def heard(process: asyncio.subprocess.Process, event: str, *, times: int) -> None:
    """Wait until the log has said it for so many applications, once for each."""
    assert process.stderr is not None
    channels: list[str] = []
    while len(channels) < times:
        line = await process.stderr.readline()
        assert line, f"the bot ended; it had said it of {channels}"
        said = json.loads(line)
        channels += [said["channel"]] if said["event"] == event else []
    assert len(set(channels)) == times


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
