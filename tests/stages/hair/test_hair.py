"""Hair as a surface: its outline is the photo's, it lies outside the head, and it is named for what it is."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from drawn import DARK, SIZE, drawn_photo, hair_mask, looking, silhouette

from tronie.geometry import transform
from tronie.raster.rasterizer import rasterize
from tronie.settings import HairSettings
from tronie.shells import HairLook, Shell
from tronie.stages.hair import build_hair
from tronie.stages.hair.scaffold import COLUMNS, place, rays, rows_to, scaffold
from tronie.types import Face, Photo


def hair_of(photo: Photo, face: Face, settings: HairSettings) -> tuple[HairLook, tuple[Shell, ...]]:
    assert face.head is not None
    assert face.fit is not None
    assert face.segmentation is not None
    return build_hair(face.head, [(photo, face.fit, face.segmentation)], settings)


@cache
def built(yaw: float = 0.0, lowest: float = 10.0, name: str = "hair") -> tuple[HairLook, tuple[Shell, ...]]:
    head, fit = looking(yaw)
    photo, face = drawn_photo(head, fit, {name: hair_mask(head, fit, lowest=lowest)})
    return hair_of(photo, face, HairSettings())


def drawn(shell: Shell, yaw: float) -> np.ndarray:
    """Where the shell is seen in the photo's camera."""
    head, fit = looking(yaw)
    points = np.concatenate([shell.vertices, head.vertices]).astype(np.float64)
    points = transform(fit.head_to_camera, points)
    screen = np.column_stack([fit.camera.project(points), points[:, 2]])
    size = fit.camera.size[0]
    triangles = np.concatenate([shell.triangles, head.triangles + len(shell.vertices)])
    buffers = rasterize(screen, triangles, size, size, cull=False)
    mine = (buffers.triangle >= 0) & (buffers.triangle < len(shell.triangles))
    height, width = shell.image.shape[:2]
    corner = shell.triangles[np.where(mine, buffers.triangle, 0)]
    uv = (shell.uv[corner] * buffers.barycentric[..., None]).sum(axis=2)
    alpha = cv2.remap(
        shell.image[..., 3], *(np.float32(uv[..., k] * n - 0.5) for k, n in ((0, width), (1, height))), cv2.INTER_LINEAR
    )
    return np.asarray(mine & (alpha > 127))


@pytest.mark.parametrize("yaw", [0.0, 25.0, -40.0])
def test_the_outline_is_the_photos(yaw: float) -> None:
    head, fit = looking(yaw)
    truth = hair_mask(head, fit)
    mine = drawn(built(yaw)[1][0], yaw)
    assert (truth & mine).sum() / (truth | mine).sum() > 0.85


def test_it_lies_outside_the_skin_and_has_hairs_colour() -> None:
    look, (shell,) = built()
    rays_ = scaffold(looking()[0])
    grid = shell.vertices.reshape(-1, COLUMNS + 1, 3)
    radius = np.linalg.norm(grid - rays_.origin[: len(grid)], axis=-1)
    rows = slice(4, 30)
    assert (radius[rows] > rays_.skin[rows] + 0.5).all()
    np.testing.assert_allclose(np.linalg.norm(shell.normals, axis=1), 1, atol=1e-5)
    assert (look.kind, look.fullness > 0.9) == ("short", True)
    np.testing.assert_allclose(look.color, DARK, atol=8)
    there = shell.image[..., 3] > 200
    assert there.mean() > 0.2
    np.testing.assert_allclose(np.median(shell.image[there][:, :3], axis=0), DARK, atol=12)


def test_levels_of_detail_use_the_same_vertices() -> None:
    for lowest in (10.0, -170.0):
        shell = built(lowest=lowest)[1][0]
        one, two = shell.lods
        assert len(two) < len(one) < len(shell.triangles) / 3
        assert len(one) <= 5000
        assert max(shell.triangles.max(), one.max(), two.max()) < len(shell.vertices)
        assert shell.uv.min() >= 0
        assert shell.uv.max() <= 1


def test_names() -> None:
    assert built(lowest=-170.0)[0].kind == "long"
    look, shells = built(lowest=-100.0, name="covering")
    assert (look.kind, [shell.name for shell in shells]) == ("covered", ["covering"])
    head, fit = looking()
    photo, face = drawn_photo(head, fit, {})
    look, shells = hair_of(photo, face, HairSettings())
    assert (look.kind, shells) == ("bald", ())


def test_a_fringe_makes_nobody_haired() -> None:
    head, fit = looking()
    mask = hair_mask(head, fit, thick=5, lowest=-20)
    above = fit.camera.project(transform(fit.head_to_camera, np.array([[0.0, 45.0, -60.0]])))[0, 1]
    mask[: int(above)] = False
    photo, face = drawn_photo(head, fit, {"hair": mask})
    look, (shell,) = hair_of(photo, face, HairSettings())
    assert look.kind == "bald"
    top = shell.image[: shell.image.shape[0] // 6, :, 3]
    assert (top > 127).mean() < 0.05


@pytest.mark.parametrize("half", [slice(None, SIZE // 2), slice(SIZE // 2, None)])
def test_a_shadow_on_one_side_of_a_shaven_head_is_no_hair(half: slice) -> None:
    head, fit = looking()
    mask = hair_mask(head, fit, thick=5)
    mask[:, half] = False
    photo, face = drawn_photo(head, fit, {"hair": mask})
    look, shells = hair_of(photo, face, HairSettings())
    assert (look.kind, shells) == ("bald", ())


def test_hair_of_which_one_side_is_out_of_sight_is_hair() -> None:
    head, fit = looking(60.0)
    photo, face = drawn_photo(head, fit, {"hair": hair_mask(head, fit)})
    look, shells = hair_of(photo, face, HairSettings())
    assert (look.kind, len(shells)) == ("short", 1)


def test_without_shells_the_look_is_still_told() -> None:
    head, fit = looking()
    photo, face = drawn_photo(head, fit, {"hair": hair_mask(head, fit)})
    for mode in ("scalp", "none"):
        look, shells = hair_of(photo, face, HairSettings(mode=mode))
        assert (look.kind, shells) == ("short", ())


def test_several_photos_carve_one_surface() -> None:
    shots, masks = [], {}
    for yaw in (0.0, 45.0, -45.0):
        head, fit = looking(yaw)
        masks[yaw] = hair_mask(head, fit, thick=22 if yaw == 0 else 10)
        photo, face = drawn_photo(head, fit, {"hair": masks[yaw]})
        assert face.segmentation is not None
        shots.append((photo, fit, face.segmentation))
    one, many = (build_hair(looking()[0], some, HairSettings())[1][0] for some in (shots[:1], shots))
    for yaw in (45.0, -45.0):
        beyond_one, beyond_many = (float((drawn(shell, yaw) & ~masks[yaw]).sum()) for shell in (one, many))
        assert beyond_many < 0.5 * beyond_one


def test_somebody_elses_hair_is_left_alone() -> None:
    head, fit = looking()
    mask = hair_mask(head, fit)
    other = np.zeros_like(mask)
    other[20:160, :70] = True
    assert not (other & silhouette(head, fit)).any()
    one = hair_of(*drawn_photo(head, fit, {"hair": mask}), HairSettings())[1][0]
    two = hair_of(*drawn_photo(head, fit, {"hair": mask | other}), HairSettings())[1][0]
    assert np.abs(one.vertices - two.vertices).max() < 3


def test_places_are_the_rays_again() -> None:
    offset, direction = rays(rows_to(-340.0))
    row, column, radius = place(offset + 90 * direction)
    i, j = np.mgrid[: offset.shape[0], : offset.shape[1]]
    np.testing.assert_allclose(row, i, atol=1e-6)
    np.testing.assert_allclose(radius, 90, atol=1e-6)
    turn = (column - j)[1:]  # at the pole all columns are one
    np.testing.assert_allclose(turn - COLUMNS * np.round(turn / COLUMNS), 0, atol=1e-6)
