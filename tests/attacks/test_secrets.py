"""A day of the whole program, with what goes wrong in it, at the chattiest log level: no secret
that it was given, and no access token that it fetched, is anywhere to be read."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import BaseModel, SecretStr
from sqlalchemy import select

from config import logs
from config.settings import Settings
from handlers.customers import personal_data
from storage.tables import tokens
from tests.scenarios.driver import Speaker, last_card, words
from tests.scenarios.foreign_client import app_of, post_dingtalk, post_wecom, text_xml
from tests.scenarios.in_process import InProcess, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHUT = "http://127.0.0.1:9"  # nobody listens at the port for discarding
OURS: dict[str, Any] = {
    "llm": {"enabled": True, "base_url": f"{SHUT}/v1", "model": "m", "key": "sk-vertraulich-llm-1"},
    "speech": {
        "engine": "openai", "base_url": f"{SHUT}/v1", "model": "m", "api_key": "vertraulich-asr-2",
    },
}  # fmt: skip
FORM_KEY = re.compile(r'name="form_key" value="(?P<key>[^"]+)"')


class Day(InProcess):
    """With everything that could be read of it from outside. The platforms' own answers are not:
    whoever may read those has the secrets."""

    def __init__(self, within: InProcess, log: io.StringIO) -> None:
        super().__init__(within.url, within.http, within.bot)
        self.log = log
        self.read: dict[str, str] = {}

    async def see(self, method: str, path: str, **more: Any) -> str:
        """What a request brings, its head included."""
        async with self.http.request(method, path, **more) as answer:
            told = await answer.text(errors="replace")
            self.read[f"{method} {path}"] = f"{answer.status} {dict(answer.headers)} {told}"
            return told


@pytest.fixture(scope="module")
def _logs_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs._NOISY}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory, _logs_restored: None) -> AsyncIterator[Day]:
    told = io.StringIO()
    logs.set_up("DEBUG", to=told)
    engines = Settings.model_validate(OURS)
    given = {name: getattr(engines, name) for name in ("llm", "speech", "ocr")}
    folder = tmp_path_factory.mktemp("day")
    async with running(folder, engines=given) as within:
        found = Day(within, told)
        await live_through(found, folder)
        yield found


async def live_through(day: Day, folder: Path) -> None:
    await talk(day)
    await knock(day)
    await look_at_pages(day)
    for path in ("/healthz", "/readyz", "/metrics"):
        await day.see("GET", path)
    customer = (await day.get("world"))["customers"][0]["id"]
    url, at = f"sqlite:///{folder / 'gendan.db'}", day.bot.clock.now()
    for asked in (personal_data.of_customer(customer), personal_data.of_person("wecom:chenjing")):
        file = folder / f"{asked.kind}.json"
        await personal_data.export(url, day.bot.outside.files, asked, file, at=at)
        day.read[f"export-{asked.kind}"] = file.read_text("utf-8")
    day.read["settings, printed"] = f"{day.bot.settings!r} {day.bot.settings}"
    logging.getLogger("test").error("as a mistake would", extra={"settings": day.bot.settings})


async def talk(day: Day) -> None:
    """Each platform well, and with everything that it can refuse."""
    faults = {
        "wecom": ("message/send", (500, 0), (200, 42001), (200, 60020), (200, 45009), (200, -1)),
        "dingtalk": ("batchSend", (500, 0), (401, "InvalidAuthentication"), (403, "Forbidden")),
    }
    people = (("wecom", "chenjing", "陈静"), ("dingtalk", "wulei01", "吴磊"))
    customers = (await day.get("world"))["customers"]
    for platform, who, name in people:
        speaker = Speaker(day, platform, who)
        customer = next(one["name"] for one in customers if one["owner"] == name)
        shown = await speaker.say(f"刚和{customer}通了25分钟电话，嫌价格高，下周三再联系")
        await speaker.press(last_card(shown), "确认")
        await speaker.send_file("录音.mp3", b"ID3" + bytes(500), kind="voice")
        await speaker.send_file("合同.pdf", b"%PDF-1.7 not one")
        api, *ways = faults[platform]
        for status, code in ways:
            more = {"errcode": code} if code else {}
            fault = {"platform": platform, "api": api, "status": status, "times": 1, **more}
            await day.post("fault", **fault)
            await speaker.say("帮助")
            await day.post("clock", advance=7200)
        assert words(await speaker.all())
    await day.post("clock", advance=3 * 86400)


async def knock(day: Day) -> None:
    """Strangers and nonsense at every door."""
    inner = text_xml(await app_of(day, "wecom"), "帮助", 9001)
    assert await post_wecom(day, inner, change={"token": "wrong"}) == 403
    assert await post_wecom(day, "<xml><a>") == 200
    assert await post_dingtalk(day, b"{", secret="another") == 401
    assert await post_dingtalk(day, b"{") == 200
    for app in (await day.get("world"))["apps"]:
        path = app["callback_url"].removeprefix(day.url)
        await day.see("GET", f"{path}?msg_signature=a&timestamp=1&nonce=2&echostr=3")
        await day.see("POST", path, data=b"nonsense")
    for path in ("/track", "/erp/kingdee", "/nothing/there", "/customers/1", "/wecom/nobody"):
        await day.see("POST", path, data=b"{")
        await day.see("GET", path)
    await day.quiesce()


async def look_at_pages(day: Day) -> None:
    """All that the administrator's menu and exports show."""
    async with day.http.get(
        "/sandbox/open", params={"platform": "wecom", "user": "zhaoqian", "path": "/admin"}
    ) as door:
        ticket = str(door.url).rpartition("/in/")[2]
    origin = {"Origin": day.url, "Accept": "text/html"}
    async with day.http.post("/in", data={"ticket": ticket}, headers=origin) as answer:
        assert answer.status == 200, await answer.text()
    pages = ["", "/people", "/bindings", "/libraries", "/policies", "/calendar", "/operations"]
    pages += ["/dead-letters", "/audit", "/exports"]
    for page in pages:
        told = await day.see("GET", f"/admin{page}", headers=origin)
        assert "<html" in told, page
    key = FORM_KEY.search(day.read["GET /admin/exports"])
    assert key is not None
    for table in ("people", "audit"):
        form = {"form_key": key["key"]}
        told = await day.see("POST", f"/admin/exports/{table}", data=form, headers=origin)
        assert told.count("\n") > 3


def secrets_of(model: BaseModel, name: str = "") -> Iterator[tuple[str, str]]:
    for field_name, value in model:
        yield from _secrets(f"{name}.{field_name}", value)


def _secrets(name: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case SecretStr() if len(value.get_secret_value()) > 5:
            yield name, value.get_secret_value()
        case BaseModel():
            yield from secrets_of(value, name)
        case dict():
            for key, one in value.items():
                yield from _secrets(f"{name}.{key}", one)
        case list() | tuple():
            for one in value:
                yield from _secrets(name, one)


async def every_secret(day: Day) -> dict[str, str]:
    given = dict(secrets_of(day.bot.settings))
    given.pop(".storage.url")  # here a path, without a password
    async with day.bot.database.read() as tx:
        rows = await tx._conn.execute(select(tokens.c.name, tokens.c.token))
        fetched = {f"token {row.name}": row.token for row in rows}
    assert len(given) >= 10, sorted(given)
    assert len(fetched) >= 2, sorted(fetched)
    return given | fetched


async def test_no_secret_is_logged(day: Day) -> None:
    told = day.log.getvalue()
    assert told.count("\n") > 50, "the log was not written"
    assert '"level": "debug"' in told
    assert [name for name, secret in (await every_secret(day)).items() if secret in told] == []


async def test_no_secret_is_shown_answered_exported_or_measured(day: Day) -> None:
    secrets = await every_secret(day)
    seen = [
        (where, name)
        for where, told in day.read.items()
        for name, secret in secrets.items()
        if secret in told
    ]
    assert seen == []
    assert len(day.read) > 25, sorted(day.read)


async def test_no_secret_is_said_in_chat(day: Day) -> None:
    secrets = await every_secret(day)
    for platform in ("wecom", "dingtalk"):
        said = await day.get("messages", platform=platform)
        assert len(said["messages"]) > 10
        assert [name for name, secret in secrets.items() if secret in str(said)] == []
