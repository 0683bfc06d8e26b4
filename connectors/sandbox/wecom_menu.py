"""The application's menu, and what its console page says of it.

Sources: developer.work.weixin.qq.com/document/path/90231, 90227.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from .wecom_calls import Answer, Api, Call
from .wecom_errors import WecomError
from .wecom_state import WecomState

_KEYED = {
    "click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album",
    "pic_weixin", "location_select",
}  # fmt: skip


async def create_menu(state: WecomState, call: Call) -> Answer:
    """Replace the menu: at most 3 entries of at most 5 each."""
    _check_agent(call)
    _check_entries(call.body.get("button"), most=3, code=40016)
    state.menus[call.app.agent_id] = {"button": call.body["button"]}
    return {}


async def get_menu(state: WecomState, call: Call) -> Answer:
    _check_agent(call)
    menu = state.menus.get(call.app.agent_id)
    if menu is None:
        raise WecomError(46003)
    return menu


async def delete_menu(state: WecomState, call: Call) -> Answer:
    _check_agent(call)
    state.menus.pop(call.app.agent_id, None)
    return {}


def click_keys(menu: dict[str, Any]) -> Iterator[str]:
    """The keys that a tap on the menu can send."""
    for entry in menu.get("button", []):
        for item in entry.get("sub_button") or [entry]:
            if item.get("type") == "click":
                yield item["key"]


async def show_agent(state: WecomState, call: Call) -> Answer:
    """What the console has of the application; its trusted domain is where the bot is."""
    _check_agent(call)
    domain = urlsplit(call.app.callback_url).hostname or ""
    return {
        "agentid": int(call.app.agent_id),
        "name": call.app.title or call.app.name,
        "close": 0,
        "redirect_domain": domain,
    }


def _check_agent(call: Call) -> None:
    if not call.query.get("agentid"):
        raise WecomError(40056)
    if call.query["agentid"] != call.app.agent_id:
        raise WecomError(301002)


def _check_entries(entries: Any, *, most: int, code: int) -> None:
    if not isinstance(entries, list) or not 1 <= len(entries) <= most:
        raise WecomError(code)
    for entry in entries:
        if not isinstance(entry, dict):
            raise WecomError(40058, "button must hold objects")
        if not _is_text(entry.get("name"), most_bytes=60):
            raise WecomError(40018)
        if most == 3 and entry.get("sub_button"):
            _check_entries(entry["sub_button"], most=5, code=40023)
        else:
            _check_entry(entry)


def _check_entry(entry: dict[str, Any]) -> None:
    kind = entry.get("type")
    if kind in _KEYED:
        if not _is_text(entry.get("key"), most_bytes=128):
            raise WecomError(40019)
    elif kind == "view":
        if not _is_text(entry.get("url"), most_bytes=1024):
            raise WecomError(40058, "url")
    elif kind != "view_miniprogram":
        raise WecomError(40017)


def _is_text(value: Any, *, most_bytes: int) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= most_bytes


APIS = {
    "agent/get": Api("GET", show_agent, scope="app"),
    "menu/create": Api("POST", create_menu, scope="app"),
    "menu/get": Api("GET", get_menu, scope="app"),
    "menu/delete": Api("GET", delete_menu, scope="app"),
}
