"""Neither side knows of the other: on that the value of comparing them rests."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT, loaded_by

STDLIB = frozenset(sys.stdlib_module_names)

#: What each package may import besides the standard library.
ALLOWED = {
    "reference": {"numpy", "scipy", "reference"},
    "torch_impl": {"torch", "torch_impl"},
}

#: The one place where arrays become tensors and tensors arrays.
BRIDGE = "compare/base/conversion.py"

#: Functions of ``torch`` that take arrays, and methods of a tensor that give them.
FROM_ARRAYS = {"tensor", "as_tensor", "asarray", "from_numpy", "from_dlpack", "frombuffer"}
TO_ARRAYS = {"numpy", "__array__", "tolist"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(tree: ast.AST) -> Iterator[str]:
    """Full names of all modules imported anywhere, however deep inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def foreign(source: str, allowed: set[str]) -> set[str]:
    tops = {name.partition(".")[0] for name in imports(ast.parse(source))}
    return tops - STDLIB - allowed


def conversions(source: str) -> list[str]:
    """All calls in which an array becomes a tensor or the reverse."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "torch":
            found += [alias.name for alias in node.names if alias.name in FROM_ARRAYS]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_torch = ast.unparse(node.func.value) == "torch"
            name = node.func.attr
            if (of_torch and name in FROM_ARRAYS) or (not of_torch and name in TO_ARRAYS):
                found.append(ast.unparse(node.func))
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_only_what_it_may(package: str) -> None:
    files = sources(package)
    assert len(files) > 3
    found = {
        str(file.relative_to(ROOT)): foreign(file.read_text(), ALLOWED[package]) for file in files
    }
    assert {name: modules for name, modules in found.items() if modules} == {}


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("import torch", "torch"),
        ("import torch.nn as nn", "torch"),
        ("from torch_impl.losses import LOSSES", "torch_impl"),
        ("def f():\n    from compare import compare", "compare"),
        ("import numpy, sklearn.datasets", "sklearn"),
    ],
)
def test_foreign_import_is_noticed(line: str, module: str) -> None:
    assert foreign(line, ALLOWED["reference"]) == {module}


def test_arrays_and_tensors_meet_in_one_module() -> None:
    found = {
        str(file.relative_to(ROOT)): conversions(file.read_text()) for file in sources("compare")
    }
    assert {name for name, calls in found.items() if calls} == {BRIDGE}
    assert "torch.tensor" in found[BRIDGE]


@pytest.mark.parametrize(
    "line",
    [
        "torch.tensor(array)",
        "torch.from_numpy(array)",
        "torch.as_tensor(array, dtype=torch.float32)",
        "array = network(x).detach().numpy()",
        "from torch import from_numpy",
    ],
)
def test_conversion_is_noticed(line: str) -> None:
    assert conversions(line)


@pytest.mark.parametrize(
    ("statement", "wanted", "unwanted"),
    [
        ("import reference", "numpy", {"torch", "torch_impl", "compare"}),
        ("import torch_impl", "torch", {"reference", "compare"}),
        ("import compare", "compare", {"numpy", "torch", "reference", "torch_impl"}),
        ("from compare import CASES", "compare", {"numpy", "torch", "reference", "torch_impl"}),
        ("import compare.training.solo", "reference", {"torch", "torch_impl"}),
        ("from compare import compare", "torch", {"sklearn", "matplotlib"}),
    ],
)
def test_what_an_import_loads(statement: str, wanted: str, unwanted: set[str]) -> None:
    loaded = loaded_by(statement)
    assert wanted in loaded
    assert loaded & unwanted == set()


def test_reference_trains_where_torch_cannot_be_imported() -> None:
    statement = (
        "sys.modules['torch'] = None\n"
        "from reference import XORNetwork\n"
        "assert len(XORNetwork(seed=0).train(3)) == 3"
    )
    assert "numpy" in loaded_by(statement)
