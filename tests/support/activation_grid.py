"""The activations with the options under which each is checked: plain data, and inputs to fit."""

from __future__ import annotations

from typing import Any

Options = dict[str, Any]

#: Class name in ``torch.nn`` and in the reference, constructor arguments.
ACTIVATIONS: list[tuple[str, Options]] = [
    ("Identity", {}),
    ("ReLU", {}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.3}),
    ("LeakyReLU", {"negative_slope": -0.2}),
    ("PReLU", {}),
    ("PReLU", {"init": -0.4}),
    ("PReLU", {"num_parameters": 3, "init": 0.1}),
    ("ReLU6", {}),
    ("Threshold", {"threshold": 0.2, "value": -3.0}),
    ("Threshold", {"threshold": -0.7, "value": 1.5}),
    ("ELU", {}),
    ("ELU", {"alpha": 1.7}),
    ("SELU", {}),
    ("CELU", {}),
    ("CELU", {"alpha": 0.4}),
    ("CELU", {"alpha": -2.0}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Mish", {}),
    ("Softplus", {}),
    ("Softplus", {"beta": 3.0, "threshold": 1.5}),
    ("Softplus", {"beta": 0.5, "threshold": 40.0}),
    ("Softsign", {}),
    ("Sigmoid", {}),
    ("LogSigmoid", {}),
    ("Hardsigmoid", {}),
    ("Tanh", {}),
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -0.3, "max_val": 2.0}),
    ("Hardswish", {}),
    ("Tanhshrink", {}),
    ("Softshrink", {}),
    ("Softshrink", {"lambd": 0.0}),
    ("Hardshrink", {}),
    ("Hardshrink", {"lambd": 1.1}),
    ("Hardshrink", {"lambd": -0.5}),
    ("GLU", {}),
    ("GLU", {"dim": 0}),
    ("GLU", {"dim": 1}),
    ("GLU", {"dim": -2}),
    *[
        (name, options)
        for name in ("Softmax", "Softmin", "LogSoftmax")
        for options in ({}, {"dim": 0}, {"dim": 1}, {"dim": -1}, {"dim": -2})
    ],
]

#: Relative errors of PyTorch's own float64 gradients, where its backward has a constant that is
#: rounded to float32: 1/6 for Hardsigmoid, α for CELU. The forward passes have it in full.
TORCH_ERRORS = {"Hardsigmoid": 5e-8, "CELU": 5e-8}

#: Activations that PyTorch gives a corner or a jump, and the x where they are.
KINKS: list[tuple[str, Options, list[float]]] = [
    ("ReLU", {}, [0.0, -0.0]),
    ("LeakyReLU", {"negative_slope": 0.3}, [0.0, -0.0]),
    ("PReLU", {"init": 0.3}, [0.0, -0.0]),
    ("ReLU6", {}, [0.0, -0.0, 6.0]),
    ("Threshold", {"threshold": 0.5, "value": 3.0}, [0.5]),
    ("ELU", {"alpha": 2.0}, [0.0, -0.0]),
    ("CELU", {"alpha": 2.0}, [0.0, -0.0]),
    ("SELU", {}, [0.0, -0.0]),
    ("Hardtanh", {}, [-1.0, 1.0]),
    ("Hardtanh", {"min_val": 0.0, "max_val": 0.25}, [0.0, -0.0, 0.25]),
    ("Hardsigmoid", {}, [-3.0, 3.0]),
    ("Hardswish", {}, [-3.0, 3.0, 0.0]),
    ("Softshrink", {"lambd": 0.5}, [-0.5, 0.5, 0.0]),
    ("Softshrink", {"lambd": 0.0}, [0.0, -0.0]),
    ("Hardshrink", {"lambd": 0.5}, [-0.5, 0.5, 0.0]),
    ("Hardshrink", {"lambd": 0.0}, [0.0, -0.0]),
    ("Hardshrink", {"lambd": -0.5}, [-0.5, 0.5, 0.0]),
    ("Softplus", {"beta": 2.0, "threshold": 4.0}, [2.0]),
    ("Softsign", {}, [0.0, -0.0]),
    ("LogSigmoid", {}, [0.0, -0.0]),
]

#: Inputs at which something overflows, underflows or cancels in a careless formula.
EXTREMES = [-1e3, -200.0, -50.0, -1e-30, 0.0, 1e-30, 50.0, 200.0, 1e3]

SHAPES: list[tuple[int, ...]] = [
    (6,),
    (1, 6),
    (1, 1),
    (4, 3),
    (2, 3),
    (6, 2),
    (2, 4, 3),
    (4, 3, 2, 6),
]


def fits(name: str, options: Options, shape: tuple[int, ...]) -> bool:
    """Whether an activation takes inputs of this shape."""
    dim = options.get("dim", -1)
    if not -len(shape) <= dim < len(shape):
        return False
    if name == "GLU":
        return bool(shape[dim] % 2 == 0)
    parameters = options.get("num_parameters", 1)
    return bool(parameters == 1 or (len(shape) > 1 and shape[1] == parameters))


def shapes_for(name: str, options: Options) -> list[tuple[int, ...]]:
    """The shapes that it takes; never none."""
    shapes = [shape for shape in SHAPES if fits(name, options, shape)]
    assert shapes, f"no shape fits {name} {options}"
    return shapes


def label(name: str, options: Options) -> str:
    """A test id such as ``ELU-alpha=1.7``."""
    return "-".join([name, *(f"{key}={value}" for key, value in options.items())])
