"""Films of a video sound as the video does, at the same moments."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie.io.video import open_clip
from tronie.io.video.sound import Sound
from tronie.io.video.writer import write_movie

av = pytest.importorskip("av", reason="the extra `video`")

RATE, SECONDS, FPS = 16_000, 2.0, 25
BEEPS = (0.4, 1.0, 1.6)
"""Seconds at which a short tone begins."""


def talking_clip(path: Path, codec: str, late: float = 0.0) -> Path:
    """A film that is bright whenever it beeps. `late`: seconds that everything begins after the file's clock."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    on = np.zeros(len(time), bool)
    for begin in BEEPS:
        on |= (time >= begin) & (time < begin + 0.1)
    wave = np.where(on, 0.5 * np.sin(2 * np.pi * 800 * time), 0.0)
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": "5"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio: Any = out.add_stream(codec, rate=RATE, layout="mono")
        for k in range(int(SECONDS * FPS)):
            bright = any(begin <= k / FPS < begin + 0.1 for begin in BEEPS)
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 220 if bright else 30, np.uint8), format="rgb24")
            frame.pts, frame.time_base = k + round(late * FPS), Fraction(1, FPS)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        size = audio.codec_context.frame_size or 1024
        for k in range(0, len(wave) - size + 1, size):
            frame = av.AudioFrame.from_ndarray((wave[k : k + size] * 32767).astype(np.int16)[None], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, k + round(late * RATE), Fraction(1, RATE)
            out.mux(audio.encode(frame))
        out.mux(audio.encode())
    return path


def beeps(path: Path) -> tuple[str, list[float]]:
    """The sound's codec, and when, seconds after the first picture, it gets loud."""
    with av.open(str(path)) as film:
        first = next(film.decode(video=0))
        begins = float(first.pts * first.time_base)
    loud, out = False, []
    with av.open(str(path)) as film:
        audio = film.streams.audio[0]
        for frame in film.decode(audio):
            wave = frame.to_ndarray().astype(float)
            wave = wave.mean(axis=0) if frame.format.is_planar else wave[0, :: frame.layout.nb_channels]
            wave = wave / (32768 if np.abs(wave).max() > 2 else 1)
            for k in range(0, len(wave), 64):
                now = np.abs(wave[k : k + 64]).max() > 0.2
                at = float(frame.pts * frame.time_base) + k / frame.sample_rate - begins
                if now and not loud and (not out or at > out[-1] + 0.2):
                    out.append(at)
                loud = now
        return audio.codec_context.name, out


def film_of(source: Path, path: Path, seconds: float = 99.0) -> tuple[list[float], int]:
    """As the job makes its films; when it gets bright, and how many pictures there are."""
    clip = open_clip(source)
    pictures = [frame.image for frame in clip.frames() if frame.time < seconds]
    clip.close()
    write_movie(path, pictures, clip.info.fps, sound=clip.info.sound)
    bright = np.array([p.mean() > 120 for p in pictures])
    return (np.flatnonzero(bright[1:] & ~bright[:-1]) + 1).astype(float) / FPS, len(pictures)


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("a.mp4", "aac", "aac"),
        ("a.mkv", "aac", "aac"),
        ("a.mov", "pcm_s16le", "aac"),
        ("a.avi", "pcm_s16le", "aac"),
        ("a.mkv", "flac", "flac"),
        ("late.mkv", "aac", "aac"),
        ("late.ts", "mp2", "aac"),
    ],
)
def test_sound_is_taken_along_in_time(tmp_path: Path, name: str, codec: str, kept: str) -> None:
    source = talking_clip(tmp_path / name, codec, late=1.2 if name.startswith("late") else 0.0)
    wanted = beeps(source)[1]
    assert np.allclose(wanted, BEEPS, atol=0.08)  # the test's own clip is in time
    bright, _ = film_of(source, tmp_path / "film.mp4")
    got, heard = beeps(tmp_path / "film.mp4")
    assert got == kept
    assert np.allclose(heard, wanted, atol=0.03)
    assert np.allclose(heard, bright, atol=0.08)


def test_sound_follows_an_edit_list_and_ends_with_the_pictures(tmp_path: Path) -> None:
    source = talking_clip(tmp_path / "cut.mp4", "aac")
    data, at = source.read_bytes(), 0
    for _ in range(2):  # both tracks begin 0.6 s later
        at = data.index(b"elst", at) + 12
        whole, begins, rate = struct.unpack_from(">IiI", data, at)
        scale = struct.unpack_from(">I", data, data.index(b"mdhd", at) + 16)[0]
        later = struct.pack(">IiI", whole - 600, begins + round(0.6 * scale), rate)
        data = data[:at] + later + data[at + 12 :]
    source.write_bytes(data)
    bright, count = film_of(source, tmp_path / "film.mp4", seconds=1.2)
    assert count == 30
    codec, heard = beeps(tmp_path / "film.mp4")
    assert codec == "aac"
    assert np.allclose(heard, [0.4, 1.0], atol=0.08)
    assert np.allclose(heard, bright, atol=0.08)
    with av.open(str(tmp_path / "film.mp4")) as film:
        audio = film.streams.audio[0]
        assert float(audio.duration * audio.time_base) < 1.2 + 0.15


def test_sound_that_is_damaged_costs_no_film(tmp_path: Path) -> None:
    source = talking_clip(tmp_path / "a.mkv", "aac")
    short = tmp_path / "short.mkv"
    short.write_bytes(source.read_bytes()[:3000])
    frames = [np.full((48, 64, 3), 90, np.uint8)] * 10
    for broken in (short, tmp_path / "nowhere.mp4"):
        path = tmp_path / f"{broken.stem}-film.mp4"
        assert write_movie(path, frames, FPS, sound=Sound(str(broken), 0.0)) == 10
        assert len(list(open_clip(path).frames())) == 10


def test_a_film_tells_its_colours(tmp_path: Path) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:] = (201, 152, 131)
    write_movie(tmp_path / "film.mp4", [frame] * 3, FPS)
    for reader in ("PyAV", "OpenCV"):
        shown = next(iter(open_clip(tmp_path / "film.mp4", reader=reader).frames())).image
        assert np.abs(shown.astype(int) - frame).max() <= 3
    with av.open(str(tmp_path / "film.mp4")) as film:
        stored = next(film.decode(video=0))
    assert (int(stored.colorspace), int(stored.color_primaries), int(stored.color_range)) == (1, 1, 1)
