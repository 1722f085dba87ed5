"""The tutorial's network, on both sides, from the same weights."""

from __future__ import annotations

import numpy as np
import pytest

import reference
import torch_impl
from compare.base.conversion import to_array, to_tensor

TRUTH = np.array([[0.0], [1.0], [1.0], [0.0]])


@pytest.mark.parametrize("seed", [0, 3, 5, 6])
def test_both_learn_exclusive_or_and_agree_to_1e_10(seed: int) -> None:
    ours, theirs = reference.XORNetwork(seed), torch_impl.XORNetwork(seed)
    theirs.load_state_dict({name: to_tensor(value) for name, value in ours.state_dict().items()})
    losses = ours.train(5000)
    with torch_impl.eager_optimizers():
        losses_of_torch = theirs.fit(5000)
    expected = to_array(theirs.predict(ours.inputs))
    actual = ours.predict(ours.inputs)
    for outputs in (actual, expected):
        np.testing.assert_allclose(outputs, TRUTH, rtol=0, atol=0.03)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(losses, losses_of_torch, rtol=0, atol=1e-10)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.params[name], to_array(value), rtol=1e-10)


def test_start_in_a_local_minimum_ends_there_on_both_sides() -> None:
    """Two of the outputs stay at 0.5, which is agreement, too."""
    ours, theirs = reference.XORNetwork(2), torch_impl.XORNetwork(2)
    theirs.load_state_dict({name: to_tensor(value) for name, value in ours.state_dict().items()})
    ours.train(5000)
    with torch_impl.eager_optimizers():
        theirs.fit(5000)
    actual, expected = ours.predict(ours.inputs), to_array(theirs.predict(ours.inputs))
    assert np.abs(actual - TRUTH).max() > 0.4
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-8)
