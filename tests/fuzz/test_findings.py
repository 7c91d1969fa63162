"""What fuzzing has found once: files of some bytes that took memory, or ended in something else than a sentence."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hostile_files import chunk, encoded, gif, noise, png, webp

from tronie.errors import InputError, OutputError, WeightsError
from tronie.export.page_glb import split_glb
from tronie.export.records import InputRecord
from tronie.formats.npz import read_npz
from tronie.formats.safety import Refused
from tronie.head.model import HeadModel
from tronie.head.morphable import place
from tronie.io.images import read_photo
from tronie.io.inputs import find_inputs
from tronie.io.jxl_reader import jxl_header
from tronie.io.saved_head import texture_from_bytes
from tronie.io.video import open_video
from tronie.io.video.image_sequence import MovingPicture
from tronie.jobs.ledger import line
from tronie.jobs.manifest import Manifest
from tronie.render import load
from tronie.render.panorama import read_panorama
from tronie.runtime.json_text import parsed
from tronie.settings import Settings

DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    "data", [png(60_000, 60_000, rows=b""), png(9000, 9000, 0, 1), webp(16_383, 16_383, 1), gif(9, 9, 1), b"", b"RIFF"]
)
def test_textures_that_are_none_or_too_large(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(InputError, match=r"its texture (is damaged|has sides above 8192 pixels)\.$"):
        texture_from_bytes(data, Path("head.glb"))
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_pictures_of_a_head_come_out_of_one_budget() -> None:
    from tronie.formats.safety import Budget

    budget, data = Budget(pixels=1000), encoded(noise(20, 20), "PNG")
    for _ in range(2):
        assert texture_from_bytes(data, Path("a"), budget=budget).shape == (20, 20, 3)
    with pytest.raises(InputError, match="far more pixels"):
        texture_from_bytes(data, Path("a"), budget=budget)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30000 +X 30000\n" + bytes(99), "far more pixels"),
        (png(30_000, 30_000, rows=b""), "far more pixels"),
        (b"#?RADIANCE\n\n-Y 2 +X 2\n", "damaged"),
        (b"#?RADIANCE\n" + b"a" * 126 + b"\n\n-Y 2 +X 2\n", "should be"),
        (gif(9, 9, 1), "should be"),
    ],
)
def test_panoramas_that_are_none_or_too_large(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "sky.hdr").write_bytes(data)
    with pytest.raises(InputError, match=why):
        read_panorama(tmp_path / "sky.hdr")


def test_a_chunk_of_a_panorama_takes_no_more_than_the_file_has(tmp_path: Path) -> None:
    data = bytearray(png(32, 16))
    data[33:37] = b"\x7f\xff\xff\xff"
    (tmp_path / "sky.png").write_bytes(data)
    with pytest.raises(InputError, match="damaged or cut off"):
        read_panorama(tmp_path / "sky.png")
    (tmp_path / "sky.png").write_bytes(png(32, 16, 2, 16)[:-12] + b"\x7f\xff\xff\xffabCD")
    assert read_panorama(tmp_path / "sky.png").shape == (16, 32, 3)


def test_a_png_whose_stream_ends_before_its_rows_is_not_waited_for(tmp_path: Path) -> None:
    data = bytearray(png(9, 7, 2, 16, zlib.compress(bytes(385), 9) + b"more"))
    data[28] = 1  # interlaced it has more rows
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputError, match="end early"):
        read_photo(tmp_path / "a.png")


@pytest.mark.parametrize("length", [0, 7, 15, 1 << 63, (1 << 64) - 1])
def test_boxes_of_jpeg_xl_that_lead_nowhere(length: int) -> None:
    box = struct.pack(">I4sQ", 1, b"Exif", length)
    with pytest.raises(ValueError, match="no JPEG XL"):
        jxl_header(io.BytesIO(b"\0\0\0\x0cJXL \r\n\x87\n" + box))


@pytest.mark.parametrize(
    "head",
    [
        "element vertex 2\nproperty float sigma\nproperty float sigma",
        f"element vertex {'9' * 5000}\nproperty float sigma",
        "element vertex ",
    ],
)
def test_ply_files_of_others(tmp_path: Path, head: str) -> None:
    file = tmp_path / "head.ply"
    file.write_bytes(f"ply\nformat binary_little_endian 1.0\n{head}\nend_header\n".encode() + bytes(99))
    with pytest.raises(InputError, match="damaged or not"):
        load._sigma(file, 2)


def test_records_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tronie.importers.heads.calibrated import calibrated
    from tronie.runtime.model_store import imported

    with pytest.raises(ValueError, match="too deeply"):
        parsed(DEEP)
    (tmp_path / "face.json").write_bytes(DEEP)
    assert load.title(tmp_path) == tmp_path.stem
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.json").write_bytes(DEEP)
    assert imported() == calibrated() == {}


@pytest.mark.parametrize(
    "text", ["~nobody-of-this-name/a.jpg", "x" * 2000, "a\0b", "a\0/*.jpg", "%d" * 900, "~", "a" * 300 + "/*.jpg"]
)
@pytest.mark.parametrize("sequences", [True, False])
def test_what_nobody_means_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sequences: bool) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    found = find_inputs([text], {".jpg"}, sequences=sequences)
    assert not found.paths
    assert [problem.source for problem in found.problems] == [text]


def test_names_in_a_graph_are_told_so_that_they_can_be_printed(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from stages.deep3d.frozen import Frozen

    from tronie.importers import import_file

    graph = Frozen()
    graph.add("Relu", "a\x1b[31m\n", name="coeff")
    (tmp_path / "net.pb").write_bytes(graph.bytes())
    with pytest.raises(WeightsError, match=r"lacks a\?\[31m\?\.$"):
        import_file("deep3d", tmp_path / "net.pb")


@pytest.mark.parametrize("part", [{"buffers": True}, {"images": "a"}, {"asset": [1]}])
def test_heads_for_a_page_of_odd_parts(part: dict[str, object]) -> None:
    text = json.dumps(part).encode()
    text += b" " * (-len(text) % 4)
    data = (
        b"glTF" + struct.pack("<III", 2, 28 + len(text), len(text)) + b"JSON" + text + struct.pack("<I", 0) + b"BIN\0"
    )
    with pytest.raises(InputError, match=r"no \.glb, or damaged"):
        split_glb("head.glb", data, False)


def test_a_long_name_in_a_manifest_does_not_fill_the_terminal(tmp_path: Path) -> None:
    Manifest.open(tmp_path, Settings())
    record = InputRecord(source="a", name="a" * 9000, status="ok", settings="b")
    text = (tmp_path / "manifest.json").read_bytes().replace(b'"inputs": []', b'"inputs": [' + line(record) + b"]")
    (tmp_path / "manifest.json").write_bytes(text)
    with pytest.raises(OutputError, match="as the name of a folder") as found:
        Manifest.open(tmp_path, Settings())
    assert len(str(found.value)) < 400


def test_pickles_with_odd_texts_warn_of_nothing(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    from tronie.formats.numpy_pickle import read_array_pickle

    (tmp_path / "a.pkl").write_bytes(b"\x80\2}S'\\\\ \\d'\nNs.")
    with pytest.raises(WeightsError, match="STRING"):
        read_array_pickle(tmp_path / "a.pkl")
    assert not recwarn


def test_clips_of_another_program(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    from tronie.service.clip_tasks import followed

    video = {"source": str(tmp_path / "film.mp4"), "notes": []}
    (tmp_path / "face-1").mkdir()
    (tmp_path / "face-1" / "frames.csv").write_text("state," + "a" * 200_000 + "\n")
    for text in (json.dumps({"video": video, "people": [{"index": 1}]}),
                 json.dumps({"video": video, "people": [{"index": 1e999}]}), DEEP.decode()):  # fmt: skip
        (tmp_path / "clip.json").write_text(text)
        assert followed(tmp_path, tmp_path / "film.mp4") is None


def test_arrays_of_python_2_warn_of_nothing(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1L,)}\n"
        archive.writestr("x.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + bytes(8))
    assert read_npz(tmp_path / "a.npz")["x"].shape == (1,)
    assert not recwarn


def test_shapes_that_go_farther_than_faces_are_refused() -> None:
    mean = np.random.default_rng(0).uniform(-80, 80, (9, 3))
    same = {"name": "a", "licence": "b", "commercial_use": False, "mean": mean, "faces": [[0, 1, 2]], "mm": 1.0}
    place(**same, identity=np.full((1, 9, 3), 9e3), expression=np.zeros((0, 9, 3)))
    with pytest.raises(Refused, match="farther"):
        place(**same, identity=np.full((1, 9, 3), 9e4), expression=np.zeros((0, 9, 3)))


def test_a_head_model_does_not_become_more_than_its_file(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "head.npz", mean=np.zeros(4_000_000))
    tracemalloc.start()
    with pytest.raises(WeightsError, match="far larger than it is"):
        HeadModel.load(tmp_path / "head.npz")
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_moving_pictures_warn_of_nothing(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    plain = encoded(noise(8, 8), "PNG")
    odd = chunk(b"acTL", bytes(8))
    (tmp_path / "a.png").write_bytes(plain[:33] + odd + plain[33:])
    clip = MovingPicture(str(tmp_path / "a.png"))
    assert len(list(clip.frames())) == 1
    clip.close()
    assert not recwarn


def test_videos_of_an_unknown_codec(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    stream = io.BytesIO()
    with av.open(stream, "w", format="avi") as out:
        film = out.add_stream("mjpeg", rate=24)
        film.width, film.height, film.pix_fmt = 32, 24, "yuvj420p"
        out.mux(film.encode(av.VideoFrame.from_ndarray(noise(24, 32), format="rgb24").reformat(format="yuvj420p")))
        out.mux(film.encode())
    for code in (b"MJPG", b"mjpg"):
        stream = io.BytesIO(stream.getvalue().replace(code, b"zzzz"))
    (tmp_path / "film.avi").write_bytes(stream.getvalue())
    with pytest.raises(InputError, match="of a kind that is not read"):
        open_video(tmp_path / "film.avi", reader="PyAV")
