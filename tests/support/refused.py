"""A check that must be refused in a line, and leave everything as it was."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from compare import CannotCompare, crosscheck
from tests.support.networks import NAMES, Network, torch_loss


def refused(
    message: str, kind: type[Exception] = CannotCompare, **changes: Any
) -> tuple[Network, str]:
    """The network that crosscheck was refused for, and what was said."""
    network = changes.pop("network", Network())
    before = {name: getattr(network, name) for name in NAMES}
    numbers = {name: np.copy(value) for name, value in before.items()}
    given: dict[str, Any] = {"grads": network.gradients, "torch_loss": torch_loss} | changes
    with pytest.raises(kind, match=re.escape(message)) as caught:
        crosscheck(given.pop("parameters", network.where), **given)
    for name, value in before.items():
        assert getattr(network, name) is value
        assert np.array_equal(value, numbers[name])
    assert network.hidden is None
    return network, str(caught.value)
