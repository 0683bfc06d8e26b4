"""Members and departments in the application's visible range.

Source: developer.work.weixin.qq.com/document/path/90193 to 90216. Applications made since
2022-06 get no mobile; what lies outside the visible range is passed over and logged, and
then the answer is not `whole`, so that nobody is taken for gone who is only out of sight.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from bot.domain.people import Directory, DirectoryDepartment, DirectoryUser, PersonStatus
from connectors.wecom.api import Api
from connectors.wecom.errors import (
    ANSWER_TOO_LARGE,
    NO_SUCH_USER,
    OUT_OF_REACH,
    WecomRejected,
    in_shape,
)
from connectors.wecom.patience import in_parallel, patiently

log = logging.getLogger(__name__)

_STATUS = {2: PersonStatus.INACTIVE, 4: PersonStatus.INACTIVE, 5: PersonStatus.LEFT}

_Raw = dict[str, Any]


async def read_all(api: Api) -> Directory:
    """Everybody in range."""
    reader = _Reader(api)
    departments = await reader.departments()
    with in_shape("department/list"):
        ids = [str(raw["id"]) for raw in departments]
        seen = tuple(_to_department(raw, set(ids)) for raw in departments)
    members: dict[str, DirectoryUser] = {}
    for users in await in_parallel(reader.members, ids):
        members.update((user.user_id, user) for user in users)
    return Directory(
        platform="wecom",
        users=tuple(members.values()),
        departments=seen,
        whole=not reader.passed_over,
    )


async def read_some(api: Api, user_ids: Sequence[str]) -> Directory:
    """Only these; those the platform does not know are in `left_user_ids`."""
    reader = _Reader(api)
    wanted = list(dict.fromkeys(user_id.lower() for user_id in user_ids))
    found = [user for user in await in_parallel(reader.member, wanted) if user is not None]
    return Directory(
        platform="wecom",
        users=tuple(found),
        whole=False,
        left_user_ids=tuple(reader.unknown_users),
    )


class _Reader:
    """Reads politely: a few calls at a time, each repeated when the platform is busy."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.passed_over: list[str] = []
        self.unknown_users: list[str] = []

    async def departments(self) -> list[_Raw]:
        """All with names and leaders; one by one where the list is too large for an answer."""
        try:
            answer = await self._get("department/list")
        except WecomRejected as refusal:
            if refusal.errcode != ANSWER_TOO_LARGE:
                raise
        else:
            with in_shape("department/list"):
                return list(answer["department"])
        answer = await self._get("department/simplelist")
        with in_shape("department/simplelist"):
            ids = [str(raw["id"]) for raw in answer["department_id"]]
        found = await in_parallel(self._department, ids)
        return [raw for raw in found if raw is not None]

    async def _department(self, department_id: str) -> _Raw | None:
        try:
            answer = await self._get("department/get", id=department_id)
        except WecomRejected as refusal:
            self._pass_over("department", department_id, refusal)
            return None
        with in_shape("department/get"):
            return dict(answer["department"])

    async def members(self, department_id: str) -> list[DirectoryUser]:
        """Those directly in the department."""
        try:
            answer = await self._get("user/list", department_id=department_id)
        except WecomRejected as refusal:
            if refusal.errcode == ANSWER_TOO_LARGE:
                return await self._members_singly(department_id)
            self._pass_over("department", department_id, refusal)
            return []
        with in_shape("user/list"):
            return [_to_user(raw) for raw in answer["userlist"]]

    async def _members_singly(self, department_id: str) -> list[DirectoryUser]:
        answer = await self._get("user/simplelist", department_id=department_id)
        with in_shape("user/simplelist"):
            ids = [str(raw["userid"]) for raw in answer["userlist"]]
        users: list[DirectoryUser] = []
        for user_id in ids:
            user = await self.member(user_id)
            users += [user] if user else []
        return users

    async def member(self, user_id: str) -> DirectoryUser | None:
        try:
            answer = await self._get("user/get", userid=user_id)
        except WecomRejected as refusal:
            if refusal.errcode in NO_SUCH_USER:
                self.unknown_users.append(user_id)
            else:
                self._pass_over("user", user_id, refusal)
            return None
        with in_shape("user/get"):
            return _to_user(answer)

    async def _get(self, api: str, **params: str) -> _Raw:
        return await patiently(lambda: self._api.get(api, **params))

    def _pass_over(self, what: str, which: str, refusal: WecomRejected) -> None:
        """Only for what is out of reach; anything else is a failure of the whole reading."""
        if refusal.errcode not in OUT_OF_REACH:
            raise refusal
        self.passed_over.append(which)
        log.warning(
            "outside the application's visible range, passed over",
            extra={"action": "directory_passed_over", what: which, "error": str(refusal)},
        )


def _to_department(raw: _Raw, known: set[str]) -> DirectoryDepartment:
    """The topmost one in range has a parent that we cannot see."""
    parent = str(raw.get("parentid", 0))
    return DirectoryDepartment(
        id=str(raw["id"]),
        name=str(raw.get("name") or raw["id"]),
        parent_id=parent if parent in known else None,
        leaders=tuple(str(user_id).lower() for user_id in raw.get("department_leader", ())),
    )


def _to_user(raw: _Raw) -> DirectoryUser:
    departments = tuple(str(department) for department in raw.get("department", ()))
    leads = zip(departments, raw.get("is_leader_in_dept", ()), strict=False)
    main = raw.get("main_department")
    return DirectoryUser(
        user_id=str(raw["userid"]).lower(),
        name=str(raw.get("name") or raw["userid"]),
        mobile=str(raw["mobile"]) if raw.get("mobile") else None,
        status=_STATUS.get(raw.get("status", 1), PersonStatus.ACTIVE),
        titles=(str(raw["position"]),) if raw.get("position") else (),
        departments=departments,
        main_department=str(main) if main else None,
        leads=tuple(department for department, flag in leads if flag == 1),
        leaders=tuple(str(user_id).lower() for user_id in raw.get("direct_leader", ())),
    )
