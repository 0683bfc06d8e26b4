"""What platforms and we ourselves say of a failure, for administrators: what it means and what to
do first, the words for whoever looks further behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.texts.binding import PLATFORMS

NO_REASON = "没有写明原因"

_OURS = {
    "AuthFailed": "平台不认我们的凭证，或者应用缺权限",
    "FilesAway": "存文件的地方没有回应",
    "RateLimited": "平台限流，稍后自动再试",
    "Rejected": "平台没有收下",
    "TimedOut": "平台没有在时限内回应",
    "Unavailable": "平台没有回应",
    "backlog": "积压太多，处理不过来",
}
_RAW = r"(?P<api>[a-z]+):[^（]*"
_WITH_REMEDY = re.compile(rf"(?P<raw>{_RAW})（(?P<words>.+)）", re.DOTALL)
_WITH_CAUSE = re.compile(rf"(?P<words>[^（]+)（(?P<raw>{_RAW}.*)）", re.DOTALL)
_RAW_ALONE = re.compile(rf"{_RAW}", re.DOTALL)
_CODE = re.compile(r"code (?P<named>[\w.]+)|: (?P<number>-?\d{3,7}) ")
_NUMBERED = re.compile(r" \[(?P<number>[0-9a-f]{8})\]$")
_TIRED = re.compile(r"after \d+ attempts: (?P<rest>.*)", re.DOTALL)
_KIND = re.compile(r"(?P<kind>[A-Z]\w+): (?P<rest>.+)", re.DOTALL)
_UNREADABLE = "unreadable: "


@dataclass(frozen=True, slots=True)
class Failure:
    """words: for who has to do something about it. raw: as the platform or the program put it, ""
    where that adds nothing. number: by which it is found in the log, "" without one."""

    words: str
    raw: str = ""
    number: str = ""


def failure(reason: str) -> Failure:
    """reason: as it was kept."""
    numbered = _NUMBERED.search(reason)
    number = numbered["number"] if numbered else ""
    words, raw = _split(_NUMBERED.sub("", reason))
    return Failure(words, raw, number)


def _split(reason: str) -> tuple[str, str]:
    if tired := _TIRED.fullmatch(reason):
        return _split(tired["rest"])
    if reason.startswith(_UNREADABLE):
        return f"内容读不懂：{reason.removeprefix(_UNREADABLE)}", ""
    if found := _WITH_REMEDY.fullmatch(reason) or _WITH_CAUSE.fullmatch(reason):
        return found["words"], found["raw"]
    if found := _RAW_ALONE.fullmatch(reason):
        return _refused(found["api"], reason), reason
    if kind := _KIND.fullmatch(reason):
        words, raw = _split(kind["rest"])
        is_told = raw not in ("", kind["rest"])
        return words if is_told else _OURS.get(kind["kind"], "程序出错"), raw or reason
    return _OURS.get(reason, reason) or NO_REASON, ""


def _refused(platform: str, raw: str) -> str:
    """One whose platform gave a code, and we know no remedy."""
    found = _CODE.search(raw)
    code = f"（错误码 {found['named'] or found['number']}）" if found else ""
    return f"{PLATFORMS.get(platform, platform.upper())}没有收下{code}"
