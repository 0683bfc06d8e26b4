"""The emulated world as the control API shows it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from .world import App, Chat, Member, Said


def show_member(member: Member) -> dict[str, Any]:
    return {
        "user_id": member.user_id,
        "name": member.name,
        "platform": member.platform,
        "roles": member.roles,
        "title": member.title,
        "department": member.department,
        "status": member.status,
    }


def show_chat(chat: Chat) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "chat_id": chat.chat_id,
        "name": chat.name,
        "platform": chat.platform,
        "members": chat.members,
    }
    return {**shown, "robot": chat.robot} if chat.robot else shown


def show_app(app: App) -> dict[str, Any]:
    """With its credentials, which are worth nothing outside this process."""
    return {
        "platform": app.platform,
        "name": app.name,
        "kind": app.kind,
        "callback_url": app.callback_url,
        "events_url": app.events_url,
        "cards_url": app.cards_url,
        "token": app.token,
        "aes_key": app.aes_key,
        "corp_id": app.corp_id,
        "agent_id": app.agent_id,
        "app_key": app.app_key,
        "app_secret": app.app_secret,
        "card_secret": app.card_secret,
        "mode": app.mode,
    }


def show_said(said: Said) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "message_id": said.message_id,
        "platform": said.platform,
        "chat": said.chat,
        "from": said.sender,
        "to": said.to,
        "kind": said.kind,
        "text": said.text,
        "at": said.at,
    }
    extras = {
        "card": said.card,
        "file": said.file,
        "updated_at": said.updated_at,
        "recalled": said.recalled or None,
    }
    return shown | {name: value for name, value in extras.items() if value is not None}


def with_links(stream: dict[str, Any]) -> dict[str, Any]:
    """A customer's stream, its files with the address at which they can be looked at."""
    activities = [
        {**activity, "files": [_with_link(file) for file in activity.get("files", ())]}
        for activity in stream["activities"]
    ]
    return {**stream, "activities": activities}


def _with_link(file: dict[str, Any]) -> dict[str, Any]:
    return {**file, "url": f"/sandbox/api/evidence/{file['sha256']}"}


def show_file(data: bytes, name: str, media_type: str) -> web.Response:
    """An uploaded page must not run with the sandbox's own rights."""
    shown = media_type.startswith(("image/", "audio/", "video/")) and "svg" not in media_type
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; "
        f"filename*=UTF-8''{quote(name)}",
    }
    return web.Response(body=data, content_type=media_type, headers=headers)


def to_json(body: dict[str, Any], *, status: int = 200) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, default=_plain)
    return web.Response(text=text, status=status, content_type="application/json")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
