"""Markup in messages: what may act in them is ours, and people's words are only words.

Texts are put together from our sentences and from what customers and reps have written, and both
platforms read the whole as Markdown (WeCom's own texts know `<a href>` besides). Neither documents
an escape, and their clients differ, so a mark that is not ours is replaced by its look-alike, which
no reader of Markdown knows. The only links, and the only code, are passages that the program itself
has made and names beside the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# A tag, a mention of WeCom's (<@userid>), an address in brackets, a comment.
_TAG = re.compile(r"<(?=[A-Za-z/!?@])")
# [label](target), [label] (target), ![picture](…), and "[name]: target" for [label][name].
_TARGET = re.compile(r"(?<=\])((?:[^\S\n]*\n)?[^\S\n]*)([(:])")
_ADDRESS = re.compile(r"(?i)(?<=javascript):|(?<=vbscript):|:(?=//)")
_OPENS_EMPHASIS = re.compile(r"(?<!\w)_+(?=[^\s_])")
_STARS = re.compile(r"\*+")
_BULLET = re.compile(r"(?m)^[^\S\n]*(?=\*[^\S\n])")
# Ours stands at the head of a line, in a list, or behind the name of whom a group's answer is for.
_OUR_BOLD = re.compile(r"(?m)^((?:@\S+ )?(?:- |> |\d+\. )?)\*\*(?=[^\s*])(.*)$")
_WIDE = {"(": "（", ":": "："}


def link(label: str, url: str) -> str:
    """A passage of ours. url: made by the program, or read and checked by it."""
    target = url.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
    return f"[{words(label)}]({target})"


def code(text: str) -> str:
    """A passage of ours that is to be copied as it stands."""
    return f"`{text}`"


def words(text: str) -> str:
    """`text` without anything that acts, brackets included: to be put into markup of ours."""
    text = harmless(text).replace("*", "∗").replace("\n", " ")
    return text.translate(str.maketrans("[]\\", "【】＼"))


def harmless(text: str, ours: Sequence[str] = (), *, addresses: bool = False) -> str:
    """`text` in which nothing but `ours` is a link, a tag, code or a mention.

    ours: passages that stay as written wherever they stand. addresses: whether bare addresses may
    stay, as in plain text: those show where they lead. Bold, quotes, lists and headings are left
    at the head of lines, where ours are. Doing it twice changes nothing.
    """
    return _outside(text, ours, _defused(text, addresses=addresses))


def tagless(text: str) -> str:
    """`text` for a place where only tags act."""
    return _TAG.sub("＜", text)


def _outside(text: str, ours: Sequence[str], changed: str) -> str:
    """`changed`, which is `text` character by character, with the passages put back."""
    passages = sorted({one for one in ours if one}, key=len, reverse=True)
    if not passages:
        return changed
    parts, at = [], 0
    for found in re.finditer("|".join(map(re.escape, passages)), text):
        parts += [changed[at : found.start()], found.group()]
        at = found.end()
    return "".join([*parts, changed[at:]])


def _defused(text: str, *, addresses: bool) -> str:
    text = _TAG.sub("＜", text).replace("`", "｀").replace("~~", "～～")
    text = _TARGET.sub(lambda found: found[1] + _WIDE[found[2]], text)
    if not addresses:
        text = _ADDRESS.sub("：", text)
    text = _OPENS_EMPHASIS.sub(lambda found: "＿" * len(found[0]), text)
    return _starless(text)


def _starless(text: str) -> str:
    """Without stars that are neither ours nor alone: one by itself pairs with nothing."""
    ours = {found.end() for found in _BULLET.finditer(text)}
    for found in _OUR_BOLD.finditer(text):
        ours.update(_bold(found))
    if sum(found.start() not in ours for found in _STARS.finditer(text)) < 2:
        return text

    def shown(found: re.Match[str]) -> str:
        return found[0] if found.start() in ours else "∗" * len(found[0])

    return _STARS.sub(shown, text)


def _bold(found: re.Match[str]) -> tuple[int, ...]:
    """Where the two marks of a line's bold stand: it ends with the line, or at its next mark."""
    opens, inside, line = found.end(1), found.start(2), found[2]
    if len(line) > 2 and line.endswith("**") and line[-3] != "*":
        return opens, inside + len(line) - 2
    closes = line.find("**")
    return (opens, inside + closes) if closes > 0 else ()
