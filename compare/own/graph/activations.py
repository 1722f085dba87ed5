"""Activations in a graph: PyTorch's own, and those composed of others, known by their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from compare.own.graph.edges import Node, can_be_called, inputs, kind, shape
from compare.own.graph.graph import Graph

#: Operations that are an activation by themselves, and what they are called.
_CALLED = {
    **{"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "LeakyRelu": "leaky relu"},
    **{"Elu": "elu", "Celu": "celu", "Silu": "silu", "Gelu": "gelu", "Softplus": "softplus"},
    **{"Hardtanh": "hardtanh", "Mish": "mish", "Hardswish": "hardswish", "Threshold": "threshold"},
    **{"LogSigmoid": "log sigmoid", "Hardsigmoid": "hardsigmoid", "PreluKernel": "prelu"},
    **{"Softmax": "softmax", "LogSoftmax": "log softmax", "Softshrink": "softshrink"},
    **{"Hardshrink": "hardshrink", "ClampMin": "clamp", "Clamp": "clamp", "Erf": "erf"},
    **{"Sin": "sin", "Cos": "cos", "Atan": "atan", "Exp": "exp", "Log": "log", "Sqrt": "sqrt"},
    **{"Pow": "power", "Abs": "abs", "Reciprocal": "reciprocal", "Log1P": "log1p"},
}

#: What others are made of; each gives one gradient, of the same shape.
_PARTS = ("Add", "Sub", "Rsub", "Mul", "Div", "Neg", "Exp", "Reciprocal", "Pow", "Sigmoid", "Tanh")

#: So many operations make one activation at most.
_LONGEST = 8

#: So many numbers are enough to know a function by its values.
_ENOUGH = 16


@dataclass(frozen=True)
class Known:
    """An activation and its derivative.

    Attributes:
        name: what it is called.
        function: from its input.
        formula: of the derivative, from the output; empty if there is none.
        of_output: the derivative from the output.
    """

    name: str
    function: Callable[[Tensor], Tensor]
    formula: str = ""
    of_output: Callable[[Tensor], Tensor] | None = None

    def slope(self, x: Tensor) -> Tensor:
        """The derivative from the input."""
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            found: Tensor = torch.autograd.grad(self.function(x).sum(), x)[0]
        return found


KNOWN = (
    Known("sigmoid", torch.sigmoid, "y (1 − y)", lambda y: y * (1 - y)),
    Known("tanh", torch.tanh, "1 − y²", lambda y: 1 - y * y),
    Known("relu", torch.relu, "1 where positive", lambda y: (y > 0).to(y.dtype)),
    Known(
        "leaky relu",
        functional.leaky_relu,
        "1 where positive, else 0.01",
        lambda y: torch.where(y > 0, 1.0, 0.01).to(y.dtype),
    ),
    Known("elu", functional.elu, "1 where positive, else y + 1", lambda y: (y + 1).clamp(max=1)),
    Known("softplus", functional.softplus, "1 − exp(−y)", lambda y: 1 - torch.exp(-y)),
    Known("silu", functional.silu),
    Known("gelu", functional.gelu),
    Known("gelu in its tanh form", lambda x: functional.gelu(x, approximate="tanh")),
    Known("selu", functional.selu),
    Known("softsign", functional.softsign),
    Known("hardtanh", functional.hardtanh),
    Known("mish", functional.mish),
    Known("sin", torch.sin),
    Known("exp", torch.exp, "y", lambda y: y),
    Known("square", torch.square),
)


@dataclass(frozen=True)
class Activation:
    """One place where a function is applied to each number, or to each row.

    Attributes:
        name: of the function.
        nodes: its operations, from the loss on.
        x: what it was given; None if that was not seen.
        y: what it gave.
    """

    name: str
    nodes: tuple[Node, ...]
    x: Tensor | None
    y: Tensor | None

    @property
    def head(self) -> Node:
        """Where the gradient comes in."""
        return self.nodes[0]

    @property
    def tail(self) -> Node:
        """Where it goes out."""
        return self.nodes[-1]

    @property
    def edge(self) -> int:
        """To which of the last operation's inputs."""
        return _edge(self.tail)

    def back(self, gradient: Tensor) -> Tensor:
        """What it makes of a gradient."""
        for node in self.nodes:
            gradient = _back(node, gradient, _edge(node))
        return gradient


def _back(node: Node, gradient: Tensor, edge: int) -> Tensor:
    handed = node(gradient)
    found: Tensor = handed if isinstance(handed, Tensor) else handed[edge]
    return found


def _edge(node: Node) -> int:
    return next(edge for edge, there in enumerate(inputs(node)) if there is not None)


def activations(graph: Graph) -> list[Activation]:
    """All of them, from the loss on."""
    return list(_each(graph))


def _each(graph: Graph) -> Iterator[Activation]:
    within: set[Node] = set()
    for node in graph.ways.nodes:
        if node in within or not _is_unary(node):
            continue
        composed = _composed(graph, node)
        if composed is not None:
            within.update(composed.nodes)
            yield composed
        elif kind(node) in _CALLED:
            yield Activation(_called(node), (node,), _input(graph, node), graph.output(node))


def _called(node: Node) -> str:
    tanh = getattr(node, "_saved_approximate", "none") == "tanh"
    return "gelu in its tanh form" if tanh else _CALLED[kind(node)]


def _is_unary(node: Node) -> bool:
    needed = [there for there in inputs(node) if there is not None]
    return len(needed) == 1 and can_be_called(node)


def _input(graph: Graph, tail: Node) -> Tensor | None:
    """What an operation was given, as it is kept, or as the one before it gave it."""
    try:
        return tail._saved_self.detach() if hasattr(tail, "_saved_self") else _before(graph, tail)
    except RuntimeError:  # overwritten since
        return None


def _before(graph: Graph, tail: Node) -> Tensor | None:
    before = inputs(tail)[_edge(tail)]
    variable = getattr(before, "variable", None)
    return graph.output(before) if variable is None else variable.detach()


def _composed(graph: Graph, head: Node) -> Activation | None:
    """The longest chain that is a known function, such as 1 / (1 + exp(−x))."""
    y = graph.output(head)
    if y is None or kind(head) not in _PARTS:
        return None
    chain, found = [head], None
    while len(chain) < _LONGEST:
        before = inputs(chain[-1])[_edge(chain[-1])]
        if kind(before) not in _PARTS or not _is_unary(before) or shape(before) != shape(head):
            break
        chain.append(before)
        x = _before(graph, before)
        known = None if x is None or x.shape != y.shape else _recognised(x, y)
        if known is not None:
            found = Activation(known.name, tuple(chain), x, y)
    return found


def _recognised(x: Tensor, y: Tensor) -> Known | None:
    x, y = x.reshape(-1)[:_ENOUGH], y.reshape(-1)[:_ENOUGH]
    return next(
        (one for one in KNOWN if torch.allclose(one.function(x), y, rtol=1e-6, atol=1e-12)), None
    )
