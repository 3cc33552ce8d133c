"""
What the tiny models can say: some forty words, and every byte, so that any prompt can be read.

Random weights would mostly say bytes that are no characters. So only the words get a chance: what a model's
last layer holds for any other token is zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WORDS: Final = (
    "harbour lamp stone river bread wheel light north garden paper silver winter candle bridge meadow copper window"
    " morning sailor kettle orchard violin thunder pebble lantern village timber feather marble coral saddle"
    " ribbon basket anchor forest pepper island ladder mirror tunnel"
).split()
BYTES: Final = 256


def rows(generator: np.random.Generator, size: int, width: int, words: slice, scale: float = 1.0) -> Floats:
    """
    Return a last layer: random rows for the words, zeros for everything else.
    """
    found = np.zeros((size, width), dtype=np.float32)
    found[words] = generator.normal(scale=scale, size=found[words].shape)
    return found


def random(generator: np.random.Generator, *shape: int, scale: float = 0.5) -> Floats:
    """
    Return random weights.
    """
    return generator.normal(scale=scale, size=shape).astype(np.float32)
