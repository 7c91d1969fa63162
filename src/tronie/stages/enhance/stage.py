"""Super-resolution as a stage: which faces, all of them in one call, judged one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tronie.arrays import Array, Image
from tronie.errors import WeightsError, sentence
from tronie.geometry import Similarity
from tronie.runtime.logs import logger
from tronie.settings import EnhanceSettings
from tronie.stages.enhance import ENHANCERS
from tronie.stages.enhance.enhancer import Enhancer, Restored
from tronie.stages.enhance.gate import OWN_GATE, STRANGERS_GATE, Verdict, judge
from tronie.stages.enhance.paste import blended
from tronie.stages.enhance.reference import References, guided
from tronie.stages.enhance.region import cut_region, moved_landmarks
from tronie.stages.landmarks import recognizer
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.stages.landmarks.net import LandmarkNet, square_from_landmarks
from tronie.types import Caution, Crop, Enhanced, Face, Photo

log = logger(__name__)

BATCH = 8
"""Faces that are enhanced before the first of them is finished."""
FULL = 1.5
"""Pixels of the crop per pixel of the photo from which all of the net's detail is used; at 1 the photo is as fine."""
GRAIN = 0.4
"""Share of the photo's grain that is kept."""
IRIS_RIGHT, IRIS_LEFT = 468, 473


def eye_distance(points: Array) -> float:
    """Pixels between the irises of landmarks (478, 2+)."""
    return float(np.linalg.norm(points[IRIS_RIGHT, :2] - points[IRIS_LEFT, :2]))


def is_wanted(face: Face, side: int, settings: EnhanceSettings) -> bool:
    """Whether a face is to be enhanced in crops of `side` pixels. A large face in profile, whose eyes are close to each
    other, is not small: its crop would not be finer than the photo."""
    if face.landmarks is None or settings.mode == "off":
        return False
    if settings.every_face:
        return True
    points = face.landmarks.points
    return eye_distance(points) < settings.limit and aligned_square(points).scale < side


def enhance(
    photo: Photo,
    faces: Sequence[Face],
    enhancer: Enhancer,
    net: LandmarkNet,
    settings: EnhanceSettings,
    references: Mapping[int, References] | None = None,
) -> list[Face]:
    """The faces, those that are to be enhanced with `enhanced` and, where it was accepted, finer landmarks.
    `references`: by row of `faces`, the same head in other photos of the person."""
    done = list(faces)
    chosen = [k for k, face in enumerate(faces) if is_wanted(face, enhancer.side, settings)]
    if not chosen:
        return done
    crops = [_crop(photo, faces[k], enhancer.side) for k in chosen]
    try:
        restored = _restored(photo, crops, enhancer)
    except WeightsError:  # a file that is missing or broken is missing for every photo: the job is to end
        raise
    except Exception as error:  # such as too little memory for a large net: the faces are still faces
        for k in chosen:
            done[k] = _not_enhanced(faces[k], error)
        return done
    for k, crop, answer in zip(chosen, crops, restored, strict=True):
        try:
            helped = (references or {}).get(k)
            done[k] = _judged(photo, faces[k], crop, answer, settings, enhancer.name, net, helped)
        except Exception as error:  # a face that cannot be enhanced is still a face
            done[k] = _not_enhanced(faces[k], error)
    return done


def _not_enhanced(face: Face, error: Exception) -> Face:
    log.warning("a face is not enhanced", exc_info=error)
    said = Caution("not_enhanced", f"not enhanced: {sentence(error)}")
    return replace(face, warnings=(*face.warnings, said))


def _crop(photo: Photo, face: Face, side: int) -> Crop:
    assert face.landmarks is not None
    return aligned_crop(photo.image, aligned_square(face.landmarks.points), side)


def _restored(photo: Photo, crops: Sequence[Crop], enhancer: Enhancer) -> list[tuple[Image, Restored]]:
    """What the enhancer was given of the faces of `crops`, and its answers; faces of one size in one call."""
    side = enhancer.side
    wanted = [enhancer.wants(side * crop.to_photo.scale) for crop in crops]
    answers = [(crop.image, Restored(crop.image)) for crop in crops]
    for size in sorted(set(wanted)):
        rows = [k for k, w in enumerate(wanted) if w == size]
        unit = [Similarity(side, 0, 0, 0).then(crops[k].to_photo) for k in rows]
        given = [aligned_crop(photo.image, square, size).image for square in unit]
        restored = enhancer.restore(np.stack(given))
        for row, (k, small) in enumerate(zip(rows, given, strict=True)):
            answers[k] = small, restored[row]
    return answers


def with_grain(given: Image, answer: Image, pixels: int) -> Image:
    """`answer` (S, S, 3) with a share of what the enhancer took away at the photo's own resolution, `pixels` wide.

    There the photo knows best: what is missing is grain and noise, and a face without any looks like wax. Where the
    answer, made small, is what was `given`, nothing changes.
    """
    import cv2

    size, side = (min(pixels, answer.shape[0], given.shape[0]),) * 2, answer.shape[0]
    small, kept = (cv2.resize(x, size, interpolation=cv2.INTER_AREA).astype(np.float32) for x in (answer, given))
    missing = np.asarray(cv2.resize(kept - small, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    return blended(answer, missing, GRAIN)


def usual_share(factor: float) -> float:
    """How much of the net's detail is asked for: it fades out towards faces that need none, so that there is no leap
    at the limit. The nets are trained for coarser ones."""
    return float(np.clip((factor - 1) / (FULL - 1), 0, 1))


def _judged(
    photo: Photo,
    face: Face,
    crop: Crop,
    answer: tuple[Image, Restored],
    settings: EnhanceSettings,
    name: str,
    net: LandmarkNet,
    references: References | None,
) -> Face:
    assert face.landmarks is not None
    points = crop.to_photo.inverse().apply(face.landmarks.points[:, :2])
    square = square_from_landmarks(points)
    factor = 1 / crop.to_photo.scale
    share = 1.0 if settings.every_face else usual_share(factor)
    given, restored = answer
    gate = OWN_GATE if name in ENHANCERS else STRANGERS_GATE

    def embed(images: list[Image]) -> Array:
        return recognizer.embedding(np.stack(images), net.device)

    def judged(look: Image) -> Verdict:
        if share < 1:
            look = blended(crop.image, look.astype(np.float32) - crop.image, share)
        return judge(
            crop.image,
            look,
            factor,
            eye_distance(points),
            lambda images: net.places(images, square),
            embed,
            gate,
        )

    def grained(look: Image) -> Image:
        return with_grain(given, look, max(round(len(crop.image) / factor), 4))

    faithful = judged(restored.faithful)
    if faithful.blend > 0:
        faithful = replace(faithful, after=grained(faithful.after))
    enhanced = _record(crop, faithful, share, name, restored.doubt)
    if faithful.blend == 1 and settings.look == "vivid" and restored.vivid is not None:
        # Only where nothing at all speaks against it: what is made vivid by half is neither.
        vivid = judged(restored.vivid)
        if vivid.blend == 1:
            vivid = replace(vivid, after=grained(vivid.after))
            enhanced = replace(_record(crop, vivid, share, name, restored.doubt), look="vivid", faithful=faithful.after)
    if not enhanced.accepted:
        return replace(face, enhanced=enhanced)
    if references is not None:
        finer_marks = net.places([enhanced.after], square)[0]
        lent = guided(restored, enhanced.after, given, crop, finer_marks, references, embed)
        verdict = None if lent is None else judged(lent.image)
        if lent is not None and verdict is not None and verdict.blend == 1:
            helped = _record(crop, verdict, share, name, restored.doubt)
            enhanced = replace(helped, look=enhanced.look, faithful=enhanced.faithful, borrowed=lent.borrowed)
    detail = cut_region(photo, face.landmarks, enhanced)
    ((_, finer),) = net.refine(detail.photo.image, [detail.landmarks(face.landmarks).points])
    marks = moved_landmarks(finer, detail.to_photo)
    return replace(face, enhanced=enhanced, landmarks=replace(marks, embedding=face.landmarks.embedding))


def _record(crop: Crop, verdict: Verdict, share: float, name: str, doubt: Array | None) -> Enhanced:
    scores = verdict.scores
    return Enhanced(
        before=crop.image,
        after=verdict.after,
        to_photo=crop.to_photo,
        name=name,
        factor=1 / crop.to_photo.scale,
        blend=share * verdict.blend,
        agreement=scores.agreement,
        structure=scores.structure,
        shift=scores.shift,
        identity=scores.identity,
        note=verdict.note,
        doubt=None if doubt is None else np.asarray(np.rint(doubt.clip(0, 255)), dtype=np.uint8),
    )
