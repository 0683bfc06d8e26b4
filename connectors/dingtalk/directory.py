"""Departments and people through the old API (protocol notes 6.1). None of it is paid for.

A department's list of members tells neither their roles nor their manager, so each person
is read once by name; a thousand people take little more than a minute, at night.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.people import (
    Directory,
    DirectoryDepartment,
    DirectoryUser,
    PersonStatus,
)
from bot.messages import Platform
from connectors.dingtalk.api import Api
from connectors.dingtalk.errors import OUT_OF_RANGE, PERSON_GONE, DingtalkRejected
from connectors.dingtalk.read import Body, flag, number, obj, rows, text

_PAGE = 100
_ROOT = "1"
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)

log = logging.getLogger(__name__)


async def read_directory(api: Api) -> Directory:
    """Everybody the application may see.

    Fails as a whole if any call fails. `whole` is False when a part lies outside the
    visible range, so that nobody in it is taken for gone.
    """
    reading = _Reading(api)
    scopes = obj(await api.scopes(), "auth_org_scopes")
    await reading.read_departments(_texts(scopes, "authed_dept"))
    await reading.read_users([*reading.leads, *_texts(scopes, "authed_user")])
    return Directory(
        platform=Platform.DINGTALK,
        users=tuple(reading.users.values()),
        departments=tuple(reading.departments.values()),
        whole=reading.is_whole,
    )


async def read_users(api: Api, user_ids: Iterable[str]) -> Directory:
    """Only these; the ones that are gone in `left_user_ids`."""
    reading = _Reading(api)
    await reading.read_users(user_ids)
    return Directory(
        platform=Platform.DINGTALK,
        users=tuple(reading.users.values()),
        whole=False,
        left_user_ids=tuple(reading.gone),
    )


async def count_people(api: Api) -> int:
    """How many the application may see, without reading each."""
    reading = _Reading(api)
    scopes = obj(await api.scopes(), "auth_org_scopes")
    await reading.read_departments(_texts(scopes, "authed_dept"))
    return len({*reading.leads, *_texts(scopes, "authed_user")})


@dataclass(slots=True)
class _Reading:
    """What was read so far. leads: user id -> departments the person leads."""

    api: Api
    departments: dict[str, DirectoryDepartment] = field(default_factory=dict)
    leads: dict[str, set[str]] = field(default_factory=dict)
    users: dict[str, DirectoryUser] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    is_whole: bool = True

    async def read_departments(self, roots: Sequence[str]) -> None:
        """Breadth first: one call tells one level only."""
        waiting = list(roots)
        while waiting:
            department_id = waiting.pop(0)
            if department_id in self.departments or not _NUMBER.fullmatch(department_id):
                continue
            try:
                waiting += await self._read_department(department_id)
            except DingtalkRejected as error:
                if error.code not in OUT_OF_RANGE:
                    raise
                self._skip("department", department_id)

    async def read_users(self, user_ids: Iterable[str]) -> None:
        for user_id in dict.fromkeys(user_ids):
            try:
                body = await self.api.old("topapi/v2/user/get", {"userid": user_id})
            except DingtalkRejected as error:
                if error.code in PERSON_GONE:
                    self.gone.append(user_id)
                elif error.code in OUT_OF_RANGE:
                    self._skip("user", user_id)
                else:
                    raise
                continue
            user = _to_user(body)
            leads = {*user.leads, *self.leads.get(user_id, ())}
            self.users[user_id] = replace(user, leads=tuple(sorted(leads)))

    async def _read_department(self, department_id: str) -> list[str]:
        """Take in one department with its members' ids; the ids of those below it."""
        wanted = {"dept_id": int(department_id)}
        told = await self.api.old("topapi/v2/department/get", wanted)
        members = await self._read_members(department_id)
        managers = _texts(told, "dept_manager_userid_list")
        leaders = [
            *managers,
            *(text(member, "userid") for member in members if flag(member, "leader")),
        ]
        for member in members:
            self.leads.setdefault(text(member, "userid"), set())
        for leader in leaders:
            self.leads.setdefault(leader, set()).add(department_id)
        self.departments[department_id] = DirectoryDepartment(
            id=department_id,
            name=text(told, "name"),
            parent_id=text(told, "parent_id") or None if department_id != _ROOT else None,
            leaders=tuple(dict.fromkeys(leaders)),
        )
        below = await self.api.old("topapi/v2/department/listsub", wanted)
        return [text(child, "dept_id") for child in rows(below, "list") if isinstance(child, dict)]

    async def _read_members(self, department_id: str) -> list[Body]:
        members: list[Body] = []
        cursor: int | None = 0
        while cursor is not None:
            wanted = {"dept_id": int(department_id), "cursor": cursor, "size": _PAGE}
            page = await self.api.old("topapi/v2/user/list", wanted)
            members += [member for member in rows(page, "list") if isinstance(member, dict)]
            following = number(page, "next_cursor") if flag(page, "has_more") else None
            # A cursor that stands still would turn for ever.
            cursor = following if following is not None and following > cursor else None
        return members

    def _skip(self, what: str, name: str) -> None:
        self.is_whole = False
        fields = {"action": "read_directory", "what": what, "id": name}
        log.warning("outside the application's visible range", extra=fields)


def _to_user(body: Body) -> DirectoryUser:
    """No field tells the main department; the order of dept_id_list means nothing."""
    in_departments = [each for each in rows(body, "leader_in_dept") if isinstance(each, dict)]
    roles = [text(role, "name") for role in rows(body, "role_list") if isinstance(role, dict)]
    active = flag(body, "active", default=True)
    titles = dict.fromkeys(title for title in (text(body, "title"), *roles) if title)
    manager = text(body, "manager_userid")
    return DirectoryUser(
        user_id=text(body, "userid"),
        name=text(body, "name"),
        mobile=text(body, "mobile") or None,
        status=PersonStatus.ACTIVE if active else PersonStatus.INACTIVE,
        titles=tuple(titles),
        departments=tuple(_texts(body, "dept_id_list")),
        leads=tuple(text(each, "dept_id") for each in in_departments if flag(each, "leader")),
        leaders=(manager,) if manager else (),
    )


def _texts(body: Body, name: str) -> list[str]:
    """A list of ids, numbers or strings."""
    return [found for value in rows(body, name) if (found := text({"id": value}, "id"))]
