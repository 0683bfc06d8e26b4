"""Instances of DingTalk's approvals (protocol notes 7.1, 7.2): listed by process, read one by one.

Paid for by the month, so nothing is listed while calls are to be saved; what an event names is
read all the same.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from bot.clock import Clock
from bot.domain.approvals import Approval, ApprovalNode, ApprovalState, Control
from connectors.dingtalk.api import Api
from connectors.dingtalk.errors import NO_APPROVAL, DingtalkRejected
from connectors.dingtalk.events import CHINA
from connectors.dingtalk.read import Body, obj, rows, text

PAGE = 20
LONGEST = timedelta(days=120)

_MOST_PAGES = 500
_OUTCOMES = {"AGREE": "同意", "REFUSE": "拒绝", "REDIRECTED": "转交", "REDIRECT": "转交"}
_TAKES_BACK = ("REVOKE", "MODIFY")


class Instances:
    """Of one application. templates: processCode -> what it is about. zone: of the times in
    answers, whose Z may not mean UTC (unverified)."""

    platform = "dingtalk"

    def __init__(
        self, app: str, templates: Mapping[str, str], api: Api, clock: Clock, *, zone: tzinfo = UTC
    ) -> None:
        self.app = app
        self.templates = templates
        self._api = api
        self._clock = clock
        self._zone = zone

    async def approval(self, number: str, template: str = "") -> Approval | None:
        """As it is now; None where there is no such instance. template: its processCode, which the
        answer does not tell."""
        path = "v1.0/workflow/processInstances"
        try:
            answer = await self._api.new("GET", path, {}, params={"processInstanceId": number})
        except DingtalkRejected as refusal:
            if refusal.code not in NO_APPROVAL:
                raise
            return None
        return self._to_approval(number, template, obj(answer, "result"))

    async def applied(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, str]]:
        """(id, processCode) of the instances of our processes that were started then, in any
        state; none while calls are to be saved."""
        if await self._api.quota.is_saving():
            return
        since = max(since, until - LONGEST + timedelta(hours=1))
        for code in self.templates:
            cursor = "0"
            for _ in range(_MOST_PAGES):
                wanted = _wanted(code, since, until, cursor)
                result = obj(await self._api.new("POST", _LIST, wanted), "result")
                for number in rows(result, "list"):
                    yield str(number), code
                cursor = text(result, "nextToken")
                if not cursor:
                    break

    async def check(self) -> None:
        """Raises where approvals are not ours to read."""
        now = self._clock.now()
        for code in self.templates:
            await self._api.new("POST", _LIST, _wanted(code, now - timedelta(days=1), now, "0"))
            return

    def _to_approval(self, number: str, template: str, told: Body) -> Approval:
        applied_at = self._moment(told, "createTime") or datetime.fromtimestamp(0, UTC)
        main = text(told, "mainProcessInstanceId")
        takes_back = text(told, "bizAction") in _TAKES_BACK
        return Approval(
            platform="dingtalk",
            number=number,
            template=text(told, "processCode") or template,
            title=text(told, "title"),
            state=_state(told),
            applicant=text(told, "originatorUserId"),
            applied_at=applied_at,
            controls=tuple(_controls(rows(told, "formComponentValues"))),
            nodes=tuple(self._nodes(told, applied_at)),
            decided_at=self._moment(told, "finishTime"),
            revokes=main if takes_back and main != number else "",
        )

    def _nodes(self, told: Body, applied_at: datetime) -> Iterator[ApprovalNode]:
        remarks = {
            text(one, "userId"): text(one, "remark")
            for one in rows(told, "operationRecords")
            if isinstance(one, dict)
        }
        for task in rows(told, "tasks"):
            if not isinstance(task, dict) or text(task, "status") == "CANCELED":
                continue
            yield ApprovalNode(
                text(task, "userId"),
                self._moment(task, "createTime") or applied_at,
                self._moment(task, "finishTime"),
                _OUTCOMES.get(text(task, "result"), ""),
                remarks.get(text(task, "userId"), "")[:200],
            )

    def _moment(self, told: Body, name: str) -> datetime | None:
        """`yyyy-MM-ddTHH:mmZ`, to the minute."""
        try:
            at = datetime.strptime(text(told, name).rstrip("Z")[:16], "%Y-%m-%dT%H:%M")  # noqa: DTZ007
        except ValueError:
            return None
        return at.replace(tzinfo=self._zone).astimezone(UTC)


def zone_of(name: str) -> tzinfo:
    """name: utc or china."""
    return CHINA if name == "china" else UTC


_LIST = "v1.0/workflow/processes/instanceIds/query"


def _wanted(code: str, since: datetime, until: datetime, cursor: str) -> Body:
    return {
        "processCode": code,
        "startTime": int(since.timestamp() * 1000),
        "endTime": int(until.timestamp() * 1000),
        "nextToken": int(cursor) if cursor.isdigit() else cursor,
        "maxResults": PAGE,
    }


def _state(told: Body) -> ApprovalState:
    """Passed is what was completed and agreed to, and nothing else."""
    status, result = text(told, "status").upper(), text(told, "result").lower()
    if status == "COMPLETED":
        return ApprovalState.PASSED if result == "agree" else ApprovalState.REJECTED
    return (
        ApprovalState.WITHDRAWN if status in ("TERMINATED", "CANCELED") else ApprovalState.RUNNING
    )


def _controls(told: list[Any]) -> Iterator[Control]:
    """A table's cells stand beside the others."""
    for one in told:
        if not isinstance(one, dict):
            continue
        value, kind = text(one, "value"), text(one, "componentType")
        if kind == "TableField":
            for row in _parsed(value) or ():
                yield from _controls(row if isinstance(row, list) else [])
            continue
        listed = _parsed(value)
        if isinstance(listed, list):
            value = "、".join(str(each) for each in listed if isinstance(each, str | int | float))
        name = text(one, "name")
        names = _parsed(name)
        if isinstance(names, list):
            name = "/".join(str(each) for each in names)
        if value:
            yield Control(text(one, "bizAlias") or text(one, "id"), name, value[:500])


def _parsed(value: str) -> Any:
    """The list that stands in a text; None where none does."""
    if not value.startswith("["):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
