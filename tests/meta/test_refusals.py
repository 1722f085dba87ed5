"""What checks refusals finds a layer that takes what it should refuse, or hardly says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import reference.layers.linear
from tests.support.refusals import Request, check_refused

WHOLE = Request("Linear", {"in_features": 3, "out_features": 2}, (np.ones((4, 3), np.int64),), {})


def _nothing(*arguments: Any) -> None:
    """Refuses nothing."""


def _type_error(*arguments: Any) -> None:
    raise TypeError("Linear: the input's dtype is int64, but should be floating")


def _nameless(*arguments: Any) -> None:
    raise ValueError("the input's dtype is int64, but should be floating")


def _without_subject(*arguments: Any) -> None:
    raise ValueError("Linear: None is int64, but should be floating")


def _without_remedy(*arguments: Any) -> None:
    raise ValueError("Linear: the input's dtype is bad")


@pytest.mark.parametrize(
    ("refuse", "found"),
    [
        (_nothing, "accepted"),
        (_type_error, "TypeError"),
        (_nameless, "the layer is not named"),
        (_without_subject, "what is wrong is not named"),
        (_without_remedy, "no remedy"),
    ],
)
def test_a_bad_refusal_is_found(
    refuse: Callable[..., None], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_refused(WHOLE) == ""
    monkeypatch.setattr(reference.layers.linear, "require_floating", refuse)
    assert check_refused(WHOLE).startswith(found)
