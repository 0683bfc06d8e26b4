"""A customer asks for its data, and then to be forgotten, or one of its people, or one of ours: the
commands, on a real sandbox's database, with the bot stopped and with the bot running."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from bot.domain.people import Directory
from storage.database import Database
from storage.personal import person_columns
from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.scenarios.test_commands import Shell
from tests.storage.one_of_each import where_told
from tests.storage.samples import AT, everybody_is_a_rep

SAID = "刚和恒锐机电王建国厂长通了25分钟电话，他说儿子高考没心思，下周三再联系"
WITHOUT_HIM = "刚和恒锐机电打了20分钟电话，交期太长，下周五再联系"
VOICE = b"#!AMR\n" + bytes(200)
EVIDENCE = {f"{one.table.name}.{one.name}" for one in person_columns.EVIDENCE}
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


async def test_a_running_bot_goes_on_with_what_stays(tmp_path: Path) -> None:
    """A record that waits for its rep loses the words, and can still be confirmed."""
    sandbox = Sandbox(tmp_path)
    await sandbox.start()
    rep = Speaker(sandbox, "wecom", "zhangwei")
    card = last_card(await rep.say(SAID))
    shell = Shell(tmp_path)
    shell.configure("")
    gone = await shell.run("erase-customer", await _number_of(sandbox, "恒锐机电"))
    assert gone.code == 0, gone.err
    assert "高考".encode() not in b"".join(_database_files(tmp_path))
    pressed = words(await rep.press(card, "确认"))
    assert "25分钟" in pressed
    assert "已记录：杭州恒锐机电有限公司" in pressed
    assert "联系人" not in pressed
    assert "跟进电话" in words(await rep.say("动态 恒锐机电"))
    await sandbox.stop()
    assert "高考".encode() not in b"".join(_database_files(tmp_path))
    assert "没有发现问题" in (await shell.run("db", "verify")).out


async def test_one_contact_is_forgotten_and_the_customer_goes_on(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    await sandbox.start()
    rep = Speaker(sandbox, "wecom", "zhangwei")
    for text in (SAID, WITHOUT_HIM):
        await rep.press(last_card(await rep.say(text)), "确认")
    number = await _number_of(sandbox, "恒锐机电")
    await sandbox.stop()

    shell = Shell(tmp_path)
    shell.configure("")
    assert (await shell.run("export-contact", number, "王建国", "out.json")).code == 0
    told = json.loads((tmp_path / "out.json").read_bytes())
    assert {row["text"] for row in told["tables"]["activities"]} >= {SAID}
    assert WITHOUT_HIM not in {row["text"] for row in told["tables"]["activities"]}
    gone = await shell.run("erase-contact", number, "王建国")
    assert gone.code == 0, gone.err
    certificate = json.loads(gone.out)
    assert (certificate["customer_id"], certificate["contact"]) == (int(number), "王建国")
    assert certificate["kept"]
    (tmp_path / "out.json").unlink()
    assert "高考".encode() not in b"".join(_database_files(tmp_path))
    url = f"sqlite:///{tmp_path / 'gendan.db'}"
    assert await where_told(url, "王建国") == {"people.name"}, "a colleague is called so, too"
    assert "「王建国」还有别人也叫" in certificate["not_searched"]
    assert "没有联系人「王建国」" in await shell.refusal("erase-contact", number, "王建国")
    assert "没有发现问题" in (await shell.run("db", "verify")).out

    await sandbox.start()
    rep = Speaker(sandbox, "wecom", "zhangwei")
    assert "交期太长" in str(await rep.say("动态 恒锐机电"))
    await sandbox.stop()


async def test_who_left_goes_and_what_wages_are_proven_by_stays(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    await sandbox.start()
    rep = Speaker(sandbox, "wecom", "zhangwei")
    await rep.press(last_card(await rep.say(SAID)), "确认")
    await rep.say("今天心情不好，不想上班")
    await rep.send_file("语音.amr", VOICE, kind="voice")
    await sandbox.stop()
    url = f"sqlite:///{tmp_path / 'gendan.db'}"
    assert VOICE in _kept(tmp_path)

    shell = Shell(tmp_path)
    shell.configure("")
    refused = await shell.refusal("erase-person", "张伟")
    assert "张伟还在通讯录里" in refused
    assert (await shell.run("export-person", "张伟", "out.json")).code == 0
    assert "心情不好" in (tmp_path / "out.json").read_text("utf-8")
    (tmp_path / "out.json").unlink()
    number = await _leave(url, "zhangwei", to="chenjing")
    gone = await shell.run("erase-person", "张伟")
    assert gone.code == 0, gone.err
    assert "工资支付凭据" in gone.out
    left = await where_told(url, "张伟", "zhangwei", "13800000101")
    assert left <= {*EVIDENCE, "mail_boxes.box"}, "a mailbox is called as it is configured"
    assert "心情不好".encode() not in b"".join(_database_files(tmp_path))
    assert VOICE not in _kept(tmp_path)
    assert "没有发现问题" in (await shell.run("db", "verify")).out
    again = json.loads((await shell.run("erase-person", str(number))).out)
    assert not any(again["rows"].values())


async def _number_of(sandbox: Sandbox, name: str) -> str:
    customers = (await sandbox.get("world"))["customers"]
    return str(next(one["id"] for one in customers if name in one["name"]))


async def _leave(url: str, user_id: str, *, to: str) -> int:
    """As the platform's directory and a supervisor's order would have it."""
    database = await Database.open(url)
    gone = Directory("wecom", whole=False, left_user_ids=(user_id,))
    async with database.begin() as tx:
        person = await tx.people.find_by_identity("wecom", user_id)
        heir = await tx.people.find_by_identity("wecom", to)
        assert person is not None
        assert heir is not None
        for account in await tx.accounts.list_of_owner(person.id):
            await tx.accounts.transfer(account.id, heir.id, AT)
        await tx.people.save_directory(gone, roles_by_title=everybody_is_a_rep, at=AT)
    await database.close()
    return person.id


def _kept(folder: Path) -> list[bytes]:
    """The bytes of files, as they lie there."""
    return [file.read_bytes() for file in (folder / "files").rglob("*") if file.is_file()]


def _database_files(folder: Path) -> list[bytes]:
    """With SQLite's log, where there is one."""
    return [file.read_bytes() for file in folder.glob("gendan.db*")]
