"""Work in a process that was forked: an error that says what to do, and no hanging."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from tronie.errors import TronieError
from tronie.pipelines.photo import Pipeline
from tronie.runtime.forks import about_to_work
from tronie.runtime.inference import Session
from tronie.runtime.weights import ASSETS

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def photo() -> None:
    Pipeline().run(np.zeros((64, 64, 3), np.uint8))


def load() -> None:
    Session(ASSETS / "none.onnx").load()


@pytest.mark.parametrize("work", [photo, load])
def test_a_child_that_is_forked_after_use_is_told_so(work) -> None:
    about_to_work()
    with (
        ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool,
        pytest.raises(TronieError, match="begin it by spawn or forkserver"),
    ):
        pool.submit(work).result(30)
    about_to_work()  # here it goes on


BEFORE = """
import multiprocessing
from tronie.runtime.forks import about_to_work
with multiprocessing.get_context("fork").Pool(1) as pool:
    pool.apply(about_to_work)
    pool.apply(about_to_work)
about_to_work()
with multiprocessing.get_context("forkserver").Pool(1) as pool:
    pool.apply(about_to_work)
"""


def test_who_forks_before_may_work() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", BEFORE], check=True)
