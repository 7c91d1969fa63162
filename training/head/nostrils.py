"""Nostrils with depth: the body's are dimples of two millimetres, too shallow to be laid onto a scanned head's."""

from __future__ import annotations

import numpy as np

from training.head.mpfb import Body
from training.head.skin_mesh import Skin

SEED = 7156
"""The body's vertex in the middle of the left nostril's cap; the cap's nine vertices and three rings of fourteen lie
around it."""
AXIS = np.array([-0.1, 0.88, -0.46])
"""Where the left nostril leads: up, back, a little to the middle."""
DEPTH = (13.0, 11.0, 6.0, 0.8)
"""mm from the rim's plane to the cap's middle, the cap's edge, the first ring and the second, which is the rim."""
WIDTH = (0.0, 0.55, 0.95, 1.0)
"""Radius of the same, as a share of the rim's."""


def rings(quads: np.ndarray, seed: int, count: int) -> list[np.ndarray]:
    """The seed, then `count` rings of vertices around it, each sharing a face with the one before."""
    inside, out = np.array([seed]), [np.array([seed])]
    for _ in range(count):
        grown = np.unique(quads[np.isin(quads, inside).any(axis=1)])
        out.append(np.setdiff1d(grown, inside))
        inside = grown
    return out


def nostrils(body: Body, skin: Skin) -> np.ndarray:
    """(S, 3) mm to add to the skin: the caps pushed up and back, the rings between spread along the walls."""
    out = np.zeros((len(skin.source), 3))
    for seed, side in ((SEED, 1.0), (int(body.mirror[SEED]), -1.0)):
        v = body.vertices[skin.source]
        axis = AXIS * [side, 1, 1] / np.linalg.norm(AXIS)
        found = rings(skin.quads, int(np.flatnonzero(skin.source == seed)[0]), 3)
        rim = v[found[3]]
        centre = rim.mean(axis=0)
        across = rim - centre - np.outer((rim - centre) @ axis, axis)
        angle_of = _angles(across, axis)
        order = np.argsort(angle_of)
        for members, depth, width in zip(found, DEPTH, WIDTH, strict=True):
            p = v[members] - centre
            flat = p - np.outer(p @ axis, axis)
            a = _angles(flat, axis)
            wall = np.stack(
                [np.interp(a, angle_of[order], across[order, k], period=2 * np.pi) for k in range(3)], axis=1
            )
            if members is found[3]:
                out[members] = depth * axis
            else:
                out[members] = centre + width * wall + depth * axis - v[members]
    return out


def _angles(flat: np.ndarray, axis: np.ndarray) -> np.ndarray:
    x = np.cross(axis, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    return np.asarray(np.arctan2(flat @ np.cross(axis, x), flat @ x))
