"""The mistakes that operators make, each made once against the emulated platforms: `doctor` says
in one line what is wrong and where to mend it. docs/operations.md has them as a table."""

from __future__ import annotations

import contextlib
import copy
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from bot.clock import Clock, FixedClock, WallClock
from config import doctor
from config.policy import ConfigError
from config.settings import Settings, load_settings
from config.wiring.examining import examined
from connectors.dingtalk import deliveries
from connectors.dingtalk.crypto import sign_card
from connectors.watching import answers
from connectors.web import server
from connectors.wecom import gate
from storage import admin
from tests.scenarios.driver import Speaker
from tests.scenarios.in_process import Configuration, InProcess, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
WRONG_KEY = "A" * 43
NOWHERE = "http://127.0.0.1:9"
CHENJING = "chenjing"
ROBOT = "helper"


@dataclass
class Bench:
    """A running bot beside the emulated platforms, and the configuration that fits them. other:
    the address of a website that is not ours."""

    sandbox: InProcess
    given: Configuration
    folder: Path
    other: str

    async def examine(
        self, given: Configuration, *, at: Clock | None = None, check: str = ""
    ) -> list[str]:
        """check: what is not needed for it is left away, since it costs processes and time."""
        given = copy.deepcopy(given)
        if check and "会话存档" not in check:
            del given["wecom"]["sales"]["archive"]
        for section, word in (("erp", "ERP"), ("mail", "邮箱")):
            if check and word not in check:
                del given[section]
        settings = Settings.model_validate(given)
        return doctor.lines(await examined(settings, ours=at or WallClock()))


@contextlib.asynccontextmanager
async def benched(
    folder: Path, spoil: Callable[[Configuration], None] = lambda given: None
) -> AsyncIterator[Bench]:
    """spoil: what the running bot's own configuration has wrong."""
    kept: list[Configuration] = []
    for counter in (answers._ANSWERED, gate._REFUSED, deliveries._DELIVERIES):
        counter.clear()  # of the bots that ran in this process before
    deliveries._counter.cache_clear()  # or it goes on counting where nobody looks

    def change(given: Configuration) -> Configuration:
        spoil(given)
        given["admins"] = ["wecom:zhaoqian"]
        kept.append(copy.deepcopy(given))
        return given

    bound = server.bind("127.0.0.1", 0)
    other = server.base_url(bound)
    welcome = web.get("/{any:.*}", _welcome)
    async with server.listening([welcome], bound), running(folder, change=change) as sandbox:
        (given,) = kept
        given["storage"]["url"] = f"sqlite:///{folder / 'gendan.db'}"
        given["port"] = int(sandbox.url.rpartition(":")[2])
        yield Bench(sandbox, given, folder, other)


async def _welcome(_: web.Request) -> web.Response:
    return web.Response(text="Welcome to nginx!")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with benched(tmp_path_factory.mktemp("doctor")) as bench:
        yield bench


def set_to(*path: str, to: object) -> Callable[[Bench, Configuration], None]:
    def mistake(_: Bench, given: Configuration) -> None:
        place: Any = given
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return mistake


def somebody_elses(bench: Bench, given: Configuration) -> None:
    given["public_url"] = bench.other


def another_domain(_: Bench, given: Configuration) -> None:
    given["public_url"] = given["public_url"].replace("127.0.0.1", "localhost")


def used_up(_: Bench, given: Configuration) -> None:
    given["dingtalk"]["sales"]["monthly_calls"] = 1


def no_library(bench: Bench, given: Configuration) -> None:
    archive = given["wecom"]["sales"]["archive"]
    archive["library"] = str(bench.folder / "libWeWorkFinanceSdk_C.so")
    del archive["adapter"]


def no_key_for_it(_: Bench, given: Configuration) -> None:
    given["wecom"]["sales"]["archive"]["keys"] = {1: "-----BEGIN nonsense"}


def not_a_folder(bench: Bench, given: Configuration) -> None:
    (bench.folder / "taken").write_text("a file")
    given["storage"]["files"] = bench.folder / "taken" / "files"


def old_tables(bench: Bench, given: Configuration) -> None:
    given["storage"]["url"] = f"sqlite:///{bench.folder / 'old.db'}"


def group_robot(platform: str) -> Callable[[Bench, Configuration], None]:
    return set_to(platform, "sales", "webhooks", to={"war_room": "removed-from-the-group"})


CONFIGURED: dict[str, tuple[Callable[[Bench, Configuration], None], str, str]] = {
    # Name -> the mistake, the check that finds it, and what it says.
    "企业微信的企业 ID": (
        set_to("wecom", "sales", "corp_id", to="wwother"),
        "企业微信 sales 凭证",
        "我的企业",
    ),
    "企业微信的 Secret": (
        set_to("wecom", "sales", "secret", to="wrong"),
        "企业微信 sales 凭证",
        "应用管理",
    ),
    "AgentId": (
        set_to("wecom", "sales", "agent_id", to=1000999),
        "企业微信 sales AgentId",
        "301002",
    ),
    "钉钉的 Client Secret": (
        set_to("dingtalk", "sales", "client_secret", to="wrong"),
        "钉钉 sales 凭证",
        "同一个应用",
    ),
    "回调地址不通": (set_to("public_url", to=NOWHERE), "企业微信 sales 回调", "处理办法"),
    "别人在应答（企业微信）": (somebody_elses, "企业微信 sales 回调", "反向代理指向哪台机器"),
    "别人在应答（钉钉）": (somebody_elses, "钉钉 sales robot 回调", "不是机器人在应答"),
    "EncodingAESKey 改过没重启": (
        set_to("wecom", "sales", "aes_key", to=WRONG_KEY),
        "企业微信 sales 回调",
        "EncodingAESKey",
    ),
    "可信域名不一致": (another_domain, "企业微信 sales AgentId", "可信域名"),
    "没有管理员": (set_to("admins", to=[]), "配置", "admins"),
    "钉钉额度": (used_up, "钉钉 sales 额度", "扩容包"),
    "企业微信群机器人": (group_robot("wecom"), "企业微信 sales 群机器人 war_room", "重新添加"),
    "钉钉群机器人": (group_robot("dingtalk"), "钉钉 sales 群机器人 war_room", "重新添加"),
    "卡片模板没发布": (
        set_to("dingtalk", "sales", "card_template_id", to="gendan-draft.schema"),
        "钉钉 sales 卡片模板",
        "已发布",
    ),
    "会话存档的库": (no_library, "企业微信 sales 会话存档", "libWeWorkFinanceSdk_C.so"),
    "会话存档的私钥文件": (no_key_for_it, "企业微信 sales 会话存档", "私钥"),
    "ERP 的密钥": (
        set_to("erp", "kingdee", "app_secret", to="wrong"),
        "ERP kingdee",
        "docs/erp.md",
    ),
    "文件目录": (not_a_folder, "文件目录", "所有者"),
    "数据库没升级": (old_tables, "数据库版本", "gendan db upgrade"),
    "邮箱授权码": (set_to("mail", "sales", "password", to="wrong"), "邮箱 sales", "授权码"),
}


async def test_nothing_is_wrong_to_begin_with(bench: Bench) -> None:
    told = await bench.examine(bench.given)
    assert [line for line in told if line.startswith("✗")] == []


@pytest.mark.parametrize("name", CONFIGURED)
async def test_a_mistake_in_the_configuration_is_told(bench: Bench, name: str) -> None:
    make, check, wanted = CONFIGURED[name]
    if make is old_tables:
        await behind(bench.folder / "old.db")
    given = copy.deepcopy(bench.given)
    make(bench, given)
    line = only(await bench.examine(given, check=check), check)
    assert line.startswith("✗"), line
    assert wanted in line
    assert "wrong" not in line


REFUSED: dict[str, tuple[str, str, int | str, str, str]] = {
    # Name -> what the emulated platform refuses: platform, call, code; the check; what it says.
    "企业可信 IP": ("wecom", "get_api_domain_ip", 60020, "企业微信 sales IP 白名单", "企业可信IP"),
    "钉钉出口 IP": ("dingtalk", "auth/scopes", 60020, "钉钉 sales IP 白名单", "服务器出口IP"),
    "客户联系的权限": (
        "wecom",
        "externalcontact/get_follow_user_list",
        48002,
        "wecom sales 外部联系人",
        "可调用接口的应用",
    ),
    "钉钉的接口权限": (
        "dingtalk",
        "topapi/v2/department/listsubid",
        60011,
        "钉钉 sales 权限",
        "开发者后台",
    ),
    "钉钉本月额度": (
        "dingtalk",
        "v1.0/card/instances",
        "Forbidden.AccessDenied.ApiCountLimitForOrg",
        "钉钉 sales 卡片模板",
        "扩容包",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_the_platform_refuses_is_told(bench: Bench, name: str) -> None:
    platform, api, errcode, check, wanted = REFUSED[name]
    refused = {"api": api, "errcode": errcode, "times": 20}
    world = bench.sandbox
    await world.post("fault", platform=platform, **refused)
    try:
        line = only(await bench.examine(bench.given, check=check), check)
    finally:
        await world.post("fault", platform=platform, api=api, times=1)
    assert line.startswith("✗"), line
    assert wanted in line


async def test_a_clock_that_is_off_is_told(bench: Bench) -> None:
    late = FixedClock(WallClock().now() + timedelta(minutes=10))
    check = "企业微信 sales 时钟"
    line = only(await bench.examine(bench.given, at=late, check=check), check)
    assert line.startswith("✗")
    assert "快" in line
    assert "set-ntp" in line


async def test_an_address_without_https_is_told() -> None:
    robot = {"corp_id": "d", "client_id": "c", "client_secret": "s"}
    given = {"dingtalk": {"sales": robot}, "admins": ["dingtalk:1"]}
    settings = Settings.model_validate({**given, "public_url": "http://bot.example.com"})
    (line,) = doctor.lines(await doctor.examine([doctor.configuration(settings)]))
    assert line.startswith("✗ 配置：public_url 是 http://bot.example.com，不是 https")


async def test_a_key_of_another_length_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gendan.toml"
    file.write_text('[wecom.sales]\ncorp_id = "ww1"\nagent_id = 1\nsecret = "s"\ntoken = "t"\n'
                    f'aes_key = "{WRONG_KEY[:-1]}"\n')  # fmt: skip
    monkeypatch.setenv("GENDAN_CONFIG", str(file))
    with pytest.raises(ConfigError, match=r"wecom\.sales\.aes_key：应为 43"):
        load_settings()


async def test_secrets_that_the_console_has_otherwise_show_in_what_the_bot_has_seen(
    tmp_path: Path,
) -> None:
    """The platforms sign with the console's secrets; the bot was given others."""

    def spoil(given: Configuration) -> None:
        given["wecom"][ROBOT]["token"] = "another"
        archive = given["wecom"]["sales"]["archive"]
        archive["keys"] = {2: archive["keys"][1]}

    async with benched(tmp_path, spoil) as bench:
        world, rep = bench.sandbox, Speaker(bench.sandbox, "dingtalk", "wulei01")
        said = {"platform": "wecom", "from": CHENJING, "chat": f"robot-{CHENJING}", "text": "帮助"}
        await world.post("say", **said)
        await rep.say("帮助")
        stamp = str(int(WallClock().now().timestamp() * 1000))
        signed = {
            "x-ddpaas-signature-timestamp": stamp,
            "x-ddpaas-signature": sign_card(stamp, "with which they were registered"),
        }
        async with world.http.post("/dingtalk/sales/cards", json={}, headers=signed) as answer:
            assert answer.status == 401
        await world.quiesce()
        told = await bench.examine(bench.given)
    assert "核对配置里的Token" in only(told, f"企业微信智能机器人 {ROBOT} 收到的回调")
    assert only(told, "企业微信 sales 收到的回调").startswith("✓")
    assert "card_callback_secret" in only(told, "钉钉 sales cards 收到的回调")
    assert "消息加密公钥" in only(told, "企业微信 sales 会话存档私钥")
    assert only(told, "钉钉 sales robot 收到的回调").startswith("✓")


async def test_each_mistake_stands_in_the_table_for_operators() -> None:
    table = PAGE.partition("## The usual mistakes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?P<name>[^|]+?) \|", table, re.MULTILINE)
    assert len(rows) - 2 >= 20
    missing = {*CONFIGURED, *REFUSED} - set(rows)
    assert not missing


def only(told: list[str], check: str) -> str:
    (line,) = [one for one in told if one[2:].startswith(f"{check}：")]
    return line


async def behind(file: Path) -> None:
    """A database that an older version has left."""
    await admin.upgrade(f"sqlite:///{file}")
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0030_won_events'")
        database.commit()
