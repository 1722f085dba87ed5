r"""Numbers moved by as much as rounding might have, times a known factor.

A number x becomes x (1 + s ξ), ξ between −√3 and √3 with mean 0 and variance 1. Three things make
that fit for code that was not written for it:

- ξ is a function of the number's own bits. Numbers that are equal stay equal however often and
  wherever they are computed: a maximum still equals the entry that it was taken from, ties stay
  ties, and the two sides of a comparison never move apart.
- Whole numbers stay as they are, and no number moves as far as the next whole one: counts, labels
  and truth values stay exact, and what lies within an interval of a function's domain, (0, 1) for a
  probability, (−1, 1) for an arc cosine, x > 0 for a logarithm, stays within it.
- What is not finite stays as it is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Integers of the same size, whose products are used as random bits.
_BITS = {torch.float32: torch.int32, torch.float64: torch.int64}
_HALF = {torch.float32: 2.0**31, torch.float64: 2.0**63}

#: From here on all numbers are whole, or nearly so, and are numbers like all others.
_LARGE = {torch.float32: 2.0**16, torch.float64: 2.0**44}


class Perturbation:
    """Noise of one run, the same for equal numbers.

    Args:
        size: s, the standard deviation of the relative noise.
        seed: tells runs apart.
    """

    def __init__(self, size: float, seed: int) -> None:
        self.size = size
        generator = torch.Generator().manual_seed(seed)
        # Even, so that the sign bit is lost and x and −x move alike; twice an odd number, so
        # that no other bit is.
        draw = int(torch.randint(2**61, (), generator=generator))
        self._multipliers = {
            torch.float32: 4 * (draw % 2**29) + 2,
            torch.float64: 4 * draw + 2,
        }

    def noise(self, tensor: Tensor) -> Tensor:
        """S ξ for each number."""
        dtype = tensor.dtype
        mixed = tensor.resolve_neg().view(_BITS[dtype]) * self._multipliers[dtype]
        return mixed.to(dtype).mul_(self.size * math.sqrt(3) / _HALF[dtype])

    def change(self, tensor: Tensor, times: float = 1.0) -> Tensor:
        """By how much real numbers move, if the noise is so many times as large."""
        noise = self.noise(tensor).mul_(tensor)
        if times != 1.0:
            noise.mul_(times)
        room = torch.where(tensor.abs() > _LARGE[tensor.dtype], tensor, tensor - tensor.round())
        return torch.where(noise.abs() < room.abs(), noise, room.mul_(0.5))

    def moved(self, tensor: Tensor, times: float = 1.0) -> Tensor:
        """The numbers with noise of so many times the size."""
        if tensor.is_complex():
            return tensor.clone().add_(self._complex_change(tensor), alpha=times)
        return tensor + self.change(tensor, times)

    def move_(self, tensor: Tensor) -> None:
        """Add the noise in place."""
        tensor.add_(self._complex_change(tensor) if tensor.is_complex() else self.change(tensor))

    def _complex_change(self, tensor: Tensor) -> Tensor:
        """Real and imaginary part each move by a share of the modulus."""
        parts = torch.view_as_real(tensor.resolve_conj())
        noise = self.noise(parts) * tensor.abs().unsqueeze(-1)
        whole = parts == parts.round()
        return torch.view_as_complex(torch.where(whole, torch.zeros_like(noise), noise))
