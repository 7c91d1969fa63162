"""Photos with a clip of the moment: the photo is read, and what became of the clip is said."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from made_photos import HEIC
from PIL import Image as Pillow

from tronie.io.images import read_photo
from tronie.io.inputs import find_inputs
from tronie.io.kinds import IMAGE_SUFFIXES, left_out_sentence
from tronie.io.live_photos import IDENTIFIER, INDEX, NOTE
from tronie.io.video.clip import VIDEO_SUFFIXES

SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
MP4 = struct.pack(">I4s4sI", 16, b"ftyp", b"mp42", 0) + struct.pack(">I4s", 24, b"mdat") + bytes(16)


def jpeg(xmp: str | None) -> bytes:
    out = io.BytesIO()
    more = {} if xmp is None else {"xmp": f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{xmp}</x:xmpmeta>'.encode()}
    Pillow.fromarray(np.full((40, 60, 3), 120, np.uint8)).save(out, "JPEG", **more)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (jpeg('<rdf:Description GCamera:MotionPhoto="1"/>') + MP4, True),
        (jpeg('<rdf:Description GCamera:MicroVideo="1" GCamera:MicroVideoOffset="40"/>') + MP4, True),
        (jpeg("<rdf:Description/>"), False),
        (HEIC.read_bytes() + struct.pack(">I4s", 8 + len(MP4), b"mpvd") + MP4, True),
        (HEIC.read_bytes(), False),
        (HEIC.read_bytes() + struct.pack(">I4s", 4, b"odd ") + bytes(90), False),
    ],
)
def test_of_a_motion_photo_the_photo_is_read(tmp_path: Path, data: bytes, said: bool) -> None:
    path = tmp_path / "photo"
    path.write_bytes(data)
    photo = read_photo(path)
    path.write_bytes(HEIC.read_bytes() if data[4:8] == b"ftyp" else jpeg(None))
    assert np.array_equal(photo.image, read_photo(path).image)
    assert (NOTE in photo.notes) is said


def folder(tmp_path: Path) -> Path:
    live = MP4 + bytes(3 * INDEX) + IDENTIFIER
    for name, data in {
        "IMG_1.HEIC": b"photo",
        "IMG_1.MOV": live,
        "IMG_2.jpg": b"photo",
        "IMG_2.mov": IDENTIFIER,
        "IMG_3.heic": b"photo",
        "IMG_3.mov": b"another film",
        "IMG_4.mov": live,
        "IMG_5.png": b"photo",
        "IMG_5.mov": live,
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_clips_of_live_photos_are_left_out_and_told_of(tmp_path: Path) -> None:
    for argument in (folder(tmp_path), tmp_path / "IMG_*"):
        found = find_inputs([argument], SUFFIXES)
        names = {path.name for path in found.paths}
        assert names == {"IMG_1.HEIC", "IMG_2.jpg", "IMG_3.heic", "IMG_3.mov", "IMG_4.mov", "IMG_5.png", "IMG_5.mov"}
        said = left_out_sentence(found.left_out)
        assert said == "2 files were left out: 2 clips of live photos (the photo beside it is taken)."


def test_clips_of_live_photos_that_are_asked_for_are_taken(tmp_path: Path) -> None:
    for arguments in (
        [folder(tmp_path), tmp_path / "IMG_1.MOV", tmp_path / "IMG_2.mov"],
        [tmp_path / "*.[mM][oO][vV]"],
    ):
        found = find_inputs(arguments, SUFFIXES)
        assert {"IMG_1.MOV", "IMG_2.mov"} <= {path.name for path in found.paths}
        assert not found.left_out


def test_other_files_that_are_left_out_are_told_of_too(tmp_path: Path) -> None:
    (folder(tmp_path) / "a.psd").write_bytes(b"")
    (tmp_path / "IMG_2.mov").unlink()
    said = left_out_sentence(find_inputs([tmp_path], SUFFIXES).left_out)
    assert said == (
        "2 files were left out, of kinds that are not read: 1 .psd (layers: export as PNG or TIFF), "
        "1 clip of a live photo (the photo beside it is taken)."
    )
