"""Words of customers and reps in what the bot sends: words, and never a link, a colour or a mention
inside a message that bears the bot's name."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.driver import Sandbox, Speaker, last_card, words
from tests.speech.ocr import papers

HOOK = "退款"
ATTACK = f'[{HOOK}](http://evil.example)<a href="http://evil.example">领</a><@limin>`码`'
TAG = re.compile(r"<[A-Za-z/!@]")
ACTS = re.compile(r"\]\s*[(:\[]|<[A-Za-z/!@]|`")
ADDRESS = re.compile(r"\w://")
OURS = re.compile(r"\[[^\]\n]*\]\((?:{}|https://applink\.dingtalk\.com/page/profile)[^)\s<]*\)")

NAMED = {
    "contacts": ("name", "title"),
    "opportunities": ("name",),
    "activities": ("title", "text"),
    "external_contacts": ("name",),
    "chat_groups": ("name",),
    "archive_messages": ("text",),
    "files": ("name",),
    "level_evidence": ("file_name", "number"),
    "departments": ("name",),
    "contracts": ("number",),
    "erp_customers": ("name",),
    "forecast_lines": ("risk",),
}
PEOPLE = {
    "wecom": ("zhangwei", "chenjing", "limin", "wangjianguo", "sunli", "madong", "zhaoqian"),
    "dingtalk": ("wulei01", "zhengshuang", "zhoutao001", "wangjianguo-d", "0147001"),
}
ORDERS = (
    "待办", "亮灯", "诊断", "团队总览", "过程数据", "客户 恒锐机电", "动态 恒锐机电",
    "打开聊天 恒锐机电", "话术 恒锐机电", "预测", "预测 团队", "公海", "网页", "奖金",
    "回款 甬江轴承", "客户 南海铝业", "动态 南海铝业", "绑定建议",
)  # fmt: skip


async def committed(sandbox: Sandbox) -> None:
    """A sale with its evidence and a forecast, which csm and supply are told of."""
    rep = Speaker(sandbox, "wecom", "zhangwei")
    told = f"刚和恒锐机电王总通了25分钟电话，嫌价格高{ATTACK}，下周三再联系"
    await rep.press(last_card(await rep.say(told)), "确认")
    await rep.say("恒锐机电 L1 PO号 PO-7788")
    await rep.send_file(f"{ATTACK}PO.pdf".replace("/", "／"), papers.pdf_with_text())
    level = [m for m in await rep.all() if m["kind"] == "card" and "定级" in m["card"]["title"]][-1]
    await rep.press(level, "确认定级")
    await rep.say(f"改预测 恒锐机电 388万 下周五 风险：等排产{ATTACK}")
    await rep.say("提交预测")
    await rep.say("评分 80 80 80 80 80")
    for label in ("确认", "提交"):
        cards = [m for m in await rep.all() if m["kind"] == "card"]
        card = [m for m in cards if "提交预测" in m["card"]["title"]][-1]
        await rep.press(card, label)


def poison(folder: Path) -> int:
    """Everything that has a name bears the attack; how many do."""
    changed = 0
    with closing(sqlite3.connect(folder / "gendan.db")) as database, database:
        for table, columns in NAMED.items():
            known = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            for column in known.intersection(columns):
                said_more = f"UPDATE {table} SET {column} = {column} || ? WHERE {column} <> ''"  # noqa: S608
                done = database.execute(said_more, (ATTACK,))
                changed += done.rowcount
        # Those that are asked for by name keep it.
        accounts = database.execute("SELECT id, name, aliases FROM accounts").fetchall()
        for number, name, aliases in accounts:
            if any(asked in name for asked in ("恒锐", "南海", "甬江")):
                continue
            names = json.dumps([f"{one}{ATTACK}" for one in json.loads(aliases)])
            rename = "UPDATE accounts SET name = ?, aliases = ? WHERE id = ?"
            database.execute(rename, (f"{name}{ATTACK}", names, number))
            changed += 1
    return changed


async def said(sandbox: Sandbox, chats: tuple[str, ...]) -> list[dict[str, Any]]:
    """All that anybody was told."""
    told = []
    for platform, people in PEOPLE.items():
        for user_id in people:
            told += await Speaker(sandbox, platform, user_id).all()
    for chat in chats:
        answers = (await sandbox.get("messages", platform="wecom", chat=chat))["messages"]
        told += [one for one in answers if one["from"] not in PEOPLE["wecom"]]
    return told


def acting(message: dict[str, Any], ours: re.Pattern[str]) -> str:
    """What its platform would make something of that is not ours; "" for nothing."""
    match message["platform"], message["kind"]:
        case _, "markdown":
            text = ours.sub("", message["text"])
            bare = ADDRESS.search(text) if message["chat"] is None else None
            return text if ACTS.search(text) or bare else ""
        case "dingtalk", "card":
            text = message["card"]["body"]
            return text if ACTS.search(text) or ADDRESS.search(text) else ""
        case "wecom", "text":
            return message["text"] if TAG.search(message["text"]) else ""
    return ""


def rename_people(folder: Path) -> None:
    """After the start, which reads their names from the platforms."""
    with closing(sqlite3.connect(folder / "gendan.db", timeout=30)) as database, database:
        database.execute("UPDATE people SET name = name || ?", (ATTACK,))


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    running = Sandbox(tmp_path)
    await running.start()
    yield running
    await running.stop()


async def test_no_message_lets_words_act(sandbox: Sandbox, tmp_path: Path) -> None:
    await committed(sandbox)
    await sandbox.stop()
    assert poison(tmp_path) > 100
    await sandbox.start()
    rename_people(tmp_path)
    for platform, people in PEOPLE.items():
        for user_id in people:
            speaker = Speaker(sandbox, platform, user_id)
            for order in ORDERS:
                await speaker.say(order)
    robot = Speaker(sandbox, "wecom", "zhangwei")
    for chat in ("robot-zhangwei", "wrGendanEast0001"):
        for order in ("客户 恒锐机电", "动态 恒锐机电", f"客户 {ATTACK}"):
            await robot.say(f"@跟单 {order}", chat=chat)
    await sandbox.post("clock", advance=16 * 3600)
    await sandbox.quiesce()

    told = await said(sandbox, ("robot-zhangwei", "wrGendanEast0001"))
    ours = re.compile(OURS.pattern.format(re.escape(sandbox.url)))
    attacked = [one for one in told if HOOK in words([one])]
    assert [found for one in attacked if (found := acting(one, ours))] == []
    read = "\n".join(words([one]) for one in attacked)
    for title in (
        "待办",
        "红灯",
        "诊断",
        "团队总览",
        "最近动态",
        "团队预测",
        "我的奖金",
        "备货变更",
    ):
        assert title in read
    seen = {(one["platform"], one["kind"]) for one in attacked}
    assert seen >= {(platform, kind) for platform in PEOPLE for kind in ("markdown", "card")}
    assert any(ours.search(words([one])) for one in told), "our own links still are links"
