"""Names for arrays. What their axes mean stands where they are used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""Numbers with fractions, of any precision."""
Ints = NDArray[np.integer[Any]]
"""Whole numbers: indices, counts."""
Image = NDArray[np.uint8]
"""A picture of eight bits: (H, W, 3) RGB, unless it is said to be (H, W)."""
