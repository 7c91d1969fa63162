"""Identity statistics: the mean and the modes of registered heads, written in the span of our own fields.

The fields are MPFB's targets (CC0) and smooth modes of the skin; only their coefficients are learned, so no vertex
of another model enters the file. Eyes, teeth and tongue follow through the same fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from training.head.anatomy import Parts
from training.head.assemble import FLIP, face_weight, laplacian, nearest_skin
from training.head.eyelids import LidSystem, seat
from training.head.identity import read_macros, read_sliders
from training.head.mpfb import Body
from training.head.skin_mesh import Skin
from tronie.head.subdivide import triangulate

LOCAL_MODES = 1000
"""Smooth modes of the span, for each of x, y and z. On ten random ICT heads, true inner face to ours: 0.32 mm with 400
modes spread by area, 0.20 with 600 and 0.17 with 1,000 spread as `face_modes` does; 0.13 before the span."""
POCKET = 0.05
"""Weight of the mouth's lining and the eye sockets, which nobody sees, beside the skin's."""
RIDGE = 1e-6
TARGET_RIDGE = 1e-3
"""The same for the CC0 targets: modes alone nearly suffice for the skin, and targets against modes would bend the teeth
(by 1.0 mm in one deviation of all components, by 0.5 with this; the skin's residue grows from 0.505 to 0.511 mm)."""


@dataclass(frozen=True)
class Statistics:
    mean: np.ndarray
    """(C, 3) displacement from the base head."""
    identity: np.ndarray
    """(K, C, 3) one standard deviation each."""
    variance: np.ndarray
    """(all,) weighted variances of the components, largest first."""


def focus(skin: Skin, base: np.ndarray) -> np.ndarray:
    """(S,) where the statistics are to be exact: 1 on the face, 0.06 on scalp and back, 0.05 of that in the pockets."""
    hidden = skin.lining | skin.socket
    pocket = np.ones(len(skin.source))
    pocket[np.unique(skin.quads[hidden])] = POCKET
    pocket[np.unique(skin.quads[~hidden])] = 1
    return np.asarray(face_weight(base)[: len(pocket)] ** 1.5 * pocket)


def face_modes(v: np.ndarray, quads: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """(count, S) eigenvectors of the Laplacian: finest where `weight` is, and where the mesh is.

    The mass is the root of the area, halfway between modes even over the surface and modes even over the vertices,
    because the mesh is dense where faces differ most: around eyes, nose and lips.
    """
    triangles, _ = triangulate(quads)
    stiff, area = laplacian(triangles, v)
    mass = np.maximum(np.sqrt(area) * weight, 1e-3)
    _, vectors = sp.linalg.eigsh(stiff, k=count, M=sp.diags_array(mass).tocsc(), sigma=-1e-6, v0=np.ones(len(v)))
    return np.asarray(vectors.T)


def span(body: Body, skin: Skin, parts: Parts, lids: LidSystem, base: np.ndarray) -> np.ndarray:
    """(N, C, 3) displacement fields of skin and parts, float32, targets first; eyes and lids stay matched in each."""
    count = len(skin.source)
    rows = np.unique(np.concatenate([skin.source, np.unique(parts.follow.indices)]))
    follow = sp.csr_array(parts.follow[:, rows])
    pick = np.searchsorted(rows, skin.source)
    targets = [f for s in read_sliders(body, rows) for f in (s.high, s.low) if f is not None]
    macros = [f for name, f in read_macros(body, rows).items() if "baby" not in name and "child" not in name]
    targets += [f - f[pick].mean(axis=0) for f in macros]
    carried = [np.concatenate([f[pick], follow @ f]) for f in targets]
    modes = face_modes(base[:count], skin.quads, focus(skin, base), LOCAL_MODES)
    carry = nearest_skin(base, parts, skin)
    smooth = np.concatenate([modes, (carry @ modes.T).T], axis=1)
    carried += [field[:, None] * axis for field in smooth for axis in np.eye(3)]
    return np.asarray(seat(parts, body, skin, np.array(carried), lids), dtype=np.float32)


def project(fields: np.ndarray, wanted: np.ndarray, weight: np.ndarray, count: int) -> np.ndarray:
    """Coefficients (T, N) with coefficients @ fields close to `wanted` (T, S, 3) on the skin, weighted by (S,)."""
    root = np.repeat(np.sqrt(weight), 3).astype(np.float32)
    a = fields[:, :count].reshape(len(fields), -1) * root
    gram = (a @ a.T).astype(np.float64)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-3))
    gram /= scale[:, None] * scale
    right = a.astype(np.float64) @ (wanted.reshape(len(wanted), -1) * root).T / scale[:, None]
    ridge = np.full(len(gram), RIDGE)
    ridge[: max(len(gram) - 3 * LOCAL_MODES, 0)] = TARGET_RIDGE
    return np.asarray((np.linalg.solve(gram + np.diag(ridge), right) / scale[:, None]).T)


def learn(
    fields: np.ndarray, mean: np.ndarray, modes: np.ndarray, weight: np.ndarray, mirror: np.ndarray, components: int
) -> Statistics:
    """From the wanted mean displacement (S, 3) and modes (M, S, 3) of the skin, each one standard deviation.

    `weight` (S,) says where they are to be met, and which components come first.

    A head and its mirror image are taken to be equally likely; components are those of the weighted covariance.
    """
    count = mean.shape[0]
    coefficients = project(fields, np.concatenate([mean[None], modes]), weight, count)
    whole = np.tensordot(coefficients, fields.astype(np.float64), axes=1)
    middle = (whole[0] + whole[0][mirror] * FLIP) / 2
    both = np.concatenate([whole[1:], whole[1:, mirror] * FLIP]) / np.sqrt(2)
    flat = both[:, :count].reshape(len(both), -1) * np.repeat(np.sqrt(weight), 3)
    gram = flat @ flat.T
    variance, vectors = np.linalg.eigh(gram)
    order = np.argsort(variance)[::-1]
    identity = np.tensordot(vectors[:, order[:components]].T, both, axes=1)
    return Statistics(middle, identity.astype(np.float32), variance[order])
