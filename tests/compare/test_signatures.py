"""Each signature, planted on random gradients, is read from the numbers and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.diagnosis.evidence.facts import Facts, Other
from compare.diagnosis.signatures.read import read
from compare.results.cause import Cause, unexplained
from reference import Array

Gradients = dict[str, Array]
Change = Callable[[Gradients], Mapping[str, Array]]

#: No two sides of a layer alike, all alike, one unit, and shapes of convolution and embedding.
NETWORKS: dict[str, dict[str, tuple[int, ...]]] = {
    "oblong": {"0.weight": (5, 3), "0.bias": (5,), "2.weight": (4, 5), "2.bias": (4,)},
    "square": {"0.weight": (4, 4), "0.bias": (4,), "2.weight": (4, 4), "2.bias": (4,)},
    "xor": {"0.weight": (2, 2), "0.bias": (2,), "2.weight": (1, 2), "2.bias": (1,)},
    "scalars": {"0.weight": (1, 1), "0.bias": (1,), "2.weight": (1, 1), "2.bias": (1,)},
    "images": {"0.weight": (3, 2, 3, 2), "0.bias": (3,), "2.weight": (7, 4), "2.bias": (7,)},
}

FACTS = Facts(batch_size=7, outputs=5, lr=0.3)

each_network = pytest.mark.parametrize("network", NETWORKS)


@dataclass(frozen=True)
class Numbers:
    """Random gradients of a network, with what is allowed: 1e-12 of the largest entry."""

    expected: Gradients
    rng: np.random.Generator

    @property
    def allowed(self) -> Gradients:
        return {
            name: np.full(g.shape, 1e-12 * np.abs(g).max()) for name, g in self.expected.items()
        }

    def noisy(self, gradients: Mapping[str, Array]) -> Gradients:
        """The same to within half of what is allowed."""
        return {
            name: g + self.rng.uniform(-0.5, 0.5, g.shape) * self.allowed[name].max()
            for name, g in gradients.items()
        }

    def causes(self, change: Change, facts: Facts = FACTS) -> list[Cause]:
        """What is read when the gradients, with their noise, are changed like that."""
        actual = change(self.noisy(self.expected))
        return read(actual, self.expected, self.allowed, facts)


def numbers(network: str, seed: int = 0) -> Numbers:
    rng = np.random.default_rng(seed)
    return Numbers({name: rng.normal(size=s) for name, s in NETWORKS[network].items()}, rng)


def on(name: str, change: Callable[[Array], Array]) -> Change:
    """The change of one tensor."""
    return lambda gradients: {**gradients, name: change(gradients[name])}


def everywhere(change: Callable[[Array], Array]) -> Change:
    return lambda gradients: {name: change(g) for name, g in gradients.items()}


def only(causes: list[Cause]) -> Cause:
    assert len(causes) == 1, causes
    assert 0 <= causes[0].match <= 1
    return causes[0]


@each_network
@pytest.mark.parametrize(
    ("factor", "name", "convention"),
    [
        (7.0, "factor of the batch size", True),
        (1 / 7, "factor of 1 over the batch size", True),
        (2.0, "factor of 2", True),
        (0.5, "factor of 1 over 2", True),
        (5.0, "factor of the number of outputs", True),
        (0.2, "factor of 1 over the number of outputs", True),
        (35.0, "factor of the batch size times the number of outputs", True),
        (1 / 35, "factor of 1 over the batch size times the number of outputs", True),
        (2 / 35, "one factor of 0.0571429", False),
        (-1.0, "sign", False),
        (-7.0, "sign and factor of the batch size", False),
        (0.3, "factor of the learning rate", False),
        (0.37, "one factor of 0.37", False),
        (-411.5, "one factor of -411.5", False),
    ],
)
def test_one_factor_on_every_gradient(
    network: str, factor: float, name: str, convention: bool
) -> None:
    cause = only(numbers(network).causes(everywhere(lambda g: factor * g)))
    assert (cause.name, cause.convention) == (name, convention)
    assert cause.tensors == tuple(NETWORKS[network])
    assert cause.told.startswith("every gradient is")
    assert f"{factor:.6g}" in cause.told


def test_several_meanings_of_a_factor_are_one_cause() -> None:
    cause = only(
        numbers("oblong").causes(
            everywhere(lambda g: 4 * g), Facts(batch_size=4, outputs=4, lr=1.0)
        )
    )
    assert cause.name == "factor of the batch size or the number of outputs"
    assert "same direction, 4 times the length" in cause.told


@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_products_of_known_numbers_are_no_name(factor: float) -> None:
    facts = Facts(batch_size=6, outputs=3, lr=0.25)
    cause = only(numbers("oblong").causes(everywhere(lambda g: 3 * factor / 2 * g), facts))
    assert (
        cause.name
        == {2.0: "factor of the number of outputs", 4.0: "factor of the batch size"}[factor]
    )
    cause = only(numbers("oblong").causes(everywhere(lambda g: 9 * factor * g), facts))
    expected = {2.0: "factor of the batch size times the number of outputs"}
    assert cause.name == expected.get(factor, "one factor of 36")


@pytest.mark.parametrize(
    ("factor", "text"), [(1 + 1e-8, "1.00000001"), (2 - 3e-10, "1.9999999997"), (1.5, "1.5")]
)
def test_factor_near_a_round_number_is_told_with_all_digits(factor: float, text: str) -> None:
    cause = only(numbers("oblong").causes(everywhere(lambda g: factor * g)))
    assert cause.name == f"one factor of {text}"
    assert f"is {text} times PyTorch's" in cause.told


def test_known_number_that_another_learning_rate_refutes_is_not_named() -> None:
    drawn = numbers("oblong")
    doubled = {name: 2 * g for name, g in drawn.expected.items()}
    other = Other(doubled, drawn.expected, drawn.allowed, lr=1 / 32)
    facts = Facts(lr=0.5, other=other)
    assert only(drawn.causes(everywhere(lambda g: 2 * g), facts)).name == "factor of 2"
    once = Other(
        {n: 32 * g for n, g in drawn.expected.items()}, drawn.expected, drawn.allowed, lr=1 / 32
    )
    found = drawn.causes(everywhere(lambda g: 2 * g), Facts(lr=0.5, other=once))
    assert "factor of 2 or 1 over the learning rate" in [cause.name for cause in found]


def test_factor_is_read_where_a_gradient_is_zero_on_both_sides() -> None:
    drawn = numbers("oblong")
    drawn.expected["0.weight"][:] = 0
    allowed = {**drawn.allowed, "0.weight": np.full((5, 3), 1e-12)}
    actual = {name: 7 * g for name, g in drawn.expected.items()}
    cause = only(read(actual, drawn.expected, allowed, FACTS))
    assert cause.told.startswith("every gradient is 7 times PyTorch's")


@each_network
@pytest.mark.parametrize("factor", [1 / 7, -1.0, 0.3])
def test_known_factor_on_one_tensor(network: str, factor: float) -> None:
    cause = only(numbers(network).causes(on("2.bias", lambda g: factor * g)))
    assert cause.tensors == ("2.bias",)
    assert not cause.convention
    assert cause.name.endswith(", on 2.bias")
    assert cause.told.startswith("2.bias is, and all others are right,")


@pytest.mark.parametrize("network", ["oblong", "square", "xor", "images"])
def test_unknown_factor_on_one_tensor(network: str) -> None:
    cause = only(numbers(network).causes(on("2.weight", lambda g: 0.37 * g)))
    assert cause.name == "one factor of 0.37, on 2.weight"


@pytest.mark.parametrize("network", ["xor", "scalars"])
def test_unknown_factor_on_a_single_number_explains_nothing(network: str) -> None:
    assert numbers(network).causes(on("2.bias", lambda g: 0.37 * g)) == []


@each_network
def test_mean_for_sum_on_biases_only(network: str) -> None:
    mean: Change = lambda g: {k: v / 7 if k.endswith("bias") else v for k, v in g.items()}  # noqa: E731
    cause = only(numbers(network).causes(mean))
    assert cause.name == "factor of 1 over the batch size, on every bias"


@each_network
def test_factor_from_a_layer_backwards(network: str) -> None:
    back: Change = lambda g: {k: 3 * v if k.startswith("0") else v for k, v in g.items()}  # noqa: E731
    cause = only(numbers(network).causes(back))
    assert cause.name == "one factor of 3, up to layer 0"
    assert cause.tensors == ("0.weight", "0.bias")


@pytest.mark.parametrize(
    ("network", "tensor", "change", "name", "told"),
    [
        ("oblong", "0.weight", np.transpose, "transposed", "transposed"),
        ("square", "0.weight", np.transpose, "transposed", "transposed"),
        ("images", "0.weight", lambda g: g.swapaxes(0, 1), "transposed", "(1, 0, 2, 3)"),
        ("images", "0.weight", lambda g: g[:, :, ::-1, ::-1], "reversed", "axis 2 and 3"),
        ("oblong", "0.weight", lambda g: g.T.reshape(5, 3), "reshaped for transposed", "column"),
        ("oblong", "0.weight", lambda g: g[::-1], "reversed", "axis 0"),
        ("oblong", "0.bias", lambda g: g[::-1], "reversed", "reversed"),
        ("oblong", "0.bias", lambda g: g[[2, 0, 1, 4, 3]], "entries permuted", "2, 0, 1, 4 and 3"),
        ("oblong", "2.weight", lambda g: g[:, [1, 0, 2, 4, 3]], "columns permuted", "1, 0, 2"),
        ("oblong", "0.weight", lambda g: g[[1, 0, 2, 3, 4]], "rows permuted", "1, 0, 2, 3 and 4"),
        ("oblong", "2.weight", lambda g: g[[2, 3, 0, 1]], "blocks of rows permuted", "[1, 0]"),
        ("oblong", "0.weight", lambda g: g.ravel(), "entries permuted", "all of them"),
        ("oblong", "0.weight", np.zeros_like, "never trained", "all 15"),
        ("scalars", "0.weight", np.zeros_like, "never trained", "all 1 "),
        ("oblong", "0.weight", lambda g: g * [1, 0, 1], "trained in part", "5 of 15"),
        ("oblong", "0.bias", lambda g: np.full(5, g.sum()), "one number for all units", "sum"),
        ("oblong", "0.bias", lambda g: np.full(5, g.mean()), "one number for all units", "mean"),
        ("oblong", "0.bias", lambda g: np.full(5, g[0]), "one number for all units", "the first"),
        ("oblong", "0.bias", lambda g: g.sum(), "one number for all units", "sum"),
        ("oblong", "0.bias", lambda g: np.full(5, 0.61), "one number for all units", "0.61"),
        ("oblong", "0.bias", lambda g: g * [1, 1, np.nan, 1, 1], "not finite", "1 of 5"),
        ("scalars", "0.bias", lambda g: g / 0 * np.inf, "not finite", "1 of 1"),
        (
            "oblong",
            "0.weight",
            lambda g: np.outer([0.3, -1, 2, 0.4, 3], [0.1, 1, -2]),
            "rank one",
            "outer product",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_one_tensor_changed(
    network: str, tensor: str, change: Callable[[Array], Array], name: str, told: str
) -> None:
    cause = only(numbers(network).causes(on(tensor, change)))
    assert cause.name == name
    assert cause.tensors == (tensor,)
    assert told in cause.told


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda g: g * [[1.0], [-2], [0.3], [0], [5]], "one factor for each unit"),
        (lambda g: g * [1.0, -2, 0.3], "one factor for each input"),
    ],
)
def test_factors_of_rows_and_columns(change: Callable[[Array], Array], name: str) -> None:
    assert only(numbers("oblong").causes(on("0.weight", change))).name == name


def test_another_fault_beside_a_factor() -> None:
    scaled: Change = lambda g: {name: 7 * array for name, array in g.items()}  # noqa: E731
    both: Change = lambda g: on("2.weight", np.transpose)(dict(scaled(g)))  # noqa: E731
    factor, transposed = numbers("oblong").causes(both)
    assert factor.tensors == ("0.weight", "0.bias", "2.bias")
    assert factor.name.startswith("factor of the batch size")
    assert (transposed.name, transposed.tensors) == ("transposed", ("2.weight",))
    assert "once the factor of 7" in transposed.told


def test_same_change_of_several_tensors_is_one_cause() -> None:
    transposed: Change = lambda g: {name: array.T for name, array in g.items()}  # noqa: E731
    cause = only(numbers("square").causes(transposed))
    assert (cause.name, cause.tensors) == ("transposed", ("0.weight", "2.weight"))


def test_gates_in_another_order() -> None:
    drawn = numbers("oblong")
    drawn.expected["lstm.weight_ih_l0"] = drawn.rng.normal(size=(8, 3))
    drawn.expected["lstm.bias_ih_l0"] = drawn.rng.normal(size=8)
    order = [0, 1, 4, 5, 2, 3, 6, 7]
    swap: Change = lambda g: {k: v[order] if k.startswith("lstm") else v for k, v in g.items()}  # noqa: E731
    causes = drawn.causes(swap)
    assert [cause.tensors for cause in causes] == [("lstm.weight_ih_l0",), ("lstm.bias_ih_l0",)]
    assert all("permuted" in c.name and "in the order [0, 2, 1, 3]" in c.told for c in causes)


def test_gradient_of_another_parameter() -> None:
    causes = numbers("square").causes(lambda g: {**g, "0.bias": g["2.bias"]})
    assert only(causes).name == "gradient of 2.bias"


def test_each_of_two_faults_is_named() -> None:
    def both(gradients: Gradients) -> Gradients:
        return {**gradients, "0.bias": gradients["0.bias"] / 7, "2.weight": gradients["2.weight"].T}

    causes = numbers("oblong").causes(both)
    assert {(cause.name, cause.tensors) for cause in causes} == {
        ("factor of 1 over the batch size, on 0.bias", ("0.bias",)),
        ("transposed", ("2.weight",)),
    }
    assert unexplained(causes, ["0.bias", "0.weight", "2.weight"]) == ["0.weight"]


@each_network
@pytest.mark.parametrize("decay", [0.01, -0.01])
@pytest.mark.parametrize("kind", ["weight", "L1"])
@pytest.mark.parametrize("where", ["", " on biases", " on weights"])
def test_decay(network: str, decay: float, kind: str, where: str) -> None:
    drawn = numbers(network)
    weights = {name: drawn.rng.normal(size=g.shape) for name, g in drawn.expected.items()}
    basis = {name: np.sign(w) if kind == "L1" else w for name, w in weights.items()}

    def decayed(gradients: Gradients) -> Gradients:
        touched = [
            name
            for name in gradients
            if where in ("", f" on {name.split('.')[1]}es", f" on {name.split('.')[1]}s")
        ]
        return {n: g + decay * basis[n] if n in touched else g for n, g in gradients.items()}

    causes = drawn.causes(decayed, replace(FACTS, weights=weights))
    if (kind, network) == ("L1", "scalars") and where:  # two numbers: too few to tell
        assert causes == []
        return
    word = "extra" if decay > 0 else "missing"
    assert only(causes).name == f"{kind} decay {word}{where}"
    assert "0.01" in causes[0].told


def other(drawn: Numbers, actual: Gradients, lr: float, step: int) -> Other:
    return Other(actual, drawn.expected, drawn.allowed, lr, step)


@each_network
def test_gradients_accumulated(network: str) -> None:
    before, now = numbers(network, 1), numbers(network, 2)
    first = before.noisy(before.expected)
    facts = replace(FACTS, step=2, other=other(before, first, 0.3, 1))
    causes = now.causes(lambda g: {name: g[name] + first[name] for name in g}, facts)
    assert [cause.name for cause in causes] == ["gradients accumulated", "only from step 2"]
    assert causes[0].tensors == causes[1].tensors == tuple(NETWORKS[network])


def test_gradients_accumulated_over_all_steps() -> None:
    before, now = numbers("oblong", 1), numbers("oblong", 2)
    left = {name: 2.5 + g for name, g in before.noisy(before.expected).items()}
    facts = replace(FACTS, step=3, other=other(before, left, 0.3, 2))
    cause = only(now.causes(lambda g: {name: g[name] + left[name] for name in g}, facts))
    assert cause.name == "gradients accumulated"
    assert cause.tensors == tuple(NETWORKS["oblong"])


@each_network
@pytest.mark.parametrize(("part", "name"), [(-0.9, "state lost"), (0.9, "state kept too long")])
def test_part_of_the_step_before(network: str, part: float, name: str) -> None:
    before, now = numbers(network, 1), numbers(network, 2)
    first = before.noisy(before.expected)
    facts = replace(FACTS, step=2, other=other(before, first, 0.3, 1))
    causes = now.causes(lambda g: {n: g[n] + part * first[n] for n in g}, facts)
    assert [cause.name for cause in causes] == [name, "only from step 2"]


def test_unrelated_from_step_2_on() -> None:
    before, now = numbers("oblong", 1), numbers("oblong", 2)
    facts = replace(FACTS, step=2, other=other(before, before.noisy(before.expected), 0.3, 1))
    causes = now.causes(everywhere(np.exp), facts)
    assert only(causes).name == "only from step 2"


def test_wrong_from_the_first_step_is_not_only_later() -> None:
    before, now = numbers("oblong", 1), numbers("oblong", 2)
    wrong = {name: np.exp(g) for name, g in before.expected.items()}
    facts = replace(FACTS, step=2, other=other(before, wrong, 0.3, 1))
    assert now.causes(everywhere(np.exp), facts) == []


@each_network
def test_lr_inside_the_momentum_buffer(network: str) -> None:
    """Steps with momentum 0.9: the fault's buffer has lr 0.3 in it when lr goes to 0.1."""
    before, now = numbers(network, 1), numbers(network, 2)
    last = before.noisy(before.expected)
    facts = replace(FACTS, lr=0.1, step=5, other=other(before, last, 0.3, 4))
    causes = now.causes(lambda g: {n: g[n] + 0.9 * (1 - 0.1 / 0.3) * last[n] for n in g}, facts)
    names = ["learning rate inside the momentum buffer", "only once lr changes"]
    assert [cause.name for cause in causes] == names
    assert "momentum 0.9" in causes[0].told


def test_weights_updated_too_early() -> None:
    """A real backward pass whose error goes through weights that have had their step."""
    rng = np.random.default_rng(0)
    x, hidden, out = rng.normal(size=(7, 3)), rng.normal(size=(5, 3)), rng.normal(size=(4, 5))

    def gradients(lr: float) -> Gradients:
        h = np.tanh(x @ hidden.T)
        delta = np.cos(h @ out.T)
        late = out - lr * delta.T @ h
        back = delta @ late * (1 - h**2)
        return {"0.weight": back.T @ x, "2.weight": delta.T @ h}

    right = gradients(0.0)
    allowed = {name: np.asarray(1e-12) for name in right}
    again = Other(gradients(0.1), right, allowed, lr=0.1)
    facts = Facts(batch_size=7, outputs=4, lr=0.3, other=again)
    cause = only(read(gradients(0.3), right, allowed, facts))
    assert cause.name == "weights updated before the error is propagated through them"
    assert cause.tensors == ("0.weight",)


def random_numbers(seed: int) -> Numbers:
    """Gradients of a random network: layers of 1 to 6 units, entries of very unequal size."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 7, rng.integers(2, 5))
    expected = {}
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        for name, shape in (("weight", (fan_out, fan_in)), ("bias", (fan_out,))):
            scale = 10.0 ** rng.uniform(-6, 1, shape) * (rng.random(shape) > 0.1)
            expected[f"{2 * layer}.{name}"] = rng.normal(size=shape) * scale
    return Numbers(expected, rng)


def all_facts(drawn: Numbers) -> Facts:
    weights = {name: drawn.rng.normal(size=g.shape) for name, g in drawn.expected.items()}
    before = Numbers(
        {n: drawn.rng.normal(size=g.shape) for n, g in drawn.expected.items()}, drawn.rng
    )
    first = before.noisy(before.expected)
    return Facts(4, 2, 0.1, 2, weights, other(before, first, 0.1, 2))


@pytest.mark.parametrize("block", range(10))
def test_nothing_is_named_on_correct_gradients(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        drawn = random_numbers(seed)
        assert drawn.causes(dict, all_facts(drawn)) == []
        tight = {name: np.abs(g) * 1e-15 for name, g in drawn.expected.items()}
        assert read(drawn.expected, drawn.expected, tight) == []


@pytest.mark.parametrize("tolerance", [1e-12, 1e-3])
@pytest.mark.parametrize("block", range(5))
def test_nothing_is_named_on_gradients_wrong_at_random(block: int, tolerance: float) -> None:
    named = 0
    for seed in range(100 * block, 100 * block + 100):
        drawn = random_numbers(seed)
        actual = {name: drawn.rng.normal(size=g.shape) for name, g in drawn.expected.items()}
        allowed = {name: np.full(g.shape, tolerance) for name, g in drawn.expected.items()}
        named += bool(read(actual, drawn.expected, allowed, all_facts(drawn)))
    assert named <= (0 if tolerance < 1e-6 else 1)


shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
values = st.sampled_from([0.0, 1.0, -2.5, 1e-310, 1e300, np.inf, -np.inf, np.nan])


@st.composite
def any_side(draw: st.DrawFn) -> Array:
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    shape = draw(shapes)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    array = np.asarray(rng.normal(size=shape))
    with np.errstate(over="ignore"):
        return np.where(rng.random(shape) < draw(st.floats(0, 1)), draw(values), array).astype(
            dtype
        )


@given(any_side(), any_side(), any_side(), st.sampled_from([0.0, 1e-300, 1e-12, 1.0, np.inf]))
def test_any_two_arrays_are_read_without_a_word(
    first: Array, second: Array, expected: Array, allowed: float
) -> None:
    """Whatever the shapes and numbers: no exception, no warning, no cause without a match."""
    names = ("0.weight", "0.bias")
    actual = dict(zip(names, (first, second), strict=True))
    both = dict.fromkeys(names, expected)
    tolerance = {name: np.asarray(allowed) for name in names}
    earlier = Other(actual, both, tolerance, 0.2, 1)
    facts = Facts(3, 2, 0.1, 2, weights=both, other=earlier)
    for facts_known in (facts, replace(facts, other=replace(earlier, step=2)), Facts()):
        causes = read(actual, both, tolerance, facts_known)
        assert all(0 <= cause.match <= 1 for cause in causes)


@given(
    st.integers(0, 999), st.floats(-1e3, 1e3).filter(lambda c: abs(c) > 1e-3 and abs(c - 1) > 1e-3)
)
def test_any_factor_is_read_to_all_its_digits(seed: int, factor: float) -> None:
    drawn = random_numbers(seed)
    causes = drawn.causes(everywhere(lambda g: factor * g), Facts())
    if sum(np.count_nonzero(np.abs(g) > 1e-6) for g in drawn.expected.values()) > 1:
        assert any(f"{factor:.6g} times PyTorch's" in cause.told for cause in causes)
