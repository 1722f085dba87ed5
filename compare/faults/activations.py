"""Faults of activations."""

from __future__ import annotations

import numpy as np

from compare.faults.changes import dx_of
from compare.faults.fault import Fault

ACTIVATIONS = (
    *(
        Fault(
            f"{owner}: derivative missing",
            f"the error passes {owner} as if it were not there",
            owner,
            dx_of(lambda self, x, y, dy: dy),
            "dx",
            f"multiply dy by the derivative of {owner}",
        )
        for owner in ("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Softplus")
    ),
    Fault(
        "Sigmoid: derivative taken at the activation",
        "σ'(y) in place of σ'(x): sigmoid is applied twice before y (1 − y) is taken",
        "Sigmoid",
        dx_of(lambda self, x, y, dy: dy * np.exp(-y) / (1 + np.exp(-y)) ** 2),
        "dx",
        "dx = dy · y (1 − y), with y what forward returned",
    ),
    Fault(
        "Sigmoid: y (1 − y) taken at x",
        "the formula for y is used with the pre-activation, x (1 − x)",
        "Sigmoid",
        dx_of(lambda self, x, y, dy: dy * (x * (1 - x))),
        "dx",
        "dx = dy · y (1 − y), with y what forward returned",
    ),
)
