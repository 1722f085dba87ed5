"""The stages of a comparison, each a folder of ``compare/``: imports go down, in no circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.processes import ROOT

#: The stages from bottom to top; those of one line know nothing of each other.
STAGES: tuple[tuple[str, ...], ...] = (
    ("base",),
    ("process",),
    ("measure", "cases", "faults", "referee"),
    ("sides", "results"),
    ("twins",),
    ("catalogue", "diagnosis"),
    ("training", "own"),
    ("audit", "command"),
    ("render",),
    ("api",),
    ("",),
)

#: The same within a stage; what is not in a folder of its own is "".
WITHIN: dict[str, tuple[tuple[str, ...], ...]] = {
    "measure": (("rounding",), ("",)),
    "sides": (("networks",), ("",)),
    "catalogue": (("entries",), ("",)),
    "diagnosis": (("evidence", "planting"), ("signatures",), ("",)),
    "own": (
        ("isolation", "graph"),
        ("user",),
        ("oracle",),
        ("comparison",),
        ("explain",),
        ("",),
        ("child_process",),
    ),
}

#: So many files a folder may have besides its ``__init__.py``.
MOST = 12


def modules() -> dict[str, Path]:
    """Every module of the package by its name, ``__init__.py`` by that of its folder."""
    named = {}
    for file in sorted((ROOT / "compare").rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        named[name.removesuffix(".__init__")] = file
    return named


def imported(source: str, names: Mapping[str, object]) -> Iterator[str]:
    """Modules of the package that a source imports anywhere: within functions and for types too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module in names:
            module = node.module
            full = (f"{module}.{alias.name}" for alias in node.names)
            yield from (name if name in names else module for name in full)


def graph() -> dict[str, set[str]]:
    """Each module with those that it imports."""
    named = modules()
    return {name: set(imported(file.read_text(), named)) for name, file in named.items()}


def level(levels: tuple[tuple[str, ...], ...], place: str) -> int:
    (number,) = (number for number, names in enumerate(levels) if place in names)
    return number


def place(module: str, depth: int) -> str:
    """The folder or module at one depth of a name; "" for a stage's own modules."""
    parts = module.split(".")
    folder = ROOT.joinpath(*parts[: depth + 1])
    return parts[depth] if len(parts) > depth and (depth == 1 or folder.is_dir()) else ""


def climbs(importing: str, module: str) -> bool:
    """Whether one module may not import another as that stands above it, or beside it."""
    here, there = place(importing, 1), place(module, 1)
    levels = STAGES
    if here == there:
        if here not in WITHIN:
            return False
        levels = WITHIN[here]
        here, there = place(importing, 2), place(module, 2)
    return here != there and level(levels, there) >= level(levels, here)


def test_imports_go_down_only() -> None:
    found = [
        f"{module} imports {other}"
        for module, others in graph().items()
        for other in sorted(others)
        if climbs(module, other)
    ]
    assert not found


def test_no_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' imports '.join(error.args[1])}")


def test_every_folder_is_small_and_says_what_it_is() -> None:
    folders = {file.parent for file in modules().values()}
    for folder in folders - {ROOT / "compare"}:
        head = folder / "__init__.py"
        assert ast.get_docstring(ast.parse(head.read_text())), folder
        inside = [file for file in folder.glob("*.py") if file != head]
        assert len(inside) <= MOST, folder


@pytest.mark.parametrize(
    ("importing", "module", "wrong"),
    [
        ("compare.sides.pair", "compare.base.conversion", False),
        ("compare.sides.pair", "compare.results.report", True),
        ("compare.base.files", "compare.process.loading", True),
        ("compare.own.user.run", "compare.own.oracle.names", True),
        ("compare.own.api", "compare.own.oracle.names", False),
        ("compare.own.oracle.names", "compare.own.api", True),
        ("compare.training.session", "compare.training.solo", False),
        ("compare.results.report", "compare.api", True),
    ],
)
def test_climbing_import_is_noticed(importing: str, module: str, wrong: bool) -> None:
    assert climbs(importing, module) is wrong


@pytest.mark.parametrize(
    "line",
    [
        "from compare.render.plot import require_plottable",
        "from compare.render import plot",
        "import compare.render.plot",
        "def f():\n    from compare.render import plot",
        "if TYPE_CHECKING:\n    from compare.render.plot import plot_report",
    ],
)
def test_import_is_found_wherever_it_stands(line: str) -> None:
    assert set(imported(line, modules())) == {"compare.render.plot"}
