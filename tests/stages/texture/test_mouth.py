"""Teeth and tongue: as light as they are beside that skin, in the hue of the photo's light; grey in a grey photo."""

import numpy as np
import pytest
from synthetic import tiny_head

from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.head.model import PARTS, default_head
from tronie.stages.texture.mouth import INNER_LIPS, MOST, OCCLUSION_SIDE, mouth_openness, part_colours, patterns
from tronie.stages.texture.white_balance import colourful, tint_of, toned
from tronie.types import Landmarks, Photo

SKIN = np.array([190.0, 140.0, 120.0])
SKINS = [
    np.array(c, dtype=float)
    for c in [(60, 38, 30), (110, 72, 54), (190, 140, 120), (228, 190, 172), (250, 226, 214), (25, 18, 15)]
]


def test_parts_take_no_colour_from_a_grey_photo() -> None:
    grey = part_colours(tiny_head(), 1, np.full(3, 150.0))
    assert np.ptp(grey, axis=1).max() < 1e-3
    pink = part_colours(tiny_head(), 1, SKIN)
    assert np.ptp(pink, axis=1).max() > 5


def test_toning_keeps_the_luminance() -> None:
    colours = np.random.default_rng(0).uniform(0, 255, (50, 3))
    for skin in (np.full(3, 90.0), np.array([120.0, 118.0, 115.0]), np.array([200.0, 150.0, 130.0])):
        tint = tint_of(skin)
        under = tint.of(srgb_to_linear(colours))
        np.testing.assert_allclose(under @ LUMINANCE, srgb_to_linear(colours) @ LUMINANCE, rtol=1e-4)
    assert colourful(np.full(3, 90.0)) == 0
    assert np.allclose(toned(colours, tint_of(np.array([200.0, 150.0, 130.0]))), colours, atol=1e-3)
    assert np.ptp(toned(colours, tint_of(np.full(3, 90.0))), axis=1).max() < 1e-3


def _lips(
    inside: tuple[int, int, int], skin: np.ndarray = SKIN, hue: tuple[float, ...] = (1, 1, 1)
) -> tuple[Photo, Landmarks]:
    """A skin-coloured picture with red lips, white eyes and a mouth that shows one colour; its light has a hue."""
    image = np.full((200, 200, 3), skin, np.float64)
    points = np.full((478, 3), 20.0)
    points[0, :2], points[1, :2] = (4, 4), (196, 196)
    turn = np.linspace(0, 2 * np.pi, len(INNER_LIPS), endpoint=False)
    points[list(INNER_LIPS), :2] = np.stack([100 - 40 * np.cos(turn), 100 - 12 * np.sin(turn)], axis=1)
    y, x = np.mgrid[:200, :200] + 0.5
    image *= (0.75 + 0.25 * y / 200)[..., None]
    image[..., :2] *= 1 + 0.06 * np.sin(x / 15)[..., None] * [1, -1]
    image[((x - 100) / 60) ** 2 + ((y - 100) / 24) ** 2 < 1] = skin * [0.9, 0.6, 0.62]
    image[((x - 100) / 40) ** 2 + ((y - 100) / 12) ** 2 < 1] = inside
    image[40:60, 40:80] = image[40:60, 120:160] = np.minimum(skin.max() * 1.15, 250)
    shown = linear_to_srgb(srgb_to_linear(image) * hue)
    return Photo(np.round(shown).astype(np.uint8)), Landmarks(points, np.zeros(52), 1.0)


def _uv(part: str) -> np.ndarray:
    """UV vertices of the default head's part: of teeth, their crowns."""
    mesh, (_, _, crowns) = default_head().level(1), patterns(default_head(), 1)
    uv = np.unique(mesh.triangle_uv[mesh.triangle_part == PARTS.index(part)])
    return uv[crowns[uv]] if part.startswith("teeth") else uv


def _luminance(colours: np.ndarray, part: str) -> np.ndarray:
    return np.asarray(srgb_to_linear(colours[_uv(part)]) @ LUMINANCE)


@pytest.mark.parametrize("skin", SKINS, ids=lambda s: f"{s[0]:.0f}")
@pytest.mark.parametrize("inside", [(40, 15, 14), (3, 2, 2), (90, 60, 50)], ids=["dark mouth", "black", "closed lips"])
def test_unseen_teeth_are_lighter_than_skin_and_the_tongue_is_no_hole(
    skin: np.ndarray, inside: tuple[int, int, int]
) -> None:
    inside = tuple(min(a, int(0.5 * b)) for a, b in zip(inside, skin, strict=True))  # type: ignore[assignment]
    colours = part_colours(default_head(), 1, skin, *_lips(inside, skin))
    light = float(srgb_to_linear(skin) @ LUMINANCE)
    lips = float(srgb_to_linear(skin * [0.9, 0.6, 0.62]) @ LUMINANCE)
    for arch in ("teeth_upper", "teeth_lower"):
        teeth = _luminance(colours, arch)
        if light < 0.7:  # nothing is lighter than burnt out skin
            assert np.mean(teeth) > 1.1 * light
        assert np.quantile(teeth, 0.75) <= MOST + 0.05  # no glow
    assert np.mean(_luminance(colours, "tongue")) > 0.5 * lips
    front = colours[_uv("teeth_upper")].mean(axis=0)
    assert front[0] >= front[1] >= front[2]  # slightly warm


def test_teeth_have_the_photo_s_colour_where_it_shows_them() -> None:
    model = default_head()
    white = part_colours(model, 1, SKIN, *_lips((215, 205, 180)))
    mesh = model.level(1)
    rows = mesh.triangle_part == PARTS.index("teeth_upper")
    uv, depth = mesh.triangle_uv[rows].ravel(), mesh.apply(model.mean)[mesh.triangles[rows].ravel(), 2]
    front = np.intersect1d(uv[depth > depth.max() - 12], _uv("teeth_upper"))
    np.testing.assert_allclose(np.quantile(white[front], 0.75, axis=0), (215, 205, 180), rtol=0.05)
    # In the lips' shade they are lightened, keeping their hue: slate is no colour of teeth.
    grey = srgb_to_linear(part_colours(model, 1, SKIN, *_lips((120, 114, 100)))[front]).mean(axis=0)
    assert grey @ LUMINANCE > srgb_to_linear(SKIN) @ LUMINANCE
    np.testing.assert_allclose(grey / grey[1], srgb_to_linear((120, 114, 100)) / srgb_to_linear(114), rtol=0.05)


@pytest.mark.parametrize("quality", [None, 75])
def test_teeth_of_a_toned_photo_have_its_one_hue(quality: int | None) -> None:
    import cv2

    photo, landmarks = _lips((40, 15, 14))
    grey = cv2.cvtColor(photo.image, cv2.COLOR_RGB2GRAY)[..., None].astype(float)
    image = np.clip(grey * [1.15, 1.0, 0.78], 0, 255).astype(np.uint8)
    if quality:
        packed = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
    skin = 155 * np.array([1.15, 1.0, 0.78])
    colours = part_colours(default_head(), 1, skin, Photo(image), landmarks)
    for part in ("teeth_upper", "tongue"):
        mean = srgb_to_linear(colours[_uv(part)]).mean(axis=0)
        np.testing.assert_allclose(mean / mean[1], srgb_to_linear(skin) / srgb_to_linear(skin[1]), rtol=0.12)


def test_teeth_follow_the_light_s_colour() -> None:
    """In blue light they are bluer than in orange light, and a pale photo's warm skin makes them not blue."""
    hues = []
    for hue in ((1.4, 0.9, 0.5), (1, 1, 1), (0.55, 0.9, 1.5)):
        skin = linear_to_srgb(srgb_to_linear(SKIN) * hue)
        mean = srgb_to_linear(part_colours(default_head(), 1, skin, *_lips((40, 15, 14), hue=hue))[_uv("teeth_upper")])
        hues.append(float(np.log(mean.mean(axis=0)[2] / mean.mean(axis=0)[0])))
    assert hues[0] < hues[1] - 0.3
    assert hues[2] > hues[1] + 0.3
    pale = part_colours(default_head(), 1, np.array([178.0, 168.0, 162.0]))[_uv("teeth_upper")].mean(axis=0)
    assert pale[0] > pale[2]


def test_little_light_gets_deep_into_a_mouth() -> None:
    model = default_head()
    mesh, shade = model.level(1), mouth_openness(model, 1)
    assert shade is not None
    assert shade.shape == (OCCLUSION_SIDE, OCCLUSION_SIDE)
    depth = mesh.apply(model.mean)[:, 2]
    for part in ("teeth_upper", "tongue", "mouth"):
        rows = mesh.triangle_part == PARTS.index(part)
        rows &= mesh.apply(model.mean)[mesh.triangles, 1].max(axis=1) < -25
        at = (mesh.uv[mesh.triangle_uv[rows]].mean(axis=1) * OCCLUSION_SIDE).astype(int)
        z = depth[mesh.triangles[rows]].mean(axis=1)
        light = shade[at[:, 1], at[:, 0]].astype(float)
        assert light[z > z.max() - 3].mean() > 2.5 * light[z < z.min() + 10].mean()
    skin = mesh.triangle_part == 0
    at = (mesh.uv[mesh.triangle_uv[skin]].mean(axis=1) * OCCLUSION_SIDE).astype(int)
    assert np.mean(shade[at[:, 1], at[:, 0]] == 255) > 0.99


def test_teeth_are_painted_as_the_first_photo_that_shows_them_has_them() -> None:
    model, mouth = default_head(), _uv("teeth_upper")
    shut = _lips((40, 15, 14))
    alone = part_colours(model, 1, SKIN, *shut)[mouth].mean(axis=0)
    white = _lips((224, 222, 216))  # white, where warm skin would make them likely to be warm
    shown = part_colours(model, 1, SKIN, *shut, others=[white])[mouth].mean(axis=0)
    assert shown[0] - shown[2] < alone[0] - alone[2] - 20
    red = _lips((235, 120, 110))  # lips or a tongue where teeth should be
    np.testing.assert_array_equal(part_colours(model, 1, SKIN, *shut, others=[red, white])[mouth].mean(axis=0), shown)
    np.testing.assert_array_equal(part_colours(model, 1, SKIN, *shut, others=[red])[mouth].mean(axis=0), alone)
