"""Things many tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if "PYTEST_XDIST_WORKER" in os.environ:  # there are as many processes as cores: threads of NumPy's would only wait
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ["TRONIE_REPORTS"] = "0"  # mistakes that tests make on purpose are not reported

from synthetic import tiny_head as _tiny_head

from tronie.head.model import HeadModel

# How fast a machine is, or how busy, says nothing about a law.
settings.register_profile("tronie", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tronie")


def _qt_works() -> bool:
    """Whether Qt can be loaded: bare systems lack libraries that it wants."""
    try:
        import PySide6.QtWidgets
        import pytestqt  # noqa: F401
    except ImportError:
        return False
    return bool(PySide6.QtWidgets.QWidget)


# pytest-qt ends all of pytest where there is no Qt: it is loaded (pyproject.toml keeps it from loading itself) where
# there is.
pytest_plugins = ["pytestqt.plugin"] if _qt_works() else []


@pytest.fixture(scope="session")
def tiny_head() -> HeadModel:
    """The small symmetric head of tests/synthetic.py."""
    return _tiny_head()


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., Path]:
    def make(*names: str) -> Path:
        folder = tmp_path / "photos"
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / name).write_bytes(b"x" + name.encode())
        return folder

    return make
