"""The XML of WeCom's callbacks and of the bot's passive replies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Repeated without a wrapper in a passive TemplateCard.
_LISTS = {
    "HorizontalContentList", "VerticalContentList", "JumpList", "ButtonList", "SelectList",
    "OptionList", "ActionList",
}  # fmt: skip
_NUMBERS = {"Type", "Style", "Mode", "DescColor", "Disable", "IsChecked"}
_ONE_WORD = {
    "KeyName": "keyname", "UserId": "userid", "AppId": "appid", "PagePath": "pagepath",
    "CheckBox": "checkbox",
}  # fmt: skip


def to_xml(fields: Mapping[str, Any]) -> bytes:
    """Text as CDATA, numbers bare, mappings nested, lists repeated."""
    return f"<xml>{_elements(fields)}</xml>".encode()


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_content(item)}</{name}>"
        for name, value in fields.items()
        for item in (value if isinstance(value, list) else [value])
    )


def _content(value: Any) -> str:
    if isinstance(value, Mapping):
        return _elements(value)
    if isinstance(value, int):
        return str(value)
    text = _NOT_XML.sub("", value).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{text}]]>"


def read_xml(body: bytes) -> Element:
    """The root element. Raises ValueError for what is not plain XML."""
    try:
        return fromstring(body, forbid_dtd=True)  # type: ignore[no-any-return]
    except (ParseError, DefusedXmlException, UnicodeDecodeError) as error:
        raise ValueError(f"not readable as XML: {error}") from error


def card_from_xml(element: Element) -> dict[str, Any]:
    """A passive TemplateCard as the JSON that message/send takes for the same card."""
    card: dict[str, Any] = {}
    for child in element:
        name = _ONE_WORD.get(child.tag) or _snake(child.tag)
        value = card_from_xml(child) if len(child) else _scalar(child)
        if child.tag in _LISTS:
            card.setdefault(name, []).append(value)
        else:
            card[name] = value
    return card


def _scalar(element: Element) -> str | int:
    text = element.text or ""
    if element.tag in _NUMBERS and text.strip().isdigit():
        return int(text)
    return text


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def selected_items(selected: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """SelectedItems of a template_card_event: question key -> chosen option ids."""
    return {
        "SelectedItem": [
            {"QuestionKey": key, "OptionIds": {"OptionId": list(options)}}
            for key, options in selected.items()
        ]
    }
