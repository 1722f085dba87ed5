"""Every update rule against its paper's equations, for one number, in forty digits.

No line of the reference or of PyTorch is used: what is a recurrence there is written out as a sum
here where the paper has one, so that both cannot share a mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf, sqrt

import reference
from reference import Optimizer

Options = dict[str, Any]
Number = Any  # mpmath's
Formula = Callable[[Number, list[Number], Options], list[Number]]
STEPS = 8


def mean_of(values: list[Number], beta: Number) -> Number:
    """(1 − β) Σ β^(t−i) xᵢ: a running mean from 0, written out."""
    t = len(values)
    return (1 - beta) * sum(beta ** (t - i) * x for i, x in enumerate(values, 1))


def sgd(p: Number, grads: list[Number], o: Options) -> list[Number]:
    """bₜ = μ^(t−1) g₁ + (1 − τ) Σ μ^(t−i) gᵢ, i from 2."""
    seen, path = [], []
    mu = o["momentum"]
    for t, g in enumerate(grads, 1):
        seen.append(g + o["weight_decay"] * p)
        later = sum(mu ** (t - i) * d for i, d in enumerate(seen[1:], 2))
        b = mu ** (t - 1) * seen[0] + (1 - o["dampening"]) * later
        p = p - o["lr"] * b
        path.append(p)
    return path


def nesterov(p: Number, grads: list[Number], o: Options) -> list[Number]:
    """Sutskever's two lines, for a gradient that is the same wherever it is taken.

    v ← μv − lr·g, θ ← θ + v, and the parameters PyTorch holds are where momentum leads: θ + μv.
    """
    theta, v, path = p, mpf(0), []
    for g in grads:
        v = o["momentum"] * v - o["lr"] * g
        theta = theta + v
        path.append(theta + o["momentum"] * v)
    return path


def adagrad(p: Number, grads: list[Number], o: Options) -> list[Number]:
    path, seen = [], []
    for t, g in enumerate(grads):
        seen.append(g)
        root = sqrt(o["initial_accumulator_value"] + sum(x**2 for x in seen))
        p = p - o["lr"] / (1 + t * o["lr_decay"]) * g / (root + o["eps"])
        path.append(p)
    return path


def adadelta(p: Number, grads: list[Number], o: Options) -> list[Number]:
    """Algorithm 1, with RMS[x] = √(E[x²] + ε)."""
    path: list[Number] = []
    squares: list[Number] = []
    deltas: list[Number] = []
    for g in grads:
        squares.append(g**2)
        rms_g = sqrt(mean_of(squares, o["rho"]) + o["eps"])
        rms_delta = sqrt(mean_of(deltas, o["rho"]) + o["eps"])
        delta = -rms_delta / rms_g * g
        deltas.append(delta**2)
        p = p + o["lr"] * delta
        path.append(p)
    return path


def rmsprop(p: Number, grads: list[Number], o: Options) -> list[Number]:
    """The variance about the running mean, times all that is left of the weights."""
    path, seen, quotients = [], [], []
    for t, g in enumerate(grads, 1):
        seen.append(g)
        v = mean_of([x**2 for x in seen], o["alpha"])
        if o["centered"]:
            v -= mean_of(seen, o["alpha"]) ** 2
        quotients.append(g / (sqrt(v) + o["eps"]))
        b = sum(o["momentum"] ** (t - i) * q for i, q in enumerate(quotients, 1))
        p = p - o["lr"] * b
        path.append(p)
    return path


def adam(p: Number, grads: list[Number], o: Options) -> list[Number]:
    path, seen, largest = [], [], mpf(0)
    beta1, beta2 = o["betas"]
    for t, g in enumerate(grads, 1):
        if o["decoupled_weight_decay"]:
            p = p - o["lr"] * o["weight_decay"] * p
            seen.append(g)
        else:
            seen.append(g + o["weight_decay"] * p)
        v = mean_of([x**2 for x in seen], beta2)
        largest = max(largest, v) if o["amsgrad"] else v
        m_hat = mean_of(seen, beta1) / (1 - beta1**t)
        p = p - o["lr"] * m_hat / (sqrt(largest / (1 - beta2**t)) + o["eps"])
        path.append(p)
    return path


def adamax(p: Number, grads: list[Number], o: Options) -> list[Number]:
    """u as the largest of the faded gradients, not as a recurrence."""
    path, seen = [], []
    beta1, beta2 = o["betas"]
    for t, g in enumerate(grads, 1):
        seen.append(g)
        u = max(beta2 ** (t - i) * (abs(x) + o["eps"]) for i, x in enumerate(seen, 1))
        p = p - o["lr"] / (1 - beta1**t) * mean_of(seen, beta1) / u
        path.append(p)
    return path


def nadam(p: Number, grads: list[Number], o: Options) -> list[Number]:
    path, seen = [], []
    beta1, beta2 = o["betas"]

    def mu(t: int) -> Number:
        return beta1 * (1 - mpf(0.5) * mpf(0.96) ** (t * o["momentum_decay"]))

    for t, g in enumerate(grads, 1):
        seen.append(g)
        till_now = mpmath.fprod(mu(i) for i in range(1, t + 1))
        with_next = mpmath.fprod(mu(i) for i in range(1, t + 2))
        m_hat = mu(t + 1) * mean_of(seen, beta1) / (1 - with_next)
        m_hat += (1 - mu(t)) * g / (1 - till_now)
        v_hat = mean_of([x**2 for x in seen], beta2) / (1 - beta2**t)
        p = p - o["lr"] * m_hat / (sqrt(v_hat) + o["eps"])
        path.append(p)
    return path


def radam(p: Number, grads: list[Number], o: Options) -> list[Number]:
    path, seen = [], []
    beta1, beta2 = o["betas"]
    rho_end = 2 / (1 - beta2) - 1
    for t, g in enumerate(grads, 1):
        seen.append(g)
        m_hat = mean_of(seen, beta1) / (1 - beta1**t)
        rho = rho_end - 2 * t * beta2**t / (1 - beta2**t)
        if rho > 5:
            v = mean_of([x**2 for x in seen], beta2)
            rate = sqrt(1 - beta2**t) / (sqrt(v) + o["eps"])
            ratio = (rho - 4) * (rho - 2) * rho_end / ((rho_end - 4) * (rho_end - 2) * rho)
            p = p - o["lr"] * sqrt(ratio) * rate * m_hat
        else:
            p = p - o["lr"] * m_hat
        path.append(p)
    return path


def rprop(p: Number, grads: list[Number], o: Options) -> list[Number]:
    """iRprop⁻ of Igel and Hüsken, figure 3."""
    path, size, before = [], o["lr"], mpf(0)
    for g in grads:
        if before * g > 0:
            size = min(size * o["etas"][1], o["step_sizes"][1])
        elif before * g < 0:
            size = max(size * o["etas"][0], o["step_sizes"][0])
            g = mpf(0)
        p = p - mpmath.sign(g) * size
        before = g
        path.append(p)
    return path


def asgd(p: Number, grads: list[Number], o: Options) -> list[Number]:
    path, eta = [], o["lr"]
    for t, g in enumerate(grads, 1):
        p = p - eta * (g + o["weight_decay"] * p + o["lambd"] * p)
        eta = o["lr"] * (1 + o["lambd"] * o["lr"] * t) ** -o["alpha"]
        path.append(p)
    return path


ADAM: Options = {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "amsgrad": False}
CASES: list[tuple[str, Options, Formula]] = [
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.2}, sgd),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}, nesterov),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "initial_accumulator_value": 0.3, "eps": 1e-2},
     adagrad),
    ("Adadelta", {"lr": 0.7, "rho": 0.8, "eps": 1e-3}, adadelta),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "eps": 1e-2, "momentum": 0.7, "centered": True}, rmsprop),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "eps": 1e-2, "momentum": 0.0, "centered": False},
     rmsprop),
    ("Adam", ADAM | {"weight_decay": 0.3, "decoupled_weight_decay": False}, adam),
    ("Adam", ADAM | {"weight_decay": 0.3, "decoupled_weight_decay": True}, adam),
    ("Adam", ADAM | {"weight_decay": 0.3, "decoupled_weight_decay": True, "amsgrad": True}, adam),
    ("Adamax", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}, adamax),
    ("NAdam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "momentum_decay": 0.5}, nadam),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3}, radam),
    ("Rprop", {"lr": 0.1, "etas": (0.5, 1.5), "step_sizes": (0.02, 0.2)}, rprop),
    ("ASGD", {"lr": 0.1, "lambd": 0.2, "alpha": 0.6, "weight_decay": 0.3}, asgd),
]  # fmt: skip
IDS = [f"{name}{i}" for i, (name, *_) in enumerate(CASES)]
GRADIENTS = [0.5, 0.25, -0.75, -0.625, 0.0, 1.5, 0.375, -0.125]


def reached(optimizer: Optimizer, dtype: str) -> list[Any]:
    """Where the reference is after each step, from 1."""
    params = {"p": np.array([1.0], dtype)}
    state, path = optimizer.init(params), []
    for g in GRADIENTS:
        params, state = optimizer.step(params, {"p": np.array([g], dtype)}, state)
        path.append(params["p"][0])
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
@pytest.mark.parametrize(("name", "options", "formula"), CASES, ids=IDS)
def test_follows_the_equations(name: str, options: Options, formula: Formula, dtype: str) -> None:
    assert_follows(getattr(reference, name)(**options), options, formula, dtype)


def assert_follows(optimizer: Optimizer, options: Options, formula: Formula, dtype: str) -> None:
    """Make sure that the optimizer goes where the formula does."""
    rtol = {"float32": 2e-6, "float64": 4e-15, "longdouble": 2e-18}[dtype]
    with mpmath.workdps(40):
        exact = {
            key: tuple(map(mpf, value)) if isinstance(value, tuple) else _number(value)
            for key, value in options.items()
        }
        expected = formula(mpf(1), [mpf(g) for g in GRADIENTS], exact)
        for actual, value in zip(reached(optimizer, dtype), expected, strict=True):
            assert abs(_exactly(actual) - value) <= rtol * max(1, abs(value))


def _number(value: Any) -> Any:
    return mpf(value) if isinstance(value, float) else value


def _exactly(value: Any) -> Number:
    """The number, in two halves of 53 bits."""
    high = float(value)
    return mpf(high) + mpf(float(value - high))


def test_what_longdouble_is_here_has_more_than_64_bits() -> None:
    """Else the test above would show nothing for it."""
    assert np.finfo(np.longdouble).eps < 1e-18


def test_asgd_averages_the_steps_after_t0() -> None:
    """From step t₀ + 2 on, ``ax`` is the mean of the parameters since then."""
    optimizer, rng = reference.ASGD(0.1, lambd=0.1, t0=3.0), np.random.default_rng(0)
    params = {"p": rng.normal(size=3)}
    state, path = optimizer.init(params), []
    for t in range(1, 12):
        params, state = optimizer.step(params, {"p": rng.normal(size=3)}, state)
        path.append(params["p"])
        expected = np.mean(path[4:], axis=0) if t > 5 else path[-1]
        np.testing.assert_allclose(state["p"]["ax"], expected, rtol=1e-13)


def test_first_step_of_adam_is_lr_whatever_the_gradient() -> None:
    for size in (1e-3, 1.0, 1e5):
        params, _ = reference.Adam(0.1, eps=0.0).step(
            {"p": np.zeros(1)}, {"p": np.array([size])}, {}
        )
        np.testing.assert_allclose(params["p"], -0.1, rtol=1e-14)


def test_radam_goes_without_squares_first_and_then_with_them() -> None:
    """Both branches are in the case above: ρ passes 5 within its steps."""
    _, beta2 = (0.8, 0.95)
    end = 2 / (1 - beta2) - 1
    lengths = [end - 2 * t * beta2**t / (1 - beta2**t) for t in range(1, STEPS + 1)]
    assert min(lengths) < 5 < max(lengths)
