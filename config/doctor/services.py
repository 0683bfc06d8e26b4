"""Checks of what stands beside the platforms: archive, mailboxes, ERPs, models, engines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.errors import BotError, TransientError
from config.doctor.report import Check, Finding


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


def object_store(check: Callable[[], Awaitable[object]]) -> Check:
    """check: writes, reads and deletes something. Raises BotError."""

    async def run() -> Finding:
        try:
            await check()
        except TransientError as error:
            return Finding(
                False,
                str(error),
                "核对 storage.files 的桶名和 [storage.s3] 的地址、区域、密钥，"
                "密钥要能读、写、删；OSS、COS 要写 by_host = true",
            )
        return Finding(True, "能写、能读、能删")

    return Check("对象存储可写", run)


def inbox_stream(look: Callable[[], Awaitable[str]]) -> Check:
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
