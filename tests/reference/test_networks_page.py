"""What docs/networks.md says is so."""

from __future__ import annotations

import math
import re

import pytest

from tests.support.network_sides import RECIPES, built
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
ROWS = [re.split(r" *\| *", line)[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("name", RECIPES)
def test_sizes(name: str) -> None:
    count = sum(math.prod(shape) for shape in built(RECIPES[name]).parameter_shapes().values())
    (row,) = (row for row in ROWS if row[0].startswith(f"`{name}`") and len(row) == 6)
    assert row[2] == f"{count:,}"
    assert f"after {RECIPES[name].epochs} epochs" in row[4]
    assert f"`{RECIPES[name].name}`" in row[0]


@pytest.mark.parametrize("name", RECIPES)
def test_recipes(name: str) -> None:
    recipe = RECIPES[name]
    (row,) = (row for row in ROWS if f"`{name}`" in row[0] and len(row) == 5)
    assert row[2].startswith(f"{recipe.optimizer} {recipe.lr:g}")
    assert ("eps" in row[2]) == ("eps" in recipe.options)
    assert row[3] == str(recipe.batch_size)
    assert ("norm clipped" in row[4]) == (recipe.max_norm is not None)
    assert ("entry clipped" in row[4]) == (recipe.clip_value is not None)
    assert ("cosine" in row[4]) == bool(recipe.phases)
    assert ("no decay" in row[4]) == bool(recipe.groups)


def test_the_example_runs() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102
    assert names["y"].shape == (1, 45, 5)  # type: ignore[attr-defined]
    assert {"grads", "norm", "params", "state"} <= names.keys()
