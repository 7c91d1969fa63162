"""The list of stages on real photos: what comes out, and whose trouble is whose."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from places import EXAMPLES

import tronie
from tronie.head.arkit import ARKIT_UNITS
from tronie.runtime.job import Event, FacesFound, Job
from tronie.shells import HAIR_KINDS, SEGMENTS
from tronie.types import Face, Photo, Result

MESH = tronie.Settings.model_validate({"only": "mesh", "enhance": {"mode": "off"}})


@pytest.fixture(scope="module")
def mesh() -> tronie.Pipeline:
    return tronie.Pipeline(MESH)


@pytest.fixture(scope="module")
def whole() -> Result:
    return tronie.reconstruct(EXAMPLES / "astronaut.jpg")


def overlay_error(face: Face) -> float:
    """RMS distance of the head's 478 projected points to the landmarks over the size of the face's box."""
    assert face.head is not None
    assert face.fit is not None
    assert face.landmarks is not None
    points = face.head.points478(face.head.vertices) @ face.fit.head_to_camera[:3, :3].T
    projected = face.fit.camera.project(points + face.fit.head_to_camera[:3, 3])
    distance = np.linalg.norm(projected - face.landmarks.points[:, :2], axis=1)
    return float(np.sqrt((distance**2).mean()) / face.detection.size)


def test_a_portrait_has_all_that_is_promised(whole: Result) -> None:
    (face,) = whole.faces
    assert face.error is None
    assert face.fit is not None
    assert face.head is not None
    assert face.texture is not None
    assert face.portrait is not None
    assert face.landmarks is not None
    assert face.points68 is not None
    assert overlay_error(face) < 0.015
    assert tuple(face.fit.expression) == ARKIT_UNITS
    assert face.fit.head_to_camera.shape == (4, 4)
    assert face.landmarks.points.shape == (478, 3)
    assert face.points68.shape == (68, 2)
    assert face.head.points68(face.head.vertices).shape == (68, 3)
    assert face.head.vertices.shape == face.head.neutral.shape
    assert face.head.triangles.max() < len(face.head.vertices)
    # A face of 97 pixels, enhanced: a texture of 2048 or a portrait of 1024 would show no more of it.
    assert face.texture.image.shape == (1024, 1024, 3)
    assert face.texture.provenance.shape == (1024, 1024)
    assert face.portrait.image.shape == (512, 512, 3)


def test_hair_is_told_from_skin_and_built_where_it_is_shown(whole: Result, mesh: tronie.Pipeline) -> None:
    (face,) = whole.faces
    assert face.segmentation is not None
    assert face.hair is not None
    assert face.hair.kind in HAIR_KINDS
    assert any(shell.name in ("hair", "covering") for shell in face.shells)
    assert sum(len(shell.lods[0]) for shell in face.shells if not shell.below) <= 5000
    assert {"fit", "segment", "texture", "hair"} <= set(face.timings)
    # The middle of the face is face, and above the head is hair.
    shares, to = face.segmentation.shares, face.segmentation.to_photo.inverse()
    assert face.landmarks is not None
    x, y = to.apply(face.landmarks.points[1, :2]).astype(int)
    assert shares[:, y, x].argmax() == SEGMENTS.index("face")
    (bare,) = mesh.run(EXAMPLES / "astronaut.jpg").faces
    assert bare.segmentation is None
    assert bare.hair is None
    assert [shell.name for shell in bare.shells] == ["neck"]
    assert not {"segment", "hair"} & set(bare.timings)


@pytest.mark.parametrize("mode", ["scalp", "none"])
def test_who_wants_no_hair_over_the_head_gets_none(mode: str) -> None:
    small = {"texture": {"size": 512}, "outputs": ("glb",), "enhance": {"mode": "off"}, "hair": {"mode": mode}}
    (face,) = tronie.Pipeline(tronie.Settings.model_validate(small)).run(EXAMPLES / "astronaut.jpg").faces
    assert face.error is None
    assert face.hair is not None
    assert not {shell.name for shell in face.shells} & {"hair", "covering"}


def test_who_wants_a_bust_gets_one_in_place_of_the_necks_end() -> None:
    small = {"texture": {"size": 512}, "outputs": ("glb",), "enhance": {"mode": "off"}, "head": {"bust": True}}
    (face,) = tronie.Pipeline(tronie.Settings.model_validate(small)).run(EXAMPLES / "astronaut.jpg").faces
    assert face.error is None
    assert [shell.name for shell in face.shells if shell.below] == ["bust"]
    assert face.bust is not None
    assert 0.1 < face.bust.seen < 0.8
    assert 300 < face.bust.width_mm < 500


def test_everyone_in_a_group_once_the_largest_first(mesh: tronie.Pipeline) -> None:
    faces = mesh.run(EXAMPLES / "group.jpg").faces
    assert [face.index for face in faces] == list(range(1, len(faces) + 1))
    assert len(faces) > 1
    assert all(face.error is None and overlay_error(face) < 0.015 for face in faces)
    sizes = [face.detection.size for face in faces]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "float64", "alpha", "int64", "view"])
def test_arrays_of_every_kind_are_the_same_photo(mesh: tronie.Pipeline, kind: str) -> None:
    image = np.asarray(Image.open(EXAMPLES / "astronaut.jpg").convert("RGB"))
    opaque = np.full((*image.shape[:2], 1), 255, np.uint8)
    arrays = {
        "uint8": image,
        "uint16": image.astype(np.uint16) * 257,
        "float32": (image / 255).astype(np.float32),
        "float64": image / 255,
        "alpha": np.concatenate([image, opaque], axis=2),
        "int64": image.astype(np.int64),
        "view": image[:, ::-1][:, ::-1],
    }
    (face,) = mesh.run(arrays[kind]).faces
    (same,) = mesh.run(EXAMPLES / "astronaut.jpg").faces
    assert np.allclose(face.box, same.box, atol=0.01)


def test_grey_arrays_are_photos_and_other_things_are_refused(mesh: tronie.Pipeline) -> None:
    image = np.asarray(Image.open(EXAMPLES / "astronaut.jpg").convert("L"))
    assert len(mesh.run(image).faces) == 1
    for wrong in (np.zeros(5), np.zeros((4, 4, 7)), np.zeros((0, 5, 3), np.uint8), np.full((9, 9, 3), np.nan)):
        with pytest.raises(tronie.InputError):
            mesh.run(wrong)


def test_no_face_is_a_result(mesh: tronie.Pipeline) -> None:
    assert mesh.run(np.full((1, 1, 3), 90, np.uint8)).faces == ()
    assert mesh.run(np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)).faces == ()


def test_one_face_in_trouble_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from tronie.stages.fit import engine

    fit, calls = engine.fit_landmarks, iter(range(100))

    def second_fails(*args: object, **options: object) -> object:
        if next(calls) == 1:
            raise ValueError("it went wrong")
        return fit(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "fit_landmarks", second_fails)
    faces = tronie.Pipeline(MESH).run(EXAMPLES / "group.jpg").faces
    assert [face.index for face in faces if face.error] == [2]
    assert "it went wrong" in str(faces[1].error)
    assert "ValueError" not in str(faces[1].error)
    assert faces[1].landmarks is not None


def test_a_detection_that_is_no_face_makes_room_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    all_faces = tronie.Pipeline(MESH).run(EXAMPLES / "group.jpg").faces
    from tronie.stages import finder as find

    detect = find.detect_turned
    largest = tronie.Detection((0.0, 0.0, 500.0, 60.0), np.array([[9, 9], [20, 9], [15, 15], [9, 20], [20, 20.0]]), 1.0)
    monkeypatch.setattr(find, "detect_turned", lambda *a: (largest, *detect(*a)))
    two = tronie.Settings.model_validate({"only": "mesh", "detect": {"max_faces": 2}, "enhance": {"mode": "off"}})
    faces = tronie.Pipeline(two).run(EXAMPLES / "group.jpg").faces
    assert [face.box for face in faces] == [face.box for face in all_faces[:2]]
    assert [face.index for face in faces] == [1, 2]


def test_what_is_kept_of_a_face_can_be_chosen(mesh: tronie.Pipeline) -> None:
    seen: list[int] = []

    def each(photo: Photo, face: Face) -> Face:
        assert photo.image.ndim == 3
        seen.append(face.index)
        return Face(face.index, face.detection)

    result = mesh.run(EXAMPLES / "group.jpg", each=each)
    assert seen == [face.index for face in result.faces]
    assert all(face.head is None for face in result.faces)


def head_of(face: Face) -> np.ndarray:
    assert face.head is not None
    return face.head.neutral


def texture_of(face: Face) -> np.ndarray:
    assert face.texture is not None
    return face.texture.image.astype(int)


def test_bars_around_a_picture_change_nothing() -> None:
    """A head that a bar cuts off at the hair, as in a film or a screenshot."""
    picture = np.asarray(Image.open(EXAMPLES / "astronaut.jpg").convert("RGB"))[56:256]
    plain = tronie.Pipeline(
        tronie.Settings.model_validate(
            {
                "only": "texture",
                "enhance": {"mode": "off"},
                "texture": {"size": 512},
                "head": {"subdivide": 0},
            }
        )
    )
    (alone,) = plain.run(picture).faces
    for colour, (left, top) in ((0, (0, 60)), (255, (30, 60)), (0, (50, 0))):
        height, width = picture.shape[:2]
        barred = np.full((height + 2 * top, width + 2 * left, 3), colour, np.uint8)
        barred[top : top + height, left : left + width] = picture
        heard: list[Event] = []
        (framed,) = plain.run(barred, job=Job(heard.append)).faces
        (told,) = [event for event in heard if isinstance(event, FacesFound)]
        assert (told.width, told.height) == barred.shape[1::-1]
        assert np.allclose(told.faces[0].box, framed.box, atol=0.01)
        for face in (framed, alone):
            assert face.error is None
        # The line in which picture and bar meet may be lost.
        assert np.abs(head_of(framed) - head_of(alone)).max() < 0.5
        assert np.abs(texture_of(framed) - texture_of(alone)).mean() < 1.5
        assert np.allclose(np.subtract(framed.box, alone.box), [left, top, left, top], atol=1.5)
        assert framed.fit is not None
        assert framed.fit.camera.size == (width + 2 * left, height + 2 * top)
        found, camera = plain.find(Photo(barred))
        assert np.allclose(found[0].box, framed.box, atol=1e-3)
        assert camera == framed.fit.camera
