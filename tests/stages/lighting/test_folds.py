"""A dark line becomes a dent, smooth skin stays smooth, and nothing but skin moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from lit import over_the_atlas, picture, sun

from tronie.geometry import Similarity
from tronie.head.model import Head, HeadModel, default_head
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.lighting.folds import find_folds, grey_hair, with_folds
from tronie.types import Fit, Folds, Photo, Texture

SIZE = 512
FRONT = sun((0.2, 0.5, 1.0))


def lined_skin(model: HeadModel, contrast: float, every_mm: float = 6.0) -> tuple[Texture, Head, Fit]:
    """A head whose skin has level dark lines on forehead and cheeks."""
    texture, head, fit, _ = picture(model, FRONT, size=SIZE)
    place, part = over_the_atlas(head, head.neutral, SIZE)
    dark = np.exp(-0.5 * ((place[..., 1] % every_mm - every_mm / 2) / 1.1) ** 2)
    shade = np.where(part == 0, np.exp(-contrast * dark), 1.0)[..., None]
    return replace(texture, image=np.round(texture.image * shade).astype(np.uint8)), head, fit


def found(texture: Texture, head: Head, fit: Fit) -> Folds:
    folds = find_folds(texture, head, fit, None)
    assert folds is not None
    return folds


def test_smooth_skin_stays_smooth() -> None:
    texture, head, fit, _ = picture(default_head(), FRONT, size=SIZE)
    folds = found(texture, head, fit)
    assert folds.lined < 0.1
    assert float(np.quantile(np.abs(folds.out), 0.99)) < 0.4
    assert float(np.sqrt((folds.out**2).mean())) < 0.1


def test_lines_become_dents_where_they_are() -> None:
    texture, head, fit = lined_skin(default_head(), 0.3)
    folds = found(texture, head, fit)
    assert folds.lined > 0.5
    forehead = (np.abs(head.neutral[:, 0]) < 30) & (head.neutral[:, 1] > 32) & (head.neutral[:, 2] > 5)
    phase = head.neutral[forehead, 1] % 6.0
    dark = np.abs(phase - 3.0)
    assert folds.out[forehead][dark < 1].mean() < folds.out[forehead][dark > 2].mean() - 0.2


def test_the_darker_the_lines_of_one_photo_the_more_it_counts_as_lined() -> None:
    shares = [found(*lined_skin(default_head(), contrast)).lined for contrast in (0.0, 0.1, 0.3)]
    assert shares == sorted(shares)


def test_a_head_moves_alike_at_rest_and_posed_and_not_at_lids_and_lips() -> None:
    texture, head, fit = lined_skin(default_head(), 0.3)
    folded = with_folds(head, found(texture, head, fit))
    moved = np.linalg.norm(folded.neutral - head.neutral, axis=1)
    assert moved.max() > 0.5
    np.testing.assert_allclose(moved, np.linalg.norm(folded.vertices - head.vertices, axis=1), atol=1e-3)
    mesh = head.model.level(head.level)
    for landmark in (159, 145, 386, 374, 13, 14, 61, 291):  # both lids of both eyes, the lips' edges and ends
        at = mesh.points478(head.neutral)[landmark]
        near = np.linalg.norm(head.neutral - at, axis=1) < 2.5
        assert moved[near].max(initial=0.0) < 0.05
    inside = np.unique(mesh.triangles[mesh.triangle_part > 0])
    skin = np.unique(mesh.triangles[mesh.triangle_part == 0])
    assert moved[np.setdiff1d(inside, skin)].max() == 0


def test_little_skin_and_models_without_landmarks_tell_nothing() -> None:
    texture, head, fit, _ = picture(default_head(), FRONT, size=SIZE)
    assert find_folds(replace(texture, provenance=np.full_like(texture.provenance, 3)), head, fit, None) is None
    bare = replace(head, model=replace(head.model, embeddings={}))
    assert find_folds(texture, bare, fit, None) is None


def test_grey_hair_is_light_and_has_less_colour_than_skin() -> None:
    shares = np.zeros((len(SEGMENTS), 40, 40), np.uint8)
    shares[SEGMENTS.index("hair"), :20] = shares[SEGMENTS.index("face"), 20:] = 255
    segmentation = Segmentation(shares, Similarity(1.0, 0.0, 0.0, 0.0))

    def grey(*hair: int) -> float:
        image = np.empty((40, 40, 3), np.uint8)
        image[:20], image[20:] = hair, (200, 140, 110)
        return grey_hair(Photo(image), segmentation)

    assert grey(170, 160, 150) == 1
    assert grey(40, 36, 32) == 0  # black
    assert grey(190, 140, 70) < 0.1  # fair
    assert grey_hair(Photo(np.full((40, 40, 3), 90, np.uint8)), replace(segmentation, shares=shares * 0)) == 0
