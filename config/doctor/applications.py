"""Checks of a platform's application: its credentials, its permissions, its doors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import urlsplit

from bot.clock import Clock
from bot.errors import PermanentError, Rejected
from config.doctor.kinds import QuotaState
from config.doctor.report import Check, Finding

MAX_SKEW_S = 60
QUOTA_LOW_PERCENT = 80

# What a door answers to somebody who is not the platform (401, 403), to a GET where only POST is
# served (405), or to a request without its parameters (400).
_DOOR_ANSWERS = frozenset({400, 401, 403, 405})
_ANOTHER = (
    "检查 public_url 的域名和反向代理指向哪台机器；改过配置的话重启机器人；"
    "再核对平台后台回调设置里的 URL、Token、EncodingAESKey"
)


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


def agent(app: str, check: Callable[[], Awaitable[str]], public_url: str) -> Check:
    """check: reads the application by its AgentId; the domain that the console trusts for pages,
    "" where there is none or pages are not wanted. Raises BotError."""

    async def run() -> Finding:
        trusted = await check()
        ours = urlsplit(public_url).hostname or ""
        if trusted and ours and trusted.partition(":")[0].lower() != ours:
            return Finding(
                False,
                f"后台的可信域名是 {trusted}，public_url 是 {ours}",
                "在企业微信管理后台「应用管理 → 本应用 → 网页授权及JS-SDK」里改成一样的",
            )
        return Finding(True, "AgentId 与 Secret 属于同一个应用")

    return Check(f"{app} AgentId", run)


def card_template(app: str, check: Callable[[], Awaitable[object]] | None) -> Check:
    """check: makes a card of it that nobody is shown; None where none is configured. Raises
    BotError."""

    async def run() -> Finding:
        if check is None:
            return Finding(
                None,
                "没有写 card_template_id，卡片会变成文字，按钮按不了",
                "在钉钉开发者后台「卡片平台」建模板并发布，把模板 ID 写进配置",
            )
        try:
            await check()
        except Rejected as error:
            return Finding(
                False,
                f"卡片模板用不了（{error}）",
                "在钉钉开发者后台「卡片平台」确认模板已发布、属于本组织，核对 card_template_id",
            )
        return Finding(True, "模板可用")

    return Check(f"{app} 卡片模板", run)


def group_robot(app: str, name: str, check: Callable[[], Awaitable[object]]) -> Check:
    """check: speaks to its webhook without saying anything. Raises BotError."""

    async def run() -> Finding:
        try:
            await check()
        except PermanentError as error:
            return Finding(
                False,
                f"群里没有这个机器人了，或者 key、加签密钥不对（{error}）",
                f"在群设置的群机器人里重新添加，把新地址里的 key 写进 webhooks.{name}",
            )
        return Finding(True, "在群里")

    return Check(f"{app} 群机器人 {name}", run)


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


def callback(
    app: str,
    public_url: str,
    path: str,
    ask: Callable[[str], Awaitable[int]],
    knock: Callable[[str], Awaitable[object]] | None = None,
) -> Check:
    """ask: the status that a plain GET of the URL is answered with. knock: signs as the platform
    would and looks at the answer, where that is possible without saying anything. Both raise
    BotError.

    The door must refuse a stranger, and that it does so shows that it was reached.
    """

    async def run() -> Finding:
        if not public_url:
            return Finding(None, "没有写 public_url，无法从外网检查", "在 gendan.toml 里写上它")
        url = public_url + path
        status = await ask(url)
        if status in _DOOR_ANSWERS and knock is not None:
            try:
                await knock(url)
            except PermanentError:
                return Finding(False, f"{url} 有人应答，但不认这份配置的 Token 和密钥", _ANOTHER)
            return Finding(True, f"{url} 是本机器人在应答")
        if status in _DOOR_ANSWERS:
            return Finding(True, f"{url} 有应答")
        if status == 404:
            return Finding(
                False, f"{url} 答 404", "检查反向代理的路径，和地址里的应用名是否与配置一致"
            )
        if status < 400:
            return Finding(False, f"{url} 答 {status}，不是机器人在应答", _ANOTHER)
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
