"""The contour is where the drawn head ends; the outline brings a fit nearer to the head that the picture shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tronie.arrays import Array, Image
from tronie.geometry import Camera, Similarity, rigid, rotation_from_euler, transform
from tronie.head.arkit import MIRRORED_UNITS
from tronie.head.model import default_head
from tronie.raster.rasterizer import visible
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.fit.basis import mirror_map
from tronie.stages.fit.contour import contour_of, edge_offsets
from tronie.stages.fit.map_fit import expression_vector
from tronie.stages.fit.outline import FitErrors, fit_errors, mirrored_unknowns, outline_says, outlined
from tronie.types import Fit, Landmarks

SIDE = 512
CAMERA = Camera(1600.0, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
MODEL = default_head()


def pose(yaw: float) -> Array:
    return rigid(rotation_from_euler(yaw, 4.0, 0.0), np.array([4.0, -20.0, 800.0]))


def drawn(identity: Array, head_to_camera: Array) -> Array:
    """(SIDE, SIDE) bool: where the head is."""
    mesh = MODEL.level(1)
    p = transform(head_to_camera, mesh.apply(MODEL.shape(identity)).astype(np.float64))
    screen = np.column_stack([CAMERA.project(p), p[:, 2]]).astype(np.float32)
    return visible(screen, mesh.triangles, SIDE, SIDE)[0] >= 0


def photo_of(mask: Array, outside: str = "background") -> tuple[Image, Segmentation]:
    """A picture of skin before a wall, and what a net that sees half as much would say of it."""
    share = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.0)
    image = np.array([60.0, 80.0, 90.0]) + share[..., None] * [150.0, 90.0, 60.0]
    small = cv2.resize(share, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    shares = np.zeros((len(SEGMENTS), SIDE // 2, SIDE // 2), np.uint8)
    shares[SEGMENTS.index("face")] = np.rint(255 * small)
    shares[SEGMENTS.index(outside)] = 255 - shares[SEGMENTS.index("face")]
    return np.rint(image).astype(np.uint8), Segmentation(shares, Similarity(2.0, 0.0, 0.0, 0.0))


def fit_of(identity: Array, head_to_camera: Array) -> tuple[Fit, Landmarks]:
    mesh = MODEL.level(1)
    points = mesh.points478(mesh.apply(MODEL.shape(identity)))
    seen = CAMERA.project(transform(head_to_camera, points.astype(np.float64)))
    modes = len(MODEL.smooth_modes)
    fit = Fit(
        identity=identity.astype(np.float32),
        expression=dict.fromkeys(MODEL.expression_names, 0.0),
        head_to_camera=head_to_camera,
        camera=CAMERA,
        warp=np.zeros((modes, 3), np.float32),
        slack=np.zeros((modes, 3), np.float32),
        sigma_mm=np.full(len(MODEL.mean), 1.3, np.float32),
        diagnostics={"rms": 0.01},
    )
    return fit, Landmarks(np.column_stack([seen, seen[:, 0] * 0]), np.zeros(52), 1.0)


def someone(seed: int) -> Array:
    return np.asarray(np.random.default_rng(seed).normal(0, 0.8, len(MODEL.identity)))


def told(fit: Fit, marks: Landmarks, image: Image, found: Segmentation, errors: FitErrors | None = None) -> Fit:
    return outlined(MODEL, fit, marks, 250.0, image, found, errors=errors or fit_errors())


@pytest.mark.parametrize("yaw", [-40.0, 40.0])
def test_what_it_says_to_other_photos_is_what_it_does_to_this_one(yaw: float) -> None:
    image, found = photo_of(drawn(someone(3), pose(yaw)))
    fit, marks = fit_of(np.zeros(len(MODEL.identity)), pose(yaw))
    says = outline_says(MODEL, fit, marks, 250.0, image, found, errors=fit_errors())
    assert says is not None
    made = told(fit, marks, image, found)
    assert made.sigma_mm is not None
    assert np.allclose(says.identity, made.identity - fit.identity, atol=1e-4)
    assert np.allclose(says.sigma * 1.3, made.sigma_mm, atol=1e-4)
    assert says.mode_variance.min() < 0.9 < says.mode_variance.max() <= 1
    ahead, _ = fit_of(np.zeros(len(MODEL.identity)), pose(2.0))
    assert outline_says(MODEL, ahead, marks, 250.0, image, found, errors=fit_errors()) is None


def from_edge(mask: Array, pixels: Array) -> Array:
    """(n,) pixels from the border between drawn and empty."""
    inside, outside = (cv2.distanceTransform((m).astype(np.uint8), cv2.DIST_L2, 5) for m in (mask, ~mask))
    x, y = pixels.T.astype(int)
    return np.asarray(np.maximum(inside, outside)[y, x])


@pytest.mark.parametrize("yaw", [-60.0, 35.0])
def test_the_contour_is_where_the_drawn_head_ends(yaw: float) -> None:
    mask, control = drawn(someone(1), pose(yaw)), MODEL.shape(someone(1))
    contour = contour_of(MODEL, control, CAMERA, pose(yaw))
    assert len(contour.pixels) > 30
    assert np.quantile(from_edge(mask, contour.pixels), 0.9) <= 1.5


def test_the_edge_of_the_skin_is_found_where_it_is_and_nowhere_else() -> None:
    contour = contour_of(MODEL, MODEL.shape(someone(2)), CAMERA, pose(40.0))
    aside = rigid(np.eye(3), np.array([1.5, 0.0, 0.0])) @ pose(40.0)
    mask = drawn(someone(2), aside)
    offset, worth = edge_offsets(*photo_of(mask), contour)
    used = worth > 0
    assert used.mean() > 0.6
    wanted = 1.5 * contour.out[used, 0]
    assert np.median(np.abs(offset[used] - wanted)) < 0.15
    assert not edge_offsets(*photo_of(mask, "hair"), contour)[1].any()


@pytest.mark.parametrize("yaw", [-45.0, 50.0])
def test_a_fit_comes_nearer_to_the_head_in_the_picture(yaw: float) -> None:
    shown = photo_of(drawn(someone(3), pose(yaw)))
    fit, marks = fit_of(np.zeros(len(MODEL.identity)), pose(yaw))
    made = told(fit, marks, *shown)

    def off(some: Fit) -> float:
        control = MODEL.shape(some.identity, expression_vector(some.expression, MODEL.expression_names))
        offset, worth = edge_offsets(*shown, contour_of(MODEL, control, CAMERA, some.head_to_camera))
        return float(np.abs(offset[worth > 0]).mean())

    assert off(made) < 0.6 * off(fit)
    assert made.sigma_mm is not None
    assert (made.sigma_mm <= 1.3 + 1e-6).all()
    assert made.sigma_mm.mean() > 0.6


def test_a_picture_and_its_mirror_image_mean_mirrored_heads() -> None:
    image, found = photo_of(drawn(someone(4), pose(40.0)))
    fit, marks = fit_of(np.zeros(len(MODEL.identity)), pose(40.0))
    made = told(fit, marks, image, found)
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])
    other, its = fit_of(np.zeros(len(MODEL.identity)), flip @ fit.head_to_camera @ flip)
    turned = Segmentation(np.ascontiguousarray(found.shares[..., ::-1]), found.to_photo)
    twin = told(other, its, np.ascontiguousarray(image[:, ::-1]), turned)
    assert np.linalg.norm(made.identity) > 0.3
    assert np.abs(twin.identity - made.identity @ mirror_map(MODEL)).max() < 0.05
    names = MODEL.expression_names
    mirrored = expression_vector(made.expression, names)[list(MIRRORED_UNITS)]
    assert np.abs(expression_vector(twin.expression, names) - mirrored).max() < 0.01
    flips = mirrored_unknowns(MODEL)
    assert np.allclose(flips @ flips, np.eye(len(flips)), atol=1e-3)


def test_without_an_outline_a_fit_stays_as_it_is() -> None:
    fit, marks = fit_of(someone(5), pose(40.0))
    mask = drawn(someone(5), pose(40.0))
    assert told(fit, marks, *photo_of(mask, "hair")) is fit
    ahead, its = fit_of(someone(5), pose(5.0))
    assert told(ahead, its, *photo_of(drawn(someone(5), pose(5.0)))) is ahead
