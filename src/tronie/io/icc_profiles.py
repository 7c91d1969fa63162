"""Colour profiles (ICC) that files carry."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image as pil
from PIL import ImageCms

INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
LARGEST = 16_000_000
"""Bytes of a profile that is looked at; the largest that are sold are a few million."""


class Profile:
    """A profile, as what brings pictures to sRGB; one that does not fit or is damaged is as none."""

    def __init__(self, data: bytes | None) -> None:
        self._source: Any = None
        self._is_srgb = False
        self._transforms: dict[str, Any] = {}
        if data and len(data) <= LARGEST:
            try:
                self._source = ImageCms.ImageCmsProfile(io.BytesIO(data))
                self._is_srgb = "srgb" in ImageCms.getProfileDescription(self._source).lower()
            except (ImageCms.PyCMSError, OSError, ValueError):
                self._source = None

    def apply(self, picture: pil.Image) -> pil.Image:
        """RGB, L, CMYK or LAB -> RGB in sRGB."""
        if picture.mode == "RGB" and (self._source is None or self._is_srgb):
            return picture
        if picture.mode not in self._transforms:
            self._transforms[picture.mode] = self._transform(picture.mode)
        transform = self._transforms[picture.mode]
        if transform is not None:
            done = ImageCms.applyTransform(picture, transform)
            if done is not None:
                return done
        return picture.convert("RGB")

    def _transform(self, mode: str) -> Any:
        sources = [self._source] if self._source is not None and mode in ("RGB", "L", "CMYK", "LAB") else []
        if mode == "LAB":
            sources.append(ImageCms.createProfile("LAB"))
        for source in sources:
            try:
                return ImageCms.buildTransform(
                    source, ImageCms.createProfile("sRGB"), mode, "RGB", INTENT, ImageCms.Flags.BLACKPOINTCOMPENSATION
                )
            except (ImageCms.PyCMSError, OSError, ValueError):
                continue
        return None


def coding_of(data: bytes | None) -> tuple[int, int] | None:
    """The code points of primaries and transfer function that a profile's `cicp` tag states (ICC.1:2022, 9.2.17)."""
    if not data or len(data) < 132:
        return None
    for k in range(min(int.from_bytes(data[128:132], "big"), 200)):
        entry = data[132 + 12 * k : 144 + 12 * k]
        if entry[:4] == b"cicp":
            at = int.from_bytes(entry[4:8], "big")
            body = data[at : at + 12]
            return (body[8], body[9]) if len(body) == 12 and body[:4] == b"cicp" else None
    return None
