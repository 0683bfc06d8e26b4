"""`doctor`: is everything that Gendan stands on in order? One line a check, with its remedy.

What a check has to ask (a platform, the database, a URL) is handed in as a small callable, so
this file knows no connector and no storage.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from bot.clock import Clock
from bot.errors import AuthFailed, BotError, PermanentError, RateLimited, TimedOut, Unavailable
from config.settings import Settings

LIMIT_S = 15.0
MAX_SKEW_S = 60
LEAST_FREE_BYTES = 1024**3
QUOTA_LOW_PERCENT = 80

# What a door answers to somebody who is not the platform (contracts: 401, 403), to a GET
# where only POST is served (405), or to a request without its parameters (400).
_DOOR_ANSWERS = frozenset({200, 400, 401, 403, 405})


@dataclass(frozen=True, slots=True)
class Finding:
    """ok: None when it could not or need not be checked. remedy: what to do, for a False."""

    ok: bool | None
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """name: Chinese, as shown. run may raise; a BotError's text is shown as it is."""

    name: str
    run: Callable[[], Awaitable[Finding]]


async def examine(
    checks: Sequence[Check], *, limit_s: float = LIMIT_S
) -> list[tuple[Check, Finding]]:
    """Run all at once, each at most `limit_s` seconds; the findings in the order of the checks."""
    findings = await asyncio.gather(*(_outcome(check, limit_s) for check in checks))
    return list(zip(checks, findings, strict=True))


def lines(results: Sequence[tuple[Check, Finding]]) -> list[str]:
    """What the operator reads: ✓ in order, ✗ not, – not checked."""
    marks = {True: "✓", False: "✗", None: "–"}
    return [
        f"{marks[finding.ok]} {check.name}：{finding.text}"
        + (f"。处理办法：{finding.remedy}" if finding.remedy else "")
        for check, finding in results
    ]


def exit_code(results: Sequence[tuple[Check, Finding]]) -> int:
    """1 if one fails; what was not checked fails nothing."""
    return int(any(finding.ok is False for _, finding in results))


async def _outcome(check: Check, limit_s: float) -> Finding:
    try:
        async with asyncio.timeout(limit_s):
            return await check.run()
    except BotError as error:
        return _explained(error)
    except TimeoutError:
        return Finding(False, f"{limit_s:g} 秒内没有答复", "检查网络、防火墙和代理")
    except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
        told = " ".join(str(error).split())[:200]
        return Finding(False, f"检查时出错 {type(error).__name__} {told}".rstrip())


def _explained(error: BotError) -> Finding:
    """Where a connector knows the remedy, its message asks for it (请…)."""
    text = str(error)
    if "请" in text:
        return Finding(False, text)
    match error:
        case AuthFailed() if "IP" in text:
            remedy = "在开发者后台「应用 → 安全设置 → 服务器出口IP」里加上本机的出口 IP"
        case AuthFailed():
            remedy = "核对企业 ID、应用 ID 和密钥是否出自同一个应用；密钥重置过就把新的写进配置"
        case RateLimited():
            remedy = "过几分钟再试"
        case TimedOut() | Unavailable():
            remedy = "检查本机能否访问该平台（网络、DNS、代理），平台恢复后再试"
        case _:
            remedy = "按报错里的编号查平台的错误码文档"
    return Finding(False, text, remedy)


class Application(Protocol):
    """One application of a platform, as far as it can be examined. Every method raises
    BotError; what each asks for stands at the check of the same name."""

    @property
    def platform(self) -> str: ...

    @property
    def app(self) -> str: ...

    async def check_credentials(self) -> None: ...

    async def check_address(self) -> None: ...

    async def count_people(self) -> int: ...

    async def platform_time(self) -> datetime: ...


class Robot(Protocol):
    """An intelligent robot of WeCom, which has no token and no directory of its own."""

    @property
    def app(self) -> str: ...

    @property
    def is_called(self) -> bool:
        """Else it keeps a connection open."""
        ...

    async def check_link(self) -> None:
        """Whether the platform's end of the connection answers. Subscribes nobody, since that
        would evict the bot that is running. Raises BotError."""
        ...


class QuotaState(Protocol):
    @property
    def used(self) -> int: ...

    @property
    def limit(self) -> int: ...

    @property
    def foretold(self) -> int | None:
        """At the month's end; None while it is too early to say."""
        ...


@runtime_checkable
class Metered(Protocol):
    """An application whose calls are paid for by the month."""

    async def quota(self) -> QuotaState: ...


@runtime_checkable
class Listening(Protocol):
    """An application that may keep connections open instead of being called."""

    @property
    def is_streamed(self) -> bool: ...

    async def check_stream(self) -> None:
        """Whether a connection could be opened. Opens none. Raises BotError."""
        ...


@runtime_checkable
class KnowsLeaves(Protocol):
    """An application that may be allowed to read approved leaves."""

    @property
    def reads_leaves(self) -> bool: ...

    async def read_leaves(
        self, user_ids: Sequence[str], *, at: datetime
    ) -> Sequence[object] | None: ...


_LABELS = {"wecom": "企业微信", "dingtalk": "钉钉"}
_NOBODY = "nobody"  # a wrong user id yields nothing, after the permission was looked at
_DOORS = {"wecom": ("",), "dingtalk": ("/robot", "/cards")}


def every_check(
    settings: Settings,
    applications: Sequence[Application],
    *,
    ask: Callable[[str], Awaitable[int]],
    write: Callable[[], Awaitable[object]],
    complaints: Callable[[], Awaitable[Sequence[str]]],
    hear: Callable[[], Awaitable[object]],
    scan: Callable[[], Awaitable[object]],
    ours: Clock,
    ask_model: Callable[[], Awaitable[object]] | None = None,
    erps: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    contacts: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    attendance: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    pages: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    robots: Sequence[Robot] = (),
    archives: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    mailboxes: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    queue: Callable[[], Awaitable[str]] | None = None,
) -> list[Check]:
    """All there is to check; what each callable is for stands at the check that takes it."""
    found = [configuration(settings)]
    for one in applications:
        found += _of_application(one, settings.public_url, ask, ours)
    for robot in robots:
        label = f"企业微信智能机器人 {robot.app}"
        if robot.is_called:
            path = f"/wecom/{robot.app}/aibot"
            found.append(callback(label, settings.public_url, path, ask))
        else:
            found.append(link(label, robot.check_link))
    found += [archive(name, look) for name, look in (archives or {}).items()]
    if ask_model is not None:
        found.append(language_model(ask_model))
    found += [external_contacts(name, look) for name, look in (contacts or {}).items()]
    found += [records(name, look) for name, look in (attendance or {}).items()]
    found += [sign_in(name, settings.public_url, look) for name, look in (pages or {}).items()]
    found += [accounts(name, ask_erp) for name, ask_erp in (erps or {}).items()]
    found += [mailbox(name, look) for name, look in (mailboxes or {}).items()]
    found.append(voice(settings.speech.engine, hear))
    found.append(papers(settings.ocr.engine, scan))
    if queue is not None:
        found.append(stream_of_the_inbox(queue))
    return [*found, database(write), schema(complaints), disk(settings.storage.files)]


def _of_application(
    one: Application, public_url: str, ask: Callable[[str], Awaitable[int]], ours: Clock
) -> Iterator[Check]:
    label = f"{_LABELS[one.platform]} {one.app}"
    yield credentials(label, one.check_credentials)
    yield address(label, one.check_address)
    yield permissions(label, one.count_people)
    yield clock(label, one.platform_time, ours)
    if isinstance(one, Listening) and one.is_streamed:
        yield stream(label, one.check_stream)
    else:
        for door in _DOORS[one.platform]:
            path = f"/{one.platform}/{one.app}{door}"
            yield callback(f"{label} {door.strip('/')}".rstrip(), public_url, path, ask)
    if isinstance(one, KnowsLeaves) and one.reads_leaves:
        yield leaves(label, lambda: one.read_leaves((_NOBODY,), at=ours.now()))
    if isinstance(one, Metered):
        yield quota(label, one.quota)


def configuration(settings: Settings) -> Check:
    """That something is configured, and what an operator tends to forget."""

    async def run() -> Finding:
        apps = [f"企业微信 {name}" for name in settings.wecom_apps]
        apps += [f"企业微信智能机器人 {name}" for name in settings.aibots]
        apps += [f"钉钉 {name}" for name in settings.dingtalk]
        if not apps:
            return Finding(False, "没有配置任何平台", "运行 gendan setup")
        if not settings.admins:
            return Finding(
                False, "没有管理员", '在 gendan.toml 里写 admins = ["wecom:用户ID"]，他才收得到告警'
            )
        is_called = any(app.mode == "http" for app in settings.dingtalk.values())
        if is_called and not settings.public_url:
            return Finding(
                False,
                "没有外网地址，钉钉卡片上的按钮按了没有反应",
                '在 gendan.toml 里写 public_url，或把钉钉应用改成 mode = "stream"',
            )
        return Finding(True, "、".join(apps))

    return Check("配置", run)


def credentials(app: str, fetch_token: Callable[[], Awaitable[object]]) -> Check:
    """fetch_token: asks the platform for an access token. Raises BotError."""

    async def run() -> Finding:
        await fetch_token()
        return Finding(True, "取到了 access_token")

    return Check(f"{app} 凭证", run)


def address(app: str, call: Callable[[], Awaitable[object]]) -> Check:
    """call: some harmless call with the token, which the platform refuses from an unlisted
    address. Raises BotError."""

    async def run() -> Finding:
        await call()
        return Finding(True, "平台接受本机的出口 IP")

    return Check(f"{app} IP 白名单", run)


def permissions(app: str, count_people: Callable[[], Awaitable[int]]) -> Check:
    """count_people: how many the application may see. Raises BotError."""

    async def run() -> Finding:
        people = await count_people()
        if people == 0:
            return Finding(
                False, "通讯录里一个人也看不到", "在管理后台把销售部门加进应用的可见范围"
            )
        return Finding(True, f"能读到 {people} 人")

    return Check(f"{app} 权限", run)


def leaves(app: str, read: Callable[[], Awaitable[object]]) -> Check:
    """read: approved leaves, of whomever. Raises BotError."""

    async def run() -> Finding:
        try:
            await read()
        except PermanentError as error:
            return Finding(
                False, str(error), "按文档开通请假审批（考勤）的权限，或在配置里去掉 leaves"
            )
        return Finding(True, "读得到请假审批")

    return Check(f"{app} 请假", run)


def records(name: str, look: Callable[[], Awaitable[object]]) -> Check:
    """Approvals or attendance of an application. look: reads a little of them. Raises BotError,
    which says what permission lacks."""

    async def run() -> Finding:
        try:
            await look()
        except PermanentError as error:
            wanted = "按文档开通审批、打卡（考勤）的权限，或在配置里去掉 approvals、checkins"
            return Finding(False, str(error), wanted)
        return Finding(True, "能读到")

    return Check(name, run)


def external_contacts(app: str, look: Callable[[], Awaitable[object]]) -> Check:
    """look: reads a little of them. Raises BotError, which says what permission lacks."""

    async def run() -> Finding:
        await look()
        return Finding(True, "能读到")

    return Check(f"{app} 外部联系人", run)


def sign_in(app: str, public_url: str, look: Callable[[], Awaitable[object]]) -> Check:
    """look: asks for what pages of ours need in the platform's client. Raises BotError."""

    async def run() -> Finding:
        if not public_url:
            return Finding(
                False, "pages = true，但没有写 public_url，谁也登录不了", "在 gendan.toml 里写上它"
            )
        try:
            await look()
        except PermanentError as error:
            return Finding(False, str(error), "按接入文档「网页免登录」一节配好，或去掉 pages")
        return Finding(True, f"能签名；后台的可信域名（首页地址）须与 {public_url} 一致")

    return Check(f"{app} 网页", run)


def callback(app: str, public_url: str, path: str, ask: Callable[[str], Awaitable[int]]) -> Check:
    """ask: the status that a plain GET of the URL is answered with. Raises BotError.

    The door must refuse it, and that it does so shows that it was reached.
    """

    async def run() -> Finding:
        if not public_url:
            return Finding(None, "没有写 public_url，无法从外网检查", "在 gendan.toml 里写上它")
        url = public_url + path
        status = await ask(url)
        if status in _DOOR_ANSWERS:
            return Finding(True, f"{url} 有应答")
        if status == 404:
            return Finding(
                False, f"{url} 答 404", "检查反向代理的路径，和地址里的应用名是否与配置一致"
            )
        return Finding(
            False, f"{url} 答 {status}", "检查机器人是否在运行（gendan serve）和反向代理的转发"
        )

    return Check(f"{app} 回调", run)


def stream(app: str, check: Callable[[], Awaitable[object]]) -> Check:
    """check: asks for a connection and opens none, since messages would go to it. Raises
    BotError."""

    async def run() -> Finding:
        await check()
        return Finding(True, "网关给了票据，长连接的地址有应答")

    return Check(f"{app} Stream", run)


def link(app: str, check: Callable[[], Awaitable[object]]) -> Check:
    """check: whether the other end answers; the secret shows once the bot runs. Raises
    BotError."""

    async def run() -> Finding:
        await check()
        return Finding(True, "企业微信的长连接地址有应答（BotID 和 Secret 在启动后才验证）")

    return Check(f"{app} 长连接", run)


def clock(app: str, platform_time: Callable[[], Awaitable[datetime]], ours: Clock) -> Check:
    """platform_time: the Date header of one of the platform's answers. Raises BotError."""

    async def run() -> Finding:
        skew_s = (ours.now() - await platform_time()).total_seconds()
        said = f"本机比平台{'快' if skew_s > 0 else '慢'} {abs(skew_s):.0f} 秒"
        if abs(skew_s) > MAX_SKEW_S:
            return Finding(False, said, "打开系统时间同步（timedatectl set-ntp true）")
        return Finding(True, said)

    return Check(f"{app} 时钟", run)


def quota(app: str, state: Callable[[], Awaitable[QuotaState]]) -> Check:
    """state: how many of the month's paid calls are used, by our own count."""

    async def run() -> Finding:
        found = await state()
        percent = found.used * 100 // found.limit
        said = f"本月已用 {found.used} / {found.limit} 次（{percent} %）"
        if found.foretold is not None:
            said += f"，照这个速度到月底约 {found.foretold} 次"
        if percent >= QUOTA_LOW_PERCENT:
            return Finding(False, said, "在钉钉管理后台购买扩容包，并把新额度写进 monthly_calls")
        return Finding(True, said)

    return Check(f"{app} 额度", run)


def archive(app: str, look: Callable[[], Awaitable[object]]) -> Check:
    """look: loads the library and the private keys and asks the platform for nothing new. Raises
    BotError."""

    async def run() -> Finding:
        try:
            await look()
        except BotError as error:
            remedy = (
                f"核对 [wecom.{app}.archive] 的 secret、library、keys 和可信 IP，见 docs/archive.md"
            )
            return Finding(False, str(error), "" if "请" in str(error) else remedy)
        return Finding(True, "库和私钥可用，平台有应答")

    return Check(f"企业微信 {app} 会话存档", run)


def mailbox(name: str, look: Callable[[], Awaitable[object]]) -> Check:
    """look: logs in and opens the folder. Raises BotError."""

    async def run() -> Finding:
        try:
            await look()
        except BotError as error:
            remedy = f"核对 [mail.{name}] 的 host、port、tls，和本机到那里的网络，见 docs/mail.md"
            return Finding(False, str(error), "" if "请" in str(error) else remedy)
        return Finding(True, "登录成功，文件夹打得开（只读）")

    return Check(f"邮箱 {name}", run)


def language_model(ask: Callable[[], Awaitable[object]]) -> Check:
    """ask: some small question. Raises BotError."""

    async def run() -> Finding:
        try:
            await ask()
        except BotError as error:
            remedy = "核对 [llm] 的 base_url、model 和 key；修好之前只用规则读消息"
            return Finding(False, str(error), remedy)
        return Finding(True, "有应答")

    return Check("语言模型", run)


def accounts(name: str, ask: Callable[[], Awaitable[object]]) -> Check:
    """name: of an ERP, with what is asked behind it, "main 订单". ask: for a little of that.
    Raises BotError."""
    system = name.split(maxsplit=1)[0]

    async def run() -> Finding:
        try:
            await ask()
        except BotError as error:
            remedy = f"核对 [erp.{system}] 的地址、账套、用户、应用和单据字段，见 docs/erp.md"
            return Finding(False, str(error), remedy)
        return Finding(True, "能查")

    return Check(f"ERP {name}", run)


def voice(engine: str, hear: Callable[[], Awaitable[object]]) -> Check:
    """hear: has the configured engine hear a short recording. Raises BotError."""

    async def run() -> Finding:
        if engine == "none":
            return Finding(
                None, "没有配置识别引擎，企业微信的录音会保留，销售要另外打字", "见 docs/speech.md"
            )
        await hear()
        return Finding(True, f"{engine} 能听写")

    return Check("语音", run)


def papers(engine: str, scan: Callable[[], Awaitable[object]]) -> Check:
    """scan: reads an empty page with the engine that is configured."""

    async def run() -> Finding:
        if engine == "none":
            return Finding(
                None, "没有配置识别引擎，合同文件只保存，内容要另外打字", "见 docs/erp.md"
            )
        await scan()
        return Finding(True, f"{engine} 能识别")

    return Check("合同识别", run)


def stream_of_the_inbox(look: Callable[[], Awaitable[str]]) -> Check:
    """look: sees to the stream on NATS JetStream and says in what state it is. Raises BotError."""

    async def run() -> Finding:
        try:
            return Finding(True, await look())
        except BotError as error:
            remedy = (
                "核对 [queue] 的 url 和凭证，确认 NATS 在运行并打开了 JetStream，"
                "见 docs/scaling.md；连不上时平台的消息收不进来，平台会重发"
            )
            return Finding(False, str(error), remedy)

    return Check("收件队列", run)


def database(write: Callable[[], Awaitable[object]]) -> Check:
    """write: writes something to the database and takes it back."""

    async def run() -> Finding:
        await write()
        return Finding(True, "可以写入")

    return Check("数据库", run)


def schema(complaints: Callable[[], Awaitable[Sequence[str]]]) -> Check:
    """complaints: what is wrong with the version of the database's tables, with the remedy;
    empty when it is the newest."""

    async def run() -> Finding:
        found = await complaints()
        return Finding(False, "；".join(found)) if found else Finding(True, "已是最新版本")

    return Check("数据库版本", run)


def disk(folder: Path) -> Check:
    """Free space where `folder` is, or will be."""

    async def run() -> Finding:
        there, free_bytes = _free(folder)
        said = f"{there} 剩余 {free_bytes / 1024**3:.1f} GB"
        if free_bytes < LEAST_FREE_BYTES:
            return Finding(False, said, "清理或扩容：磁盘写满后消息收不进来")
        return Finding(True, said)

    return Check("磁盘", run)


def _free(folder: Path) -> tuple[Path, int]:
    whole = folder.absolute()
    there = next(path for path in (whole, *whole.parents) if path.exists())
    return there, shutil.disk_usage(there).free
