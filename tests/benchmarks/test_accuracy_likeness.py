"""Leaks of expressions, agreement of copies, and the sheet of heads: on made-up heads, without nets."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import pick_the_head
from benchmarks.accuracy import leak, likeness
from benchmarks.accuracy.methods import fit_of
from benchmarks.accuracy.scene import SHOWN, draw_scene
from tronie.geometry import Camera
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import default_head
from tronie.stages.fit.basis import mirror_map

CAMERA = Camera(500.0, (50, 50), (100, 100))


def head(identity):
    return fit_of(default_head(), identity, np.zeros(52), np.eye(4), CAMERA)


def test_one_scene_shows_all_faces():
    first = draw_scene(0, 3, 0)
    for take, units in enumerate(SHOWN.values()):
        scene = draw_scene(0, 3, take, shown=True)
        np.testing.assert_array_equal(scene.head_to_camera, first.head_to_camera)
        assert (scene.seed, scene.light) == (first.seed, first.light)
        assert (scene.expression > 0).any() == bool(units)
    assert draw_scene(0, 3, 4, shown=True).expression[ARKIT_UNITS.index("jawOpen")] == 0.6


def test_a_leak_is_what_the_head_at_rest_moves():
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(300, 3)) * 40
    bump = np.zeros((300, 3))
    bump[:30, 2] = 2.0
    items, rows = [], []
    for person in range(30):
        for take in range(len(SHOWN)):
            own = shape + rng.normal(size=3) * 5  # where the head lies does not matter
            own = own + (bump if take == 1 else 0) + (0.3 * rng.normal(size=(300, 3)) if take == 2 else 0)
            items.append(SimpleNamespace(person=person, take=take))
            rows.append(SimpleNamespace(face=own, error=1.0 + take))
    scores = SimpleNamespace(items=items, rows=rows, renders=SimpleNamespace(people=30))
    found = leak.leaks(scores)
    _, puff, smile, frown, _ = SHOWN
    assert found[puff]["common"] == pytest.approx(found[puff]["moved"], rel=0.01)
    assert 0.2 < found[puff]["moved"] < 0.5
    assert found[smile]["common"] < 0.3 * found[smile]["moved"]
    assert found[frown]["moved"] < 1e-9
    assert found[frown]["error"] == 4
    text = leak.markdown({"mine": found})
    assert text.count("\n| mine |") == 1


def test_variants_keep_the_face():
    image = np.random.default_rng(0).integers(0, 255, (200, 160, 3), dtype=np.uint8)
    box = (60.0, 80.0, 100.0, 130.0)
    made = {name: make(image, box) for name, make in likeness.VARIANTS.items()}
    np.testing.assert_array_equal(made[likeness.MIRROR][:, ::-1], image)
    assert made["tight crop"].shape == (64, 52, 3)
    assert made["small"].shape == (70, 56, 3)
    assert made["one-sided crop"].shape[0] > made["one-sided crop"].shape[1] / 2
    assert made["jpeg"].shape == made["dark"].shape == image.shape
    assert made["dark"].mean() < image.mean()


def test_copies_that_agree_have_no_spread():
    rng = np.random.default_rng(0)
    own = rng.normal(size=(4, len(default_head().identity)))
    twin = mirror_map(default_head())
    looks = [
        likeness.Look(p, p, name, SimpleNamespace(who=p, name=name)) for p in range(4) for name in likeness.VARIANTS
    ]

    def fit(noise):
        def method(seen):
            identity = own[seen.who] @ twin if seen.name == likeness.MIRROR else own[seen.who]
            return head(identity + noise * rng.normal(size=identity.shape))

        return method

    same = likeness.agreement(fit(0.0), looks)
    assert same["mirror, mm"] < 0.02
    assert same["jpeg, mm"] == 0
    assert same["AUC of copies"] == 1
    assert same["other people, mm"] > 1
    assert "AUC of photos" not in same
    noisy = likeness.agreement(fit(1.0), looks)
    assert noisy["spread of copies"] > 0.5 > 0.02 > same["spread of copies"]
    assert noisy["AUC of copies"] < 0.95


def test_each_row_has_its_own_head_once_and_one_sex():
    names = [f"{sex}_{k}" for sex in ("female", "male") for k in range(80, 90)]
    rows = pick_the_head.draw_rows(names, 12, np.random.default_rng(1))
    assert len({row.photo for row in rows}) == 12
    for row in rows:
        assert len(set(row.choices)) == pick_the_head.CHOICES
        assert row.choices["ABCDEF".index(row.answer)] == row.photo
        assert len({name.split("_")[0] for name in row.choices}) == 1
    assert {row.photo.split("_")[0] for row in rows[:6]} == {"female", "male"}
    assert rows == pick_the_head.draw_rows(names, 12, np.random.default_rng(1))
    with pytest.raises(ValueError, match="six"):
        pick_the_head.draw_rows(names[:5], 2, np.random.default_rng(0))


@pytest.mark.slow
def test_the_sheet_shows_heads_of_one_size():
    model, seen = default_head(), SimpleNamespace(detection=SimpleNamespace(box=(20.0, 20.0, 60.0, 70.0)))
    image = np.full((100, 100, 3), 90, np.uint8)
    own = np.random.default_rng(0).normal(size=len(model.identity))
    people = {n: pick_the_head.candidate(n, image, seen, lambda _: head(own), model) for n in ("a", "b")}
    rows = [pick_the_head.Row("a", ("a", "b"))]
    assert pick_the_head.sheet(rows, people).shape == (200, 600, 3)
    np.testing.assert_array_equal(people["a"].clay, people["b"].clay)
    assert np.ptp(people["a"].clay[40:160, 60:140].astype(int)) > 80
