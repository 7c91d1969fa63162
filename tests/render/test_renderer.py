"""Scenes to pictures: coverage, modes, light and shadow, transparency, threads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from samples import SMILE, make_head, make_shell

from tronie.cli.options import RENDER_MODES as MODES
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, rigid
from tronie.head.model import Head, HeadModel, default_head
from tronie.io.encode import PROVENANCE_COLORS
from tronie.render.figure import Figure, control_edges, figure_of_head, without_light
from tronie.render.film import orbit
from tronie.render.lights import Lamp, Lighting, preset
from tronie.render.renderer import Look, Mode, Scene, heat_srgb, render
from tronie.render.shader import reflectance
from tronie.stages.texture.surface_map import surface_map

CAMERA = Camera(700.0, (100.0, 90.0), (200, 180))
POSE = rigid(HEAD_TO_CAMERA_AXES, [0, 0, 1000.0])


@pytest.fixture(scope="module")
def figure(tiny_head: HeadModel) -> Figure:
    head = make_head(tiny_head)
    rng = np.random.default_rng(1)
    texture = np.repeat(np.repeat(rng.integers(60, 200, (16, 16, 3), dtype=np.uint8), 16, 0), 16, 1)
    provenance = np.ones((64, 64), np.uint8)
    provenance[:, 32:] = 3
    sigma = np.linspace(0.2, 5, len(tiny_head.mean))
    return figure_of_head(head, texture, provenance, sigma, SMILE)


def picture(figure: Figure, threads: int = 1, **look: Any) -> np.ndarray:
    return render(Scene(figure, CAMERA, POSE, Look(**look), figure.weights), threads)


def linear(image: np.ndarray) -> np.ndarray:
    c = image / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_flat_light_gives_the_textures_colour_and_the_outlines_area(figure: Figure, samples: int) -> None:
    white = replace(figure, texture=np.full((64, 64, 3), 255, np.uint8), both_sides=False, neck=None, hairy=None)
    # Hollows stay as bright as the rest when everything around them is white: two bounces are not enough for that.
    object.__setattr__(
        white, "openness", type(figure.openness)(np.ones(len(figure.rest), np.float32), np.zeros((0, 1)))
    )
    out = picture(white, light=preset("flat"), background=(0, 0, 0), samples=samples)
    assert out.shape == (180, 200, 3)
    assert (out[90, 100] >= 254).all()
    fine = Camera(2800.0, (400.0, 360.0), (800, 720))
    look = Look(light=preset("flat"), background=(0, 0, 0), samples=1)
    reference = (render(Scene(white, fine, POSE, look, figure.weights))[..., 0] > 127).sum() / 16
    assert linear(out[..., 0]).sum() == pytest.approx(reference, rel=0.01 if samples == 1 else 0.003)


def test_threads_make_the_same_picture(figure: Figure) -> None:
    one = picture(figure, light=preset("studio"))
    many = picture(figure, threads=3, light=preset("studio"))
    assert (one != many).any(axis=-1).mean() < 1e-3


def test_a_transparent_picture_laid_over_a_colour_is_the_opaque_one(figure: Figure) -> None:
    clear = picture(figure, background=None, samples=3)
    assert clear.shape == (180, 200, 4)
    assert clear[0, 0, 3] == 0
    assert clear[90, 100, 3] == 255
    behind = np.array([40, 90, 200])
    alpha = clear[..., 3:] / 255
    mixed = linear(clear[..., :3]) * alpha + linear(behind) * (1 - alpha)
    opaque = linear(picture(figure, background=behind, samples=3))
    assert np.abs(mixed - opaque).max() < 0.02


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_shows_something_of_its_own(figure: Figure, mode: Mode) -> None:
    assert get_args(Mode) == MODES
    out = picture(figure, mode=mode, light=preset("map"), background=(255, 255, 255)).astype(int)
    others = [picture(figure, mode=other, light=preset("map"), background=(255, 255, 255)) for other in MODES]
    assert sum(np.abs(out - other).mean() < 0.5 for other in others) == 1
    with pytest.raises(ValueError, match="no mode"):
        Look(mode="x-ray")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="samples"):
        Look(samples=0)


def test_maps_have_their_colours(figure: Figure) -> None:
    flat = preset("flat")
    bare = replace(figure, sigma=np.full(len(figure.rest), 3.0, np.float32))
    object.__setattr__(bare, "openness", type(figure.openness)(np.ones(len(figure.rest), np.float32), np.zeros((0, 1))))
    out = picture(bare, mode="uncertainty", light=flat)
    assert np.abs(out[110, 85].astype(int) - heat_srgb()[128]).max() <= 2
    out = picture(bare, mode="provenance", light=flat)
    for column, name in ((85, "seen"), (115, "filled")):
        assert np.abs(out[110, column].astype(int) - PROVENANCE_COLORS[name]).max() <= 2


def test_light_comes_from_its_side_and_is_shadowed(figure: Figure) -> None:
    lamp = Lamp((-1.0, 0.0, -0.3), (1.0, 1.0, 1.0))
    out = picture(figure, mode="clay", light=Lighting((lamp,))).astype(int)
    assert out[110, 70].mean() > out[110, 130].mean() + 40
    # A wall between the lamp and the head takes the light away, but only if the lamp casts shadows.
    wall = np.array([[-160, -150, 200], [-160, 150, 200], [-160, 150, -250], [-160, -150, -250]], np.float32)
    count = len(figure.rest)
    more = np.array([[0, 1, 2], [0, 2, 3], [2, 1, 0], [3, 2, 0]], np.int32) + count
    walled = replace(
        figure,
        triangles=np.concatenate([figure.triangles, more]),
        rest=np.concatenate([figure.rest, wall]),
        triangle_uv=np.concatenate([figure.triangle_uv, np.zeros((4, 3), np.int32)]),
        part=np.concatenate([figure.part, np.zeros(4, np.uint8)]),
        moves=None,
        names=(),
        sigma=None,
        wire=None,
        neck=None,
        hairy=None,
    )
    open_all = type(figure.openness)(np.ones(count + 4, np.float32), np.zeros((0, 1)))
    object.__setattr__(walled, "openness", open_all)
    brightness = {}
    for shadow in (False, True):
        light = Lighting((replace(lamp, shadow=shadow),), gloss=0)
        brightness[shadow] = picture(walled, mode="clay", light=light)[110, 70].mean()
    assert brightness[True] < 0.5 * brightness[False]


def test_skin_is_softer_than_stone(figure: Figure) -> None:
    """Beyond the terminator skin is red where clay of the same colour is dark."""
    lamp = Lamp((-1.0, 0.0, 0.0), (1.0, 1.0, 1.0), wrap=0.0)
    grey = replace(figure, texture=np.full((64, 64, 3), 180, np.uint8))
    skin = picture(grey, light=Lighting((lamp,), gloss=0)).astype(int)
    stone = picture(grey, light=Lighting((lamp,), gloss=0, soft=0)).astype(int)
    assert (skin[..., 0] - skin[..., 2]).max() > 15
    assert (stone[..., 0] - stone[..., 2]).max() == (236 - 238) + 2


def test_nothing_of_the_inside_shows_from_behind(figure: Figure) -> None:
    """Through a neck that fades eyes and mouth are not seen: it looks as a head without them."""
    behind = rigid(HEAD_TO_CAMERA_AXES @ np.diag([-1.0, 1, -1]), [0, 0, 1000.0])
    thin = replace(figure, neck=np.where(figure.rest[:, 1] < 0, 0.0, 1.0).astype(np.float32))
    skin = figure.part == 0
    bare = replace(
        thin, triangles=figure.triangles[skin], triangle_uv=figure.triangle_uv[skin], part=figure.part[skin], wire=None
    )
    object.__setattr__(bare, "openness", figure.openness)
    one, other = (render(Scene(f, CAMERA, behind, Look(), figure.weights)) for f in (thin, bare))
    assert (one == other).all()


def test_the_same_scene_twice(figure: Figure) -> None:
    look = {"light": preset("rim"), "samples": 2}
    assert (picture(figure, **look) == picture(figure, **look)).all()


def test_posing_is_linear(figure: Figure, tiny_head: HeadModel) -> None:
    np.testing.assert_allclose(figure.posed(SMILE), make_head(tiny_head).vertices, atol=1e-3)
    assert (figure.posed() == figure.rest).all()
    assert (figure.posed({"unheard of": 1.0}) == figure.rest).all()


def test_wires_are_the_control_meshs_edges(tiny_head: HeadModel) -> None:
    def drawn(level: int) -> np.ndarray:
        t, bits = tiny_head.level(level).triangles, control_edges(tiny_head, level)
        edges = [np.sort(t[:, [k, (k + 1) % 3]][(bits >> k) & 1 == 1], axis=1) for k in range(3)]
        return np.unique(np.concatenate(edges), axis=0)

    base = drawn(0)
    for level in (1, 2):
        edges, v = drawn(level), tiny_head.level(level).apply(tiny_head.mean)
        assert len(edges) == len(base) << level
        length = np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1).sum()
        flat = tiny_head.mean
        assert length == pytest.approx(np.linalg.norm(flat[base[:, 0]] - flat[base[:, 1]], axis=1).sum(), rel=0.2)


def test_openness_is_less_in_hollows_and_grows_when_the_mouth_opens() -> None:
    model = default_head()
    figure = figure_of_head(Head(model, 0, model.mean, model.mean))
    found = figure.openness
    lining = np.setdiff1d(figure.triangles[figure.part >= 3], figure.triangles[figure.part == 0])
    skin = np.unique(figure.triangles[figure.part == 0])
    assert found.rest[skin].mean() > 0.7 > 0.3 > found.rest[lining].mean()
    opened = found.at({"jawOpen": 1.0})
    assert opened[lining].mean() > 1.5 * found.at(None)[lining].mean()
    assert (opened >= 0).all()
    assert (opened <= 1).all()


@pytest.mark.parametrize("shift", [(0.0, 0.0), (-130.0, 60.0), (150.0, -140.0), (900.0, 0.0)])
def test_what_is_moved_within_the_picture_looks_the_same(figure: Figure, shift: tuple[float, float]) -> None:
    """Only the part with the head in it is drawn: at the border, beyond it, anywhere."""
    wide = Camera(CAMERA.focal, (CAMERA.center[0] + 400, CAMERA.center[1] + 400), (1000, 980))
    moved = Camera(CAMERA.focal, (CAMERA.center[0] + shift[0], CAMERA.center[1] + shift[1]), CAMERA.size)
    look = Look(background=None, light=preset("flat"))
    whole, part = (render(Scene(figure, camera, POSE, look, figure.weights)) for camera in (wide, moved))
    x, y = 400 - int(shift[0]), 400 - int(shift[1])
    expected = np.zeros_like(part)
    inside = whole[max(y, 0) : max(y + 180, 0), max(x, 0) : max(x + 200, 0)]
    top, left = max(-y, 0), max(-x, 0)
    expected[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    assert (np.abs(part.astype(int) - expected) > 1).any(axis=-1).mean() < 2e-3


def test_a_pose_is_kept_and_a_new_one_is_not_taken_for_it(figure: Figure) -> None:
    again = replace(figure)
    for weights in ({"jawOpen": 1.0}, {"jawOpen": 0.5}, {}, {"jawOpen": 1.0}, {"jawOpen": 1.0}):
        fresh = replace(figure)
        np.testing.assert_array_equal(again.posed(weights), fresh.posed(weights))
        posed = again.posed(weights)
        np.testing.assert_array_equal(again.normals(posed), fresh.normals(fresh.posed(weights)))


def test_a_shell_hides_the_head_where_it_is_there_and_not_where_it_is_clear(figure: Figure) -> None:
    shell = make_shell(cells=4)
    worn = replace(figure, shells=(shell,), texture=np.full((64, 64, 3), 200, np.uint8))
    camera, pose = orbit(worn, (240, 240), 0, 0)
    look = Look(light=preset("flat"), samples=2)
    bare = render(Scene(replace(worn, shells=()), camera, pose, look)).astype(int)
    out = render(Scene(worn, camera, pose, look)).astype(int)
    whole = make_shell(cells=1)
    full = render(Scene(replace(worn, shells=(whole,)), camera, pose, look)).astype(int)
    brown = np.abs(full - [90, 60, 40]).max(axis=-1) <= 2
    changed = np.abs(out - bare).max(axis=-1) > 2
    assert brown.sum() > 2000
    # What changes is brown, or the dark inside of the far wall; nothing is green; holes show what is behind.
    assert (out[changed][:, 1] <= out[changed].max(axis=1)).all()
    assert not ((out[..., 1] > out[..., 0] + 10) & changed).any()
    assert 0.05 < (brown & ~changed).sum() / brown.sum() < 0.5


def test_shells_are_seen_from_inside_darker_and_not_in_maps(figure: Figure) -> None:
    shell = make_shell(cells=1)
    worn = replace(figure, shells=(shell,))
    worn = replace(worn, texture=np.full((64, 64, 3), 200, np.uint8))
    seen = []
    for pitch in (-75, 75):
        camera, pose = orbit(worn, (160, 160), 0, pitch)
        out = render(Scene(worn, camera, pose, Look(light=preset("flat"), samples=1)))
        seen.append(linear(np.median(out[(out < 120).all(axis=-1)], axis=0)))
    assert linear(np.array([90, 60, 40])) == pytest.approx(seen[0], rel=0.05)
    assert seen[1] == pytest.approx(0.57 * seen[0], rel=0.1)
    camera, pose = orbit(worn, (160, 160), 0, 0)
    for mode in ("provenance", "uncertainty"):
        look = Look(mode, preset("map"), samples=1)
        assert np.array_equal(
            render(Scene(worn, camera, pose, look)), render(Scene(replace(worn, shells=()), camera, pose, look))
        )


def test_transparent_pictures_of_shells_are_the_opaque_ones(figure: Figure) -> None:
    worn = replace(figure, shells=(make_shell(),))
    camera, pose = orbit(worn, (160, 160), 30, 0)
    clear = render(Scene(worn, camera, pose, Look(background=None, samples=3)))
    behind = np.array([40, 90, 200])
    alpha = clear[..., 3:] / 255
    mixed = linear(clear[..., :3]) * alpha + linear(behind) * (1 - alpha)
    opaque = render(Scene(worn, camera, pose, Look(background=behind, samples=3)))
    assert np.abs(mixed - linear(opaque)).max() < 0.03
    many = render(Scene(worn, camera, pose, Look(background=behind, samples=3)), threads=3)
    assert (many != opaque).any(axis=-1).mean() < 2e-3


def test_hair_behind_a_neck_that_fades_is_seen_through_it(figure: Figure) -> None:
    shell = make_shell(cells=1)
    low = replace(shell, vertices=shell.vertices * [1, 1, 1] - np.array([0, 150, 0], np.float32))
    assert figure.neck is not None
    camera, pose = orbit(replace(figure, shells=(low,)), (160, 160), 180, 0)
    picture = [
        render(Scene(replace(figure, shells=(low,), neck=neck), camera, pose, Look(light=preset("flat"))))
        for neck in (figure.neck, None, np.zeros_like(figure.neck))
    ]
    # What shows through is the shell's other wall or the head, never the background.
    middle = picture[0][100:140, 70:90]
    assert (middle.max(axis=-1) < 225).all()


def test_light_that_is_taken_off_the_skin_is_taken_off_the_hair(figure: Figure) -> None:
    warm, plain = np.full((64, 64, 3), (180, 150, 120), np.uint8), np.full((64, 64, 3), (150, 150, 150), np.uint8)
    (shell,) = without_light((make_shell(cells=1),), warm, plain)
    gain = linear(np.array([150, 150, 150])) / linear(np.array([180, 150, 120]))
    assert linear(shell.image[0, 0, :3]) == pytest.approx(linear(np.array([90, 60, 40])) * gain, rel=0.06)
    worn = replace(figure, shells=(make_shell(cells=1),), texture=warm, albedo=plain)
    camera, pose = orbit(worn, (120, 120), 0, 0)
    seen = [
        render(Scene(worn, camera, pose, Look(light=replace(preset("flat"), relit=relit))))[30, 60]
        for relit in (False, True)
    ]
    assert np.abs(seen[0].astype(int) - [90, 60, 40]).max() <= 1
    assert np.abs(seen[1].astype(int) - shell.image[0, 0, :3]).max() <= 1


def test_a_rough_surface_mirrors_little_at_grazing_angles_and_none_more_than_there_is() -> None:
    for facing in (0.0, 0.1, 0.3, 0.7, 1.0):
        shares = [float(reflectance(*map(np.float32, (r, facing, 0.028, 1.0)))) for r in (0.1, 0.35, 0.55, 0.85)]
        assert all(0 <= share <= 1 for share in shares)
        if facing < 0.2:
            assert shares == sorted(shares, reverse=True)
    straight = float(reflectance(*map(np.float32, (0.1, 1.0, 0.04, 1.0))))
    assert straight == pytest.approx(0.04, abs=0.01)


def test_a_figure_is_as_rough_as_its_file_says() -> None:
    """Vertex by vertex what head.glb's picture holds there."""
    model = default_head()
    head = Head(model, 1, *2 * (model.level(1).apply(model.mean),))
    texture = np.full((256, 256, 3), (196, 148, 122), np.uint8)
    found, figure = surface_map(model, 1, texture), figure_of_head(head, texture)
    assert found is not None
    assert figure.roughness is not None
    mesh = model.level(1)
    skin = mesh.triangle_part == 0
    j, i = (mesh.uv[mesh.triangle_uv[skin]] * len(found)).astype(int).clip(0, len(found) - 1).reshape(-1, 2).T
    told = figure.roughness[mesh.triangles[skin]].ravel()
    assert np.quantile(np.abs(told - found[i, j, 1] / 255), 0.98) < 0.03
    assert figure_of_head(head).roughness is None
