"""Pictures: every decoder behind `read_photo`, and what is told of a file without decoding it."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import cv2
import hostile_files as made
import numpy as np
from PIL import Image

from fuzz import TESTS
from fuzz.mutate import mutated
from fuzz.structure import boxes, chunks
from fuzz.target import MEGA, Target
from tronie.io.frames import MOST_FRAMES, scan
from tronie.io.heif_boxes import coded
from tronie.io.images import read_photo
from tronie.io.jxl_reader import can_read, jxl_header
from tronie.io.limits import Limits
from tronie.io.saved_head import LARGEST, texture_from_bytes
from tronie.io.video import is_clip
from tronie.io.video.image_sequence import MovingPicture
from tronie.io.video.mp4_boxes import track_info
from tronie.io.video.signatures import HEAD, container_of, cut_off

SMALL = Limits(
    pixels=2 * MEGA, reducible=8 * MEGA, keep=MEGA, side=4000, memory=40 * MEGA, file=20 * MEGA, whole=10 * MEGA
)
"""So that a picture that is just small enough costs milliseconds, and one that is too large is seen."""
VIDEO = TESTS / "io"


def stills() -> Iterator[bytes]:
    """One of each kind, with what may be beside the pixels."""
    rgb = made.noise(24, 28)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a picture"
    exif.get_ifd(0x8769)[0x920A] = 35.0
    profile = _profile()
    for kind in made.FORMATS.values():
        beside = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "AVIF") else {}
        yield made.encoded(rgb, kind, **beside)
    for kind in ("PNG", "JPEG", "TIFF"):
        yield made.encoded(rgb, kind, icc_profile=profile)
    yield made.encoded(rgb, "JPEG", progressive=True)
    yield _of(Image.fromarray(rgb).convert("CMYK"), "JPEG")
    yield _of(Image.fromarray(rgb).convert("LAB"), "TIFF")
    yield _of(Image.fromarray(rgb).quantize(16), "PNG", transparency=3)
    yield _of(Image.fromarray(rgb).convert("1"), "TIFF", compression="group4")
    yield _of(Image.fromarray(rgb), "TIFF", compression="tiff_lzw")
    yield _of(Image.fromarray(rgb.astype(np.float32)[..., 0] / 255), "TIFF")
    yield made.encoded(np.dstack([rgb, rgb[..., 0]]), "WEBP", lossless=True)
    yield from deep()
    yield (VIDEO / "tiny.heic").read_bytes()
    yield (VIDEO / "tiny_pq.heic").read_bytes()
    if can_read():
        yield (VIDEO / "tiny.jxl").read_bytes()


def deep() -> Iterator[bytes]:
    """More than eight bits."""
    values = made.noise(20, 22).astype(np.uint16) * 257
    for ending in (".png", ".tif"):
        yield cv2.imencode(ending, values)[1].tobytes()
    yield cv2.imencode(".png", values[..., 0])[1].tobytes()
    yield cv2.imencode(".tif", values.astype(np.float32) / 65535)[1].tobytes()
    coding = made.chunk(b"cICP", b"\x09\x10\0\1")
    plain = made.png(9, 7, 2, 16)
    yield plain[:33] + coding + made.chunk(b"sBIT", b"\x0a\x0a\x0a") + made.chunk(b"tRNS", bytes(6)) + plain[33:]


def moving() -> Iterator[bytes]:
    frames = [Image.fromarray(made.noise(12, 14) // (k + 1)) for k in range(8)]
    for kind in ("GIF", "WEBP", "PNG"):
        yield _of(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def _of(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _profile() -> bytes:
    from PIL import ImageCms

    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = bytes(12)  # when it was made
    return bytes(made)


def frame(rng: Random, data: bytes) -> bytes:
    """Whatever the frame of the file is made of."""
    for change in (chunks, boxes):
        try:
            return change(rng, data)
        except ValueError:
            continue
    return mutated(rng, data, ())


def _photo(path: Path) -> None:
    photo = read_photo(path, SMALL)
    height, width, channels = photo.image.shape
    assert photo.image.dtype == np.uint8
    assert channels == 3
    assert 0 < height * width <= SMALL.keep
    assert max(height, width) <= SMALL.side
    assert photo.scale >= 1
    assert all(note.isprintable() for note in photo.notes)


def _moving(path: Path) -> None:
    is_clip(path)  # never raises
    with path.open("rb") as stream:
        found = scan(stream)  # nor does this
    assert found is None or found.count <= MOST_FRAMES
    clip = MovingPicture(str(path), SMALL)
    try:
        for number, shown in enumerate(clip.frames()):
            assert shown.image.shape[1::-1] == clip.info.size
            if number > 5:
                break
    finally:
        clip.close()


def _boxes(path: Path) -> None:
    """Readers of a file's frame: they never raise, but for that of JPEG XL's header."""
    with path.open("rb") as stream:
        colours = coded(stream)
        assert 0 <= colours.bits <= 255
        cut_off(stream)
        stream.seek(0)
        container_of(stream.read(HEAD))
        track_info(path)
        with suppress(ValueError, IndexError, struct.error):
            jxl_header(stream)


def _texture(path: Path) -> None:
    for mode in ("RGB", "RGBA"):
        assert max(texture_from_bytes(path.read_bytes(), path, mode).shape) <= LARGEST


def _panorama(path: Path) -> None:
    from tronie.render.panorama import read_panorama

    assert read_panorama(path).shape[2] == 3


def _panoramas() -> Iterator[bytes]:
    values = made.noise(16, 32)
    for ending in (".hdr", ".png", ".jpg", ".webp"):
        yield cv2.imencode(ending, values.astype(np.float32) / 99 if ending == ".hdr" else values)[1].tobytes()


def _some(*makers: Callable[[], Iterator[bytes]]) -> Callable[[], Iterator[bytes]]:
    return lambda: (one for maker in makers for one in maker())


TARGETS = (
    Target("photo", stills, _photo, structure=frame, memory=250 * MEGA),
    Target("deep", deep, _photo, structure=frame, memory=250 * MEGA),
    Target("moving", moving, _moving, "input.gif", structure=frame, memory=250 * MEGA),
    Target("boxes", _some(stills, moving, lambda: iter((VIDEO / "tiny.jxl").read_bytes() for _ in "1")), _boxes,
           structure=frame, memory=100 * MEGA),
    Target("texture", lambda: (made.encoded(made.noise(8, 8), kind) for kind in ("PNG", "JPEG", "WEBP")), _texture,
           structure=frame, memory=700 * MEGA),
    Target("panorama", _panoramas, _panorama, "input.hdr", structure=frame, memory=400 * MEGA),
)  # fmt: skip
