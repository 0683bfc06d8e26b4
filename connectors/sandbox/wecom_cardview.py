"""A template_card as its reader sees it, in the sandbox's one shape for cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STYLES = {1: "primary", 2: "default", 3: "danger", 4: "default"}


def show_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """{title, body, facts, buttons, fields?, menu?, closed?}; what is too long is cut as on
    screen. A button that only opens a page has action "" and a url."""
    title = card.get("main_title", {})
    shown: dict[str, Any] = {
        "title": _cut(title.get("title", ""), 36),
        "body": "\n".join(line for line in _lines(card) if line),
        "facts": [
            [_cut(fact["keyname"], 5), _cut(fact.get("value", ""), 30)]
            for fact in card.get("horizontal_content_list", [])
        ],
        "buttons": [],
    }
    if card.get("replace_text"):
        return {**shown, "closed": card["replace_text"]}
    shown["buttons"] = _buttons(card)
    if fields := [_field(selection) for selection in _selections(card)]:
        shown["fields"] = fields
    if menu := card.get("action_menu", {}).get("action_list"):
        shown["menu"] = [{"action": item["key"], "label": item["text"]} for item in menu]
    return shown


def choose(card: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, list[str]]:
    """What the card submits: question key -> option ids.

    A drop-down nobody touched submits its selected_id, and without a valid one its first
    option, since that is what it shows. Several options of a checkbox are joined by commas.
    Raises ValueError for a field or an option that is not on the card.
    """
    selections = {selection["question_key"]: selection for selection in _selections(card)}
    if strange := [key for key in values if key not in selections]:
        raise ValueError(f"卡片上没有这一栏：{strange[0]}")
    return {
        key: _chosen(selection, values.get(key))
        for key, selection in selections.items()
        if not selection.get("disable")
    }


def _chosen(selection: Mapping[str, Any], value: str | None) -> list[str]:
    if value is None:
        return [part for part in _value(selection).split(",") if part]
    ids = {option["id"] for option in selection["option_list"]}
    parts = [part for part in value.split(",") if part] if "mode" in selection else [value]
    if strange := [part for part in parts if part not in ids]:
        raise ValueError(f"{selection['question_key']} 没有这个选项：{strange[0]}")
    if selection.get("mode") == 0 and len(parts) > 1:
        raise ValueError(f"{selection['question_key']} 只能选一项")
    return parts


def _lines(card: Mapping[str, Any]) -> list[str]:
    emphasis, quote = card.get("emphasis_content", {}), card.get("quote_area", {})
    return [
        _cut(card.get("main_title", {}).get("desc", ""), 44),
        " ".join(filter(None, (emphasis.get("title"), emphasis.get("desc")))),
        _cut(card.get("sub_title_text", ""), 160),
        *(f"> {quote[name]}" for name in ("title", "quote_text") if quote.get(name)),
        *(
            "\n".join(filter(None, (item["title"], item.get("desc"))))
            for item in card.get("vertical_content_list", [])
        ),
        *(f"[{jump['title']}]({jump.get('url', '')})" for jump in card.get("jump_list", [])),
    ]


def _buttons(card: Mapping[str, Any]) -> list[dict[str, str]]:
    buttons = [_button(button) for button in card.get("button_list", [])]
    if submit := card.get("submit_button"):
        buttons.append({"action": submit["key"], "label": submit["text"], "style": "primary"})
    action = card.get("card_action", {})
    if action.get("type") == 1:
        buttons.append(_link("详情", action["url"]))
    return buttons


def _button(button: Mapping[str, Any]) -> dict[str, str]:
    label = _cut(button["text"], 10)
    if button.get("type", 0) == 1:
        return _link(label, button["url"])
    style = _STYLES.get(button.get("style", 1), "default")
    return {"action": button["key"], "label": label, "style": style}


def _link(label: str, url: str) -> dict[str, str]:
    return {"action": "", "label": label, "style": "default", "url": url}


def _selections(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Drop-downs as they are; a checkbox is told by its mode, 0 single (also when missing)."""
    dropdowns = [card["button_selection"]] if "button_selection" in card else []
    boxes = [{"mode": 0, **card["checkbox"]}] if "checkbox" in card else []
    return [*dropdowns, *card.get("select_list", []), *boxes]


def _field(selection: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": selection["question_key"],
        "label": selection.get("title", ""),
        "kind": "checkbox" if "mode" in selection else "select",
        "options": [
            {"id": option["id"], "label": option["text"]} for option in selection["option_list"]
        ],
        "value": _value(selection),
    }


def _value(selection: Mapping[str, Any]) -> str:
    options = selection["option_list"]
    if "mode" in selection:
        return ",".join(option["id"] for option in options if option.get("is_checked"))
    ids: list[str] = [option["id"] for option in options]
    chosen = selection.get("selected_id", "")
    return chosen if chosen in ids else ids[0]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
