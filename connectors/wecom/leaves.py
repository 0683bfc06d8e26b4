"""The XML inside a callback, read as its leaves in document order.

Expat directly, because each of the alternatives lacks one thing: xml.etree expands internal
entities and accepts any depth; defusedxml refuses entities but not depth, and takes
twice as long on the path that answers the platform; wechatpy (xmltodict) turns
numbers into int and a list of one into a scalar. Here every value stays a string, a document
type of any kind is refused, and depth and count are bounded while reading.
"""

from __future__ import annotations

from xml.parsers import expat

from bot.errors import InvalidInput

_MOST_DEPTH = 12
_MOST_ELEMENTS = 5_000

Leaves = list[tuple[str, str]]
"""(path below the root, text), e.g. ("SelectedItems/SelectedItem/QuestionKey", "q1")."""


def read_leaves(document: bytes) -> Leaves:
    """Raises InvalidInput for what is not plain, shallow XML in UTF-8."""
    reader = _Reader()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.pieces.append
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise InvalidInput(f"not XML: {error}") from error
    return reader.leaves


def fields_of(leaves: Leaves) -> dict[str, str]:
    """The leaves directly below the root by name; of a repeated one the first."""
    fields: dict[str, str] = {}
    for path, text in leaves:
        if "/" not in path:
            fields.setdefault(path, text)
    return fields


class _Reader:
    """Receives expat's events; what it raises ends the parsing."""

    def __init__(self) -> None:
        self.leaves: Leaves = []
        self.pieces: list[str] = []  # of the text since the last tag
        self._paths: list[str] = []
        self._in_leaf = False
        self._elements = 0

    def refuse_doctype(self, *_: object) -> None:
        raise InvalidInput("a document type is not allowed")

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        depth = len(self._paths)
        if depth >= _MOST_DEPTH or self._elements > _MOST_ELEMENTS:
            raise InvalidInput("too many or too deeply nested elements")
        if depth == 0:
            self._paths.append("")
        else:
            self._paths.append(f"{self._paths[-1]}/{name}" if depth > 1 else name)
        self.pieces.clear()
        self._in_leaf = True

    def end(self, _name: str) -> None:
        path = self._paths.pop()
        if self._in_leaf and path:
            self.leaves.append((path, "".join(self.pieces)))
        self._in_leaf = False
