"""Groups made from a template (protocol notes 6.5); the robot is in them from the start."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from aiohttp import web

from .dingtalk_errors import invalid
from .dingtalk_gate import Body, Gate
from .world import Chat, World

_MOST_MEMBERS = 1_000


@dataclass(slots=True)
class Groups:
    """templates: their ids, as made in the console. made: by uuid, which makes no second one."""

    world: World
    gate: Gate
    templates: set[str] = field(default_factory=lambda: {"gendan-group"})
    made: dict[str, Chat] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [
            self.gate.new("POST", "v1.0/im/sceneGroup/create", self._create),
            self.gate.new("POST", "v1.0/im/sceneGroups/query", self._query),
        ]

    def _create(self, arguments: Body) -> Body:
        title, template = arguments.get("title"), arguments.get("template_id")
        owner, members = arguments.get("owner_user_id"), arguments.get("user_ids") or []
        if not isinstance(title, str) or not title.strip():
            raise invalid("invalidParameter.title")
        if template not in self.templates:
            raise invalid("invalidParameter.templateId")
        everybody = list(dict.fromkeys([owner, *members]))
        if len(everybody) > _MOST_MEMBERS or not all(map(self._is_member, everybody)):
            raise invalid("permession.checkFailed")
        key = str(arguments.get("uuid") or secrets.token_hex(8))
        if key not in self.made:
            chat_id = f"cid{secrets.token_urlsafe(18)}=="
            self.made[key] = Chat(chat_id, title, "dingtalk", everybody, owner=str(owner))
            self.world.chats.append(self.made[key])
        chat = self.made[key]
        return {"open_conversation_id": chat.chat_id, "chat_id": f"chat{chat.chat_id[3:15]}"}

    def _query(self, arguments: Body) -> Body:
        wanted = arguments.get("openConversationId")
        chat = next((one for one in self.made.values() if one.chat_id == wanted), None)
        if chat is None:
            raise invalid("invalidParameter.openConversationId")
        return {
            "success": True, "openConversationId": chat.chat_id, "title": chat.name,
            "ownerUserId": chat.owner, "status": 1,
        }  # fmt: skip

    def _is_member(self, user_id: object) -> bool:
        member = self.world.member("dingtalk", str(user_id))
        return member is not None and member.status == 1
