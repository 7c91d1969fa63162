"""The nouns that flow through the pipeline: frozen values, each field with order, shape and unit.

Images are RGB uint8 (H, W, 3). Pixel centres lie at +0.5: the image covers [0, W] x [0, H].
Boxes are x0, y0, x1, y1 in float pixels. Head space is in millimetres, right-handed, +x to the subject's
left, +y up, +z out of the face, origin midway between the eyes' centres of rotation. Camera space has
x right, y down, z forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera, Similarity
from tronie.head.model import Head
from tronie.runtime.weights import WEIGHTS
from tronie.shells import BustLook, HairLook, Segmentation, Shell

if TYPE_CHECKING:
    from tronie.head.harmonics import Light


DOUBTS: tuple[str, ...] = ("mouth", "eye_left", "eye_right", "drawing")
"""What a net of our own says of a face beside its landmarks: covered parts, and that it is drawn."""
MIRRORED_DOUBTS: tuple[int, ...] = (0, 2, 1, 3)


@dataclass(frozen=True, slots=True)
class Photo:
    """One upright picture."""

    image: Image
    """(H, W, 3) RGB uint8, turned upright by EXIF."""
    name: str = "photo"
    """What outputs are named after (a file stem, without a folder)."""
    source: str = "<array>"
    """The path as the user gave it, or `<array>`."""
    focal: float | None = None
    """Focal length in pixels of `image`, from EXIF; None where the file does not say."""
    scale: float = 1.0
    """Pixels of the file per pixel of `image` (above 1 when a huge file was decoded reduced)."""
    notes: tuple[str, ...] = ()
    """What reading did that a user should know (only the first frame used, ...)."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found in a photo."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in photo pixels; may reach beyond the border."""
    points: Array
    """(5, 2) photo pixels: the eye at image left, the eye at image right, nose tip, mouth corner left, right."""
    score: float
    """0..1."""

    @property
    def size(self) -> float:
        """Geometric mean of the box's sides, pixels."""
        x0, y0, x1, y1 = self.box
        return float(max((x1 - x0) * (y1 - y0), 0.0) ** 0.5)

    @property
    def height(self) -> float:
        """Side of the box that runs from the brow to the chin, pixels: its width where the face lies on its side."""
        x0, y0, x1, y1 = self.box
        across, down = self.points[3:].mean(axis=0) - self.points[:2].mean(axis=0)
        return float(y1 - y0 if abs(down) >= abs(across) else x1 - x0)


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A face that was seen and could not be measured."""

    detection: Detection
    reason: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A square, upright cut-out of a face. It owns its map to the photo, both ways."""

    image: Image
    """(S, S, 3) RGB."""
    to_photo: Similarity
    """Crop pixels -> photo pixels; `to_photo.inverse()` is the way back."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What the landmark net says of one face."""

    points: Array
    """(478, 3): x, y photo pixels; z in photo pixels too, growing away from the camera."""
    scores: Array
    """(52,) ARKit expression scores in ARKIT_UNITS order, 0..1."""
    presence: float
    """0..1, how sure the net is that this is a face."""
    features: Array | None = None
    """(576,) what a net of our own reads off the landmark net's activations (256) and the recogniser's (192), and the
    recogniser's embedding, standardised (128): more of the person's shape than the points tell. For
    `tronie.stages.fit.regressor`."""
    doubts: Array | None = None
    """(4,) in DOUBTS' order, 0..1: how likely it is that something covers the mouth, the subject's left eye, the right
    eye, and that this is no photograph. Where there is a second opinion, the mean of both."""
    mirrored: Landmarks | None = None
    """What the net says of the mirror image of the crop, in the photo mirrored about x = 0: a second opinion."""
    embedding: Array | None = None
    """(128,) the recogniser's, of the photo itself even where super-resolution put detail into it: near for the same
    person, far for others. Nothing writes it to a file."""
    pins: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Landmarks that a user has put where they belong, by number: x, y in photo pixels. `points` has them."""
    seen: Array | None = None
    """(478, 3): what the net said, where pins took the place of some of it."""

    def with_pins(self, pins: Mapping[int, tuple[float, float]]) -> Landmarks:
        """The net's landmarks with these pins instead of those that were there. Raises ValueError for a landmark that
        there is not."""
        seen = self.points if self.seen is None else self.seen
        points = seen.copy()
        for row, place in pins.items():
            if not 0 <= row < len(points) or not np.isfinite(place).all():
                raise ValueError(f"there is no landmark {row}, or its place is no number")
            points[row, :2] = place
        kept = {int(row): (float(x), float(y)) for row, (x, y) in pins.items()}
        return replace(self, points=points, pins=kept, seen=seen if pins else None)


@dataclass(frozen=True, slots=True)
class Fit:
    """The head's parameters for one face."""

    identity: Array
    """(K,) coefficients in standard deviations."""
    expression: Mapping[str, float]
    """The 52 ARKit units by name, 0..1; none of an engine whose expressions have no names."""
    head_to_camera: Array
    """(4, 4) rigid: head millimetres -> camera millimetres (x right, y down, z forward)."""
    camera: Camera
    """Pinhole camera of the whole photo."""
    warp: Array
    """(M, 3) coefficients, mm, of the residual warp in the head's smooth modes (`HeadModel.smooth_modes`)."""
    slack: Array | None = field(default=None, kw_only=True)
    """(M, 3) like `warp`: what of the landmarks' residuals the head leaves alone, because they are biased. The texture
    is read off the photo where the head would lie if it had followed them."""
    taken: Array | None = field(default=None, kw_only=True)
    """(52,) weights of units that identity and warp hold of the photo's open mouth: the head at rest is without them,
    and `expression` has them."""
    sigma_mm: Array | None = field(default=None, kw_only=True)
    """(C,) mm: standard deviation of each control vertex of the head at rest; None without a calibration."""
    unpinned: Fit | None = field(default=None, kw_only=True)
    """What it was before `Landmarks.pins` bent it; None where there are none."""
    diagnostics: Mapping[str, float]
    """`rms` landmark error / face-box size, `rms_model` the same before the warp, `warp_mm` (RMS), `yaw`, ..."""


Look = Literal["faithful", "vivid"]


@dataclass(frozen=True, slots=True)
class Borrowed:
    """What other photos of the person lent a restored face."""

    photos: tuple[str, ...]
    """Those that lent something, as `Photo.source` has them."""
    share: Image
    """(S, S) uint8: how much of the detail of a pixel is lent, 255 for all of it."""
    source: Image
    """(S, S) uint8: which of the photos most of that is from, counted from 0."""


@dataclass(frozen=True, slots=True)
class Enhanced:
    """What super-resolution made of one face, and how far it was believed."""

    before: Image
    """(S, S, 3) RGB: the face's aligned crop, enlarged by plain interpolation."""
    after: Image
    """(S, S, 3): the same with the net's detail, as far as it was accepted; `before` itself where it was refused."""
    to_photo: Similarity
    """Pixels of both crops -> photo pixels."""
    name: str
    """Of the enhancer."""
    factor: float
    """Pixels of the crop per pixel of the photo."""
    blend: float
    """0..1: the share of the net's detail that was used; 0 is none, as when it was refused."""
    agreement: float
    """dB: how well net's picture and photo agree at the photo's own resolution. This and the figures below are those of
    `after`, or where it was refused those of the whole of the net's detail."""
    structure: float
    """-1..1: correlation of the two there, without the slow course of the light, in the part of the face where it is
    least."""
    shift: float
    """RMS move of the landmarks by the distance between the eyes."""
    identity: float | None = None
    """Distance of the recogniser's embeddings (below 0.6 it takes two faces for one person); None where
    it was not asked."""
    note: str | None = None
    """One sentence where it was weakened or refused."""
    look: Look = "faithful"
    """What `after` is: the face as it most likely was, or as it may have looked."""
    faithful: Image | None = None
    """(S, S, 3): the face as it most likely was, where `after` is the vivid look."""
    doubt: Image | None = None
    """(S, S) uint8: by how many grey levels the faithful look is off, on average, by the net's own account."""
    borrowed: Borrowed | None = None
    """What of `after` is from other photos of the person."""

    @property
    def accepted(self) -> bool:
        return self.blend > 0


PROVENANCE: tuple[str, ...] = (
    "outside", "seen", "mirrored", "filled", "synthetic", "enhanced", "statistical", "around", "extended"
)  # fmt: skip
"""Meaning of the values in a provenance map: no skin there; from the photo; from the photo's other side;
filled in with hair, or with a smooth continuation; painted from the library's own eyes, teeth and tongue; from the
photo where super-resolution has put detail into it; the skin that the statistical model takes for the likeliest. In
portraits only: hair, neck, shoulders and background, which follow the head by a smooth warp of the photo;
what lies beyond the photo's border, or beside and behind a turned head where the photo hides it."""


@dataclass(frozen=True, slots=True)
class Texture:
    image: Image
    """(S, S, 3) RGB, origin at the top left; u to the right, v down."""
    provenance: Image
    """(S, S) uint8, indices into PROVENANCE."""


@dataclass(frozen=True, slots=True)
class Albedo:
    """What a head looks like without light, and the light that was divided out."""

    image: Image
    """(S, S, 3) sRGB, laid out as the texture."""
    light: Light
    """Around the head."""
    white: Array
    """(3,) linear: the colour of the light on most of the face, green 1. The albedo is balanced for it."""
    skin: Array
    """(3,) sRGB 0..255 of the person's skin."""
    shadowed: float
    """0..1: share of the seen skin with a shadow on it that was found by comparing the sides."""
    monochrome: bool
    """The photo is grey or toned, and so the albedo is grey."""
    base: bool = False
    """Whether head.glb and head.obj are to wear it in place of the texture."""


@dataclass(frozen=True, slots=True)
class Folds:
    """Deep folds of the skin, by which a head differs from what its model says."""

    out: Array
    """(V,) float32 mm along the normals at rest and in the photo's expression; below 0 in a fold."""
    lined: float
    """0..1: how lined the skin is."""


@dataclass(frozen=True, slots=True)
class Detail:
    """The fine relief of a head's skin."""

    normals: Image
    """(S, S, 3) tangent-space normals, glTF's convention (+Y up), laid out as the texture and as large as it or half as
    large, ...: as the photo supports."""
    texel_mm: float
    """Size of its texel on the face."""
    noise: float
    """Logarithm of brightness (RMS) that was taken for noise at its finest scale."""
    amount: float
    """0..1: share of the head that is not flat."""


@dataclass(frozen=True, slots=True)
class Portrait:
    image: Image
    """(N, M, 3): the face from the front; with the photo's expression, unless the settings want it at rest only."""
    neutral: Image | None
    """(N, M, 3): the same at rest, where the settings want both."""
    mask: Image
    """(N, M) uint8 for `image`: indices into PROVENANCE; 0 is a plain background."""
    neutral_mask: Image | None
    """(N, M) uint8, the same for `neutral`."""
    identity: float | None = None
    """Distance of the recogniser's embeddings of `image` and the photo's face; None where it was not asked for."""
    cut_out: Image | None = None
    """(N, M, 4) RGBA, alpha not multiplied in: the person without a background, where it was asked for; `image` has
    this before plain grey then."""
    neutral_cut_out: Image | None = None
    """The same of `neutral`."""


@dataclass(frozen=True, slots=True)
class Caution:
    """A reason to trust a face less."""

    code: str
    """What a batch filters on: a key of `tronie.stages.quality.CODES`, the same in every version."""
    text: str
    """The same for people, one sentence with its figures."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A model that something was made with."""

    name: str
    licence: str
    commercial_use: bool
    """Whether that licence allows it."""
    device: str | None = None
    """Where it ran, as in the settings' `compute.device`; None for what is no net, or was not run."""

    @classmethod
    def of_weights(cls, *names: str) -> tuple[UsedModel, ...]:
        """Those that come with the package, by their names in WEIGHTS; what is not there is left out."""
        return tuple(cls(w.name, w.licence, w.commercial_use) for n in names if (w := WEIGHTS.get(n)) is not None)


class EngineResult(Protocol):
    """What an engine keeps of its own of a face, and how that looks."""

    def draw_over(self, picture: Image, corner: tuple[float, float], scale: float, opacity: float = 1.0) -> None:
        """Draw it over a part of the photo, in place. Pixel x of the photo is at (x - corner) * scale there."""

    def view(self, background: Image, yaw: float = 0.0) -> Image:
        """It turned by `yaw` degrees, over a square picture."""


@dataclass(frozen=True, slots=True)
class Face:
    """Everything known of one face. Later stages leave None where they were not asked for or failed."""

    index: int
    """1-based, largest face first."""
    detection: Detection
    crop: Crop | None = None
    landmarks: Landmarks | None = None
    """Of the enhanced picture where there is one."""
    fit: Fit | None = None
    head: Head | None = None
    segmentation: Segmentation | None = None
    hair: HairLook | None = None
    shells: tuple[Shell, ...] = ()
    """Hair, a covering, glasses, as far as the settings want them and the photo shows them; the neck's end or bust."""
    bust: BustLook | None = None
    """Where it was asked for."""
    texture: Texture | None = None
    folds: Folds | None = None
    """What `head` has of them, where the photo shows skin enough."""
    albedo: Albedo | None = None
    """Where it was asked for."""
    detail: Detail | None = None
    """Where it was asked for."""
    portrait: Portrait | None = None
    engine_result: EngineResult | None = None
    """What an engine keeps of its own, where it does; fit and head are made from this."""
    points68: Array | None = None
    """(68, 2) photo pixels: the fitted head's iBUG points projected (the 3D jaw, not the visible contour)."""
    enhanced: Enhanced | None = None
    """None where nothing was tried."""
    engine: str | None = None
    """By name, what made fit and head."""
    models: tuple[UsedModel, ...] = ()
    """What it was made with."""
    warnings: tuple[Caution, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    """Stage name -> seconds."""
    error: str | None = None

    @property
    def posed_shells(self) -> tuple[Shell, ...]:
        """The shells with the photo's expression."""
        weights = None if self.fit is None else self.fit.expression
        return tuple(shell.posed(weights) for shell in self.shells)

    """One sentence when this face could not be finished."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.detection.box

    @property
    def score(self) -> float:
        return self.detection.score


@dataclass(frozen=True, slots=True)
class Result:
    """One photo with its faces (none is a result too)."""

    photo: Photo
    faces: tuple[Face, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    """Stage name -> seconds."""
    enhanced_photo: Image | None = None
    """(H, W, 3): the photo, enlarged by a whole number, with its enhanced faces; where it was asked for."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """Faces that were seen but could not be measured; they are not among `faces`."""
