"""What an intelligent robot may send as a template_card: as message/send does, with less.

Source: developer.work.weixin.qq.com/document/path/101032.
"""

from __future__ import annotations

from typing import Any

from .wecom_cards import check_card
from .wecom_errors import WecomError

_NO_BUTTON_FIELDS = {"type", "url"}


def check_robot_card(card: Any) -> None:
    """Raises WecomError with the code for the first thing wrong."""
    check_card(card)
    if "replace_text" in card:
        raise WecomError(40058, "replace_text is unknown here")
    for button in card.get("button_list", []):
        if strange := _NO_BUTTON_FIELDS & button.keys():
            raise WecomError(40058, f"button.{min(strange)} is unknown here")
        if button.get("style", 1) not in (1, 2, 3, 4):
            raise WecomError(40058, "button.style")
    for fact in card.get("horizontal_content_list", []):
        if fact.get("type", 0) not in (0, 1, 3):
            raise WecomError(40058, "horizontal_content_list.type")
