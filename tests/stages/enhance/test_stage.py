"""Super-resolution in the pipeline: which faces, what becomes of them, and what is written. The nets are stand-ins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from places import EXAMPLES

import tronie
from tronie.arrays import Image
from tronie.errors import WeightsError
from tronie.export.writer import save
from tronie.outputs import USUAL
from tronie.settings import Settings
from tronie.stages import enhance as room
from tronie.stages.enhance.enhancer import Restored
from tronie.stages.enhance.stage import BATCH, eye_distance
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.types import PROVENANCE, Caution, Enhanced, Face, Photo, Result


class StandIn:
    """An enhancer that is a function of one crop, and maybe another for the vivid look; counts its calls."""

    name, side = "stand-in", 256

    def __init__(self, change: Callable[[Image], Image], vivid: Callable[[Image], Image] | None = None) -> None:
        self.change, self.vivid = change, vivid
        self.calls: list[int] = []

    def wants(self, pixels: float) -> int:
        return self.side

    def restore(self, crops: Image) -> Restored:
        assert crops.shape[1:] == (self.side, self.side, 3)
        assert crops.dtype == np.uint8
        self.calls.append(len(crops))
        faithful = np.stack([self.change(crop) for crop in crops])
        if self.vivid is None:
            return Restored(faithful)
        doubt = np.full(crops.shape[:3], 7.4, np.float32)
        return Restored(faithful, np.stack([self.vivid(crop) for crop in crops]), doubt)


def sharpened(crop: Image) -> Image:
    return np.asarray(cv2.addWeighted(crop, 1.6, cv2.GaussianBlur(crop, (0, 0), 3), -0.6, 0))


def settings(mode: str = "auto", limit: float = 45, **options: object) -> Settings:
    outputs = (*USUAL, "enhanced_photo")
    small = {"texture": {"size": 512}, "portrait": {"size": 256}, "head": {"subdivide": 0}}
    return Settings.model_validate({**small, **options, "enhance": {"mode": mode, "limit": limit}, "outputs": outputs})


@pytest.fixture(scope="module")
def small() -> Photo:
    """A portrait with some 26 pixels between the eyes, with room around it."""
    image = np.asarray(Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB"))
    image = cv2.resize(image, None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA)
    return Photo(np.ascontiguousarray(image), "small")


@pytest.fixture(scope="module")
def plain(small: Photo) -> Result:
    return tronie.Pipeline(settings("off")).run(small)


@pytest.fixture(scope="module")
def finer(small: Photo) -> Result:
    return tronie.Pipeline(settings(), enhancer=StandIn(sharpened)).run(small)


def one(result: Result) -> Face:
    (face,) = result.faces
    assert face.error is None
    return face


def test_a_small_face_gets_its_detail_everywhere(plain: Result, finer: Result, small: Photo) -> None:
    face, before = one(finer), one(plain)
    assert before.enhanced is None
    assert finer.timings["enhance"] > 0
    assert "enhance" not in plain.timings
    e = face.enhanced
    assert e is not None
    assert (e.blend, e.note, e.name) == (1.0, None, "stand-in")
    assert e.factor == pytest.approx(1 / e.to_photo.scale)
    assert not np.array_equal(e.before, e.after)
    assert face.texture is not None
    assert before.texture is not None
    marked = face.texture.provenance == PROVENANCE.index("enhanced")
    assert marked.mean() > 0.15
    # What is marked was seen before (the landmarks are a little others), and it alone became crisper.
    assert (before.texture.provenance[marked] == PROVENANCE.index("seen")).mean() > 0.88
    assert not (before.texture.provenance == PROVENANCE.index("enhanced")).any()
    both = cv2.erode(marked.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    crisp = [np.abs(cv2.Laplacian(t.image, cv2.CV_32F))[both].mean() for t in (face.texture, before.texture)]
    assert crisp[0] > 1.15 * crisp[1]
    assert face.portrait is not None
    assert (face.portrait.mask == PROVENANCE.index("enhanced")).mean() > 0.1
    assert finer.photo is small
    assert face.fit is not None
    assert face.fit.camera.size == (small.image.shape[1], small.image.shape[0])


def test_a_net_that_changes_nothing_gives_all_of_it_back(plain: Result, small: Photo) -> None:
    """The photo to the grey level; the texture but for finer sampling and the second look for landmarks."""
    result = tronie.Pipeline(settings(), enhancer=StandIn(lambda crop: crop.copy())).run(small)
    face, before = one(result), one(plain)
    assert face.enhanced is not None
    assert face.enhanced.accepted
    factor = 4 if face.enhanced.factor > 2.3 else 2
    size = (small.image.shape[1] * factor, small.image.shape[0] * factor)
    whole = cv2.resize(small.image, size, interpolation=cv2.INTER_CUBIC)
    assert result.enhanced_photo is not None
    assert np.abs(result.enhanced_photo.astype(int) - whole).max() <= 1
    eyes = eye_distance(np.asarray(before.landmarks.points if before.landmarks else 0))
    assert face.landmarks is not None
    assert before.landmarks is not None
    moved = np.linalg.norm(face.landmarks.points[:, :2] - before.landmarks.points[:, :2], axis=1)
    assert moved.mean() < 0.03 * eyes
    assert face.texture is not None
    assert before.texture is not None
    seen = PROVENANCE.index("seen"), PROVENANCE.index("enhanced")
    both = (before.texture.provenance == seen[0]) & np.isin(face.texture.provenance, seen)
    assert np.abs(face.texture.image.astype(int) - before.texture.image)[both].mean() < 4


@pytest.fixture(scope="module")
def group() -> tuple[Image, Result]:
    """Many faces, as they are without enhancement."""
    image = np.asarray(Pillow.open(EXAMPLES / "group.jpg").convert("RGB"))
    return image, tronie.Pipeline(settings("off", only="mesh")).run(image)


@pytest.mark.parametrize("kind", ["somebody else", "mirrored", "nothing"])
def test_a_net_that_swaps_the_face_is_refused(
    kind: str, plain: Result, small: Photo, group: tuple[Image, Result]
) -> None:
    other, largest = group[0], group[1].faces[0]
    assert largest.landmarks is not None
    somebody = aligned_crop(other, aligned_square(largest.landmarks.points), 256).image
    change: dict[str, Callable[[Image], Image]] = {
        "somebody else": lambda crop: somebody,
        "mirrored": lambda crop: np.ascontiguousarray(crop[:, ::-1]),
        "nothing": lambda crop: np.full_like(crop, 128),
    }
    result = tronie.Pipeline(settings(), enhancer=StandIn(change[kind])).run(small)
    face, before = one(result), one(plain)
    assert face.enhanced is not None
    assert face.enhanced.blend == 0
    assert np.array_equal(face.enhanced.after, face.enhanced.before)
    assert face.enhanced.note is not None
    assert Caution("enhancement_refused", face.enhanced.note) in face.warnings
    assert result.enhanced_photo is None
    # Everything else is what it would have been without.
    assert face.landmarks is not None
    assert before.landmarks is not None
    assert np.array_equal(face.landmarks.points, before.landmarks.points)
    assert face.texture is not None
    assert before.texture is not None
    assert np.array_equal(face.texture.image, before.texture.image)
    assert np.array_equal(face.texture.provenance, before.texture.provenance)


def test_the_vivid_look_is_used_where_nothing_speaks_against_it(small: Photo, tmp_path: Path) -> None:
    def crisper(crop: Image) -> Image:
        return np.asarray(cv2.addWeighted(crop, 1.9, cv2.GaussianBlur(crop, (0, 0), 3), -0.9, 0))

    def taken(vivid: Callable[[Image], Image], look: str = "vivid") -> Enhanced:
        wanted = settings(only="mesh")
        wanted = wanted.model_copy(update={"enhance": wanted.enhance.model_copy(update={"look": look})})
        result = tronie.Pipeline(wanted, enhancer=StandIn(sharpened, vivid)).run(small)
        found = one(result).enhanced
        assert found is not None
        save(result, tmp_path / found.look / look, overwrite=True)
        return found

    both, plain = taken(crisper), taken(crisper, "faithful")
    assert (both.look, plain.look, plain.faithful) == ("vivid", "faithful", None)
    assert both.faithful is not None
    assert np.array_equal(both.faithful, plain.after)
    assert not np.array_equal(both.after, plain.after)
    assert both.doubt is not None
    assert (both.doubt == 7).all()
    # Of somebody else, or of nobody, nothing is taken, not a half either: the faithful look stands.
    for wrong in (lambda crop: np.full_like(crop, 128), lambda crop: np.ascontiguousarray(crop[:, ::-1])):
        kept = taken(wrong)
        assert (kept.look, kept.blend, kept.note) == ("faithful", plain.blend, plain.note)
        assert np.array_equal(kept.after, plain.after)
    (folder,) = (tmp_path / "vivid" / "vivid").glob("**/face-1")
    assert np.array_equal(np.asarray(Pillow.open(folder / "enhanced_faithful.png")), both.faithful)
    assert np.array_equal(np.asarray(Pillow.open(folder / "enhanced_doubt.png")), both.doubt)  # the palette's indices
    record = json.loads((folder / "face.json").read_bytes())["enhancement"]
    assert (record["look"], record["doubt"]) == ("vivid", 7)


@pytest.mark.slow
def test_only_small_faces_unless_all_are_wanted(small: Photo, group: tuple[Image, Result]) -> None:
    image, before = group
    mesh = {"only": "mesh"}
    eyes = [eye_distance(face.landmarks.points) for face in before.faces if face.landmarks is not None]
    limit = sorted(eyes)[len(eyes) // 2]
    some = Settings.model_validate({**mesh, "enhance": {"limit": limit}})
    for wanted, expected in ((some, sum(e < limit for e in eyes)), (settings("always", **mesh), len(eyes))):
        net = StandIn(sharpened)
        result = tronie.Pipeline(wanted, enhancer=net).run(image)
        assert sum(face.enhanced is not None for face in result.faces) == expected
        # All of a batch in one call.
        assert sum(net.calls) == expected
        assert len(net.calls) <= -(-len(eyes) // BATCH)
    off = StandIn(sharpened)
    tronie.Pipeline(settings("off", **mesh), enhancer=off).run(small)
    assert off.calls == []


def test_the_nearer_to_the_limit_the_less(small: Photo) -> None:
    image = np.asarray(Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB"))
    face = one(tronie.Pipeline(settings(only="mesh"), enhancer=StandIn(sharpened)).run(small))
    assert face.enhanced is not None
    larger = cv2.resize(image, None, fx=0.45 * face.enhanced.factor / 1.25, fy=0.45 * face.enhanced.factor / 1.25)
    blends = []
    for mode in ("auto", "always"):
        any_size = settings(mode, limit=1000, only="mesh")
        face = one(tronie.Pipeline(any_size, enhancer=StandIn(sharpened)).run(larger))
        assert face.enhanced is not None
        blends.append(face.enhanced.blend)
    assert blends == [pytest.approx(0.5, abs=0.06), 1.0]


def test_a_face_that_cannot_be_judged_is_still_a_face(small: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    from tronie.stages.enhance import stage

    def broken(*_: object) -> object:
        raise ValueError("it went wrong")

    monkeypatch.setattr(stage, "judge", broken)
    face = one(tronie.Pipeline(settings(only="mesh"), enhancer=StandIn(sharpened)).run(small))
    assert face.enhanced is None
    assert [c.code for c in face.warnings if "it went wrong" in str(c)] == ["not_enhanced"]


def test_a_net_that_fails_leaves_the_faces_and_one_that_is_missing_ends_the_job(small: Photo) -> None:
    def too_large(_: object) -> Image:
        raise MemoryError("no room")

    face = one(tronie.Pipeline(settings(only="mesh"), enhancer=StandIn(too_large)).run(small))
    assert (face.enhanced, face.error) == (None, None)
    assert face.head is not None
    assert any("not enhanced" in str(c) and "not enough memory" in str(c) for c in face.warnings)

    def missing(_: object) -> Image:
        raise WeightsError("The net is gone.")

    with pytest.raises(WeightsError, match="gone"):
        tronie.Pipeline(settings(only="mesh"), enhancer=StandIn(missing)).run(small)


def test_what_is_written(finer: Result, plain: Result, tmp_path: Path) -> None:
    folder = save(finer, tmp_path)
    face = one(finer)
    e = face.enhanced
    assert e is not None
    assert np.array_equal(np.asarray(Pillow.open(folder / "face-1" / "crop.png")), e.before)
    assert np.array_equal(np.asarray(Pillow.open(folder / "face-1" / "enhanced.png")), e.after)
    assert finer.enhanced_photo is not None
    assert np.array_equal(np.asarray(Pillow.open(folder / "enhanced_photo.png")), finer.enhanced_photo)
    said = json.loads((folder / "face-1" / "face.json").read_bytes())
    assert {"crop.png", "enhanced.png"} <= set(said["files"])
    record = said["enhancement"]
    assert (record["name"], record["side"], record["blend"]) == ("stand-in", 256, 1.0)
    assert record["agreement"] == pytest.approx(e.agreement, abs=0.01)
    assert np.allclose(record["crop_to_photo"], e.to_photo.matrix, atol=1e-4)
    assert said["provenance"]["enhanced"] > 0.1
    # The sheet has one picture more for each face.
    other = save(plain, tmp_path / "plain")
    assert not (other / "face-1" / "crop.png").exists()
    assert json.loads((other / "face-1" / "face.json").read_bytes())["enhancement"] is None
    wide, narrow = (Pillow.open(place / "sheet.jpg").size[0] for place in (folder, other))
    assert wide > narrow


def test_the_manifest_counts_the_enhanced(small: Photo, tmp_path: Path) -> None:
    from fake_job import bind

    from tronie.io.listing import Listing
    from tronie.jobs.manifest import Manifest
    from tronie.jobs.plan import make_plan, run_job

    photo = tmp_path / "small.png"
    Pillow.fromarray(small.image).save(photo)
    mesh = settings(only="mesh")
    opened = Manifest.open(tmp_path / "out", mesh)
    pipeline = tronie.Pipeline(mesh, enhancer=StandIn(sharpened))
    (outcome,) = run_job(make_plan(Listing.of([photo]), opened), opened, lambda line: bind(pipeline))
    assert (outcome.status, outcome.enhanced) == ("ok", 1)
    assert outcome.timings["enhance"] > 0
    (said,) = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["inputs"]
    assert (said["faces"], said["enhanced"]) == (1, 1)
    # Done with these settings; with others it would have to be done again.
    assert len(make_plan(Listing.of([photo]), Manifest.open(tmp_path / "out", mesh)).tasks) == 0
    other = settings("off", only="mesh")
    assert make_plan(Listing.of([photo]), Manifest.open(tmp_path / "out", other)).problems


def test_the_modes_and_the_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tronie.runtime import weights
    from tronie.stages.enhance.enhancer import EnhancerInfo

    own = StandIn(sharpened)
    info = EnhancerInfo(room.OWN, lambda threads, device: own, ("face_enhance",))
    monkeypatch.setitem(room.ENHANCERS, room.OWN, lambda: info)
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))
    missing = {name: weight for name, weight in weights.WEIGHTS.items() if name != "face_enhance"}
    monkeypatch.setattr(weights, "WEIGHTS", missing)
    assert room.enhancer_for("off") is None
    assert room.enhancer_for("auto") is None  # the file is not there: no enhancement and no complaint
    assert room.enhancer_for("always") is own
    assert room.enhancer_for(room.OWN) is own
    assert room.enhancer_names() == (room.OWN,)
    with pytest.raises(WeightsError, match="no enhancer called wishes"):
        room.enhancer_for("wishes")


def test_grain_is_kept_and_only_grain() -> None:
    from tronie.stages.enhance.stage import GRAIN, with_grain

    rng = np.random.default_rng(0)
    given = rng.integers(60, 196, (64, 64, 3)).astype(np.uint8)
    # Fine detail that averages out within the photo's pixels is left alone.
    detail = (
        np.repeat(np.repeat(given, 4, 0), 4, 1).astype(int)
        + 20 * (np.indices((256, 256)).sum(0) % 2 * 2 - 1)[..., None]
    )
    answer = detail.astype(np.uint8)
    assert np.array_equal(with_grain(given, answer, 64), answer)
    smooth = np.full((256, 256, 3), 128, np.uint8)
    given = cv2.GaussianBlur(given, (0, 0), 1.5)
    left = cv2.resize(with_grain(given, smooth, 64), (64, 64), interpolation=cv2.INTER_AREA).astype(float) - 128
    assert np.polyfit((given.astype(float) - 128).ravel(), left.ravel(), 1)[0] == pytest.approx(GRAIN, abs=0.1)
