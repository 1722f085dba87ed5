"""Files tell whose code it is, not names: a user's own ``compare.py`` is the user's."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import compare.measure.meter
import reference.layers.linear
from compare.own.isolation.snapshot_and_restore import Memento
from compare.process.ownership import is_ours, is_users, is_users_module

SOURCE = """
calls = [0]
rate = 0.5

class Counting:
    made = 0

def step():
    global rate
    rate = 9.0
    calls.append(1)
    Counting.made += 1
"""


def loaded(name: str, file: Path) -> ModuleType:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    ["compare", "reference", "torch_impl", "cli", "text", "tests", "compare.own.user.run", "math"],
)
@pytest.mark.parametrize("place", ["{}.py", "compare/{}.py", "reference/{}/__init__.py"])
def test_module_named_as_ours_is_the_users(name: str, place: str, tmp_path: Path) -> None:
    module = loaded(name, tmp_path / place.format(name.rpartition(".")[2]))
    before = dict(vars(module))
    kept = Memento(module.step)
    module.step()
    kept.restore()
    assert vars(module).keys() == before.keys()
    assert (module.calls, module.rate) == ([0], 0.5)


def test_classes_of_it_are_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = loaded("reference", tmp_path / "reference.py")
    monkeypatch.setitem(sys.modules, "reference", module)
    kept = Memento(module.step)
    module.step()
    kept.restore()
    assert module.Counting.made == 0


@pytest.mark.parametrize("module", [compare.measure.meter, reference.layers.linear, compare])
def test_ours_lies_where_we_lie(module: ModuleType) -> None:
    assert is_ours(str(module.__file__))
    assert not is_users(str(module.__file__))
    assert not is_users_module(module.__name__)


@pytest.mark.parametrize("module", [random, np])
def test_python_and_packages_are_no_ones(module: ModuleType) -> None:
    assert not is_ours(str(module.__file__))
    assert not is_users(str(module.__file__))


def test_what_lies_beside_us_is_the_users() -> None:
    beside = Path(compare.__file__).parents[1]
    assert is_users(str(beside / "compare_mine" / "net.py"))
    assert is_users(str(beside / "cli.py.py"))
    assert is_users("<ipython-input-1>")
    assert is_users("no\0file")
