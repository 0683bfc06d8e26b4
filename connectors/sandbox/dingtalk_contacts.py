"""External contacts of the emulated DingTalk (protocol notes 6.3)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .dingtalk_errors import OldError
from .dingtalk_gate import Body, Gate

_MOST = 100
_MOST_LABELS = 20


@dataclass(slots=True)
class Contacts:
    """entries: user id -> the entry as it goes over the wire. labels: id -> name."""

    gate: Gate
    entries: dict[str, Body] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=lambda: {1001: "客户"})

    def routes(self) -> list[web.RouteDef]:
        calls = {
            "list": self._list,
            "get": self._get,
            "create": self._create,
            "delete": self._delete,
            "listlabelgroups": self._label_groups,
        }
        return [
            self.gate.old("POST", f"topapi/extcontact/{name}", handle)
            for name, handle in calls.items()
        ]

    def add(self, follower: str, name: str, **more: Any) -> str:
        """An entry, as made in the console; its user id."""
        user_id = f"ext{len(self.entries):06d}"
        entry = {"userid": user_id, "name": name, "follower_user_id": follower, "label_ids": [1001]}
        self.entries[user_id] = entry | more
        return user_id

    def _list(self, arguments: Body) -> Body:
        size, offset = arguments.get("size", 20), arguments.get("offset", 0)
        if not isinstance(size, int) or not 1 <= size <= _MOST:
            raise OldError(40069, "不合法的分页大小")
        if not isinstance(offset, int) or offset < 0:
            raise OldError(40068, "不合法的偏移量")
        return {"results": [*self.entries.values()][offset : offset + size]}

    def _get(self, arguments: Body) -> Body:
        return {"result": self._entry(arguments)}

    def _create(self, arguments: Body) -> Body:
        contact = arguments.get("contact")
        if not isinstance(contact, dict):
            raise OldError(40035, "缺少参数：contact")
        labels = contact.get("label_ids")
        if not isinstance(labels, list) or not 1 <= len(labels) <= _MOST_LABELS:
            raise OldError(60204, "标签不能为空")
        if not contact.get("name"):
            raise OldError(60112, "姓名不合法")
        mobile = str(contact.get("mobile", ""))
        if not mobile.isdigit():
            raise OldError(60103, "手机号码不合法")
        if any(one.get("mobile") == mobile for one in self.entries.values()):
            raise OldError(22005, "外部联系人已存在")
        user_id = f"ext{secrets.token_hex(6)}"
        self.entries[user_id] = {**contact, "userid": user_id}
        return {"userid": user_id}

    def _delete(self, arguments: Body) -> Body:
        self.entries.pop(self._entry(arguments)["userid"])
        return {}

    def _label_groups(self, _: Body) -> Body:
        labels = [{"id": key, "name": name} for key, name in self.labels.items()]
        return {"results": [{"name": "分组", "color": -1, "labels": labels}]}

    def _entry(self, arguments: Body) -> Body:
        """Which code says that there is none is not documented; it is the one for members."""
        entry = self.entries.get(str(arguments.get("user_id", "")))
        if entry is None:
            raise OldError(60121, "找不到该用户")
        return entry
