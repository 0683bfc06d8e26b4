"""Checks by what the running bot has seen: only there do the console's secrets meet ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from config.doctor.report import Check, Finding


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure of the running bot's /metrics."""

    name: str
    labels: Mapping[str, str]
    value: float


Look = Callable[[], Awaitable[Sequence[Sample]]]
"""All figures. Raises BotError when no bot is running."""

_WECOM_PAGE = "企业微信管理后台「应用管理 → 本应用 → 接收消息 → 设置API接收」"
_ROBOT_PAGE = "企业微信管理后台「管理工具 → 智能机器人」"
_WECOM = {
    "signature": ("签名不对", "Token"),
    "key": ("解不开", "EncodingAESKey"),
    "receiver": ("是发给别的企业的", "企业 ID"),
    "timestamp": ("时间差得太多", "本机的时间（timedatectl set-ntp true）"),
}
_DINGTALK = {
    "robot": "client_secret 与钉钉开发者后台「凭证与基础信息」的 Client Secret",
    "cards": "card_callback_secret（改过就重启机器人，它会重新登记卡片回调）",
    "events": "events_token、events_aes_key 与钉钉开发者后台「事件与回调」里的",
}


def wecom_refusals(label: str, app: str, look: Look, *, is_robot: bool = False) -> Check:
    """Callbacks that the door did not take, where none was taken: strangers knock at any door."""
    page = _ROBOT_PAGE if is_robot else _WECOM_PAGE

    async def run() -> Finding:
        seen = await look()
        taken = _sum(seen, "gendan_callback_answer_seconds_count", platform="wecom", app=app)
        refused = {
            reason: _sum(seen, "gendan_wecom_callbacks_refused_total", app=app, reason=reason)
            for reason in _WECOM
        }
        reason = max(refused, key=lambda one: refused[one])
        if not refused[reason] or (taken and reason != "key"):
            return Finding(True, "没有被拒的")
        how, what = _WECOM[reason]
        told = f"{refused[reason]:.0f} 个回调{how}"
        return Finding(False, told, f"核对配置里的{what}，与{page}一致后重启")

    return Check(f"{label} 收到的回调", run)


def dingtalk_refusals(label: str, app: str, door: str, look: Look) -> Check:
    async def run() -> Finding:
        seen = await look()
        counts = {
            outcome: _sum(
                seen, "gendan_dingtalk_callbacks_total", app=app, door=door, outcome=outcome
            )
            for outcome in ("accepted", "refused")
        }
        if not counts["refused"] or counts["accepted"]:
            return Finding(True, "没有被拒的")
        told = f"{counts['refused']:.0f} 个回调签名不对，一个也没收下"
        return Finding(False, told, f"核对 {_DINGTALK[door]}")

    return Check(f"{label} {door} 收到的回调", run)


def evictions(label: str, app: str, look: Look) -> Check:
    async def run() -> Finding:
        count = _sum(await look(), "gendan_wecom_aibot_evictions_total", app=app)
        if count:
            return Finding(
                False,
                f"被别处的连接挤下来 {count:.0f} 次",
                f"找出还有哪里用同一个 BotID 连接并停掉；找不到就在{_ROBOT_PAGE}重置 Secret",
            )
        return Finding(True, "没有别的连接")

    return Check(f"{label} 唯一的连接", run)


def archive_keys(app: str, look: Look) -> Check:
    async def run() -> Finding:
        name = "gendan_archive_unread"
        count = _sum(await look(), name, app=app, kind="undecryptable")
        if count:
            return Finding(
                False,
                f"{count:.0f} 条消息没有对应版本的私钥",
                "在企业微信管理后台「管理工具 → 会话内容存档」看消息加密公钥的版本号，"
                f"把每一版的私钥都写进 [wecom.{app}.archive] 的 keys",
            )
        return Finding(True, "每一条都有私钥")

    return Check(f"企业微信 {app} 会话存档私钥", run)


def _sum(seen: Sequence[Sample], name: str, **labels: str) -> float:
    return sum(
        one.value
        for one in seen
        if one.name == name and all(one.labels.get(key) == told for key, told in labels.items())
    )
