"""The head model that is judged: tronie's own, or one that the user calibrated (`--head NAME`)."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from tronie.head.model import HeadModel, default_head
from tronie.importers.heads.calibrated import OWN, load

if TYPE_CHECKING:
    from tronie.stages.fit.regressor import Calibration

NAME = "TRONIE_BENCHMARK_HEAD"
"""Environment variable, so that worker processes know it too."""


@cache
def model() -> HeadModel:
    name = os.environ.get(NAME, OWN)
    return default_head() if name == OWN else load(name)[0]


@cache
def calibration() -> Calibration:
    from tronie.stages.fit.regressor import default_calibration

    name = os.environ.get(NAME, OWN)
    return default_calibration() if name == OWN else load(name)[1]
