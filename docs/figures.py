"""The pictures of the tutorial, drawn by the reference itself: ``python -m docs.figures``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reference import (
    SGD,
    Array,
    HalfSquaredErrorLoss,
    Line,
    Linear,
    Model,
    Module,
    Params,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    XORNetwork,
)

FOLDER = Path(__file__).parent / "pictures"
X = np.linspace(-8.0, 8.0, 321)


def output(layer: Module, x: Array) -> Array:
    """What a layer without parameters makes of x."""
    y: Array = layer.forward({}, x)[0]
    return y


def line_model(k: float) -> Model:
    """The line y = kx + 3, to be taught by steps of 0.01."""
    params = {"0.weight": np.array([[k]])}
    return Model(Line(offset=3.0), HalfSquaredErrorLoss(), SGD(lr=0.01), params)


def neuron_model(weight: float, bias: float) -> Model:
    """A neuron with one input, to be taught by steps of 2."""
    params = {"0.weight": np.array([[weight]]), "0.bias": np.array([bias])}
    return Model(Sequential(Linear(1, 1), Sigmoid()), HalfSquaredErrorLoss(), SGD(lr=2.0), params)


def path(model: Model, x: Array, target: Array, steps: int) -> list[tuple[Params, float]]:
    """Parameters and loss before each step."""
    return [(model.state_dict(), model.step(x, target)) for _ in range(steps)]


def activations(axes: Axes) -> None:
    """Sigmoid, tanh and ReLU."""
    for layer in (Sigmoid(), Tanh(), ReLU()):
        axes.plot(X, output(layer, X), label=type(layer).__name__)
    axes.set(ylim=(-1.5, 3), xlabel="x", ylabel="y")
    axes.legend()


def steepness(axes: Axes) -> None:
    """A weight changes how steep the sigmoid is."""
    for weight in (0.5, 1.0, 2.0):
        axes.plot(X, output(Sigmoid(), weight * X), label=f"w = {weight:g}")
    axes.set(xlabel="x", ylabel="σ(w x)")
    axes.legend()


def bias(axes: Axes) -> None:
    """A bias moves the sigmoid."""
    for shift in (-5.0, 0.0, 5.0):
        axes.plot(X, output(Sigmoid(), X + shift), label=f"b = {shift:g}")
    axes.set(xlabel="x", ylabel="σ(x + b)")
    axes.legend()


def descent(axes: Axes) -> None:
    """The error of the line over its slope, and the steps down."""
    x, target = np.array([[5.0]]), np.array([[21.0]])
    slopes = np.linspace(0.5, 6.5, 121)
    axes.plot(slopes, [line_model(k).step(x, target) for k in slopes])
    steps = path(line_model(1.0), x, target, 12)
    axes.plot([p["0.weight"].item() for p, _ in steps], [error for _, error in steps], "o-")
    axes.set(xlabel="k", ylabel="E")


def surface(axes: Axes) -> None:
    """The error of a neuron over its weight and its bias, and the steps down."""
    x, target = np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]])
    weights, biases = np.linspace(-4, 8, 61), np.linspace(-5, 3, 41)
    errors = [[neuron_model(w, b).step(x, target) for w in weights] for b in biases]
    filled = axes.contourf(weights, biases, errors, levels=20)
    axes.get_figure(root=True).colorbar(filled, label="E")  # type: ignore[union-attr]
    steps = [p for p, _ in path(neuron_model(-3.0, 2.0), x, target, 100)]
    axes.plot([p["0.weight"].item() for p in steps], [p["0.bias"].item() for p in steps], "w.-")
    axes.set(xlabel="w", ylabel="b")


def error(axes: Axes) -> None:
    """The error of the XOR network over 5,000 epochs."""
    axes.plot(XORNetwork(seed=0).train(epochs=5000))
    axes.set(xlabel="epoch", ylabel="E", yscale="log")


PICTURES: dict[str, Callable[[Axes], None]] = {
    drawing.__name__: drawing for drawing in (activations, steepness, bias, descent, surface, error)
}


def draw(folder: Path) -> None:
    """Draw all pictures as SVG, the same bytes each time."""
    with mpl.rc_context({"svg.hashsalt": "backproof"}):
        for name, drawing in PICTURES.items():
            figure = Figure(figsize=(6, 3.6), layout="constrained")
            drawing(figure.subplots())
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    draw(FOLDER)
