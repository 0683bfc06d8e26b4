"""Long recordings are cut in pauses, and nothing of them is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.audio import RATE
from speech.stretches import LONGEST_S, cut, joined


@settings(max_examples=20)
@given(seconds=st.floats(0, 120), seed=st.integers(0, 99))
def test_the_stretches_together_are_the_recording(seconds: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)
    pieces = list(cut(noise))
    assert np.array_equal(np.concatenate(pieces), noise)
    assert max(map(len, pieces)) <= LONGEST_S * RATE


def test_a_stretch_ends_in_a_pause() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 40 * RATE).astype(np.float32)
    noise[24 * RATE : int(24.6 * RATE)] = 0
    first, _ = cut(noise)
    assert 24 * RATE <= len(first) <= 24.6 * RATE


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        ([], ""),
        (["", "打了电话", "", "嫌贵"], "打了电话，嫌贵"),
        (["打了电话。", "嫌贵"], "打了电话。嫌贵"),
        (["预算35万8", "下周三"], "预算35万8，下周三"),
    ],
)
def test_a_pause_is_written_as_a_comma(texts: list[str], whole: str) -> None:
    assert joined(texts) == whole
