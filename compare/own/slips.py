"""What people do instead of the right thing in one place of a backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from compare.own.activations import KNOWN, Activation, Known, activations
from compare.own.graph import Change, Graph, Node, Product, Swap, inputs, kind, origin, shape


@dataclass(frozen=True)
class Slip:
    """One mistake at one place.

    Attributes:
        name: in a few words.
        told: what is done instead, for a sentence.
        remedy: what to do.
        at: what is at the place, in a word.
        changes: what is handed on instead.
        swaps: through which weights instead.
        place: the parameter, or the like, that tells the place; empty if it has none.
    """

    name: str
    told: str
    remedy: str
    at: str
    changes: tuple[Change, ...] = ()
    swaps: tuple[Swap, ...] = ()
    place: str = ""

    def touches(self, graph: Graph) -> frozenset[str]:
        """The parameters whose gradients it may change."""
        ways = graph.ways
        parts = [ways.reached(one.node, one.edge) for one in self.changes]
        parts += [ways.reached(one.product.node, one.product.error) for one in self.swaps]
        return frozenset().union(*parts)


EARLY = "weights updated before the error is propagated through them"
_ONE_FORMULA = "use the formula for what is handed to it: of the output y, or of the input x"


def slips(graph: Graph) -> list[Slip]:
    """All that are known, at all places, those from the loss on first."""
    places = activations(graph)
    return [
        *(slip for product in graph.ways.products for slip in _in_product(graph, product, places)),
        *(slip for place in places for slip in _in_activation(place)),
        *(slip for node in graph.ways.nodes for slip in _in_factor(graph, node)),
        *(slip for node in graph.ways.nodes for slip in _in_sum(graph, node)),
        *(slip for node in graph.ways.nodes for slip in _in_maximum(graph, node)),
        *_in_recurrence(graph),
    ]


def _in_activation(place: Activation) -> Iterator[Slip]:
    def slip(
        name: str, told: str, remedy: str, instead: Callable[[Tensor, Tensor], Tensor]
    ) -> Slip:
        def change(right: Tensor, reached: Tensor | None) -> Tensor | None:
            return None if reached is None else instead(right, reached)

        return Slip(
            name, told, remedy, place.name, (Change(place.tail, place.edge, change, place.head),)
        )

    yield slip("missing derivative", "the derivative of the activation is missing",
               "multiply the error by the activation's derivative there",
               lambda right, reached: reached)  # fmt: skip
    yield slip("derivative applied twice", "the derivative of the activation is applied twice",
               "multiply the error by the activation's derivative once",
               lambda right, reached: place.back(right))  # fmt: skip
    x, y = place.x, place.y
    if x is not None and place.name in ("relu", "clamp", "threshold"):
        yield slip("ReLU'(0) = 1", "the derivative of ReLU at exactly 0 is taken to be 1",
                   "take 0 there, as PyTorch does: x > 0, not x >= 0",
                   lambda right, reached: reached * (x >= 0))  # fmt: skip
    if place.name == "softmax" and y is not None:
        yield slip("softmax without its off-diagonal",
                   "only the diagonal of softmax's Jacobian is used", "dx = y (dy − Σ dy y)",
                   lambda right, reached: reached * y * (1 - y))  # fmt: skip
    for one in KNOWN:
        for what, slope in _slopes(place, one):
            yield slip(*_words(place, one, what), partial(_times, slope))


def _times(slope: Callable[[], Tensor], right: Tensor, reached: Tensor) -> Tensor:
    return reached * slope()


def _words(place: Activation, one: Known, what: str) -> tuple[str, str, str]:
    """Name, sentence and remedy of a derivative that is another one, or elsewhere."""
    if one.name == place.name:
        return "derivative taken at the wrong place", what, _ONE_FORMULA
    forms = place.name.startswith("gelu") and one.name.startswith("gelu")
    return (
        "another form of GELU" if forms else "derivative of another activation",
        f"{place.name} is differentiated as if it were {one.name}, {what}",
        "use the derivative of the activation that is in the forward pass",
    )


def _slopes(place: Activation, one: Known) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """A known derivative from the input or the output, in words, and what it is."""
    x, y, of_output = place.x, place.y, one.of_output
    own = one.name == place.name
    if x is not None and not own:
        yield "from its input", lambda: one.slope(x)
    if y is not None and of_output is not None and not own:
        yield one.formula, lambda: of_output(y)
    if x is not None and of_output is not None:
        yield (
            f"{one.formula}, which is for the output, is given the pre-activation",
            lambda: of_output(x),
        )
    if y is not None:
        yield (
            f"the derivative of {one.name} from its input, the pre-activation, is given the output",
            lambda: one.slope(y),
        )


def _in_product(graph: Graph, product: Product, places: list[Activation]) -> Iterator[Slip]:
    if inputs(product.node)[product.error] is None:
        return
    at = "product with a weight"
    early = Swap(product, lambda right, late: late)
    yield Slip(
        EARLY,
        "the error is carried back through the weight as it is after its update",
        "compute all gradients first, then update all parameters",
        at, swaps=(early,), place=product.weight,
    )  # fmt: skip
    yield Slip(
        "weight not transposed",
        "the error is carried back through the weight itself",
        "carry it back through the transpose of the weight",
        at, swaps=(Swap(product, _turned),), place=product.weight,
    )  # fmt: skip
    above = _above(graph, product, places)
    if above is None:
        return

    def lacking(right: Tensor, reached: Tensor | None) -> Tensor | None:
        if reached is None:
            return None
        given = reached.reshape(shape(product.node))
        handed: Tensor = product.node(given)[product.error]
        return handed

    yield Slip(
        "error carried back before the derivative of its layer",
        f"the error that is carried back through the weight lacks the derivative of the layer's "
        f"{above.name}, which the weight's own gradient has",
        "multiply the error by the derivative of the layer's activation, then carry that back",
        at, (Change(product.node, product.error, lacking, above.head),), place=product.weight,
    )  # fmt: skip


def _turned(right: Tensor, late: Tensor) -> Tensor | None:
    square = right.dim() > 1 and right.shape[-1] == right.shape[-2]
    return right.transpose(-1, -2) if square else None


def _above(graph: Graph, product: Product, places: list[Activation]) -> Activation | None:
    """The activation of the layer: the one that is given the product, but for a bias."""
    numel = torch.Size(shape(product.node)).numel()
    for place in reversed(places):
        there = inputs(place.tail)[place.edge]
        while there is not None and there is not product.node:
            there = _through(there, product)
        if there is product.node and torch.Size(shape(place.head)).numel() == numel:
            return place
    return None


def _through(node: Node, product: Product) -> Node | None:
    """The next one on the way to a product, past moves and the addition of a bias."""
    moved = origin(node)
    if moved is not node:
        return moved
    if kind(node) not in ("Add", "Sub"):
        return None
    return next((origin(one) for one in inputs(node) if origin(one) is product.node), None)


def _in_factor(graph: Graph, node: Node) -> Iterator[Slip]:
    """Multiplications and divisions by something else."""
    if kind(node) not in ("Mul", "Div"):
        return
    for edge, there in enumerate(inputs(node)):
        if there is None or (kind(node) == "Div" and edge == 1):
            continue
        what = _other_factor(graph, node, edge)

        def again(right: Tensor, reached: Tensor | None, edge: int = edge) -> Tensor:
            handed: Tensor = node(right)[edge]
            return handed

        def inverse(right: Tensor, reached: Tensor | None) -> Tensor | None:
            return None if reached is None else reached * reached / right

        verb = "multiplied" if kind(node) == "Mul" else "divided"
        both = ("division", "multiplication")
        done, right_one = both if kind(node) == "Mul" else both[::-1]
        yield Slip(
            "missing factor",
            f"the error that is handed on is not {verb} by {what}",
            f"the forward pass is {verb} by it there, so the error has to be as well",
            "such operation", (Change(node, edge, lambda right, reached: reached, node),),
        )  # fmt: skip
        yield Slip(
            "factor applied twice",
            f"the error that is handed on is {verb} by {what} twice",
            f"it has to be {verb} by it once",
            "such operation", (Change(node, edge, again),),
        )  # fmt: skip
        yield Slip(
            f"{done} for {right_one}",
            f"the error should be {verb} by {what}, and the reverse is done",
            f"it has to be {verb} by it, as the forward pass is",
            "such operation", (Change(node, edge, inverse, node),),
        )  # fmt: skip


def _other_factor(graph: Graph, node: Node, edge: int) -> str:
    """What the other factor is called."""
    there = origin(inputs(node)[1 - edge])
    if there is not None:
        names = graph.ways.reach[there]
        return next(iter(names)) if hasattr(there, "variable") and names else "the other factor"
    other = getattr(node, "_saved_other" if edge == 0 else "_saved_self", None)
    if isinstance(other, Tensor) and other.numel() == 1:
        return f"{float(other):.6g}"
    return "the other factor"


def _in_sum(graph: Graph, node: Node) -> Iterator[Slip]:
    """Sums of two branches, as of a residual connection."""
    if kind(node) != "Add" or None in inputs(node):
        return
    if any(hasattr(origin(one), "variable") for one in inputs(node)):
        return
    for edge in (0, 1):
        other = inputs(node)[1 - edge]
        yield Slip(
            "gradient of a branch left out",
            "the error that reaches a sum is handed on to one of its two terms only",
            "hand it on to both",
            "sum", (Change(node, edge, lambda right, reached: torch.zeros_like(right)),),
        )  # fmt: skip
        if shape(other) != shape(node):
            continue

        def spoilt(right: Tensor, reached: Tensor | None, other: Node = other) -> Tensor | None:
            handed = other(right)
            found = (
                handed if isinstance(handed, Tensor) else next(filter(None.__ne__, handed), None)
            )
            return found if found is not None and found.shape == right.shape else None

        yield Slip(
            "error overwritten",
            f"one branch of a sum changes the error in place ({kind(other).lower()}), and the "
            f"other branch is handed that",
            "copy the error before a branch changes it: dz = dy.copy(), or dz = dy * slope",
            "sum", (Change(node, edge, spoilt),),
        )  # fmt: skip


def _in_maximum(graph: Graph, node: Node) -> Iterator[Slip]:
    if kind(node) not in _MAXIMA:
        return

    def change(right: Tensor, reached: Tensor | None) -> Tensor | None:
        x = _kept_input(graph, node)
        return None if reached is None or x is None else _MAXIMA[kind(node)](node, x, reached)

    yield Slip(
        "every tied maximum gets the gradient",
        "where several numbers are equally large, each gets the whole gradient",
        "give it to one of them, the first, as PyTorch does: use argmax, not x == max",
        "maximum", (Change(node, 0, change, node),),
    )  # fmt: skip


def _kept_input(graph: Graph, node: Node) -> Tensor | None:
    kept = getattr(node, "_saved_self", None)
    return kept if isinstance(kept, Tensor) else graph.output(inputs(node)[0])


def _all_of_window(node: Node, x: Tensor, gradient: Tensor) -> Tensor | None:
    """Max pooling's gradient with no choice between ties."""
    size, axes = list(node._saved_kernel_size), len(node._saved_kernel_size)
    stride = list(node._saved_stride) or size
    padding, dilation = list(node._saved_padding), list(node._saved_dilation)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        both = [pad for one in reversed(padding) for pad in (one, one)]
        windows = torch.nn.functional.pad(x, both, value=-torch.inf)
        for axis in range(axes):
            reach = dilation[axis] * (size[axis] - 1) + 1
            windows = windows.unfold(-axes, reach, stride[axis])[..., :: dilation[axis]]
        within = tuple(range(-axes, 0))
        top = windows.amax(within, keepdim=True)
        picked = torch.where(windows == top, windows, 0).sum(within)
        if picked.shape != gradient.shape:
            return None  # windows beyond the edge
        return torch.autograd.grad(picked, x, gradient)[0]


def _all_along_axis(node: Node, x: Tensor, gradient: Tensor) -> Tensor:
    axis = node._saved_dim
    axes = [axis] if isinstance(axis, int) else list(axis) or list(range(x.dim()))
    axes = [one - 2**64 if one >= 2**63 else one for one in axes]  # kept without a sign
    if not node._saved_keepdim:
        for one in sorted(one % x.dim() for one in axes):
            gradient = gradient.unsqueeze(one)
    return (x == x.amax(axes, keepdim=True)) * gradient


_MAXIMA: dict[str, Callable[[Node, Tensor, Tensor], Tensor | None]] = {
    "MaxPool2DWithIndices": _all_of_window,
    "MaxPool3DWithIndices": _all_of_window,
    "Max": _all_along_axis,
    "Amax": _all_along_axis,
}


def _in_recurrence(graph: Graph) -> Iterator[Slip]:
    """Weights through which the same state passes again and again."""
    ways = graph.ways
    loops: dict[str, list[Product]] = {}
    for product in ways.products:
        if product.other is not None and product.weight in ways.reach[product.other]:
            loops.setdefault(product.weight, []).append(product)
    for weight, steps in loops.items():
        at = "recurrence"
        zero = tuple(
            Change(one.node, one.error, lambda right, reached: torch.zeros_like(right))
            for one in steps
        )
        yield Slip(
            "gradient from later steps left out",
            "no error is carried back from one step to the one before",
            "add the error of the next step, carried back through the recurrent weight",
            at, zero, place=weight,
        )  # fmt: skip
        states = {one.other for one in steps}
        for last in ways.products:
            inner = last.other is not None and weight in ways.reach[last.other]
            if inner and last.weight != weight and last.other not in states:
                yield _injected(last, steps, at)


def _injected(last: Product, steps: list[Product], at: str) -> Slip:
    def added(right: Tensor, reached: Tensor | None) -> Tensor | None:
        if reached is None:
            return None
        extra: Tensor = last.node(reached)[last.error]
        return right + extra.reshape(right.shape)

    changes = tuple(Change(*_entry(one.node, one.error), added, last.node) for one in steps)
    return Slip(
        "last step's error injected at every step",
        "the error that comes back from the output, which belongs to the last step, is added at "
        "every step",
        "add it at the last step only, and carry it back from there",
        at, changes, place=last.weight,
    )  # fmt: skip


def _entry(node: Node, edge: int) -> tuple[Node, int]:
    """The place from which a state itself gets its gradient."""
    while (there := inputs(node)[edge]) is not origin(there):
        node = there
        edge = next(edge for edge, one in enumerate(inputs(node)) if one is not None)
    return node, edge
