"""YAML and TOML as plain values that remember their lines, so that a mistake can name its own.

What a stranger may use against us is refused before anything is built: anchors (a few lines
that unfold to gigabytes), tags, depth, and size.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MOST_BYTES = 64 * 1024
MOST_DEPTH = 8

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


class Unreadable(ValueError):
    """No values can be made of the text at all. One line, in Chinese."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its line, 0 where the format does not tell.

    value: dict[str, Node], list[Node], or a plain str, int, bool, float, None.
    """

    value: Any
    line: int = 0


def read_yaml(data: bytes) -> Node:
    """Raises Unreadable."""
    text = _text(data)
    try:
        _refuse_tricks(text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"第{mark.line + 1}行：" if mark is not None else ""
        raise Unreadable(f"{where}不是有效的 YAML，请检查缩进、冒号和引号") from None
    except yaml.YAMLError:
        raise Unreadable("不是有效的 YAML，文件里可能有看不见的特殊字符") from None
    if root is None:
        raise Unreadable("文件是空的")
    return _from_yaml(root)


def read_toml(data: bytes) -> Node:
    """Raises Unreadable. TOML's reader tells no lines."""
    try:
        return _from_plain(tomllib.loads(_text(data)))
    except RecursionError:
        raise Unreadable(f"嵌套不能超过 {MOST_DEPTH} 层") from None
    except ValueError as error:  # besides the reader's own: a number of thousands of digits
        raise Unreadable(f"不是有效的 TOML (not TOML): {error}") from None


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise Unreadable(f"文件太大，最多 {MOST_BYTES // 1024} KB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("文件不是 UTF-8 编码，请另存为 UTF-8 后再发") from None


def _refuse_tricks(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(f"第{line}行：不能用锚点和引用（& 和 *），请直接写出内容")
        if getattr(event, "tag", None):
            raise Unreadable(f"第{line}行：不能用类型标签（!）")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_DEPTH:
            raise Unreadable(f"第{line}行：嵌套不能超过 {MOST_DEPTH} 层")


def _from_yaml(node: yaml.Node) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return Node([_from_yaml(item) for item in node.value], line)
    if isinstance(node, yaml.MappingNode):
        return Node(dict(_pairs(node)), line)
    return Node(_scalar(node.tag.rpartition(":")[2], str(node.value)), line)


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, Node]]:
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        if name in seen:
            raise Unreadable(f"第{key.start_mark.line + 1}行：键 {name} 写了两次")
        seen.add(name)
        yield name, Node(_from_yaml(value).value, key.start_mark.line + 1)


def _scalar(tag: str, text: str) -> object:
    if tag == "bool" and text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    if tag == "int" and text.lstrip("+-").isdecimal() and len(text) < 20:
        return int(text)
    return None if tag == "null" else text


def _from_plain(value: object) -> Node:
    if isinstance(value, dict):
        return Node({key: _from_plain(item) for key, item in value.items()})
    if isinstance(value, list):
        return Node([_from_plain(item) for item in value])
    return Node(value)
