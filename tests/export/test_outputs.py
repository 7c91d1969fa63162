"""Every output of a photo is there, whole, and never in the place of another."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from places import TESTS
from samples import make_result

from tronie.cli.options import complete_outputs, settings_from
from tronie.errors import OutputError
from tronie.export import outputs
from tronie.export.writer import MADE, photo_folder, save
from tronie.head.model import HeadModel
from tronie.outputs import EVERY, OUTPUTS, USUAL, Only, Output, Subject
from tronie.pipelines.outcome import Task
from tronie.pipelines.photo import Ahead, Each
from tronie.pipelines.photo_task import do_photo
from tronie.runtime.job import Job
from tronie.settings import ExportSettings, Settings
from tronie.types import Result

FACE_FILES = {
    "head.glb", "head.obj", "head.mtl", "roughness.png", "texture.png", "provenance.png", "head.ply", "frontal.png",
    "frontal_neutral.png", "frontal_mask.png", "overlay.jpg", "face.json",
}  # fmt: skip


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


class _Ready:
    """A pipeline whose face is finished as far as it was asked for."""

    def __init__(self, result: Result, only: Only | None) -> None:
        bare = {"mesh": {"texture": None, "portrait": None}, "texture": {"portrait": None}}.get(only or "", {})
        self.result = replace(result, faces=tuple(replace(face, **bare) for face in result.faces))  # type: ignore[arg-type]

    def run(
        self, photo: str | Path, /, *, each: Each | None = None, ahead: Ahead | None = None, job: Job | None = None
    ) -> Result:
        faces = tuple(each(self.result.photo, face) if each else face for face in self.result.faces)
        return replace(self.result, faces=faces)


PORTRAITS = {"frontal.png", "frontal_neutral.png", "frontal_mask.png"}
ONLY: dict[Only | None, set[str]] = {
    None: {*FACE_FILES, "../sheet.jpg"},
    "mesh": {"head.glb", "head.obj", "head.mtl", "head.ply", "overlay.jpg", "face.json"},
    "texture": {*FACE_FILES - PORTRAITS, "../sheet.jpg"},
    "portrait": {*PORTRAITS, "face.json"},
}


@pytest.mark.parametrize("only", ONLY)
def test_only_what_is_wanted_is_written(only: Only | None, tiny_head: HeadModel, tmp_path: Path) -> None:
    settings = Settings(only=only, outputs=(*USUAL, *(("maps", "lod") if only == "portrait" else ())))
    outcome = do_photo(_Ready(make_result(tiny_head), only), Task("a.jpg", tmp_path, "a"), settings)
    assert outcome.status == "ok"
    place = tmp_path / "a" / "face-1"
    found = {path.name for path in place.iterdir()}
    found |= {f"../{path.name}" for path in place.parent.iterdir() if path.is_file()}
    assert found == ONLY[only]
    assert set(json.loads((place / "face.json").read_text())["files"]) == {n for n in found if "/" not in n} - {
        "face.json"
    }


def test_every_file_is_there(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head, faces=2)
    assert save(result, tmp_path) == tmp_path / "someone"
    expected = {f"someone/face-{i}/{name}" for i in (1, 2) for name in FACE_FILES} | {"someone/sheet.jpg"}
    assert tree(tmp_path) == expected
    place = tmp_path / "someone" / "face-1"
    face = result.faces[0]
    assert face.texture is not None
    assert face.portrait is not None
    assert np.array_equal(np.asarray(Image.open(place / "texture.png")), face.texture.image)
    assert np.array_equal(np.asarray(Image.open(place / "provenance.png")), face.texture.provenance)
    assert np.array_equal(np.asarray(Image.open(place / "frontal_neutral.png")), face.portrait.neutral)
    assert np.array_equal(np.asarray(Image.open(place / "frontal_mask.png")), face.portrait.mask)
    assert Image.open(place / "overlay.jpg").size == (512, 512)
    said = json.loads((place / "face.json").read_bytes())
    assert {*said["files"], "face.json"} == FACE_FILES
    assert said["photo"]["name"] == "someone"


def test_outputs_are_chosen(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head)
    save(result, tmp_path, outputs={"glb"})
    assert tree(tmp_path / "someone") == {"face-1/head.glb", "face-1/face.json"}
    with pytest.raises(ValueError, match="there is no output fbx"):
        save(result, tmp_path, outputs={"fbx"})
    save(result, tmp_path, outputs=MADE, overwrite=True)
    assert len(tree(tmp_path / "someone")) == len(FACE_FILES) + 1


def test_levels_of_detail_when_asked_for(tiny_head: HeadModel, tmp_path: Path) -> None:
    save(make_result(tiny_head), tmp_path, outputs={"glb", "lod"}, export=ExportSettings(rig=True))
    place = tmp_path / "someone" / "face-1"
    assert tree(place) == {"head.glb", "head_lod1.glb", "head_lod2.glb", "face.json"}
    assert json.loads((place / "face.json").read_bytes())["files"] == ["head.glb", "head_lod1.glb", "head_lod2.glb"]
    assert all(b'"eye_left"' in (place / f"head{lod}.glb").read_bytes() for lod in ("", "_lod1", "_lod2"))


def test_a_mesh_alone(tiny_head: HeadModel, tmp_path: Path) -> None:
    """Without textures there is no sheet unless it is asked for: it would take longer than the mesh."""
    result = make_result(tiny_head, texture=False)
    save(result, tmp_path)
    files = {"head.glb", "head.obj", "head.mtl", "head.ply", "overlay.jpg", "face.json"}
    assert tree(tmp_path / "someone" / "face-1") == files
    assert "map_Kd" not in (tmp_path / "someone" / "face-1" / "head.mtl").read_text()
    assert not (tmp_path / "someone" / "sheet.jpg").exists()
    save(result, tmp_path, outputs=["sheet"], overwrite=True)
    assert tree(tmp_path / "someone") == {"face-1/face.json", "sheet.jpg"}


def test_no_face_and_half_a_face_are_results(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head)
    save(replace(result, faces=()), tmp_path, name="none")
    assert tree(tmp_path / "none") == {"sheet.jpg"}
    half = replace(
        result.faces[0], fit=None, head=None, texture=None, portrait=None, points68=None, error="It went wrong."
    )
    save(replace(result, faces=(half, replace(result.faces[0], index=2))), tmp_path, name="half")
    assert tree(tmp_path / "half" / "face-1") == {"face.json", "overlay.jpg"}
    assert tree(tmp_path / "half" / "face-2") == FACE_FILES
    assert json.loads((tmp_path / "half" / "face-1" / "face.json").read_bytes())["error"] == "It went wrong."


def test_nothing_is_overwritten_unless_asked(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head)
    (tmp_path / "someone").mkdir()
    (tmp_path / "someone" / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="exists already"):
        save(result, tmp_path)
    assert tree(tmp_path) == {"someone/mine.txt"}
    save(result, tmp_path, overwrite=True, outputs=["overlay"])
    assert tree(tmp_path / "someone") == {"face-1/overlay.jpg", "face-1/face.json"}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_save_leaves_nothing(
    tiny_head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    def interrupted(*_: object) -> bytes:
        raise kind

    monkeypatch.setattr(outputs, "ply", interrupted)
    with pytest.raises(kind):
        save(make_result(tiny_head), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_way_is_said_in_one_sentence(tiny_head: HeadModel, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match=r"^Cannot write .*: it is a file, not a folder\.$"):
        save(make_result(tiny_head), tmp_path / "out")


def test_odd_names_stay_inside_the_folder(tiny_head: HeadModel, tmp_path: Path) -> None:
    result: Result = make_result(tiny_head, name="../../evil:\udcff")
    path = save(result, tmp_path, outputs=["glb", "overlay", "sheet"])
    assert path.parent == tmp_path
    assert path.is_dir()


def test_same_result_same_bytes(tiny_head: HeadModel, tmp_path: Path) -> None:
    one, two = (save(make_result(tiny_head), tmp_path / name) for name in ("1", "2"))
    for name in tree(one):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_the_texture_in_the_glb_is_a_jpeg_of_the_texture(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head)
    data = (save(result, tmp_path) / "face-1" / "head.glb").read_bytes()
    face = result.faces[0]
    assert face.texture is not None
    start = data.rindex(b"\xff\xd8\xff")
    picture = np.asarray(Image.open(io.BytesIO(data[start:])))
    assert picture.shape == face.texture.image.shape
    assert np.abs(picture.astype(int) - face.texture.image).mean() < 6


def test_faces_written_one_by_one_make_the_same_files(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head, faces=2)
    save(result, tmp_path / "whole")
    with photo_folder(tmp_path / "steps", "someone") as writer:
        first = writer.add(result.photo, result.faces[0])
        writer.finish(replace(result, faces=(first, result.faces[1])))
    assert first.texture is not None
    assert first.texture.image.shape[0] == first.texture.provenance.shape[0] <= 512
    assert tree(tmp_path / "steps") == tree(tmp_path / "whole")
    for name in tree(tmp_path / "whole"):
        one, other = ((tmp_path / way / name).read_bytes() for way in ("whole", "steps"))
        assert one == other, name


def test_files_do_not_depend_on_threads(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head)
    for threads in (1, 3):
        with photo_folder(tmp_path / str(threads), "photo", threads=threads) as writer:
            writer.finish(result)
    assert tree(tmp_path / "1") == tree(tmp_path / "3")
    for name in tree(tmp_path / "1"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes(), name


def test_files_begun_before_the_portrait_is_made_are_the_same(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = make_result(tiny_head)
    (face,) = result.faces
    save(result, tmp_path / "whole", name="photo")
    with photo_folder(tmp_path / "ahead", "photo", threads=3) as writer:
        writer.begin(result.photo, replace(face, portrait=None, shells=()), "texture")
        writer.begin(result.photo, replace(face, portrait=None), "head")
        small = writer.add(result.photo, face)
        writer.finish(replace(result, faces=(small,)))
    assert tree(tmp_path / "ahead") == tree(tmp_path / "whole")
    for name in tree(tmp_path / "whole"):
        assert (tmp_path / "ahead" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.fixture
def toy() -> Iterator[None]:
    """An output of somebody else."""

    def make(one: outputs.FaceToWrite) -> Iterator[outputs.File]:
        yield "toy.txt", lambda: f"{one.title}: {len(one.face.detection.points)} points".encode()

    outputs.register(Output("toy", "A toy.", ("toy.txt",), usual=False, only=("mesh",)), make)
    yield
    del OUTPUTS["toy"], outputs.FACE_OUTPUTS["toy"]


@pytest.mark.usefixtures("toy")
def test_a_new_output_is_registered_and_made(tiny_head: HeadModel, tmp_path: Path) -> None:
    settings = settings_from({"outputs": "toy,glb"})
    assert settings.outputs == ("glb", "toy")
    assert do_photo(_Ready(make_result(tiny_head), None), Task("a.jpg", tmp_path, "a"), settings).status == "ok"
    assert tree(tmp_path / "a") == {"face-1/head.glb", "face-1/toy.txt", "face-1/face.json"}
    assert (tmp_path / "a" / "face-1" / "toy.txt").read_bytes() == b"a face 1: 5 points"
    assert json.loads((tmp_path / "a" / "face-1" / "face.json").read_text())["files"] == ["head.glb", "toy.txt"]
    assert complete_outputs("glb,to") == ["glb,toy"]
    with pytest.raises(ValueError, match="there is an output toy already"):
        outputs.register(OUTPUTS["toy"], lambda one: ())


def test_every_output_has_what_makes_it_and_is_told_of() -> None:
    elsewhere = {"flat", "sources", "motion", "overlay_film", "talking_film"}
    assert set(OUTPUTS) == {*outputs.FACE_OUTPUTS, *outputs.PHOTO_OUTPUTS, *elsewhere}
    text = (TESTS.parent / "docs" / "outputs.md").read_text(encoding="utf-8")
    for output in OUTPUTS.values():
        usual = "yes" if output.usual else ""
        row = f"| `{output.name}` | {', '.join(output.files)} | {usual} | {output.needs or 'mesh'} | "
        assert row in text
        assert set(output.brings) <= set(OUTPUTS)


def test_stages_run_only_if_an_output_needs_them() -> None:
    def run(**given: Any) -> set[str]:
        settings = Settings(**given)
        return {stage for stage in ("texture", "light", "portrait") if settings.runs(stage)}  # type: ignore[arg-type]

    assert run() == {"texture", "portrait"}
    assert run(outputs=("overlay", "motion")) == set()
    assert run(outputs=("glb",)) == {"texture"}
    assert run(outputs=("detail",)) == {"texture", "light"}
    assert run(outputs=("portrait",), light={"base_color": "albedo"}) == {"texture", "portrait"}
    assert run(outputs=("glb",), light={"base_color": "albedo"}) == {"texture", "light"}
    assert run(outputs=(*USUAL, "albedo"), only="mesh") == set()
    assert run(outputs=(*USUAL, "albedo"), only="texture") == {"texture", "light"}
    assert run(outputs=(*USUAL, "albedo"), only="portrait") == {"texture", "portrait"}
    assert Settings(outputs=("portrait", "glb", "glb")).outputs == ("glb", "portrait")
    with pytest.raises(ValueError, match="there is no output fbx"):
        Settings(outputs=("fbx",))


SETS: dict[Only, dict[Subject, set[str]]] = {
    "mesh": {
        "photo": {"glb", "obj", "ply", "deep3d", "enhanced", "overlay", "sheet"},
        "person": {"glb", "obj", "ply", "enhanced", "overlay", "sheet"},
        "clip": {"glb", "obj", "ply", "enhanced", "overlay", "sheet", "motion", "overlay_film"},
    },
    "portrait": {"photo": {"portrait"}, "person": {"portrait"}, "clip": {"portrait", "talking_film"}},
}


@pytest.mark.parametrize("subject", EVERY)
def test_sets_mean_outputs(subject: Subject) -> None:
    def of(only: Only | None) -> set[str]:
        return {name for name in Settings(only=only).wanted if subject in OUTPUTS[name].of}

    for only, names in SETS.items():
        assert of(only) == names[subject]
    assert of("texture") == of(None) - {"portrait", "talking_film"}
