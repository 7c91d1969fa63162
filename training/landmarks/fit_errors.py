"""How the errors of a fit hang together: what `tronie.stages.fit.outline` believes of a fit before it sees the outline.

    python -m training.landmarks.fit_errors WARDROBE OUT --ict ICT_NPZ --count 2500 --seed 71 --write

Random turned heads of the crowd (crowd.py, which WARDROBE is of) go through the landmark net and the fit as it is; what
the fits are off is kept in OUT/errors-SEED.npz. With `--write` the covariance of all such files becomes
src/tronie/assets/fit_errors.npz. To be run again, into an empty folder, after a new shape net or calibration.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.landmarks.crowd import Crowd
from tronie.geometry import Camera, facing_degrees, rotation_matrix, rotation_vector
from tronie.head.arkit import MIRRORED_UNITS
from tronie.head.model import default_head
from tronie.pipelines.calibration.synthetic import SIDE, SLIP, SyntheticPicture
from tronie.runtime import weights
from tronie.stages.fit.basis import landmark_basis, mirror_map
from tronie.stages.fit.map_fit import expression_vector, fit_landmarks
from tronie.stages.fit.outline import camera_jacobian
from tronie.stages.fit.problem import POSE
from tronie.stages.fit.regressor import default_calibration
from tronie.stages.landmarks.net import LandmarkNet, square_from_landmarks

FOCAL_JITTER = 0.3
YAW = (12.0, 80.0)
"""Degrees, of the fits that are looked at."""
LOST = 15.0
"""Degrees by which a pose is so wrong that no outline helps."""
ROUNDS = 6


def posed(points: np.ndarray, pixels: np.ndarray, camera: Camera, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation and translation by which a camera sees points (n, 3) at pixels (n, 2), from a pose near it."""
    rotation, shift = pose[:3, :3].copy(), pose[:3, 3].copy()
    for _ in range(ROUNDS):
        turned = points @ rotation.T
        place = turned + shift
        j = camera_jacobian(turned, shift, rotation, np.zeros((len(points), 3, 0))).reshape(-1, POSE)
        off = ((pixels - camera.project(place)) * (place[:, 2:] / camera.focal)).ravel()
        step = np.linalg.lstsq(j, off, rcond=None)[0]
        rotation = rotation_matrix(step[:3]) @ rotation
        shift = shift + np.array([*step[3:5], shift[2] * step[5]])
    return rotation, shift


def error_of(
    picture: SyntheticPicture, net: LandmarkNet, twin: np.ndarray, rng: np.random.Generator
) -> np.ndarray | None:
    """Yaw, and truth less fit in the unknowns of `outline` as if the head were turned to its left; None where no face
    is seen or it is not turned."""
    model, calibration = default_head(), default_calibration()
    off = picture.points + rng.normal(0, SLIP, 2)
    first = net.places([picture.image], square_from_landmarks(off))[0]
    said = net.look(picture.image, square_from_landmarks(first))
    if said.presence < 0.3 or said.mirrored is None:
        return None
    truth = Camera(picture.focal, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    camera = Camera(picture.focal * float(np.exp(rng.normal(0, FOCAL_JITTER))), truth.center, truth.size)
    fit = fit_landmarks(model, said, camera, SIDE / 1.5, calibration=calibration)
    yaw = facing_degrees(fit.head_to_camera[:3, :3])[0]
    if not YAW[0] <= abs(yaw) <= YAW[1]:
        return None
    basis, pose = landmark_basis(model), picture.head_to_camera
    points = basis.mean + basis.shape @ np.concatenate([picture.person.identity, picture.expression])
    pixels = truth.project(points @ pose[:3, :3].T + pose[:3, 3])
    rotation, shift = posed(points, pixels, camera, fit.head_to_camera)
    said_rotation, said_shift = fit.head_to_camera[:3, :3], fit.head_to_camera[:3, 3]
    turn = rotation_vector(rotation @ said_rotation.T)
    if np.degrees(np.linalg.norm(turn)) > LOST:
        return None
    moved = np.array([*(shift - said_shift)[:2], np.log(shift[2] / said_shift[2])])
    identity = picture.person.identity - fit.identity
    expression = picture.expression - expression_vector(fit.expression, model.expression_names)
    if yaw < 0:
        turn, moved = turn * [1, -1, -1], moved * [-1, 1, 1]
        identity, expression = identity @ twin, expression[list(MIRRORED_UNITS)]
    return np.concatenate([[yaw], turn, moved, identity, expression]).astype(np.float32)


def write(folder: Path) -> None:
    """The asset, of all errors in the folder."""
    errors = np.concatenate([np.load(path)["errors"] for path in sorted(folder.glob("errors-*.npz"))])[:, 1:]
    sigma = np.sqrt((errors.astype(np.float64) ** 2).mean(axis=0)) + 1e-4
    white = errors / sigma
    np.savez_compressed(
        weights.ASSETS / "fit_errors.npz",
        sigma=sigma.astype(np.float32),
        correlation=(white.T @ white / len(white)).astype(np.float16),
    )
    print(len(errors), "errors; turn, degrees:", np.degrees(sigma[:3]).round(2), "shift:", sigma[3:6].round(3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wardrobe", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ict", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"errors-{options.seed}.npz"
    if not path.exists():
        cv2.setNumThreads(1)
        net, rng, twin = LandmarkNet(threads=1), np.random.default_rng(options.seed), mirror_map(default_head())
        crowd = Crowd.open(options.wardrobe, options.ict, options.seed)
        errors: list[np.ndarray] = []
        while len(errors) < options.count:
            error = error_of(crowd.picture(crowd.person(rng), rng), net, twin, rng)
            if error is not None:
                errors.append(error)
        np.savez(path, errors=np.array(errors))
    if options.write:
        write(options.out)


if __name__ == "__main__":
    main()
