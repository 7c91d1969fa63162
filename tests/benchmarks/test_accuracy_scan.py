"""Scans: a head of our own written in their format is read, judged and laid out as a person's would be."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.accuracy import scan
from benchmarks.accuracy.evaluate import Scores, evaluate, neutral_of
from benchmarks.accuracy.heads import inner_rows
from benchmarks.accuracy.methods import fit_of
from benchmarks.accuracy.personal import Fields, by_region
from benchmarks.accuracy.regions import REGIONS, layouts, places, region_of
from benchmarks.accuracy.report import figures, markdown
from benchmarks.accuracy.scan import LM7, load_scans, pictures
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import default_head
from tronie.head.surface import triangle_vertex_normals
from tronie.io.encode import png
from tronie.types import Detection, Landmarks

YAWS = (0.0, 30.0)
WIDTH = 320


def own_identity() -> np.ndarray:
    return np.random.default_rng(4).normal(size=len(default_head().identity))


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """A folder with the truth of a head of our model and two empty pictures."""
    model, folder = default_head(), tmp_path_factory.mktemp("scans") / "somebody"
    folder.mkdir()
    level = model.level(model.usual_level)
    v = level.apply(model.shape(own_identity()))
    rows = inner_rows(model, model.usual_level)[::3]
    turns = np.array([rotation_from_euler(yaw, 0, 0) for yaw in YAWS])
    np.savez(
        folder / "truth.npz",
        points=v[rows].astype(np.float32),
        normals=triangle_vertex_normals(v, level.triangles)[rows],
        oval=np.arange(len(rows)) % 10 > 0,
        lm7=level.points68(v)[list(LM7)],
        nose=level.points68(v)[30],
        R=turns,
        t=np.tile([0.0, 0.0, 700.0], (len(YAWS), 1)),
        f=np.full(len(YAWS), 600.0),
        width=WIDTH,
    )
    for k in range(len(YAWS)):
        (folder / f"somebody_{k}.png").write_bytes(png(np.zeros((WIDTH, WIDTH, 3), np.uint8)))
    return folder


@pytest.fixture(scope="module")
def renders(scanned, tmp_path_factory):
    """As if the nets had seen a face in each picture; what they saw is of no matter here."""

    def look(image, spot):
        assert image.shape == (WIDTH, WIDTH, 3)
        assert np.abs(spot - WIDTH / 2).max() < 60
        seen = Landmarks(np.zeros((478, 3), np.float32), np.zeros(52, np.float32), 1.0)
        return SimpleNamespace(detection=Detection((0, 0, 9, 9), np.zeros((5, 2)), 1.0), landmarks=seen)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "face_at", look)
        return load_scans([scanned], tmp_path_factory.mktemp("cache"))


def fit_with(identity):
    def fit(render):
        return fit_of(default_head(), identity, render.expression, render.head_to_camera, render.camera)

    return fit


@pytest.fixture(scope="module")
def scores(renders) -> dict[str, Scores]:
    identity = own_identity()
    shares = {"mean head": 0.0, "half": 0.5, "truth": 1.0}
    return {name: evaluate(fit_with(share * identity), renders, name=name) for name, share in shares.items()}


def test_pictures_come_in_the_order_of_their_numbers(tmp_path):
    for k in (10, 9, 1):
        (tmp_path / f"a1_{k}.webp").touch()
    assert [p.stem for p in pictures(tmp_path)] == ["a1_1", "a1_9", "a1_10"]


def test_what_is_read_is_what_was_written(renders):
    assert [item.angles[0] for item in renders.items] == list(YAWS)
    assert renders.names == ("somebody",)
    assert renders.picture(renders.items[1]).shape == (WIDTH, WIDTH, 3)
    assert renders.items[0].equivalent == pytest.approx(600 / WIDTH * 36)


def test_a_folder_without_truth_is_refused(tmp_path):
    with pytest.raises(ValueError, match="truth"):
        load_scans([tmp_path])


def test_the_truth_has_no_error_and_the_way_there_has_less(scores):
    assert scores["truth"].error < 0.02
    assert scores["truth"].summary()["geodesic"] < 0.05
    assert 0.35 < scores["half"].error / scores["mean head"].error < 0.65


def test_the_personal_part_of_half_the_way_wants_twice_as_much(scores):
    r, slope = scores["half"].fields(scores["mean head"]).correlation()
    assert r > 0.9
    assert slope == pytest.approx(2, abs=0.25)
    assert scores["truth"].fields(scores["mean head"]).correlation() == pytest.approx((1, 1), abs=0.02)
    photos, people = scores["half"].fields(scores["mean head"]).common()
    assert photos == pytest.approx(1, abs=1e-3)  # both photos got the same head
    assert np.isnan(people)


def test_the_report_tells_regions_and_people(scores):
    found = figures([scores["mean head"], scores["half"]])
    assert set(found["half"]["regions"]["all"]) == set(REGIONS)
    assert all(0 < cell["ratio"] < 1 for cell in found["half"]["regions"]["all"].values())
    assert found["half"]["by"]["person"]["somebody"]["renders"] == 2
    text = markdown(found)
    assert "beyond 30°" in text
    assert "forehead" in text


def test_every_region_is_where_its_name_says(renders):
    model = default_head()
    level = model.level(model.usual_level)
    p = level.points68(level.apply(model.mean)).astype(float)
    spots = {"chin": p[8] + [0, 5, 0], "mouth": p[[62, 66]].mean(axis=0), "nose": p[30], "eyes": p[36:42].mean(axis=0)}
    spots |= {"forehead": p[27] + [0, 45, 0], "cheeks": p[[36, 48, 3]].mean(axis=0)}
    assert {name: REGIONS[region_of(at[None], p)[0]] for name, at in spots.items()} == {n: n for n in spots}
    # a truth takes them from the mean head: mirrored places are of the same region
    assert (np.bincount(layouts(renders)[0].region, minlength=6) > 20).all()


def test_what_people_share_is_told_from_what_photos_share():
    rng = np.random.default_rng(0)
    where = replace(places(default_head()), rows=np.arange(400), region=np.zeros(400, np.int8), area=np.ones(400))
    person = np.repeat(np.arange(40), 3)
    constant, own, chance = (rng.normal(size=(n, 400)) for n in (1, 40, 120))
    fields = Fields(constant + own[person] + chance, np.zeros((120, 400)), person, where)
    photos, people = fields.common()
    assert photos == pytest.approx(2 / 3, abs=0.05)
    assert people == pytest.approx(1 / 3, abs=0.05)


def test_error_by_region_counts_what_counts():
    gaps, region = [np.array([1.0, -3.0, 9.0])], [np.array([0, 0, 1], np.int8)]
    assert by_region(gaps, region, [np.array([True, True, False])]) == {"chin": 2.0}


def test_neutral_of_a_fit_is_its_shape(renders):
    fit = fit_with(own_identity())(renders.items[0])
    model = default_head()
    level = model.level(model.usual_level)
    np.testing.assert_allclose(neutral_of(model, fit), level.apply(model.shape(own_identity())), atol=1e-3)


def test_cameras_are_those_of_the_file(renders):
    item = renders.items[1]
    assert item.camera == Camera(600.0, (WIDTH / 2, WIDTH / 2), (WIDTH, WIDTH))
    np.testing.assert_allclose(item.head_to_camera, rigid(rotation_from_euler(30, 0, 0), np.array([0, 0, 700.0])))
