"""Departments and people as the old API tells them (protocol notes 6.1).

World's departments carry numeric ids; whatever the root is called there, it is 1 here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .dingtalk_errors import OldError
from .dingtalk_gate import Body, Gate
from .world import Dept, Member, World

_ROOT = 1
_MAX_PAGE = 100
_LEFT = 5


@dataclass(slots=True)
class Directory:
    """visible: ids of the departments (with all below) the application may see; None: all."""

    world: World
    gate: Gate
    visible: set[int] | None = None

    def routes(self) -> list[web.RouteDef]:
        calls: dict[str, Callable[[Body], Body]] = {
            "topapi/v2/department/listsub": self._children,
            "topapi/v2/department/listsubid": self._child_ids,
            "topapi/v2/department/get": self._department,
            "topapi/v2/department/listparentbyuser": self._parents,
            "topapi/v2/user/list": lambda arguments: self._page(arguments, self._listed),
            "topapi/user/listsimple": lambda arguments: self._page(arguments, _simple),
            "topapi/user/listid": self._user_ids,
            "topapi/v2/user/get": self._user,
            "topapi/v2/user/getbymobile": self._by_mobile,
            "topapi/user/getbyunionid": self._by_union_id,
        }
        routes = [self.gate.old("POST", path, handle) for path, handle in calls.items()]
        return [*routes, self.gate.old("GET", "auth/scopes", self._scopes)]

    def _scopes(self, _: Body) -> Body:
        departments = sorted(self.visible) if self.visible is not None else [_ROOT]
        fields = ["userid", "name", "mobile", "email", "title"]
        scopes = {"authed_dept": departments, "authed_user": []}
        return {"auth_org_scopes": scopes, "auth_user_field": fields, "condition_field": []}

    def _children(self, arguments: Body) -> Body:
        parent = self._visible_dept(arguments)
        return {"result": [self._brief(dept) for dept in self._below(parent)]}

    def _child_ids(self, arguments: Body) -> Body:
        parent = self._dept(_number(arguments, "dept_id", _ROOT))
        return {"result": {"dept_id_list": [wire_id(dept) for dept in self._below(parent)]}}

    def _department(self, arguments: Body) -> Body:
        dept = self._visible_dept(arguments)
        members = self._members(dept)
        more = {
            "dept_manager_userid_list": list(dept.leaders),
            "order": self.world.depts.index(dept),
            "member_count": len(members),
            "hide_dept": False,
            "outer_dept": False,
        }
        return {"result": self._brief(dept) | more}

    def _parents(self, arguments: Body) -> Body:
        member = self._visible_member(_text(arguments, "userid"))
        chain = self._chain(wire_id(self._home(member)))
        return {"result": {"parent_list": [{"parent_dept_id_list": chain}]}}

    def _page(self, arguments: Body, show: Callable[[Member], Body]) -> Body:
        dept = self._visible_dept(arguments)
        cursor = _number(arguments, "cursor", None)
        size = _number(arguments, "size", None)
        if cursor < 0:
            raise OldError(40068, "不合法的偏移量")
        if not 1 <= size <= _MAX_PAGE:
            raise OldError(40069, "不合法的分页大小")
        members = self._members(dept)
        has_more = cursor + size < len(members)
        result: Body = {
            "has_more": has_more,
            "list": [show(member) for member in members[cursor : cursor + size]],
        }
        if has_more:
            result["next_cursor"] = cursor + size
        return {"result": result}

    def _user_ids(self, arguments: Body) -> Body:
        dept = self._dept(_number(arguments, "dept_id", None))
        return {"result": {"userid_list": [member.user_id for member in self._members(dept)]}}

    def _user(self, arguments: Body) -> Body:
        return {"result": self._full(self._visible_member(_text(arguments, "userid")))}

    def _by_mobile(self, arguments: Body) -> Body:
        mobile = _text(arguments, "mobile")
        if not mobile.isdigit():
            raise OldError(40104, "无效的手机号")
        found = self._first(lambda member: member.mobile == mobile and member.status == 1)
        return {"result": {"userid": found.user_id}}

    def _by_union_id(self, arguments: Body) -> Body:
        union_id = _text(arguments, "unionid")
        found = self._first(lambda member: member.union_id == union_id)
        return {"result": {"userid": found.user_id, "contact_type": 0}}

    def _first(self, fits: Callable[[Member], bool]) -> Member:
        for member in self.world.members:
            if member.platform == "dingtalk" and member.status != _LEFT and fits(member):
                return member
        raise OldError(60121, "找不到该用户")

    def _full(self, member: Member) -> Body:
        """One person; fields without a value or without their scope are absent, never null."""
        dept = self._home(member)
        user: Body = {
            "userid": member.user_id,
            "unionid": member.union_id,
            "name": member.name,
            "title": member.title,
            "active": member.status == 1,
            "admin": "admin" in member.roles,
            "boss": False,
            "senior": False,
            "hide_mobile": False,
            "dept_id_list": [wire_id(dept)],
            "dept_order_list": [{"dept_id": wire_id(dept), "order": 1}],
            "leader_in_dept": [
                {"dept_id": wire_id(dept), "leader": member.user_id in dept.leaders}
            ],
            "role_list": _roles(member),
            "manager_userid": member.direct_leader,
        }
        if "fieldMobile" in self.gate.granted and member.mobile:
            user |= {"mobile": member.mobile, "state_code": "86"}
        if "fieldEmail" in self.gate.granted and member.email:
            user["email"] = member.email
        if member.hired_at is not None:
            user["hired_date"] = int(member.hired_at.timestamp() * 1000)
        return {key: value for key, value in user.items() if value not in ("", [])}

    def _listed(self, member: Member) -> Body:
        """In a department's list, leader and order are those of this department."""
        user = self._full(member)
        leader = user.pop("leader_in_dept")[0]["leader"]
        order = user.pop("dept_order_list")[0]["order"]
        user.pop("role_list", None)
        user.pop("manager_userid", None)
        return user | {"leader": leader, "dept_order": order}

    def _brief(self, dept: Dept) -> Body:
        brief: Body = {
            "dept_id": wire_id(dept),
            "name": dept.name,
            "create_dept_group": False,
            "auto_add_user": False,
        }
        if dept.parent:
            brief["parent_id"] = self._chain(wire_id(dept))[1]
        return brief

    def _depts(self) -> list[Dept]:
        return [dept for dept in self.world.depts if dept.platform == "dingtalk"]

    def _dept(self, number: int) -> Dept:
        found = next((dept for dept in self._depts() if wire_id(dept) == number), None)
        if found is None:
            raise OldError(60003, "部门不存在")
        return found

    def _visible_dept(self, arguments: Body) -> Dept:
        dept = self._dept(_number(arguments, "dept_id", _ROOT))
        if not self._is_visible(dept):
            raise OldError(50004, "请求的部门id不在授权范围内")
        return dept

    def _visible_member(self, user_id: str) -> Member:
        member = self._first(lambda member: member.user_id == user_id)
        if not self._is_visible(self._home(member)):
            raise OldError(50002, "请求的员工userid不在授权范围内")
        return member

    def _is_visible(self, dept: Dept) -> bool:
        return self.visible is None or bool(self.visible & set(self._chain(wire_id(dept))))

    def _home(self, member: Member) -> Dept:
        return next(dept for dept in self._depts() if dept.id == member.department)

    def _members(self, dept: Dept) -> list[Member]:
        """Direct members only, those who left excepted."""
        return [
            member
            for member in self.world.members
            if (member.platform, member.department) == ("dingtalk", dept.id)
            and member.status != _LEFT
        ]

    def _below(self, parent: Dept) -> list[Dept]:
        return [dept for dept in self._depts() if dept.parent == parent.id]

    def _chain(self, number: int) -> list[int]:
        """From the department itself up to the root."""
        chain = []
        dept: Dept | None = self._dept(number)
        while dept is not None:
            chain.append(wire_id(dept))
            parent = dept.parent
            dept = next((other for other in self._depts() if other.id == parent), None)
        return chain


def wire_id(dept: Dept) -> int:
    """The number DingTalk knows a department by."""
    return int(dept.id) if dept.parent else _ROOT


def _simple(member: Member) -> Body:
    return {"userid": member.user_id, "name": member.name}


def _roles(member: Member) -> list[Body]:
    if not member.title:
        return []
    role_id = zlib.crc32(member.title.encode())
    return [{"id": role_id, "name": member.title, "group_name": "职务"}]


def _number(arguments: Body, name: str, default: int | None) -> int:
    value: Any = arguments.get(name, default)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise OldError(40035, f"不合法的参数：{name}") from None


def _text(arguments: Body, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise OldError(40035, f"缺少参数：{name}")
    return value
