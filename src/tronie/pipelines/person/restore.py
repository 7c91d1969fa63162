"""Small faces among the photos of a person, restored with the help of those that show the face finer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tronie.geometry import facing_degrees, transform
from tronie.io import encode
from tronie.io.png_writer import encode_png
from tronie.pipelines.model_usage import enhancers_used
from tronie.pipelines.multiview import with_matter
from tronie.pipelines.shot import Shot, crisp
from tronie.runtime.job import Job
from tronie.settings import EnhanceSettings
from tronie.stages.enhance.enhancer import Enhancer
from tronie.stages.enhance.lend import HeadInPhoto
from tronie.stages.enhance.paste import whole_photo
from tronie.stages.enhance.reference import References
from tronie.stages.enhance.stage import enhance, eye_distance, is_wanted
from tronie.stages.fit.basis import on_photo
from tronie.stages.fit.map_fit import expression_vector
from tronie.stages.landmarks.net import LandmarkNet
from tronie.stages.segment import SegmentNet

FINER = 1.8
"""How much finer than a small face another photo has to show it to be of help."""
SOFT = 0.3
"""Sharpness, of a usual photo's, below which a photo is of no help."""
MOST = 4
"""So many photos help one face at most: those of the likest pose and expression."""
LIKE_DEGREES = 15.0
"""Degrees between two poses that weigh as much as one unit of expression."""
HALF = 128
"""Of 255: share from which on a pixel's detail is said to be lent."""
COLOURS = ((0, 0, 0), (214, 70, 62), (66, 112, 208), (70, 160, 82), (222, 176, 52))
"""In the pictures of what was lent: none, by the first photo, by the second, ..."""


def restored(
    shots: Sequence[Shot],
    settings: EnhanceSettings,
    enhancer: Enhancer,
    net: LandmarkNet,
    segmenter: SegmentNet,
    job: Job | None = None,
) -> list[Shot]:
    """The shots of a person, each with head and fit; small faces that another of them shows finer are `enhanced`. Their
    landmarks stay those that the head was fitted to. The stage `enhance` of `job` has a step for each of these."""
    job, done = job or Job(), list(shots)
    helped = {row: helpers(done, row) for row, shot in enumerate(done) if is_wanted(shot.face, enhancer.side, settings)}
    helped = {row: others for row, others in helped.items() if others}
    if not helped:
        return done
    with job.stage("enhance", total=len(helped)) as stage:
        for row, others in helped.items():
            job.check()
            for k in (row, *others):
                done[k] = with_matter(done[k], segmenter)
            head, photo = done[row].face.head, done[row].load()
            assert head is not None
            references = References(head_in(done[row]), tuple(head_in(done[k]) for k in others), head.triangles)
            (face,) = enhance(photo, [done[row].face], enhancer, net, settings, {0: references})
            used = () if face.enhanced is None else enhancers_used(face.enhanced.name)
            kept = replace(done[row].face, enhanced=face.enhanced, warnings=face.warnings)
            done[row] = replace(done[row], face=replace(kept, models=(*kept.models, *used)))
            stage.advance()
    return done


def helpers(shots: Sequence[Shot], row: int) -> list[int]:
    """Rows of the shots that show a face finer than that of `row`, the likest first."""
    own = shots[row].face

    def eyes(shot: Shot) -> float:
        return 0.0 if shot.face.landmarks is None else eye_distance(shot.face.landmarks.points)

    finer = [k for k, shot in enumerate(shots) if eyes(shot) >= FINER * eyes(shots[row]) and crisp(shot) >= SOFT]

    def unlike(k: int) -> float:
        a, b = own.fit, shots[k].face.fit
        assert a is not None
        assert b is not None
        turned = np.subtract(facing_degrees(a.head_to_camera[:3, :3]), facing_degrees(b.head_to_camera[:3, :3]))
        names = tuple(a.expression)
        moved = expression_vector(a.expression, names) - expression_vector(b.expression, names)
        return float(np.linalg.norm(turned) / LIKE_DEGREES + np.linalg.norm(moved))

    return sorted((k for k in finer if k != row), key=lambda k: (unlike(k), k))[:MOST]


def head_in(shot: Shot) -> HeadInPhoto:
    """A fitted, segmented shot as one that lends, or is lent to."""
    face = shot.face
    assert face.head is not None
    assert face.fit is not None
    assert face.landmarks is not None
    assert face.segmentation is not None
    points = transform(face.fit.head_to_camera, on_photo(face.head, face.fit))
    places = np.column_stack([face.fit.camera.project(points), points[:, 2]])
    return HeadInPhoto(shot.load(), face.landmarks, places, face.segmentation)


def files(shots: Sequence[Shot], wanted: frozenset[str]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the pictures of restored faces, each with its photo's number, from 1: the crop before and
    after, which of `Borrowed.photos` lent it what (indices of its palette, 0 for none); and, where that output is
    `wanted`, the whole photo."""
    for number, shot in enumerate(shots, start=1):
        found = shot.face.enhanced
        if found is None or not found.accepted:
            continue
        if "enhanced" in wanted:
            yield f"crop-{number}.png", encode.png(found.before)
            yield f"enhanced-{number}.png", encode.png(found.after)
            if (lent := found.borrowed) is not None:
                rows = np.where(lent.share >= HALF, lent.source + 1, 0).astype(np.uint8)
                yield f"lent-{number}.png", encode_png(rows, np.array(COLOURS, np.uint8))
        if "enhanced_photo" in wanted and (whole := whole_photo(shot.load(), [found])) is not None:
            yield f"enhanced_photo-{number}.png", encode.png(whole)
