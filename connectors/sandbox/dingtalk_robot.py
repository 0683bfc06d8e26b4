"""The application robot's own API: to people, to groups, recall and read status.

Protocol notes 3.4 to 3.6.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import web

from .dingtalk_content import Shown, from_msg_key
from .dingtalk_errors import invalid
from .dingtalk_files import Files
from .dingtalk_gate import Body, Gate
from .world import Said, World

_MAX_USERS = 20
_MAX_KEYS = 20
_RECALL_LIFE = timedelta(hours=24)


@dataclass(slots=True)
class Robot:
    """flow_controlled: users whose messages are held back and named in the answer."""

    world: World
    gate: Gate
    files: Files
    flow_controlled: set[str] = field(default_factory=set)
    _sent: dict[str, list[Said]] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        new = self.gate.new
        return [
            new("POST", "v1.0/robot/oToMessages/batchSend", self._send_to_users),
            new("GET", "v1.0/robot/oToMessages/readStatus", self._read_status),
            # Lower-case "oto" here is the platform's own spelling.
            new("POST", "v1.0/robot/otoMessages/batchRecall", self._recall_from_users),
            new("POST", "v1.0/robot/groupMessages/send", self._send_to_group),
            new("POST", "v1.0/robot/groupMessages/query", self._group_readers),
            new("POST", "v1.0/robot/groupMessages/recall", self._recall_from_group),
        ]

    async def post(
        self, shown: Shown, *, chat: str | None, to: str | None, wire: dict[str, Any]
    ) -> Said:
        """Put one message of the robot's before people."""
        said = Said(
            message_id=f"dt-{self.world.next_id()}",
            platform="dingtalk",
            chat=chat,
            sender=f"bot:{self.gate.app().name}",
            to=to,
            kind=shown.kind,
            text=shown.text,
            at=self.world.now(),
            card=shown.card,
            file=shown.file,
            wire={"read_by": set(), **wire},
        )
        return await self.world.add(said)

    def note_carrier(self, carrier: str, said: Said) -> None:
        """A card in a chat is asked about by its carrier as messages are by their key."""
        self._sent[carrier] = [said]

    def mark_read(self, said: Said, user_id: str) -> None:
        """Somebody looked at it."""
        said.wire.setdefault("read_by", set()).add(user_id)

    async def _send_to_users(self, arguments: Body) -> Body:
        self._check_robot_code(arguments)
        users = arguments.get("userIds")
        if not isinstance(users, list) or not users:
            raise invalid("invalidParameter.userIds.empty")
        if len(users) > _MAX_USERS:
            # The platform's own text still says 100.
            raise invalid("invalidParameter.userIds.overMax", "userIds 超过最大长度 100")
        shown = from_msg_key(arguments.get("msgKey"), arguments.get("msgParam"), self.files)
        unknown = [user for user in users if not self._is_reachable(user)]
        held = [user for user in users if user in self.flow_controlled and user not in unknown]
        key = _process_query_key()
        self._sent[key] = [
            await self.post(shown, chat=None, to=user, wire=_wire(key, arguments))
            for user in users
            if user not in unknown and user not in held
        ]
        return {
            "processQueryKey": key,
            "invalidStaffIdList": unknown,
            "flowControlledStaffIdList": held,
            "filteredStaffIdList": [],
        }

    async def _send_to_group(self, arguments: Body) -> Body:
        self._check_robot_code(arguments)
        chat_id = self._group(arguments)
        shown = from_msg_key(arguments.get("msgKey"), arguments.get("msgParam"), self.files)
        key = _process_query_key()
        wire = _wire(key, arguments)
        self._sent[key] = [await self.post(shown, chat=chat_id, to=None, wire=wire)]
        return {"processQueryKey": key}

    def _read_status(self, arguments: Body) -> Body:
        self._check_robot_code(arguments)
        said = self._still_known(arguments.get("processQueryKey"))
        readers = [self._reader(message) for message in said]
        return {"sendStatus": _send_status(said), "messageReadInfoList": readers}

    def _group_readers(self, arguments: Body) -> Body:
        self._check_robot_code(arguments)
        self._group(arguments)
        said = self._still_known(arguments.get("processQueryKey"))
        readers = sorted({user for message in said for user in message.wire["read_by"]})
        return {"sendStatus": _send_status(said), "readUserIds": readers, "hasMore": False}

    async def _recall_from_users(self, arguments: Body) -> Body:
        self._check_robot_code(arguments)
        return await self._recall(arguments, in_group=None)

    async def _recall_from_group(self, arguments: Body) -> Body:
        self._check_robot_code(arguments)
        return await self._recall(arguments, in_group=self._group(arguments))

    async def _recall(self, arguments: Body, in_group: str | None) -> Body:
        keys = arguments.get("processQueryKeys")
        if not isinstance(keys, list) or not 0 < len(keys) <= _MAX_KEYS:
            raise invalid("invalidParameter.processQueryKeys.invalid")
        done: list[str] = []
        failed: dict[str, str] = {}
        for key in keys:
            said = [m for m in self._sent.get(key, []) if m.chat == in_group]
            if not said or said[0].at + _RECALL_LIFE < self.world.now():
                failed[key] = "processQueryKey.expireTime"
                continue
            for message in said:
                message.recalled = True
            done.append(key)
        await self.world.changed()
        return {"successResult": done, "failedResult": failed}

    def _check_robot_code(self, arguments: Body) -> None:
        code = arguments.get("robotCode")
        if not code:
            raise invalid("invalidParameter.robotCode.empty")
        if code != self.gate.app().app_key:
            raise invalid("invalidParameter.robotCode.notExsit", "robot 不存在")

    def _group(self, arguments: Body) -> str:
        chat_id = arguments.get("openConversationId")
        if not chat_id:
            raise invalid("miss.openConversationId")
        if self.world.chat("dingtalk", chat_id) is None:
            raise invalid("invalid.openConversationId")
        return str(chat_id)

    def _is_reachable(self, user_id: Any) -> bool:
        member = self.world.member("dingtalk", user_id) if isinstance(user_id, str) else None
        return member is not None and member.status == 1

    def _still_known(self, key: Any) -> list[Said]:
        said = self._sent.get(key or "", [])
        if not said or said[0].at + _RECALL_LIFE < self.world.now():
            raise invalid("processQueryKey.expireTime")
        return said

    def _reader(self, said: Said) -> Body:
        user_id = said.to or ""
        member = self.world.member("dingtalk", user_id)
        status = "READ" if user_id in said.wire["read_by"] else "UNREAD"
        return {"name": member.name if member else "", "userId": user_id, "readStatus": status}


def _wire(key: str, arguments: Body) -> dict[str, Any]:
    return {"processQueryKey": key, "msgKey": arguments["msgKey"]}


def _process_query_key() -> str:
    """Opaque, with the characters that must be encoded in a GET."""
    return f"zq/+{base64.b64encode(secrets.token_bytes(14)).decode()}"


def _send_status(said: list[Said]) -> str:
    return "RECALLED" if all(message.recalled for message in said) else "SUCCESS"
