"""What the window says, in the user's language."""

from __future__ import annotations

import re

from PySide6.QtCore import QCoreApplication, QTranslator

CONTEXT = "tronie"


TERMS = {
    **{name: name.upper() for name in ("cpu", "cuda", "glb", "html", "lod", "mat", "obj", "ply", "usd")},
    "coreml": "Core ML",
    "deep3d": "Deep3D",
    "directml": "DirectML",
    "openvino": "OpenVINO",
    "flat": "In one folder",
}
"""What is not called as it is spelled in the library."""


def tr(text: str) -> str:
    """The text in the user's language."""
    return str(QCoreApplication.translate(CONTEXT, text))


def spoken(name: str) -> str:
    """`mouthSmileLeft`, `min_face` -> `Mouth smile left`, `Min face`, then in the user's language."""
    if name in TERMS:
        return tr(TERMS[name])
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").lower()
    return tr(words[:1].upper() + words[1:])


def stage_text(name: str) -> str:
    """What a stage does, in plain words."""
    known = {
        "read": tr("Reading the photo"),
        "load": tr("Loading the models"),
        "damage": tr("Finding damage"),
        "tone": tr("Taking fading back"),
        "grain": tr("Lightening the grain"),
        "colour": tr("Inventing colours"),
        "detect": tr("Finding faces"),
        "landmarks": tr("Finding eyes, nose and mouth"),
        "faces": tr("Finding the face in each photo"),
        "camera": tr("Guessing the camera"),
        "enhance": tr("Enhancing small faces"),
        "fit": tr("Fitting the head"),
        "segment": tr("Telling hair from skin"),
        "texture": tr("Painting the texture"),
        "hair": tr("Building the hair"),
        "light": tr("Taking the light out"),
        "frontal": tr("Making the portrait"),
        "follow": tr("Following the faces"),
        "solve": tr("Finding out who is who"),
        "heads": tr("Making the heads"),
        "head": tr("Making the heads"),
        "talking": tr("Drawing the film"),
        "overlay": tr("Drawing the film"),
        "files": tr("Writing the files"),
    }
    return known.get(name, name)


class Dictionary(QTranslator):
    """A translation that is a plain dictionary: nothing has to be compiled."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self.words = words

    def isEmpty(self) -> bool:
        return not self.words

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        return self.words.get(text) if context == CONTEXT else None
