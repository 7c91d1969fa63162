"""Films: what is in them, in what order, and from what camera."""

from __future__ import annotations

import numpy as np
import pytest
from samples import SMILE, make_head

from tronie.geometry import transform
from tronie.head.model import HeadModel
from tronie.render.figure import Figure, figure_of_head
from tronie.render.film import EXPRESSIONS, graded, orbit, picture, pictures, reel, stills, turntable
from tronie.render.lights import preset
from tronie.render.renderer import Look


@pytest.fixture(scope="module")
def figure(tiny_head: HeadModel) -> Figure:
    return figure_of_head(make_head(tiny_head), np.full((32, 32, 3), 150, np.uint8), weights=SMILE)


@pytest.mark.parametrize("size", [(120, 120), (200, 90)])
def test_the_head_fits_from_every_side(figure: Figure, size: tuple[int, int]) -> None:
    shown = figure.rest if figure.neck is None else figure.rest[figure.neck > 0.25]
    for yaw in range(0, 360, 30):
        camera, pose = orbit(figure, size, yaw)
        pixels = camera.project(transform(pose, shown))
        assert (pixels >= 0).all()
        assert (pixels <= size).all()
    assert (pixels.max(axis=0) - pixels.min(axis=0)).max() > 0.7 * min(size)


def test_a_turntable_closes(figure: Figure) -> None:
    shots = list(turntable(figure, Look(), (64, 64), 8, SMILE))
    assert len(shots) == 8
    turns = [shot.scene.head_to_camera[:3, :3] for shot in shots]
    steps = [a.T @ b for a, b in zip(turns, turns[1:] + turns[:1], strict=True)]
    for step in steps:
        np.testing.assert_allclose(step, steps[0], atol=1e-9)


def test_a_reel_shows_every_unit_at_its_full(figure: Figure) -> None:
    shots = list(reel(figure, Look(), (64, 64), 55 * 9))
    assert len(shots) == 55 * 9
    captions = list(dict.fromkeys(shot.caption for shot in shots))
    assert captions[: len(EXPRESSIONS)] == list(EXPRESSIONS)
    assert len(captions) == len(EXPRESSIONS) + 52
    for unit in figure.names:
        assert max((shot.scene.weights or {}).get(unit, 0) for shot in shots) == 1.0
    assert "jawOpen + mouthClose" in captions


def test_pictures_come_in_order(figure: Figure) -> None:
    shots = list(turntable(figure, Look(background=graded((64, 64))), (64, 64), 7))
    alone = [picture(shot) for shot in shots]
    together = list(pictures(shots, threads=3))
    assert len(together) == 7
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_captions_and_names(figure: Figure) -> None:
    shot = next(iter(reel(figure, Look(background=None), (96, 96), 55)))
    assert picture(shot)[85, 8, 3] > 100
    names = [name for name, _ in stills(figure, Look(), (32, 32), {"rim": preset("rim")}, (0, -40, 35))]
    assert names == ["rim_0", "rim_-40", "rim_+35"]
