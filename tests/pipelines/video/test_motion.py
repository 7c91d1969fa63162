"""The course of a head: holes are bridged, absences held, cuts respected, turns recovered."""

from __future__ import annotations

import numpy as np

from tronie.geometry import Camera, euler_degrees, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.pipelines.video.motion import ABSENT, BRIDGED, SEEN, Motion, Raw, gaze_of, make_motion, pieces

CAMERA = Camera(800.0, (320.0, 240.0), (640, 480))
TIMES = np.arange(90) / 30


def raw(frames: np.ndarray, noise: float = 0.0) -> Raw:
    rng = np.random.default_rng(0)
    yaw = 20 * np.sin(frames / 12) + noise * rng.normal(size=len(frames))
    rotation = np.array([rotation_from_euler(float(y), 3.0, -2.0) for y in yaw])
    place = np.stack([frames * 2.0 - 80, np.zeros(len(frames)), 700 + frames * 1.0], axis=1)
    units = np.zeros((len(frames), len(ARKIT_UNITS)))
    units[:, ARKIT_UNITS.index("jawOpen")] = 0.3 + 0.2 * np.sin(frames / 9)
    boxes = np.tile([10.0, 10.0, 60.0, 70.0], (len(frames), 1))
    return Raw(frames, rotation, place, units, np.full(len(frames), 0.9), boxes)


def made(model: HeadModel, frames: np.ndarray, cuts: tuple[int, ...] = (), noise: float = 0.0) -> Motion:
    return make_motion(raw(frames, noise), TIMES, cuts, CAMERA, model)


def test_a_whole_course_is_what_it_was(tiny_head: HeadModel) -> None:
    found = made(tiny_head, np.arange(90))
    assert (found.state == SEEN).all()
    yaw = [euler_degrees(m[:3, :3])[0] for m in found.head_to_camera]
    assert np.allclose(yaw, 20 * np.sin(np.arange(90) / 12), atol=0.3)
    assert np.allclose(found.head_to_camera[:, 0, 3], np.arange(90) * 2.0 - 80, atol=0.3)
    assert found.spans == [(0, 89)]


def test_jitter_becomes_less(tiny_head: HeadModel) -> None:
    def tremble(motion: Motion) -> float:
        yaw = np.array([euler_degrees(m[:3, :3])[0] for m in motion.head_to_camera])
        return float(np.abs(np.diff(yaw, n=2)).mean())

    rough = make_motion(raw(np.arange(90), 0.5), TIMES, (), CAMERA, tiny_head, strength=0)
    assert tremble(made(tiny_head, np.arange(90), noise=0.5)) < 0.25 * tremble(rough)


def test_a_short_hole_is_bridged_and_a_long_one_is_not(tiny_head: HeadModel) -> None:
    frames = np.r_[0:30, 40:50, 80:90]
    found = made(tiny_head, frames)
    assert (found.state[30:40] == BRIDGED).all()
    assert (found.state[50:80] == ABSENT).all()
    assert found.spans == [(0, 49), (80, 89)]
    assert (found.confidence[30:40] == 0).all()
    assert np.allclose(found.head_to_camera[30:40, 0, 3], np.arange(30, 40) * 2.0 - 80, atol=1.5)
    # Absent: it stays as it was last.
    assert np.array_equal(found.head_to_camera[60], found.head_to_camera[49])


def test_nothing_is_smoothed_across_a_cut() -> None:
    assert pieces(np.arange(20), TIMES, [], 0.5) == [(0, 19)]
    assert pieces(np.arange(20), TIMES, [8], 0.5) == [(0, 7), (8, 19)]
    assert pieces(np.r_[0:5, 9:12], TIMES, [7], 0.5) == [(0, 4), (9, 11)]


def test_gaze_follows_the_units(tiny_head: HeadModel) -> None:
    units = np.zeros((2, len(ARKIT_UNITS)))
    units[0, [ARKIT_UNITS.index("eyeLookOutLeft"), ARKIT_UNITS.index("eyeLookInRight")]] = 0.5  # to the subject's left
    units[1, [ARKIT_UNITS.index("eyeLookUpLeft"), ARKIT_UNITS.index("eyeLookUpRight")]] = 0.4
    gaze = gaze_of(units, tiny_head)
    assert (gaze[0, :, 0] > 5).all()
    assert np.allclose(gaze[0, :, 1], 0)
    assert (gaze[1, :, 1] > 3).all()
