"""A long recording in stretches, and what was heard in each as one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from speech.audio import RATE

LONGEST_S = 28.0  # these models read a whole stretch at once; Whisper takes 30 s at most
_SEARCH_S = 8.0  # a stretch ends in the quietest moment of its last seconds
_QUIET_S = 0.2


def cut(samples: Any) -> Iterator[Any]:
    """Arrays of at most LONGEST_S seconds, cut where it is quiet."""
    longest, search = int(LONGEST_S * RATE), int(_SEARCH_S * RATE)
    while len(samples) > longest:
        end = longest - search + _quietest(samples[longest - search : longest])
        yield samples[:end]
        samples = samples[end:]
    yield samples


def joined(texts: Iterable[str]) -> str:
    """One text; a pause becomes a comma, since engines often write none."""
    whole = ""
    for text in filter(None, texts):
        whole += "，" if whole and whole[-1].isalnum() else ""
        whole += text
    return whole


def _quietest(samples: Any) -> int:
    """The middle of the quietest moment."""
    width = int(_QUIET_S * RATE)
    whole = len(samples) // width * width
    loudness = np.square(samples[:whole]).reshape(-1, width).sum(axis=1)
    return int(np.argmin(loudness)) * width + width // 2
