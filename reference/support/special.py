"""Functions that several chapters need, each evaluated so that nothing overflows.

All of them, and the layers, run on real and on complex numbers, so that a derivative can be checked
by the *complex step*: f(x + ih) = f(x) + ih f′(x) + …, so for a tiny h the imaginary part over h is
f′(x). What decides between branches therefore looks at the real part only: the branch is that of x.
"""

from __future__ import annotations

import numpy as np

from reference.module import Array

#: Beyond this, erf is ±1 to every digit of extended precision: 1 − erf(7) ≈ 4e-23.
_ERF_SATURATES = 7.0

#: Terms of erf's series that reach extended precision up to there.
_ERF_TERMS = 250


def absolute(x: Array) -> Array:
    """``|x|``, as x or −x by the sign of the real part: for complex numbers not the modulus."""
    result: Array = np.where(x.real < 0, -x, x)
    return result


def sign(x: Array) -> Array:
    """−1, 0 or 1, in the dtype of x: the slope of ``|x|``, with 0 at the corner."""
    result: Array = np.sign(x.real)
    return result


def sigmoid(x: Array) -> Array:
    r"""The logistic function ``σ(x) = 1/(1 + e⁻ˣ)``.

    e⁻ˣ overflows for large negative x. So numerator and denominator are multiplied by eᵐ with
    m = min(x, 0). That leaves 1 · eᵐ above and eᵐ + eᵐ⁻ˣ below, where m − x = −max(x, 0). Neither
    exponent is above 0 and one of them is 0, so nothing overflows or is divided by 0::

        σ(x) = eᵐ/(eᵐ + e^−max(x, 0))

    It does not matter which of the two is taken at x = 0: the function is the same for every m.
    """
    above = np.exp(np.minimum(x, 0))
    result: Array = above / (above + np.exp(-np.maximum(x, 0)))
    return result


def softplus(x: Array) -> Array:
    r"""The smooth rectifier ``log(1 + eˣ)``, whose slope is σ(x).

    eˣ overflows for large x, so eˣ is taken out of the logarithm where x is positive::

        log(1 + eˣ) = x + log(e⁻ˣ + 1)      log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|)
    """
    result: Array = np.where(x.real < 0, 0, x) + np.log1p(np.exp(-absolute(x)))
    return result


def erf(x: Array) -> Array:
    r"""The error function ``erf(x) = 2/√π ∫₀ˣ e^−t² dt``, whose slope is 2/√π e^−x².

    SciPy has it for single and double precision, real and complex, not for extended precision.
    """
    if x.dtype.char in "gG":
        return _erf_series(x)
    from scipy import special

    result: Array = special.erf(x)
    return result


def _erf_series(x: Array) -> Array:
    r"""``erf(x) = 2/√π e^−x² Σₙ tₙ`` with t₀ = x and tₙ₊₁ = tₙ · 2x²/(2n + 3).

    All terms have the sign of x, so nothing cancels, unlike in the Taylor series.

    Source:
        Abramowitz and Stegun, Handbook of Mathematical Functions, equation 7.1.6.
    """
    saturated = absolute(x).real > _ERF_SATURATES
    inner = np.where(saturated, 0, x)
    term, total = inner, inner
    for n in range(_ERF_TERMS):
        term = term * (inner * inner * 2) / (2 * n + 3)
        total = total + term
    pi = 4 * np.arctan(np.ones_like(x.real))
    result: Array = np.where(saturated, sign(x), 2 / np.sqrt(pi) * np.exp(-inner * inner) * total)
    return result
