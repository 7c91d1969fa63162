"""What strangers send: known by its content, read in a process that may be lost, refused in one sentence."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hostile_files import encoded, gif, noise
from hostile_uploads import hostile_uploads
from PIL import Image
from places import EXAMPLES

from tronie.io.video.signatures import container_of, cut_off
from tronie.runtime.hardware import resident
from tronie.service.config import ServiceConfig
from tronie.service.stored import UploadRefused
from tronie.service.uploads import Inspector, shown_name


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    config = ServiceConfig(data=tmp_path_factory.mktemp("data"), file_seconds=10, file_memory=1)
    one = Inspector(config, processes=1)
    yield one
    one.close()


def test_a_photo_is_told_by_its_content_and_copied_small(inspector: Inspector, tmp_path: Path) -> None:
    picture = Image.fromarray(np.asarray(Image.open(EXAMPLES / "astronaut.jpg").convert("RGB").resize((2000, 1500))))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret Camera"
    path, preview = tmp_path / "0", tmp_path / "small.jpg"
    picture.save(path, "PNG", exif=exif)
    seen = inspector.look(path, "C:\\photos\\me.jpg", 7, preview)
    assert (seen.name, seen.file, seen.kind) == ("me.jpg", "007.png", "photo")
    assert (seen.width, seen.height, seen.seconds) == (1500, 2000, None)
    assert seen.bytes == path.stat().st_size
    with Image.open(preview) as small:
        assert (small.format, small.size) == ("JPEG", (1200, 1600))
        assert not small.getexif()
        assert "icc_profile" not in small.info
    assert b"Secret" not in preview.read_bytes()


def test_clips_are_told_with_their_length(inspector: Inspector, tmp_path: Path) -> None:
    path = tmp_path / "0"
    path.write_bytes(gif(40, 30, 30))
    seen = inspector.look(path, "moves.jpg", 1, tmp_path / "small.jpg")
    assert (seen.file, seen.kind, seen.width, seen.height) == ("001.gif", "clip", 40, 30)
    assert seen.seconds == pytest.approx(30 * 0.04)
    film = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(50):
        writer.write(noise(48, 64))
    writer.release()
    if not film.exists():
        pytest.skip("OpenCV writes no films here")
    film.rename(path)
    seen = inspector.look(path, "film.gif", 1, tmp_path / "small.jpg")
    assert (seen.file, seen.kind, seen.width, seen.height, seen.seconds) == ("001.avi", "clip", 64, 48, 2.0)
    assert Image.open(tmp_path / "small.jpg").size == (64, 48)


def test_what_means_harm_gets_one_sentence_and_the_next_one_is_read(inspector: Inspector, tmp_path: Path) -> None:
    path, preview = tmp_path / "0", tmp_path / "small.jpg"
    files = hostile_uploads()
    assert len({file.name for file in files}) == len(files) >= 60
    for file in files:
        path.write_bytes(file.data)
        with pytest.raises(UploadRefused) as refused:
            print(file.name, inspector.look(path, file.name, 1, preview))
        said = str(refused.value)
        assert said.endswith(".")
        assert said.isprintable()
        assert len(said) < 400
        assert str(tmp_path) not in said
        assert refused.value.wrong in ("too_large", "unreadable", "unknown_type")
        assert not preview.exists(), file.name
    path.write_bytes(encoded(noise(), "JPEG"))
    assert inspector.look(path, "good.jpg", 1, preview).width == 56
    assert memory_of(inspector) < 500_000_000


def memory_of(inspector: Inspector) -> int:
    """Bytes that its processes hold."""
    pids = [process._child.process.pid for process in inspector._all if process._child is not None]
    return sum(resident(pid or 0) or 0 for pid in pids)


def test_limits_are_those_of_the_config(tmp_path: Path) -> None:
    path = tmp_path / "0"
    config = ServiceConfig(data=tmp_path, max_megapixels=0.1, max_seconds=1)
    one = Inspector(config, processes=1)
    try:
        for data, word in ((encoded(noise(400, 300), "JPEG"), "megapixels"), (gif(40, 30, 60), "s long")):
            path.write_bytes(data)
            with pytest.raises(UploadRefused, match=word) as refused:
                one.look(path, "a", 1, tmp_path / "small.jpg")
            assert refused.value.wrong == "too_large"
    finally:
        one.close()


@pytest.mark.skipif(resident(os.getpid()) is None, reason="this system does not tell how large a process is")
@pytest.mark.parametrize(("limit", "seconds"), [({"file_seconds": 0.05}, 20), ({"file_memory": 0.05}, 20)])
def test_who_takes_too_much_is_ended(tmp_path: Path, limit: dict[str, float], seconds: float) -> None:
    path = tmp_path / "0"
    Image.fromarray(np.zeros((6000, 6000, 3), np.uint8)).save(path, "PNG")
    one = Inspector(ServiceConfig(data=tmp_path, **limit), processes=1)  # type: ignore[arg-type]
    try:
        began = time.monotonic()
        with pytest.raises(UploadRefused, match="than a file may"):
            one.look(path, "zeros.png", 1, tmp_path / "small.jpg")
        assert time.monotonic() - began < seconds
    finally:
        one.close()


def test_closing_waits_for_no_file(tmp_path: Path) -> None:
    path = tmp_path / "0"
    Image.fromarray(np.zeros((9000, 9000, 3), np.uint8)).save(path, "PNG")
    one = Inspector(ServiceConfig(data=tmp_path), processes=1)
    one.begin()
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(one.look, path, "zeros.png", 1, tmp_path / "small.jpg")
        time.sleep(0.2)
        one.close()
        with pytest.raises(UploadRefused, match="the service ends"):
            asked.result()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.jpg", "b.jpg"),
        ("", "file"),
        ("a/", "file"),
        ("\x00\x1b\u202e", "file"),
        ("x" * 300 + ".jpeg", "x" * 108 + ".jpeg"),
    ],
)
def test_a_shown_name_is_no_path_and_obeyed_by_nobody(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_pictures_made_of_boxes_are_no_videos_and_playlists_are_nothing(tmp_path: Path) -> None:
    for brand in (b"heic", b"avif", b"mif1", b"crx "):
        assert container_of(b"\0\0\0\x18ftyp" + brand + bytes(40)) is None
    for text in (b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<svg>", b"YUV4MPEG2 W9 H9"):
        assert container_of(text + bytes(400)) is None
    path = tmp_path / "endless.webm"
    head = b"\x1aE\xdf\xa3\x84webm" + b"\x18\x53\x80\x67"
    for size, cut in ((b"\x01" + b"\xff" * 7, False), (b"\x88", False), (b"\x89", True), (b"\x10\0\0\x09", True)):
        path.write_bytes(head + size + bytes(8))
        with path.open("rb") as stream:
            assert cut_off(stream) is cut
