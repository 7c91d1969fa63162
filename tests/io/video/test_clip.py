"""Clips of every kind come out frame by frame, upright, in growing time; what is broken is read as far as it goes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tronie.errors import InputError
from tronie.io.inputs import find_inputs, numbered_pictures
from tronie.io.paths import unique_names
from tronie.io.video import is_clip, open_clip
from tronie.io.video.clip import ClipInfo, Frame, Times, camera_source, ended_early, have_av, true_rate
from tronie.io.video.writer import write_movie
from tronie.pipelines.video.films import steady, ticks

READERS = ["OpenCV", pytest.param("PyAV", marks=pytest.mark.skipif(not have_av(), reason="the extra `video`"))]


def pictures(count: int = 12, size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """A bright square that wanders to the right over dark ground."""
    out = []
    for k in range(count):
        picture = np.full((size[1], size[0], 3), 30, np.uint8)
        picture[8:24, 2 * k : 2 * k + 16] = (230, 120, 60)
        out.append(picture)
    return out


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # MJPEG in AVI: every OpenCV writes it, and what is left of a cut file can be read.
    import cv2

    path = tmp_path_factory.mktemp("film") / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 24, (64, 48))
    for picture in pictures(24):
        writer.write(picture[:, :, ::-1])
    writer.release()
    return path


@pytest.mark.parametrize("reader", READERS)
def test_a_film_comes_out_as_it_went_in(film: Path, reader: str) -> None:
    clip = open_clip(film, reader=reader)
    frames = list(clip.frames())
    clip.close()
    assert (clip.info.size, clip.info.name, clip.info.reader) == ((64, 48), "walk", reader)
    assert clip.info.fps == pytest.approx(24)
    assert [frame.index for frame in frames] == list(range(24))
    assert np.allclose([frame.time for frame in frames], np.arange(24) / 24, atol=2e-3)
    for frame, true in zip(frames, pictures(24), strict=True):
        assert np.abs(frame.image.astype(int) - true).mean() < 6
    assert clip.notes == ()


@pytest.mark.parametrize("reader", READERS)
def test_a_cut_file_is_used_up_to_its_last_good_frame(film: Path, tmp_path: Path, reader: str) -> None:
    short = tmp_path / "short.avi"
    data = film.read_bytes()
    short.write_bytes(data[: int(len(data) * 0.6)])
    clip = open_clip(short, reader=reader)
    frames = list(clip.frames())
    assert 5 <= len(frames) < 20
    assert any("breaks off" in note for note in clip.notes)


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_video_is_refused_in_a_sentence(tmp_path: Path, reader: str) -> None:
    for name, data in {"empty.mp4": b"", "text.mp4": b"this is no video at all" * 40}.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(InputError, match=name):
            open_clip(path, reader=reader)
    with pytest.raises(InputError):
        open_clip(tmp_path / "nowhere.mp4")


def test_a_turned_film_stands_upright(tmp_path: Path) -> None:
    """Telephones store the picture lying and say so in the track's matrix."""
    pytest.importorskip("av")
    path = tmp_path / "phone.mp4"
    write_movie(path, pictures(8), 24)
    data = path.read_bytes()
    plain = (0x10000).to_bytes(4, "big") + bytes(12) + (0x10000).to_bytes(4, "big") + bytes(12)
    plain += (0x40000000).to_bytes(4, "big")
    turned = bytes(4) + (0x10000).to_bytes(4, "big") + bytes(4) + (0xFFFF0000).to_bytes(4, "big") + bytes(16)
    turned += (0x40000000).to_bytes(4, "big")
    at = data.index(plain, data.index(b"tkhd"))
    path.write_bytes(data[:at] + turned + data[at + len(plain) :])
    upright = np.rot90(pictures(8)[3], -1)
    for reader in ("PyAV", "OpenCV"):
        clip = open_clip(path, reader=reader)
        frames = list(clip.frames())
        assert clip.info.size == (48, 64), reader
        assert clip.info.rotation == 90, reader
        assert np.abs(frames[3].image.astype(int) - upright).mean() < 8, reader


def test_numbered_pictures_are_a_clip_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for k, picture in enumerate(pictures(11)):
        Pillow.fromarray(picture).save(tmp_path / f"shot_{k}.png")
    pattern = str(tmp_path / "shot_%d.png")
    assert [p.name for p in numbered_pictures(pattern)] == [f"shot_{k}.png" for k in range(11)]
    clip = open_clip(pattern, fps=10)
    frames = list(clip.frames())
    assert np.allclose([f.time for f in frames], np.arange(11) / 10)
    assert all(np.array_equal(f.image, p) for f, p in zip(frames, pictures(11), strict=True))
    assert clip.info.name == "shot"
    found = find_inputs([pattern], {".png"})
    assert [str(p) for p in found.paths] == [pattern]
    assert is_clip(pattern)
    whole = find_inputs([tmp_path], {".png"}, sequences=True)
    assert whole.paths == (tmp_path,)
    assert len(find_inputs([tmp_path], {".png"}).paths) == 11
    assert find_inputs([str(tmp_path / "other_%d.png")], {".png"}).problems


def test_a_damaged_picture_among_many_is_left_out(tmp_path: Path) -> None:
    for k, picture in enumerate(pictures(4)):
        Pillow.fromarray(picture).save(tmp_path / f"{k}.png")
    (tmp_path / "2.png").write_bytes(b"broken")
    clip = open_clip(tmp_path)
    assert [round(f.time * 25) for f in clip.frames()] == [0, 1, 3]
    assert any("2.png" in note for note in clip.notes)


def test_a_moving_gif_is_a_clip_and_a_still_one_is_not(tmp_path: Path) -> None:
    frames = [Pillow.fromarray(p) for p in pictures(8)]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[80] * 4 + [120] * 4)
    still = tmp_path / "still.gif"
    frames[0].save(still)
    assert is_clip(path)
    assert not is_clip(still)
    clip = open_clip(path)
    times = [f.time for f in clip.frames()]
    assert np.allclose(times, [0, 0.08, 0.16, 0.24, 0.32, 0.44, 0.56, 0.68])


def test_times_grow_whatever_the_stamps_say() -> None:
    times = Times(25)
    out = [times.next(stamp) for stamp in (5.0, 5.04, None, 5.0, 5.04, 99.0)]
    assert out[0] == 0
    assert (np.diff(out) > 0).all()
    info = ClipInfo("a", "a", (2, 2), 25, 100, 0, "h264", "PyAV")
    assert ended_early(60, 2.4, info)
    assert not ended_early(99, 4.0, info)


def test_times_and_rates_that_lie_make_no_endless_films() -> None:
    times = Times(25)
    out = [times.next(stamp) for stamp in (0.0, 0.04, 1e9, 1e9 + 0.04, float("nan"), 50.0, 109.0)]
    assert out[-1] < 120
    assert (np.diff(out) > 0).all()
    assert any("60 s" in note for note in times.notes())
    even = (np.arange(50) / 25).tolist()
    assert true_rate(25, even) == 25
    assert true_rate(29.97, even) == 29.97
    assert true_rate(999, even) == pytest.approx(25)
    assert true_rate(0.2, even) == pytest.approx(25)
    assert true_rate(0.2, [0.0, 5.0, 10.0]) == 0.2
    assert true_rate(25, [0.0]) == 25


@pytest.mark.skipif(not have_av(), reason="the extra `video` writes the test's clip")
def test_frames_that_grow_beyond_all_bounds_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may speak of small frames and hold large ones."""
    parts = []
    for size in ((64, 48), (320, 240)):
        write_movie(tmp_path / "part.mp4", pictures(6, size), 24, overwrite=True)
        import av

        with av.open(str(tmp_path / "part.mp4")) as stored, av.open(str(tmp_path / "part.h264"), "w") as out:
            stream = out.add_stream_from_template(stored.streams.video[0])
            for packet in stored.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
        parts.append((tmp_path / "part.h264").read_bytes())
        if size == (64, 48):
            monkeypatch.setattr("tronie.io.video.frame_shape.MOST_PIXELS", 10_000)
            monkeypatch.setattr("tronie.io.video.pyav.MOST_PIXELS", 10_000)
        else:
            with pytest.raises(InputError, match=r"megapixels|opened"):
                open_clip(tmp_path / "part.mp4", reader="PyAV")
            with pytest.raises(InputError, match="megapixels"):
                open_clip(tmp_path / "part.mp4", reader="OpenCV")
    path = tmp_path / "grows.h264"
    path.write_bytes(b"".join(parts))
    clip = open_clip(path, reader="PyAV")
    frames = list(clip.frames())
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert 1 <= len(frames) <= 6
    assert any("damaged" in note for note in clip.notes)


@pytest.mark.parametrize("reader", READERS)
def test_decoders_keep_their_words_to_themselves(film: Path, tmp_path: Path, reader: str) -> None:
    """In a process of its own: FFmpeg's level of talk is set once."""
    lying = tmp_path / "lying.y4m"
    lying.write_bytes(b"YUV4MPEG2 W60000 H60000 F25:1 C420jpeg\nFRAME\n" + bytes(1000))
    cut = tmp_path / "cut.avi"
    cut.write_bytes(film.read_bytes()[:9000])
    code = (
        "import sys; from tronie.io.video import open_clip; from tronie.errors import InputError\n"
        "for path in sys.argv[2:]:\n"
        "    try: print(len(list(open_clip(path, reader=sys.argv[1]).frames())))\n"
        "    except InputError as error: print(error)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENCV_FFMPEG_LOGLEVEL"}
    command = [sys.executable, "-c", code, reader, str(lying), str(cut), str(tmp_path / "no.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 3


def test_a_film_of_uneven_times_is_shown_evenly() -> None:
    stamps = [0.0, 0.1, 0.15, 0.5, 0.6]
    frames = [Frame(k, t, np.full((2, 2, 3), k, np.uint8)) for k, t in enumerate(stamps)]
    shown = [number for number, _ in steady(iter(frames), 10)]
    assert shown == ticks(np.array(stamps), 10).tolist()
    assert shown == [0, 2, 2, 2, 2, 3, 4]


def test_the_folder_of_numbered_pictures_has_a_name_without_numbers(tmp_path: Path) -> None:
    paths = [tmp_path / "walk_%04d.png", tmp_path / "shot" / "%d.png", tmp_path / "walk.mp4"]
    assert list(unique_names(paths).values()) == ["walk", "shot", "walk-2"]


def test_every_recording_of_a_camera_is_a_source_of_its_own() -> None:
    assert camera_source(0).startswith("camera:0@")
    assert is_clip(camera_source(0))


def test_a_part_counts_from_its_own_first_frame(film: Path) -> None:
    from tronie.io.video.clip import Limited

    whole = list(open_clip(film).frames())
    step = whole[1].time
    part = Limited(open_clip(film), 4 * step, 3 * step)
    frames = list(part.frames())
    assert part.first == 3
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert np.allclose([frame.time for frame in frames], [frame.time for frame in whole[:4]])
    assert all(np.array_equal(one.image, whole[k + 3].image) for k, one in enumerate(frames))
    assert part.info.frames in (None, 4)
