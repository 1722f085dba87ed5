"""Clipping, schedule and update as one rule."""

from __future__ import annotations

import numpy as np
import pytest

from reference import SGD, CosineAnnealingLR, Params, UpdateRule, clip_grad_norm, clip_grad_value

RNG = np.random.default_rng(4)
PARAMS: Params = {"a": RNG.standard_normal((3, 2)), "b": RNG.standard_normal(3)}
SHAPES = {name: p.shape for name, p in PARAMS.items()}
GRADS: list[Params] = [
    {n: RNG.standard_normal(p.shape) for n, p in PARAMS.items()} for _ in range(3)
]


def rule(**options: float) -> UpdateRule:
    optimizer = SGD(0.5, momentum=0.9)
    return UpdateRule(optimizer, CosineAnnealingLR(optimizer, 3), shapes=SHAPES, **options)


def test_each_step_is_clipped_scheduled_and_updated() -> None:
    whole = rule(max_norm=1.0, clip_value=0.8)
    optimizer = SGD(0.5, momentum=0.9)
    schedule = CosineAnnealingLR(optimizer, 3)
    params, state, position = PARAMS, optimizer.init(PARAMS), schedule.init()
    stepped, progress = PARAMS, whole.init(PARAMS)
    for grads in GRADS:
        clipped, _ = clip_grad_norm(clip_grad_value(grads, 0.8), 1.0)
        params, state = optimizer.step(params, clipped, state, position.changes)
        assert list(progress.lrs) == position.lrs
        position = schedule.step(position)
        stepped, progress = whole.step(stepped, grads, progress)
        for name, value in params.items():
            np.testing.assert_array_equal(stepped[name], value)
    assert progress.lrs == pytest.approx([0], abs=1e-16)


def test_each_network_of_an_ensemble_is_clipped_by_its_own_norm() -> None:
    """One network's gradients are long, one's short enough to stay."""
    whole = rule(max_norm=1.0)
    scale = np.array([100.0, 1e-3])
    stacked = {n: np.stack([s * g for s in scale]) for n, g in GRADS[0].items()}
    together, norms = whole.clip(stacked)
    assert norms is not None
    assert norms.shape == (2,)
    for k, s in enumerate(scale):
        alone, norm = whole.clip({name: s * g for name, g in GRADS[0].items()})
        assert norms[k] == pytest.approx(norm)
        for name, value in alone.items():
            np.testing.assert_allclose(together[name][k], value, rtol=1e-12)
    np.testing.assert_array_equal(together["a"][1], stacked["a"][1])


def test_without_schedule_and_clipping_it_is_the_optimizer() -> None:
    optimizer = SGD(0.5)
    plain = UpdateRule(optimizer)
    assert not plain.clips
    stepped, progress = plain.step(PARAMS, GRADS[0], plain.init(PARAMS))
    assert progress.lrs.size == 0
    for name, p in optimizer.step(PARAMS, GRADS[0], {})[0].items():
        np.testing.assert_array_equal(stepped[name], p)
