"""Numbers in sentences."""

from __future__ import annotations


def number(value: float) -> str:
    """A number with six digits; with twelve where it is off from a round one by less than that."""
    short = f"{value:.6g}"
    is_round = float(f"{value:.3g}") == float(short)
    if not is_round or abs(float(short) - value) <= 1e-13 * abs(value):
        return short
    return f"{value:.12g}"
