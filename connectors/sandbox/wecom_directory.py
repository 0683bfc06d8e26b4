"""Members and departments.

Source: developer.work.weixin.qq.com/document/path/90193 to 90208. Department ids are
numbers on the wire, so the ids of WeCom departments in the World must be digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from .wecom_calls import Answer, Api, Call
from .wecom_errors import WecomError
from .wecom_state import WecomState
from .world import Dept, Member

_PAGE = 10_000


async def get_user(state: WecomState, call: Call) -> Answer:
    member = state.world.member("wecom", call.query.get("userid", ""))
    if member is None or member.status == 5:
        raise WecomError(60111)
    return _full(state, member)


async def simple_list(state: WecomState, call: Call) -> Answer:
    """One department's own members, not those below it."""
    return {"userlist": [_simple(member) for member in _members_in(state, call)]}


async def full_list(state: WecomState, call: Call) -> Answer:
    dept = _dept(state, call)
    members = state.world.members_of("wecom", dept.id)
    return {"userlist": [_full(state, member, [dept]) for member in members]}


async def list_ids(state: WecomState, call: Call) -> Answer:
    """All user ids by pages; only for the contact-sync secret."""
    limit, cursor = call.body.get("limit", _PAGE), call.body.get("cursor", "")
    if not isinstance(limit, int) or not 1 <= limit <= _PAGE:
        raise WecomError(40058, "limit must be 1 to 10000")
    if not isinstance(cursor, str) or not (cursor == "" or cursor.isdigit()):
        raise WecomError(40058, "cursor")
    start = int(cursor or 0)
    members = _present(state)
    page = members[start : start + limit]
    more = start + limit < len(members)
    return {
        "next_cursor": str(start + limit) if more else "",
        "dept_user": [
            {"userid": member.user_id, "department": int(member.department)} for member in page
        ],
    }


async def find_by_mobile(state: WecomState, call: Call) -> Answer:
    mobile = call.body.get("mobile")
    if not isinstance(mobile, str) or not mobile:
        raise WecomError(40063, "mobile")
    found = next((member for member in _present(state) if member.mobile == mobile), None)
    if found is None:
        raise WecomError(46004)
    return {"userid": found.user_id}


async def list_departments(state: WecomState, call: Call) -> Answer:
    """The department asked for and all below it; without an id, all."""
    return {"department": [_department(dept) for dept in _asked(state, call)]}


async def list_department_ids(state: WecomState, call: Call) -> Answer:
    return {
        "department_id": [
            {"id": int(dept.id), "parentid": _parent(dept), "order": 1}
            for dept in _asked(state, call)
        ]
    }


async def get_department(state: WecomState, call: Call) -> Answer:
    return {"department": _department(state.below(call.query.get("id", ""))[0])}


def _asked(state: WecomState, call: Call) -> Sequence[Dept]:
    return state.below(call.query["id"]) if call.query.get("id") else state.depts()


def _members_in(state: WecomState, call: Call) -> list[Member]:
    return state.world.members_of("wecom", _dept(state, call).id)


def _dept(state: WecomState, call: Call) -> Dept:
    return state.below(call.query.get("department_id", ""))[0]


def _present(state: WecomState) -> list[Member]:
    return [member for member in state.members() if member.status != 5]


def _simple(member: Member) -> dict[str, Any]:
    return {
        "userid": member.user_id,
        "name": member.name,
        "department": [int(member.department)],
        "open_userid": f"wo{hashlib.sha256(member.user_id.encode()).hexdigest()[:30]}",
    }


def _full(state: WecomState, member: Member, depts: Sequence[Dept] | None = None) -> dict[str, Any]:
    """depts: among which the member's own is; None: all."""
    leads = any(
        dept.id == member.department and member.user_id in dept.leaders
        for dept in (state.depts() if depts is None else depts)
    )
    private = {"mobile": member.mobile, "email": member.email} if state.gives_mobile else {}
    return {
        **_simple(member),
        **private,
        "order": [0],
        "main_department": int(member.department),
        "position": member.title,
        "is_leader_in_dept": [int(leads)],
        "direct_leader": [member.direct_leader] if member.direct_leader else [],
        "telephone": "",
        "alias": "",
        "status": member.status,
        "extattr": {"attrs": []},
    }


def _department(dept: Dept) -> dict[str, Any]:
    return {
        "id": int(dept.id),
        "name": dept.name,
        "name_en": "",
        "department_leader": dept.leaders,
        "parentid": _parent(dept),
        "order": 1,
    }


def _parent(dept: Dept) -> int:
    return int(dept.parent or 0)


APIS = {
    "user/get": Api("GET", get_user),
    "user/simplelist": Api("GET", simple_list),
    "user/list": Api("GET", full_list),
    "user/list_id": Api("POST", list_ids, scope="contacts"),
    "user/getuserid": Api("POST", find_by_mobile, scope="app"),
    "department/list": Api("GET", list_departments),
    "department/simplelist": Api("GET", list_department_ids),
    "department/get": Api("GET", get_department),
}
