"""Approval instances: what people do with them, their events, and what the API tells (protocol
notes 5.6, 7.1, 7.2)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from .dingtalk_errors import invalid
from .dingtalk_events import Events
from .dingtalk_gate import Body, Gate
from .world import Bill, World

_LONGEST_MS = 120 * 86_400_000
_MOST = 20
_STATUS = {1: "RUNNING", 2: "COMPLETED", 3: "COMPLETED", 4: "TERMINATED", 6: "COMPLETED"}


@dataclass(slots=True)
class Approvals:
    """Times are told in UTC, to the minute."""

    world: World
    gate: Gate
    events: Events

    def routes(self) -> list[web.RouteDef]:
        return [
            self.gate.new("GET", "v1.0/workflow/processInstances", self._read),
            self.gate.new("POST", "v1.0/workflow/processes/instanceIds/query", self._list),
        ]

    def submit(
        self,
        user_id: str,
        process_code: str,
        title: str,
        contents: list[tuple[str, str, str]],
        approvers: list[str],
        *,
        revokes: str = "",
    ) -> Bill:
        """contents: (kind of component, name, value). revokes: the instance that this one asks to
        take back."""
        number = f"proc-inst-{len(self.world.bills):06d}"
        now = self.world.now()
        bill = Bill(
            "dingtalk", number, process_code, title, user_id, now, list(contents), list(approvers)
        )
        bill.revokes = revokes
        self.world.bills.append(bill)
        self._tell(bill, "start")
        return bill

    def decide(self, bill: Bill, *, agrees: bool = True, remark: str = "") -> None:
        approver = bill.decide(agrees=agrees, at=self.world.now(), remark=remark)
        result = "agree" if agrees else "refuse"
        self.events.happened(
            "bpms_task_change",
            {**_named(bill), "type": "finish", "result": result, "staffId": approver},
        )
        if bill.status != 1:
            self._tell(bill, "finish", result=result)

    def withdraw(self, bill: Bill) -> None:
        if bill.status != 1:
            raise ValueError("this instance is decided")
        bill.status, bill.ended_at = 4, self.world.now()
        self._tell(bill, "terminate")

    def _tell(self, bill: Bill, change: str, **more: Any) -> None:
        body = {**_named(bill), "type": change, "staffId": bill.user_id, **more}
        body["createTime"] = int(bill.applied_at.timestamp() * 1000)
        self.events.happened("bpms_instance_change", body)

    def _own(self) -> list[Bill]:
        return [one for one in self.world.bills if one.platform == "dingtalk"]

    def _read(self, arguments: Body) -> Body:
        wanted = arguments.get("processInstanceId")
        bill = next((one for one in self._own() if one.number == wanted), None)
        if bill is None:
            raise invalid("processInstanceNotExist")
        return {"success": "true", "result": _told(bill)}

    def _list(self, arguments: Body) -> Body:
        begin, end = (arguments.get(name) for name in ("startTime", "endTime"))
        size, start = arguments.get("maxResults"), arguments.get("nextToken")
        if not isinstance(begin, int) or not isinstance(end, int) or end - begin > _LONGEST_MS:
            raise invalid("invalidEndTime")
        if not isinstance(size, int) or not 1 <= size <= _MOST:
            raise invalid("invalidMaxResults")
        if not isinstance(start, int):
            raise invalid("invalidNextToken")
        found = [
            one.number
            for one in self._own()
            if one.template == arguments.get("processCode")
            and begin <= one.applied_at.timestamp() * 1000 <= end
        ]
        answer: Body = {"list": found[start : start + size]}
        if start + size < len(found):
            answer["nextToken"] = str(start + size)
        return {"success": True, "result": answer}


def _named(bill: Bill) -> Body:
    return {"processInstanceId": bill.number, "processCode": bill.template, "title": bill.title}


def _told(bill: Bill) -> Body:
    tasks, since = [], bill.applied_at
    for place, approver in enumerate(bill.approvers[: len(bill.done) + (bill.status == 1)]):
        task: Body = {"taskId": 800_000 + place, "userId": approver, "createTime": _time(since)}
        if place < len(bill.done):
            _, agreed, at, _ = bill.done[place]
            result, since = ("AGREE" if agreed else "REFUSE"), at
            task |= {"status": "COMPLETED", "result": result, "finishTime": _time(at)}
        else:
            task |= {"status": "RUNNING", "result": "NONE"}
        tasks.append(task)
    result = {2: "agree", 6: "agree", 3: "refuse"}.get(bill.status, "")
    told: Body = {
        "title": bill.title,
        "businessId": bill.number[-6:],
        "status": _STATUS[bill.status],
        "result": result,
        "originatorUserId": bill.user_id,
        "createTime": _time(bill.applied_at),
        "bizAction": "REVOKE" if bill.revokes else "NONE",
        "mainProcessInstanceId": bill.revokes,
        "operationRecords": [
            {
                "userId": user, "date": _time(at), "type": "EXECUTE_TASK_NORMAL",
                "result": "AGREE" if agreed else "REFUSE", "remark": remark,
            }
            for user, agreed, at, remark in bill.done
        ],
        "tasks": tasks,
        "formComponentValues": [_component(n, *one) for n, one in enumerate(bill.contents)],
    }  # fmt: skip
    if bill.ended_at is not None:
        told["finishTime"] = _time(bill.ended_at)
    return told


def _component(place: int, kind: str, name: str, value: str) -> Body:
    """Values are texts always; several chosen ones are a list in a text."""
    if kind == "DDMultiSelectField":
        value = json.dumps(value.split("、"), ensure_ascii=False)
    return {"id": f"{kind}-{place}", "name": name, "value": value, "componentType": kind}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
