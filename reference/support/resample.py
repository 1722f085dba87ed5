"""Linear maps along each axis on its own: ``y = A_H x A_Wᵀ``.

Written out for an image, with A_H of shape (H_out, H) and A_W of shape (W_out, W)::

    y[p, q] = Σ_i Σ_j A_H[p, i] A_W[q, j] x[i, j]

x[i, j] moves y[p, q] with slope A_H[p, i] A_W[q, j], so::

    dx[i, j] = Σ_p Σ_q A_H[p, i] A_W[q, j] dy[p, q]      dx = A_Hᵀ dy A_W

the same map, with each matrix transposed.
"""

from __future__ import annotations

from collections.abc import Sequence

from reference.module import Array


def resample(x: Array, matrices: Sequence[Array]) -> Array:
    """Apply one matrix along each of the last axes."""
    for axis, matrix in enumerate(reversed(matrices), start=1):
        x = (x.swapaxes(-1, -axis) @ matrix.T).swapaxes(-1, -axis)
    return x


def resample_backward(dy: Array, matrices: Sequence[Array]) -> Array:
    """Carry a gradient back through :func:`resample`."""
    return resample(dy, [matrix.T for matrix in matrices])
