"""Bills of WeCom's approvals (审批): listed by submission, read one by one.

An event only says that a bill changed; what it is now tells `getapprovaldetail` alone.
Source: developer.work.weixin.qq.com/document/path/91853, 91983.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from bot.clock import Clock
from bot.domain.approvals import Approval, ApprovalNode, ApprovalState, Control, last_decided
from connectors.wecom.api import Api
from connectors.wecom.approval_list import PERIOD, numbers
from connectors.wecom.errors import BAD_APPROVAL, WecomRejected, in_shape
from connectors.wecom.patience import Pace, patiently

PER_MINUTE, PER_HOUR = 500, 30_000  # 600 a minute of each call are taken (path/90312)

_CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")

_STATES = {
    1: ApprovalState.RUNNING,
    2: ApprovalState.PASSED,
    3: ApprovalState.REJECTED,
    4: ApprovalState.WITHDRAWN,
    6: ApprovalState.REVOKED,
    7: ApprovalState.DELETED,
    10: ApprovalState.PASSED,  # paid
}
_OUTCOMES = {1: "", 2: "同意", 3: "驳回", 4: "转审", 11: "退回", 12: "加签", 13: "加签同意"}
_UNDECIDED = 1


class Bills:
    """Of one application. templates: id of an own template -> what it is about."""

    platform = "wecom"

    def __init__(self, app: str, templates: Mapping[str, str], api: Api, clock: Clock) -> None:
        self.app = app
        self.templates = templates
        self._api = api
        self._clock = clock
        self._pace = Pace(clock, per_minute=PER_MINUTE, per_hour=PER_HOUR)

    async def approval(self, number: str, template: str = "") -> Approval | None:
        """As it is now; None where the platform knows none of that number. template: not needed
        here, the bill tells it."""
        try:
            answer = await self._post("oa/getapprovaldetail", {"sp_no": number})
        except WecomRejected as refusal:
            if refusal.errcode != BAD_APPROVAL:
                raise
            return None
        with in_shape("oa/getapprovaldetail"):
            return _to_approval(answer.get("info") or {}, number)

    async def applied(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, str]]:
        """(number, template) of the bills of our templates that were submitted then, in any
        state."""
        for template in self.templates:
            start = since
            while start < until:
                end = min(start + PERIOD, until)
                ours = [{"key": "template_id", "value": template}]
                async for number in numbers(self._post, start, end, filters=ours):
                    yield number, template
                start = end

    async def check(self) -> None:
        """Raises where approvals are not ours to read."""
        now = self._clock.now()
        async for _ in self.applied(now - timedelta(days=1), now):
            return

    async def _post(self, api: str, body: dict[str, Any]) -> dict[str, Any]:
        async def once() -> dict[str, Any]:
            await self._pace.wait(api)
            return await self._api.post(api, body)

        return await patiently(once)


def _to_approval(info: Mapping[str, Any], number: str) -> Approval:
    applied_at = _moment(info.get("apply_time")) or datetime.fromtimestamp(0, UTC)
    nodes = tuple(_nodes(info, applied_at))
    state = _STATES.get(int(info.get("sp_status") or 0), ApprovalState.RUNNING)
    return Approval(
        platform="wecom",
        number=number,
        template=str(info.get("template_id") or ""),
        title=str(info.get("sp_name") or ""),
        state=state,
        applicant=str((info.get("applyer") or {}).get("userid") or "").lower(),
        applied_at=applied_at,
        controls=tuple(_controls((info.get("apply_data") or {}).get("contents") or ())),
        nodes=nodes,
        decided_at=None if state is ApprovalState.RUNNING else last_decided(nodes),
    )


def _nodes(info: Mapping[str, Any], applied_at: datetime) -> Iterator[ApprovalNode]:
    """New templates tell `process_list`, old ones `sp_record`. A step begins when the one before
    it was decided; who need not decide any more is left out."""
    since = applied_at
    for step in _steps(info):
        ends = [since]
        for user_id, status, decided, remark in step:
            until = decided if status != _UNDECIDED else None
            if until is not None:
                ends.append(until)
            yield ApprovalNode(user_id, since, until, _OUTCOMES.get(status, ""), remark)
        since = max(ends)


_Detail = tuple[str, int, datetime | None, str]


def _steps(info: Mapping[str, Any]) -> Iterator[list[_Detail]]:
    nodes = (info.get("process_list") or {}).get("node_list") or ()
    approving = [node for node in nodes if int(node.get("node_type") or 1) == 1]
    for node in approving:
        yield [_detail(one.get("userid"), one.get("sp_yj"), one) for one in node["sub_node_list"]]
    if approving:
        return
    for record in info.get("sp_record") or ():
        yield [
            _detail((one.get("approver") or {}).get("userid"), one.get("sp_status"), one)
            for one in record.get("details") or ()
        ]


def _detail(user_id: object, status: object, told: Mapping[str, Any]) -> _Detail:
    status_number = int(str(status or _UNDECIDED))
    remark = str(told.get("speech") or "")[:200]
    return str(user_id or "").lower(), status_number, _moment(told.get("sptime")), remark


def _controls(contents: Iterable[Mapping[str, Any]]) -> Iterator[Control]:
    """A table's cells stand beside the others."""
    for content in contents:
        kind, value = str(content.get("control") or ""), content.get("value") or {}
        titles = content.get("title") or ()
        name = str(titles[0].get("text") or "") if titles else ""
        if kind == "Table":
            for row in value.get("children") or ():
                yield from _controls(row.get("list") or ())
        elif text := _text(kind, value):
            yield Control(str(content.get("id") or ""), name, text[:500])


def _text(kind: str, value: Mapping[str, Any]) -> str:
    """By the control's kind: a value carries the others' members too, empty."""
    match kind:
        case "Text" | "Textarea":
            return str(value.get("text") or "")
        case "Number":
            return str(value.get("new_number") or "")
        case "Money":
            return str(value.get("new_money") or "")
        case "Formula":
            return str((value.get("formula") or {}).get("value") or "")
        case "Selector":
            options = (value.get("selector") or {}).get("options") or ()
            return "、".join(_words(one.get("value")) for one in options)
        case "Contact":
            named = [*(value.get("members") or ()), *(value.get("departments") or ())]
            return "、".join(str(one.get("name") or "") for one in named)
        case "Date":
            return _day((value.get("date") or {}).get("s_timestamp"))
        case "DateRange":
            return _range(value.get("date_range"))
        case "Attendance" | "Vacation":
            told = value.get(kind.lower()) or {}
            return _range((told.get("attendance") or told).get("date_range"))
        case "Location":
            place = value.get("location") or {}
            return " ".join(str(place[key]) for key in ("title", "address") if place.get(key))
    return ""


def _words(texts: Any) -> str:
    return str(texts[0].get("text") or "") if texts else ""


def _range(told: Any) -> str:
    ends = [_day((told or {}).get(name)) for name in ("new_begin", "new_end")]
    return " 至 ".join(ends) if all(ends) else ""


def _day(seconds: object) -> str:
    at = _moment(seconds)
    return at.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M") if at is not None else ""


def _moment(seconds: object) -> datetime | None:
    text = str(seconds or "")
    return datetime.fromtimestamp(int(text), UTC) if text.isdigit() and int(text) else None
