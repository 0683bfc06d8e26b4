"""What the doctor finds, one line a check: ✓ in order, ✗ not, with the remedy, – not checked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.errors import AuthFailed, BotError, RateLimited, TimedOut, Unavailable

LIMIT_S = 15.0


class NotRunning(BotError):
    """Only the running bot would know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found. ok: None when it could not or need not be checked. remedy: what to
    do, for a False."""

    ok: bool | None
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the doctor looks at. name: Chinese, as shown. run may raise; a BotError's text
    is shown as it is."""

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
    except NotRunning:
        return Finding(None, "机器人没有在运行，看不到")
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
