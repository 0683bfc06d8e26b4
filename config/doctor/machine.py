"""Checks of what lies on this machine: the configuration, the database, the disk."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from config.doctor.report import Check, Finding
from config.settings import Settings

LEAST_FREE_BYTES = 1024**3


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
        url = urlsplit(settings.public_url)
        if url.scheme == "http" and not _is_here(url.hostname or ""):
            return Finding(
                False,
                f"public_url 是 {settings.public_url}，不是 https",
                "给它配证书，写成 https:// 开头；可信域名、网页登录和钉钉的回调都要 https",
            )
        return Finding(True, "、".join(apps))

    return Check("配置", run)


class Room(Protocol):
    """How many connections to the database there are, and are wanted."""

    @property
    def each(self) -> int: ...

    @property
    def processes(self) -> int: ...

    @property
    def taken_by_others(self) -> int: ...

    @property
    def most(self) -> int: ...

    @property
    def wanted(self) -> int: ...

    @property
    def is_enough(self) -> bool: ...


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


def connections(room: Callable[[], Awaitable[Room | None]]) -> Check:
    """room: what PostgreSQL has for all processes, None where there is no server."""

    async def run() -> Finding:
        found = await room()
        if found is None:
            return Finding(True, "SQLite 不占连接")
        said = (
            f"每个进程最多{found.each}个连接，在跑{found.processes}个进程，"
            f"别的程序占{found.taken_by_others}个，数据库最多{found.most}个"
        )
        if found.is_enough:
            return Finding(True, said)
        return Finding(False, said, f"把 max_connections 提到{found.wanted + 50}以上，或少开进程")

    return Check("数据库连接", run)


def files(folder: Path) -> Check:
    """Whether what people send can be kept in `folder`."""

    async def run() -> Finding:
        try:
            await asyncio.to_thread(_try_to_write, folder)
        except OSError as error:
            return Finding(
                False,
                f"{folder} 写不进去（{error.strerror}）",
                "把它的所有者改成运行机器人的用户，或在 [storage] 的 files 里换一个目录",
            )
        return Finding(True, f"{folder} 可以写入")

    return Check("文件目录", run)


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


def _try_to_write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"doctor")


def _is_here(host: str) -> bool:
    """On this machine or in the house, where nobody has a certificate."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"
