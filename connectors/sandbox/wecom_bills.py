"""Approvals by templates of the company's own: what people do with them, the events of it, and the
detail as the API tells it.

Source: developer.work.weixin.qq.com/document/path/91983, 91815.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .wecom_state import WecomState
from .world import Bill

_Post = Callable[[Mapping[str, Any]], None]
_SUBMITTED, _AGREED, _REJECTED, _WITHDRAWN, _REVOKED = 1, 2, 3, 6, 8
APPROVAL_APP = 3010040

_OTHERS: dict[str, list[Any]] = {
    "tips": [], "members": [], "departments": [], "files": [], "children": [], "stat_field": [],
}  # fmt: skip


class BillEvents:
    """What applicants and approvers do in the client, which the application is told."""

    def __init__(self, state: WecomState, post: _Post) -> None:
        self._state = state
        self._post = post

    def submit(
        self,
        user_id: str,
        template: str,
        title: str,
        contents: list[tuple[str, str, str]],
        approvers: list[str],
        *,
        quietly: bool = False,
    ) -> Bill:
        """contents: (kind of control, title, text). quietly: the event of it is lost."""
        world = self._state.world
        number = f"{world.now():%Y%m%d}{9000 + len(world.bills):08}"
        bill = Bill(
            "wecom", number, template, title, user_id, world.now(), list(contents), list(approvers)
        )
        world.bills.append(bill)
        self._tell(bill, _SUBMITTED, quietly=quietly)
        return bill

    def decide(
        self, bill: Bill, *, agrees: bool = True, remark: str = "", quietly: bool = False
    ) -> None:
        bill.decide(agrees=agrees, at=self._state.world.now(), remark=remark)
        self._tell(bill, _AGREED if agrees else _REJECTED, quietly=quietly)

    def withdraw(self, bill: Bill, *, quietly: bool = False) -> None:
        """Raises ValueError when it was decided."""
        if bill.status != 1:
            raise ValueError("this bill is decided")
        bill.status = 4
        self._tell(bill, _WITHDRAWN, quietly=quietly)

    def revoke(self, bill: Bill, *, quietly: bool = False) -> None:
        """Raises ValueError unless it has passed."""
        if bill.status != 2:
            raise ValueError("this bill has not passed")
        bill.status = 6
        self._tell(bill, _REVOKED, quietly=quietly)

    def _tell(self, bill: Bill, change: int, *, quietly: bool) -> None:
        if quietly:
            return
        self._post(
            {
                "Event": "sys_approval_change",
                "ChangeType": str(change),
                "AgentID": APPROVAL_APP,
                "ApprovalInfo": {
                    "SpNo": bill.number,
                    "SpNoStr": bill.number,
                    "SpName": bill.title,
                    "SpStatus": bill.status,
                    "TemplateId": bill.template,
                    "ApplyTime": int(bill.applied_at.timestamp()),
                    "Applyer": {"UserId": bill.user_id, "Party": "1"},
                    "StatuChangeEvent": change,
                },
            }
        )


def own_bills(state: WecomState) -> list[Bill]:
    return [one for one in state.world.bills if one.platform == "wecom"]


def detail(bill: Bill) -> dict[str, Any]:
    """`info` of getapprovaldetail: of a new template, whose steps stand in process_list."""
    nodes = []
    for place, approver in enumerate(bill.approvers):
        if place < len(bill.done):
            _, agreed, at, remark = bill.done[place]
            node = _node(approver, 2 if agreed else 3, int(at.timestamp()), remark)
        elif place == len(bill.done) and bill.status == 1:
            node = _node(approver, 1, 0, "")
        else:
            continue
        nodes.append(node)
    return {
        "sp_no": bill.number,
        "sp_name": bill.title,
        "sp_status": bill.status,
        "template_id": bill.template,
        "apply_time": int(bill.applied_at.timestamp()),
        "applyer": {"userid": bill.user_id, "partyid": "1"},
        "sp_record": [],
        "notifyer": [],
        "apply_data": {"contents": [_content(n, *one) for n, one in enumerate(bill.contents)]},
        "comments": [],
        "process_list": {"node_list": nodes},
    }


def _node(user_id: str, status: int, at: int, remark: str) -> dict[str, Any]:
    sub = {"userid": user_id, "speech": remark, "sp_yj": status, "sptime": at, "media_ids": []}
    return {"node_type": 1, "sp_status": status, "apv_rel": 1, "sub_node_list": [sub]}


def _content(place: int, control: str, title: str, text: str) -> dict[str, Any]:
    value: dict[str, Any]
    match control:
        case "Money":
            value = {"new_money": text}
        case "Number":
            value = {"new_number": text}
        case "Selector":
            chosen = {"key": "option-1", "value": [{"text": text, "lang": "zh_CN"}]}
            value = {"selector": {"type": "single", "options": [chosen]}}
        case _:
            value = {"text": text}
    return {
        "control": control,
        "id": f"{control}-{place}",
        "title": [{"text": title, "lang": "zh_CN"}],
        "value": {**_OTHERS, **value},
    }
