"""How sure a value is: said outright, rounded, or chosen among several.

policy.drafts compares these numbers; `python -m benchmarks.understanding.confidence` shows how
often each of them is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from handlers.understanding.spans import CORRECTION, Found, T

OUTRIGHT = 0.95
CORRECTED = 0.9
"""The value behind «不对», «改成»."""
CHOSEN = 0.75
"""Other values of its kind stand beside it."""
ROUNDED = 0.7
"""大概, 左右, 几十, 多: the rep does not know it exactly."""

_ROUND = re.compile(r"[几多来]|出头|左右|上下|个把|不到|不足|七八|五六|三四|两三|三五")
_BEFORE, _BEHIND = 3, 3


def of(text: str, found: Found[T], all_found: Sequence[Found[T]]) -> float:
    """Of a value read from `text`. all_found: every value of its kind there."""
    around = text[max(0, found.start - _BEFORE) : found.end + _BEHIND]
    others = {one.value for one in all_found} - {found.value}
    if found.approximate or _ROUND.search(around):
        return ROUNDED
    if not others:
        return OUTRIGHT
    return CORRECTED if CORRECTION.search(text) else CHOSEN
