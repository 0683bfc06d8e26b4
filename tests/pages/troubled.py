"""A company on a bad day: applications refused, long queues, letters given up, long names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert

from bot.domain.external import ChatGroup, ContactNews, ExternalContact, Follow
from bot.domain.people import Directory, DirectoryUser
from handlers.pages.admin.rooms import Application, Machine
from handlers.understanding.names import places
from storage.tables import inbox, outbox, ticks
from tests.pages.browsing import LONG_NAME
from tests.pages.website import Website

NOT_TRUSTED = (
    "wecom:message/send: 60020 not allow to access from your ip, "
    "from ip: 203.0.113.8（IP 203.0.113.8 不在企业可信IP中：请在管理后台「应用管理」→ 本应用 →"
    "「企业可信IP」中添加 203.0.113.8，约 1 分钟后生效）"
)
WRONG_SECRET = (
    "wecom:gettoken: 40001 invalid credential（Secret 不正确：请在管理后台「应用管理」→ "
    "本应用中查看 Secret，更新配置后重启）"
)
USED_UP = (
    "钉钉本月接口调用量已用完，下月恢复或请管理员购买扩容包（dingtalk:robot/oToMessages/batchSend: "
    "HTTP 403, code Forbidden.AccessDenied.QpmLimit: 本月调用量已用完）"
)
REASONS = (
    (NOT_TRUSTED, 214),
    ("wecom:message/send: 81013 user & party & tag all invalid（接收人都不在应用的可见范围内，"
     "或已离职：请在「应用管理」→ 本应用 →「可见范围」中添加）", 37),
    ("wecom:message/template_card: 42014 task_id duplicated or malformed", 6),
    ("", 2),
)  # fmt: skip
UNREAD = (
    ("unreadable: 签名对，内容读不懂 [3f1c09ab]", 41),
    ("没有连上模型 [5be2d110]", 12),
)


@dataclass(frozen=True)
class App:
    platform: str
    app: str
    refusal: str = ""


@dataclass(frozen=True)
class Line(App):
    """A long connection."""

    trouble: str = ""
    down_since: datetime | None = None


@dataclass(frozen=True)
class Used:
    month: str
    used: int
    limit: int
    foretold: int | None


def machine(now: datetime) -> Machine:
    """Of its five applications one is well."""
    ding = Used("2026-01", 492_310, 500_000, 538_400)

    async def quota(one: Application) -> Used | None:
        return ding if one.platform == "dingtalk" else None

    async def parts() -> Mapping[str, str]:
        return {"storage": "", "queue": "没有连上 nats://10.2.0.8:4222", "tokens": "2个凭证取不到"}

    async def archives() -> Mapping[str, Mapping[str, float]]:
        return {"archive": {"lag_seconds": 7900, "undecryptable": 1288, "broken": 12,
                            "files_waiting": 20417, "files_lost": 3}}  # fmt: skip

    down = now - timedelta(hours=3, minutes=12)
    return Machine(
        applications=(
            App("wecom", "sales", NOT_TRUSTED),
            App("wecom", "huadong-industrial-automation-sales", WRONG_SECRET),
            App("wecom", "aibot"),
            App("dingtalk", "sales"),
            App("dingtalk", "service"),
        ),
        listeners=(
            Line("dingtalk", "sales", trouble="平台没有接受连接：HTTP 401", down_since=down),
            Line("dingtalk", "service"),
        ),
        troubles=lambda: {"dingtalk:sales": USED_UP},
        parts=parts,
        quota=quota,
        archives=archives,
        keep_days={"archive": 30},
    )


async def befalls(website: Website) -> None:
    """What such a day leaves in the database."""
    await _letters(website)
    await _queues(website)
    await _long_names(website)


async def _put(website: Website, table: Table, rows: list[dict[str, Any]]) -> None:
    async with website.chat.database.begin() as tx:
        await tx.delivery._conn.execute(insert(table), rows)


def _outgoing(website: Website, number: int, **more: object) -> dict[str, object]:
    now = website.chat.now
    return {
        "dedupe_key": f"letter:{number}", "platform": "wecom", "app": "sales", "user_id": "zhang",
        "address": "wecom:sales:u:zhang", "content": '{"kind": "text", "text": "记一笔"}',
        "queued_at": now - timedelta(hours=2), "due_at": now, **more,
    }  # fmt: skip


async def _letters(website: Website) -> None:
    now, letters = website.chat.now, []
    for reason, count in REASONS:
        for _ in range(count):
            number = len(letters)
            where = "wecom:sales:g:wrHUADONG" if number % 7 == 0 else "wecom:sales:u:zhang"
            gone = now - timedelta(minutes=number)
            letters.append(
                _outgoing(website, number, state="dead", reason=reason, attempts=1 + number % 8,
                          address=where, finished_at=gone)
            )  # fmt: skip
    await _put(website, outbox, letters)
    row = {
        "channel": "wecom:sales:app", "conversation": "wecom:sales:u:zhang", "body": b"<xml/>",
        "sent_at": now, "received_at": now, "state": "dead", "finished_at": now,
    }  # fmt: skip
    unread = [(reason, n) for reason, count in UNREAD for n in range(count)]
    await _put(website, inbox, [
        {**row, "delivery_id": f"lost:{reason}:{n}", "reason": reason, "attempts": n % 6,
         "body": b"" if n == 0 else b"<xml/>"}
        for reason, n in unread
    ])  # fmt: skip


async def _queues(website: Website) -> None:
    now = website.chat.now
    waiting = [
        _outgoing(website, 10_000 + n, platform="dingtalk" if n % 3 else "wecom", state="queued",
                  attempts=0, queued_at=now - timedelta(hours=26))
        for n in range(3_000)
    ]  # fmt: skip
    await _put(website, outbox, waiting)
    row = {
        "conversation": "wecom:sales:u:zhang", "body": b"<xml/>", "state": "new", "attempts": 0,
        "sent_at": now, "received_at": now - timedelta(minutes=9),
    }  # fmt: skip
    doors = ("wecom:sales:app", "dingtalk:sales:robot", "dingtalk:sales:cards")
    await _put(website, inbox, [
        {**row, "channel": doors[n % 3], "delivery_id": f"waits:{n}"} for n in range(1_200)
    ])  # fmt: skip
    await _put(website, ticks, [
        {"job": "sweep lights", "scheduled_at": now - timedelta(hours=9), "claimed_at": now}
    ])  # fmt: skip


async def _long_names(website: Website) -> None:
    now = website.chat.now
    users = tuple(
        DirectoryUser(f"abdurehim.{n}", f"阿卜杜热西提·阿卜杜克力木·{n}", mobile=f"1390000{n:04}")
        for n in range(60)
    )
    name = "欧阳司徒总（华东区采购委员会）"
    contact = ExternalContact("wecom", "wmLong", name, company=LONG_NAME)
    group = ChatGroup("wecom", "wrLONG", f"{LONG_NAME}伺服产线改造三期项目沟通群", "zhang")
    async with website.chat.database.begin() as tx:
        await tx.people.save_directory(
            Directory("wecom", users=users, whole=False),
            roles_by_title=website.chat.policy.roles.roles_of, at=now,
        )  # fmt: skip
        news = ContactNews("wecom", (contact,), (Follow("wecom", "zhang", "wmLong"),))
        await tx.external_contacts.save(news, places=places(), at=now)
        await tx.chat_groups.save(group, at=now)
