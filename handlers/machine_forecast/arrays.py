"""The arrays that the forecaster reckons with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def tally(codes: Ints, amounts: Floats, size: int) -> Floats:
    """Amounts added up by code 0..size-1."""
    return np.bincount(codes, weights=amounts, minlength=size).astype(np.float64)
