"""Things many tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from synthetic import tiny_head as _tiny_head

from tronie.head.model import HeadModel


@pytest.fixture(scope="session")
def tiny_head() -> HeadModel:
    """The small symmetric head of tests/synthetic.py."""
    return _tiny_head()
