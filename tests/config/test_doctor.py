"""`doctor`: one line a check, the remedy beside what fails, exit code 1 if one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from bot.clock import FixedClock
from bot.errors import (
    AuthFailed,
    BotError,
    FilesAway,
    PermanentError,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)
from config import doctor
from config.doctor import Check, Finding
from config.settings import Settings
from storage.connections import Room

NOW = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where recordings would be kept is tried by writing there."""
    monkeypatch.chdir(tmp_path)


def gives(value: T) -> Callable[[], Awaitable[T]]:
    async def give() -> T:
        return value

    return give


def raises(error: Exception) -> Callable[[], Awaitable[int]]:
    async def fail() -> int:
        raise error

    return fail


async def finding(check: Check) -> Finding:
    ((_, found),) = await doctor.examine([check])
    return found


async def test_each_check_gets_one_line_in_the_order_given() -> None:
    results = await doctor.examine(
        [
            Check("甲", gives(Finding(True, "好"))),
            Check("乙", gives(Finding(False, "坏", "修"))),
            Check("丙", gives(Finding(None, "没查"))),
        ]
    )
    assert doctor.lines(results) == ["✓ 甲：好", "✗ 乙：坏。处理办法：修", "– 丙：没查"]
    assert doctor.exit_code(results) == 1


async def test_what_was_not_checked_does_not_fail() -> None:
    results = await doctor.examine([Check("丙", gives(Finding(None, "没查")))])
    assert doctor.exit_code(results) == 0


async def test_checks_run_side_by_side() -> None:
    met = asyncio.Barrier(2)

    async def meet() -> Finding:
        await met.wait()
        return Finding(True, "")

    results = await doctor.examine([Check("a", meet), Check("b", meet)], limit_s=5)
    assert doctor.exit_code(results) == 0


async def test_a_check_that_hangs_is_cut_off_and_the_others_are_told() -> None:
    async def hang() -> Finding:
        await asyncio.Event().wait()
        return Finding(True, "")

    checks = [Check("慢", hang), Check("快", gives(Finding(True, "好")))]
    slow, quick = doctor.lines(await doctor.examine(checks, limit_s=0.01))
    assert slow.startswith("✗ 慢：0.01 秒内没有答复")
    assert quick == "✓ 快：好"


async def test_a_broken_check_fails_alone() -> None:
    checks = [Check("坏", raises(KeyError("x"))), Check("好", gives(Finding(True, "好")))]  # type: ignore[arg-type]
    broken, fine = doctor.lines(await doctor.examine(checks))
    assert broken.startswith("✗ 坏：检查时出错 KeyError")
    assert fine == "✓ 好：好"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (AuthFailed("wecom:gettoken: 40001（Secret 不正确：请在管理后台查看）"), ""),
        (AuthFailed("HTTP 403: 服务器出口 IP 不在应用的白名单里"), "服务器出口IP"),
        (AuthFailed("HTTP 400, code invalidClientIdOrSecret"), "同一个应用"),
        (RateLimited("busy"), "过几分钟再试"),
        (Unavailable("not sent"), "能否访问该平台"),
        (TimedOut("no answer"), "能否访问该平台"),
        (Rejected("HTTP 400, code param.x"), "错误码文档"),
    ],
)
async def test_a_refusal_is_told_with_what_to_do(error: Exception, remedy: str) -> None:
    found = await finding(doctor.credentials("钉钉 sales", raises(error)))
    assert found.ok is False
    assert found.text == str(error)
    assert remedy in found.remedy
    assert bool(remedy) == bool(found.remedy)


async def test_credentials_permissions_and_address_that_work() -> None:
    assert (await finding(doctor.credentials("a", gives("token")))).ok
    assert (await finding(doctor.address("a", gives(None)))).ok
    assert (await finding(doctor.permissions("a", gives(12)))).text == "能读到 12 人"


async def test_attendance_and_approvals_are_tried() -> None:
    assert (await finding(doctor.records("wecom sales 审批", gives(None)))).ok

    async def refused() -> None:
        raise AuthFailed("301055")

    found = await finding(doctor.records("wecom sales 审批", refused))
    assert not found.ok
    assert "approvals" in found.remedy


async def test_external_contacts_are_tried() -> None:
    assert (await finding(doctor.external_contacts("a", gives(None)))).ok
    refused = raises(AuthFailed("48002（在「可调用接口的应用」中加入本应用）"))
    found = await finding(doctor.external_contacts("a", refused))
    assert (found.ok, "可调用接口的应用" in found.text) == (False, True)


async def test_signing_in_to_pages_is_tried() -> None:
    url = "https://bot.example.com"
    assert (await finding(doctor.sign_in("a", url, gives(None)))).ok
    refused = await finding(doctor.sign_in("a", url, raises(AuthFailed("48002"))))
    assert (refused.ok, "网页免登录" in refused.remedy) == (False, True)
    nowhere = await finding(doctor.sign_in("a", "", gives(None)))
    assert (nowhere.ok, "public_url" in nowhere.text) == (False, True)


async def test_a_token_is_never_shown() -> None:
    assert "geheim" not in (await finding(doctor.credentials("a", gives("geheim")))).text


async def test_seeing_nobody_is_a_missing_permission() -> None:
    found = await finding(doctor.permissions("a", gives(0)))
    assert (found.ok, "可见范围" in found.remedy) == (False, True)


@pytest.mark.parametrize(
    ("skew", "ok", "said"),
    [
        (timedelta(seconds=60), True, "慢 60 秒"),
        (timedelta(seconds=61), False, "慢 61 秒"),
        (timedelta(seconds=-61), False, "快 61 秒"),
    ],
)
async def test_a_clock_may_be_a_minute_off(skew: timedelta, ok: bool, said: str) -> None:
    found = await finding(doctor.clock("a", gives(NOW + skew), FixedClock(NOW)))
    assert (found.ok, said in found.text) == (ok, True)


@pytest.mark.parametrize(
    ("status", "ok"), [(403, True), (405, True), (401, True), (404, False), (502, False)]
)
async def test_a_door_that_refuses_strangers_is_reached(status: int, ok: bool) -> None:
    asked = []

    async def ask(url: str) -> int:
        asked.append(url)
        return status

    found = await finding(
        doctor.callback("企业微信 sales", "https://g.example.com", "/wecom/sales", ask)
    )
    assert asked == ["https://g.example.com/wecom/sales"]
    assert (found.ok, bool(found.remedy)) == (ok, not ok)


async def test_without_a_public_url_the_callback_is_not_checked() -> None:
    async def ask(_: str) -> int:
        raise AssertionError("nothing to ask")

    assert (await finding(doctor.callback("a", "", "/wecom/sales", ask))).ok is None


async def test_configuration_wants_a_platform_an_admin_and_an_address() -> None:
    app = {"corp_id": "d", "client_id": "c", "client_secret": "s"}
    empty = Settings()
    alone = Settings.model_validate({"dingtalk": {"sales": app}})
    named = {"dingtalk": {"sales": app}, "admins": ["dingtalk:1"]}
    unreachable = Settings.model_validate(named)
    whole = Settings.model_validate(named | {"public_url": "https://g.example.com"})
    listening = {"dingtalk": {"sales": {**app, "mode": "stream"}}, "admins": ["dingtalk:1"]}
    assert "gendan setup" in (await finding(doctor.configuration(empty))).remedy
    assert "admins" in (await finding(doctor.configuration(alone))).remedy
    assert "public_url" in (await finding(doctor.configuration(unreachable))).remedy
    assert (await finding(doctor.configuration(whole))) == Finding(True, "钉钉 sales")
    assert (await finding(doctor.configuration(Settings.model_validate(listening)))).ok


@dataclass
class App:
    """One application that answers, or refuses everything."""

    platform: str = "dingtalk"
    app: str = "sales"
    failure: BotError | None = None
    used: int = 100
    limit: int = 5000
    foretold: int | None = None

    async def check_credentials(self) -> None:
        if self.failure:
            raise self.failure

    async def check_address(self) -> None:
        await self.check_credentials()

    async def count_people(self) -> int:
        await self.check_credentials()
        return 12

    async def platform_time(self) -> datetime:
        await self.check_credentials()
        return NOW

    async def quota(self) -> App:
        return self


@dataclass
class ListeningApp(App):
    """One that keeps connections open instead of being called."""

    is_streamed: bool = True

    async def check_stream(self) -> None:
        await self.check_credentials()


@dataclass
class LeavesApp(App):
    """One that reads approved leaves, or may not."""

    reads_leaves: bool = True
    refusal: BotError | None = None

    async def read_leaves(self, user_ids: Sequence[str], *, at: datetime) -> Sequence[object]:
        assert user_ids
        if self.refusal:
            raise self.refusal
        return ()


async def test_a_permission_for_leaves_is_looked_at_where_they_are_wanted() -> None:
    assert not any("请假" in line for line in await examine_all(LeavesApp(reads_leaves=False)))
    assert any("读得到请假审批" in line for line in await examine_all(LeavesApp()))
    refused = LeavesApp(refusal=Rejected("48002"))
    (line,) = [line for line in await examine_all(refused) if "请假" in line]
    assert "48002" in line
    assert "leaves" in line


async def examine_all(app: App) -> list[str]:
    settings = Settings.model_validate(
        {
            "dingtalk": {"sales": {"corp_id": "d", "client_id": "c", "client_secret": "s"}},
            "admins": ["dingtalk:1"],
            "public_url": "https://g.example.com",
            "speech": {"engine": "openai", "base_url": "http://asr/v1", "model": "m"},
            "ocr": {"engine": "rapidocr"},
        }
    )

    async def ask(_: str) -> int:
        return 401

    probes = doctor.Probes(
        ask=ask,
        write=gives(None),
        complaints=gives(()),
        room=gives(None),
        hear=gives(None),
        scan=gives(None),
    )
    checks = doctor.every_check(settings, [app], probes, ours=FixedClock(NOW))
    return doctor.lines(await doctor.examine(checks))


async def test_a_language_model_is_examined_where_there_is_one() -> None:
    assert (await finding(doctor.language_model(gives("{}")))).ok
    found = await finding(doctor.language_model(raises(AuthFailed("llm: HTTP 401"))))
    assert (found.ok, found.text) == (False, "llm: HTTP 401")
    assert "[llm]" in found.remedy
    assert "语言模型" not in "".join(await examine_all(App()))


async def test_an_archive_is_examined_with_the_remedy_that_it_knows() -> None:
    assert (await finding(doctor.archive("sales", gives(None)))).ok
    found = await finding(doctor.archive("sales", raises(AuthFailed("archive: 301052"))))
    assert (found.ok, "[wecom.sales.archive]" in found.remedy) == (False, True)
    knows = await finding(doctor.archive("sales", raises(Rejected("10009（请添加可信 IP）"))))
    assert (knows.ok, knows.remedy) == (False, "")


async def test_the_queue_is_examined_with_what_to_mend() -> None:
    found = await finding(doctor.inbox_stream(gives("流 GENDAN 可用")))
    assert (found.ok, found.text) == (True, "流 GENDAN 可用")
    away = await finding(doctor.inbox_stream(raises(Unavailable("no NATS"))))
    assert (away.ok, "[queue]" in away.remedy) == (False, True)
    assert "收件队列" not in "".join(await examine_all(App()))


async def test_a_mailbox_is_examined_with_what_to_mend() -> None:
    assert (await finding(doctor.mailbox("sales", gives(None)))).ok
    away = await finding(doctor.mailbox("sales", raises(Unavailable("邮箱 sales 连不上"))))
    assert (away.ok, "[mail.sales]" in away.remedy) == (False, True)
    refused = raises(AuthFailed("邮箱 sales 拒绝登录：请核对用户名"))
    assert (await finding(doctor.mailbox("sales", refused))).remedy == ""


async def test_a_bucket_is_tried_with_what_to_mend() -> None:
    assert (await finding(doctor.object_store(gives(None)))).ok
    away = await finding(doctor.object_store(raises(FilesAway("文件存储暂时用不了"))))
    assert (away.ok, "[storage.s3]" in away.remedy) == (False, True)
    versioned = raises(PermanentError("对象存储开着版本控制：请关掉"))
    assert (await finding(doctor.object_store(versioned))).text == "对象存储开着版本控制：请关掉"
    assert "对象存储" not in "".join(await examine_all(App()))


async def test_an_erp_is_examined_and_its_own_complaint_shown() -> None:
    assert (await finding(doctor.accounts("kingdee", gives(None)))).ok
    refused = raises(Rejected("kingdee:AR_RECEIVEBILL: 字段不存在"))
    found = await finding(doctor.accounts("kingdee", refused))
    assert (found.ok, found.text) == (False, "kingdee:AR_RECEIVEBILL: 字段不存在")
    assert "[erp.kingdee]" in found.remedy


async def test_everything_about_an_application_is_examined() -> None:
    told = await examine_all(App())
    assert {line[0] for line in told} == {"✓"}
    for words in (
        "凭证",
        "IP 白名单",
        "权限",
        "时钟",
        "回调",
        "额度",
        "语音",
        "合同识别",
        "数据库",
        "磁盘",
    ):
        assert any(words in line for line in told)
    assert any("https://g.example.com/dingtalk/sales/cards 有应答" in line for line in told)
    assert "✓ 钉钉 sales 额度：本月已用 100 / 5000 次（2 %）" in told


async def test_an_application_that_listens_needs_no_address_but_the_gateway() -> None:
    told = await examine_all(ListeningApp())
    assert {line[0] for line in told} == {"✓"}
    assert any("Stream" in line and "网关给了票据" in line for line in told)
    assert not any("回调" in line for line in told)
    refused = ListeningApp(failure=AuthFailed("HTTP 401, code authFailed"))
    (line,) = [line for line in await examine_all(refused) if "Stream" in line]
    assert line.startswith("✗")
    assert "密钥" in line


async def test_an_application_that_is_called_is_examined_at_its_doors() -> None:
    told = await examine_all(ListeningApp(is_streamed=False))
    assert not any("Stream" in line for line in told)
    assert sum("回调" in line for line in told) == 2


async def test_one_refusal_does_not_hide_the_other_checks() -> None:
    told = await examine_all(App(failure=AuthFailed("HTTP 400, code invalidClientIdOrSecret")))
    assert sum(line.startswith("✗") for line in told) == 4
    assert any(line.startswith("✓ 磁盘") for line in told)


async def test_a_quota_that_runs_out_is_a_failure_with_a_remedy() -> None:
    (line,) = [line for line in await examine_all(App(used=4600)) if "额度" in line]
    assert line.startswith("✗")
    assert "monthly_calls" in line


async def test_what_the_month_will_come_to_is_told() -> None:
    (line,) = [line for line in await examine_all(App(foretold=6200)) if "额度" in line]
    assert line.startswith("✓")
    assert line.endswith("（2 %），照这个速度到月底约 6200 次")


async def test_the_engine_for_recordings_is_tried() -> None:
    assert doctor.lines(await doctor.examine([doctor.voice("sherpa", gives(None))])) == [
        "✓ 语音：sherpa 能听写"
    ]
    missing = PermanentError("没有安装 sherpa-onnx，请运行 pip install 'gendan[sherpa]'")
    found = await finding(doctor.voice("sherpa", raises(missing)))
    assert (found.ok, found.text) == (False, str(missing))


async def test_the_engine_for_papers_is_tried() -> None:
    assert (await finding(doctor.papers("rapidocr", gives(None)))).ok
    missing = raises(PermanentError("没有安装 rapidocr，请运行 pip"))
    found = await finding(doctor.papers("rapidocr", missing))
    assert (found.ok, found.text) == (False, "没有安装 rapidocr，请运行 pip")
    none = await finding(doctor.papers("none", missing))
    assert none.ok is None
    assert "另外打字" in none.text


async def test_no_engine_is_no_failure() -> None:
    found = await finding(doctor.voice("none", raises(AssertionError("nobody to ask"))))
    assert found.ok is None
    assert "打字" in found.text


async def test_storage_checks(tmp_path: Path) -> None:
    assert (await finding(doctor.database(gives(None)))).ok
    assert not (await finding(doctor.database(raises(OSError("read-only file system"))))).ok
    assert (await finding(doctor.schema(gives([])))).ok
    old = await finding(doctor.schema(gives(["请先运行 gendan db upgrade"])))
    assert (old.ok, old.text) == (False, "请先运行 gendan db upgrade")
    assert (await finding(doctor.connections(gives(None)))).ok
    full = await finding(doctor.connections(gives(Room(18, 3, 25, 90))))
    assert full.ok is False
    assert "max_connections" in full.remedy
    assert (await finding(doctor.connections(gives(Room(18, 3, 25, 97))))).ok
    room = await finding(doctor.disk(tmp_path / "not" / "yet" / "there"))
    assert room.ok is not None
    assert str(tmp_path) in room.text


async def test_a_robot_that_is_called_is_asked_at_its_door_and_another_at_its_link() -> None:
    asked: list[str] = []

    async def ask(url: str) -> int:
        asked.append(url)
        return 403

    door = doctor.callback("机器人", "https://g.example.com", "/wecom/helper/aibot", ask)
    assert (await finding(door)).ok
    assert asked == ["https://g.example.com/wecom/helper/aibot"]
    assert (await finding(doctor.link("机器人", gives(None)))).ok
    assert (await finding(doctor.link("机器人", raises(Unavailable("wecom:aibot"))))).ok is False
