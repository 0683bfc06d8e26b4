"""What message/send accepts as a template_card.

Source: developer.work.weixin.qq.com/document/path/90236, error codes of path 90313.
Lengths in characters are recommendations there: too long is cut on screen, not refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .wecom_errors import WecomError

INTERACTIVE = {"button_interaction", "vote_interaction", "multiple_interaction"}
_TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
_OBJECTS = {
    "source", "main_title", "emphasis_content", "quote_area", "card_action", "card_image",
    "image_text_area", "button_selection", "checkbox", "submit_button", "action_menu",
}  # fmt: skip
_NUMBERS = {"type", "style", "mode", "desc_color", "aspect_ratio", "disable", "is_checked"}


def check_card(card: Any) -> None:
    """Raises WecomError with the code for the first thing wrong."""
    if not isinstance(card, dict):
        raise WecomError(40063, "template_card")
    check = _CHECKS.get(str(card.get("card_type")))
    if check is None:
        raise WecomError(42031)
    _check_types(card)
    _check_common(card)
    check(card)


def calls_back(card: Mapping[str, Any]) -> bool:
    """Whether a press on it comes back to the application; only then a response_code."""
    return card.get("card_type") in INTERACTIVE or bool(card.get("action_menu"))


def _check_types(item: Mapping[str, Any]) -> None:
    for name, value in item.items():
        if name in _OBJECTS:
            _demand(isinstance(value, dict), f"{name} must be an object")
            _check_types(value)
        elif name.endswith("_list"):
            _demand(isinstance(value, list), f"{name} must be a list")
            for entry in value:
                _demand(isinstance(entry, dict), f"{name} must hold objects")
                _check_types(entry)
        elif name in _NUMBERS:
            _demand(isinstance(value, int | float), f"{name} must be a number")
        else:
            _demand(isinstance(value, str), f"{name} must be a string")


def _demand(holds: bool, detail: str) -> None:
    if not holds:
        raise WecomError(40058, detail)


def _check_common(card: Mapping[str, Any]) -> None:
    for fact in _list(card, "horizontal_content_list", most=6, code=42035):
        _need(fact, "keyname", 40063)
    for item in _list(card, "vertical_content_list", most=4, code=42036):
        _need(item, "title", 42033)
    for item in _list(card, "jump_list", most=3, code=42042):
        _need(item, "title", 42033)
    if "action_menu" in card:
        actions = _list(card["action_menu"], "action_list", least=1, most=3, code=42039)
        _check_named(actions, text_code=42038, key_code=42039)
    task_id = card.get("task_id")
    if task_id is None and not calls_back(card):
        return
    if task_id is None or not _TASK_ID.fullmatch(task_id):
        raise WecomError(42014)


def _check_text_notice(card: Mapping[str, Any]) -> None:
    if not (card.get("main_title", {}).get("title") or card.get("sub_title_text")):
        raise WecomError(40063, "main_title.title and sub_title_text")
    _check_card_action(card)


def _check_news_notice(card: Mapping[str, Any]) -> None:
    _check_title(card)
    if "image_text_area" not in card:
        _need(card.get("card_image", {}), "url", 42044)
    _check_card_action(card)


def _check_card_action(card: Mapping[str, Any]) -> None:
    action = card.get("card_action", {})
    target = {1: "url", 2: "appid"}.get(action.get("type", 0))
    if target is None or not action.get(target):
        raise WecomError(42045)


def _check_buttons(card: Mapping[str, Any]) -> None:
    _check_title(card)
    buttons = _list(card, "button_list", least=1, most=6, code=42039)
    pressed = [button for button in buttons if button.get("type", 0) != 1]
    for link in (button for button in buttons if button.get("type", 0) == 1):
        _need(link, "text", 42038)
        _need(link, "url", 40063)
    _check_named(pressed, text_code=42038, key_code=42039)
    if "button_selection" in card:
        _check_selections([card["button_selection"]])


def _check_vote(card: Mapping[str, Any]) -> None:
    _check_title(card)
    _check_selections([card.get("checkbox", {})], most=20)
    _check_submit(card)


def _check_choices(card: Mapping[str, Any]) -> None:
    _check_title(card)
    _check_selections(_list(card, "select_list", least=1, most=3, code=42047))
    _check_submit(card)


def _check_title(card: Mapping[str, Any]) -> None:
    _need(card.get("main_title", {}), "title", 40063)


def _check_submit(card: Mapping[str, Any]) -> None:
    submit = card.get("submit_button", {})
    _need(submit, "text", 42049)
    _need(submit, "key", 42046, most_bytes=1024)


def _check_selections(selections: Sequence[Mapping[str, Any]], *, most: int = 10) -> None:
    _check_unique(selections, "question_key", 42043, most_bytes=1024)
    for selection in selections:
        options = _list(selection, "option_list", least=1, most=most, code=42037)
        _check_unique(options, "id", 42040, most_bytes=128)
        for option in options:
            _need(option, "text", 42041)


def _check_named(items: Sequence[Mapping[str, Any]], *, text_code: int, key_code: int) -> None:
    for item in items:
        _need(item, "text", text_code)
    _check_unique(items, "key", key_code, most_bytes=1024)


def _check_unique(
    items: Sequence[Mapping[str, Any]], name: str, code: int, *, most_bytes: int
) -> None:
    for item in items:
        _need(item, name, code, most_bytes=most_bytes)
    if len({item[name] for item in items}) < len(items):
        raise WecomError(code, f"{name} repeated")


def _need(item: Mapping[str, Any], name: str, code: int, *, most_bytes: int = 4096) -> None:
    if not 0 < len(item.get(name, "").encode()) <= most_bytes:
        raise WecomError(code, name)


def _list(
    item: Mapping[str, Any], name: str, *, least: int = 0, most: int, code: int
) -> list[Mapping[str, Any]]:
    entries: list[Mapping[str, Any]] = item.get(name, [])
    if not least <= len(entries) <= most:
        raise WecomError(code)
    return entries


_CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "text_notice": _check_text_notice,
    "news_notice": _check_news_notice,
    "button_interaction": _check_buttons,
    "vote_interaction": _check_vote,
    "multiple_interaction": _check_choices,
}
