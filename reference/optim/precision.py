"""Numbers beside arrays: of the arrays' precision, and without spoiling it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from reference.module import Array
from reference.optim.groups import Options


def in_precision_of(p: Array, options: Options) -> SimpleNamespace:
    """The options as attributes, as numbers fit to compute with beside ``p``.

    Python's floats (float64) do for float32 and float64 arrays and leave their dtype as it is.
    What a rule computes of options alone, such as 1 − β^t, is to be as precise as the parameter,
    so for one in extended precision the options become extended numbers.
    """
    if p.dtype != np.longdouble:
        return SimpleNamespace(**options)
    return SimpleNamespace(**{name: _extended(value) for name, value in options.items()})


def _extended(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(_extended(one) for one in value)
    return np.longdouble(value) if isinstance(value, float) else value
