"""The tables of faults are tables: short rows, none with a row of arguments without names."""

from __future__ import annotations

import ast

import pytest

from tests.support.processes import ROOT

#: A row has so many lines and so many arguments without a name, at most.
LINES, UNNAMED = 3, 4


def too_long(source: str) -> list[str]:
    """The rows that are no rows of a table any more."""
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Row", "Fault")
    ]
    return [
        ast.unparse(call)
        for call in calls
        if (call.end_lineno or 0) - call.lineno >= LINES or len(call.args) > UNNAMED
    ]


def test_rows_are_short() -> None:
    files = sorted((ROOT / "compare" / "faults").rglob("*.py"))
    tables = [file for file in files if "Row(" in file.read_text(encoding="utf-8")]
    assert len(tables) > 20
    # How a row becomes a fault is no row.
    found = {file.name: too_long(file.read_text(encoding="utf-8")) for file in tables}
    assert {name: rows for name, rows in found.items() if rows and name != "table.py"} == {}


@pytest.mark.parametrize(
    "row",
    ['Row("a", "b", "c", change(), "d")', 'Row("a",\n  "b",\n  "c",\n  change())'],
    ids=["five without names", "four lines"],
)
def test_a_long_row_is_noticed(row: str) -> None:
    assert too_long(row)
