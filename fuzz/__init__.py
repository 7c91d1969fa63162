"""Fuzzing: files that are nearly right, for everything that reads what came from outside.

`python -m fuzz` reads them, `python -m fuzz.corpus OUT` writes a folder full of them; CONTRIBUTING.md says more. There
is nothing to install: the inputs come from `mutate` and `structure`, which change valid files, and from `coverage`,
which keeps those that led somewhere new. (Atheris, which does that for C as well, has no wheels for Windows.)
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
# Valid files, and those that mean harm, are made by helpers of the tests.
sys.path += [str(place) for place in (TESTS, TESTS / "web") if str(place) not in sys.path]
