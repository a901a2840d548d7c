"""How often Python looks through its objects for cycles."""

import gc
from typing import Final

THRESHOLDS: Final = (20_000, 20, 20)
"""New objects before the youngest are looked through, and how much more seldom the older ones are."""


def look_seldom() -> None:
    """Leave what was loaded alone for good, and look through the rest seldom.

    A large page makes 100,000 objects and keeps none: by Python's own thresholds they are looked through 16 times, which is a
    tenth of its time, and now and then everything that was ever loaded with them, which doubles it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
