"""Activations."""

from __future__ import annotations

from typing import Any

from compare.catalogue.entries.entry import Draw, Entry, Variant, variant, x

Options = dict[str, Any]

#: By class: the options to try, and what they vary in words.
_ELEMENTWISE: dict[str, tuple[str, tuple[Options, ...]]] = {
    "Identity": ("", ({},)),
    "ReLU": ("", ({},)),
    "LeakyReLU": (
        "slope of either sign, ",
        ({}, {"negative_slope": 0.3}, {"negative_slope": -0.2}),
    ),
    "ReLU6": ("", ({},)),
    "Threshold": (
        "threshold and value, ",
        ({"threshold": 0.25, "value": -3.0}, {"threshold": -1.0, "value": 1.5}),
    ),
    "ELU": ("alpha of either sign, ", ({}, {"alpha": 1.7}, {"alpha": -0.6})),
    "SELU": ("", ({},)),
    "CELU": ("alpha of either sign, ", ({}, {"alpha": 0.4}, {"alpha": -2.0})),
    "GELU": ("by erf and by tanh, ", ({}, {"approximate": "tanh"})),
    "SiLU": ("", ({},)),
    "Mish": ("", ({},)),
    "Softplus": ("beta and threshold, ", ({}, {"beta": 3.0, "threshold": 1.5})),
    "Softsign": ("", ({},)),
    "Sigmoid": ("", ({},)),
    "LogSigmoid": ("", ({},)),
    "Hardsigmoid": ("", ({},)),
    "Tanh": ("", ({},)),
    "Hardtanh": ("limits, ", ({}, {"min_val": -0.25, "max_val": 2.0})),
    "Hardswish": ("", ({},)),
    "Tanhshrink": ("", ({},)),
    "Softshrink": ("lambda (0 too), ", ({}, {"lambd": 0.0})),
    "Hardshrink": ("lambda of either sign, ", ({}, {"lambd": 1.0}, {"lambd": -0.5})),
}


def _elementwise(name: str, words: str, options: tuple[Options, ...]) -> Entry:
    first, *_ = options
    return Entry(
        name,
        "activation",
        f"{words}samples (1, many), zeros of either sign, exact corners, ±1e3 and ±1e-30, "
        "not contiguous",
        (
            *(variant((4, 3), **each) for each in options),
            variant(x(3, 5, kind="zeros"), strided=True, **first),
            variant(x(2, 9, kind="extreme"), **first),
            *(variant(x(1, 14, kind="ties"), **each) for each in options),
        ),
    )


def _along_axis(name: str) -> Entry:
    shapes = ((4, 3), (1, 5), (2, 4, 6))
    return Entry(
        name,
        "activation",
        "axis (None too), samples (1, many), ties, ±1e3 and ±1e-30, not contiguous",
        (
            *(variant(shape, dim=dim) for shape, dim in zip(shapes, (1, -1, 0), strict=True)),
            variant((2, 4, 6), dim=1, strided=True),
            *(variant(shape) for shape in ((5,), (3, 4), (2, 3, 4), (2, 3, 2, 2))),
            variant(x(4, 7, kind="ties"), dim=-1),
            variant(x(4, 6, kind="extreme"), dim=1),
        ),
    )


ACTIVATIONS = (
    *(_elementwise(name, *rest) for name, rest in _ELEMENTWISE.items()),
    Entry(
        "PReLU",
        "activation",
        "one slope and one by channel, samples (1, many), square, zeros, ±1e3, not contiguous",
        (
            variant((4, 3)),
            variant((3, 3), num_parameters=3),
            variant(x(4, 3, kind="zeros"), num_parameters=3, strided=True),
            variant((2, 3, 4), num_parameters=3, init=-0.4),
            Variant((Draw((1, 9), "extreme"),)),
        ),
    ),
    Entry(
        "GLU",
        "activation",
        "axis, samples (1, many), ±1e3, not contiguous",
        (
            variant((3, 4)),
            variant((4, 3), dim=0),
            variant((1, 2, 6), dim=-1, strided=True),
            variant(x(2, 6, kind="extreme")),
        ),
    ),
    *(_along_axis(name) for name in ("Softmax", "Softmin", "LogSoftmax")),
)
