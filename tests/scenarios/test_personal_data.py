"""A customer asks for its data, and then to be forgotten: the two commands, on a real sandbox's
database, with the bot stopped."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.scenarios.driver import Sandbox, Speaker, last_card
from tests.scenarios.test_commands import Shell

SAID = "刚和恒锐机电王建国厂长通了25分钟电话，他说儿子高考没心思，下周三再联系"
ELSEWHERE = "刚和宁波甬江轴承打了15分钟电话，没有异议，下周四再联系"


async def test_out_and_then_gone(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    await sandbox.start()
    rep = Speaker(sandbox, "wecom", "zhangwei")
    for text in (SAID, ELSEWHERE):
        await rep.press(last_card(await rep.say(text)), "确认")
    customers = (await sandbox.get("world"))["customers"]
    number = next(one["id"] for one in customers if "恒锐机电" in one["name"])
    await sandbox.stop()

    shell = Shell(tmp_path)
    shell.configure("")
    out = await shell.run("export-customer", str(number), "out.zip")
    assert (out.code, out.err) == (0, "")
    with zipfile.ZipFile(tmp_path / "out.zip") as pack:
        told = json.loads(pack.read("customer.json"))
    assert "高考".encode() in b"".join(_database_files(tmp_path))
    assert SAID in {row["text"] for row in told["tables"]["activities"]}
    assert "已经存在" in await shell.refusal("export-customer", str(number), "out.zip")
    assert "没有编号 99999" in await shell.refusal("erase-customer", "99999")

    (tmp_path / "out.zip").unlink()
    gone = await shell.run("erase-customer", str(number))
    assert gone.code == 0, gone.err
    assert json.loads(gone.out)["rows"]["inbox"] > 0
    assert "高考".encode() not in b"".join(_database_files(tmp_path))
    assert "没有发现问题" in (await shell.run("db", "verify")).out

    await sandbox.start()
    rep = Speaker(sandbox, "wecom", "zhangwei")
    assert "甬江轴承" in str(await rep.say("动态 甬江轴承"))
    shown = str(await rep.say("客户 恒锐机电"))
    assert "恒锐机电" in shown
    assert "王建国" not in shown
    await sandbox.stop()


def _database_files(folder: Path) -> list[bytes]:
    """With SQLite's log, where there is one."""
    return [file.read_bytes() for file in folder.glob("gendan.db*")]
