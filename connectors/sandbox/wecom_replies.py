"""What the bot may answer inside its answer to a callback.

Source: developer.work.weixin.qq.com/document/path/90241.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from .wecom_cards import check_card
from .wecom_contents import read_content
from .wecom_errors import WecomError
from .wecom_state import WecomState
from .wecom_xml import card_from_xml, read_xml
from .world import App, Said

_MESSAGES = {"text", "image", "voice", "video", "news"}


async def apply_reply(
    state: WecomState, app: App, user_id: str, reply: bytes, pressed: Said | None
) -> None:
    """Show the reply to the one who caused it; a card update reaches the presser's card only.

    Raises ValueError and WecomError for what the platform would not understand.
    """
    root = read_xml(reply)
    kind = root.findtext("MsgType", "")
    if kind == "update_button" and pressed is not None:
        await state.grey_buttons(pressed, root.findtext("Button/ReplaceName", ""))
        return
    if kind == "update_template_card" and pressed is not None:
        card = _card(root, pressed)
        check_card(card)
        await state.replace_card(pressed, card)
        return
    if kind not in _MESSAGES:
        raise WecomError(40008, kind)
    shown = read_content(state, {"msgtype": kind, kind: _content(kind, root)})
    await state.put(
        kind=shown.kind,
        sender=f"bot:{app.name}",
        to=user_id,
        text=shown.text,
        card=shown.card,
        file=shown.file,
        wire=shown.wire,
    )


def _card(root: Element, pressed: Said) -> dict[str, Any]:
    """The new card under the pressed one's task_id, which the XML does not carry."""
    element = root.find("TemplateCard")
    fields = card_from_xml(element) if element is not None else {}
    return {"task_id": pressed.wire["task_id"], **fields}


def _content(kind: str, root: Element) -> dict[str, Any]:
    """The reply's content as message/send names it."""
    if kind in ("image", "voice", "video"):
        return {"media_id": root.findtext(f"{kind.capitalize()}/MediaId", "")}
    if kind == "news":
        return {"articles": [_article(item) for item in root.iterfind("Articles/item")]}
    return {"content": root.findtext("Content", "")}


def _article(item: Element) -> dict[str, str]:
    names = ("Title", "Description", "PicUrl", "Url")
    return {name.lower(): item.findtext(name, "") for name in names}
