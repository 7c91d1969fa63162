"""The package's own sparse matrices as SciPy's, which can do more."""

from __future__ import annotations

import scipy.sparse as sp

from tronie.head.subdivide import Sparse


def csr(matrix: Sparse) -> sp.csr_array:
    """The same matrix for SciPy."""
    return sp.csr_array((matrix.weight, matrix.index, matrix.start), shape=matrix.shape)
