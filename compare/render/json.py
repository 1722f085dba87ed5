"""Reports as JSON, with everything in them but nothing that differs from run to run."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from compare.report import Report
from compare.several import NoReport, Result

if TYPE_CHECKING:
    from compare.catalogue_check import Row


def to_dict(report: Report) -> dict[str, Any]:
    """The report as plain dictionaries, lists, numbers and strings."""
    first = report.first_divergence
    return {
        "verdict": report.verdict.name.lower(),
        "agrees": report.agrees,
        "first_divergence": None if first is None else str(first),
        "failures": [str(failure) for failure in report.failures],
        "undecided": list(report.undecided),
        "case": asdict(report.case),
        "tolerance": {"name": report.tolerance, "multiple": report.multiple},
        "lockstep": [asdict(metrics) for metrics in report.lockstep],
        "referee": None if report.opinion is None else str(report.opinion),
        "causes": [asdict(cause) for cause in report.causes],
        "unexplained": report.unexplained,
        "horizon": report.horizon,
        "growth": report.growth,
        "free_run_multiple": report.free_run_multiple,
        "free_run": [asdict(metrics) for metrics in report.free_run],
        "reference": asdict(report.reference),
        "torch": asdict(report.torch),
        "history": {
            "epoch": list(report.history.epochs),
            "reference": list(report.history.reference),
            "torch": list(report.history.torch),
        },
        "versions": report.versions,
    }


def to_json(result: Report | Sequence[Result]) -> str:
    """JSON text; numbers that JSON does not know become the strings "nan", "inf" and "-inf".

    Args:
        result: a report, or several results, which become a list.
    """
    found = to_dict(result) if isinstance(result, Report) else [_to_dict(one) for one in result]
    return as_json(found)


def as_json(found: dict[str, Any] | list[dict[str, Any]]) -> str:
    """The same of plain dictionaries and lists."""
    return json.dumps(_plain(found), indent=2, allow_nan=False) + "\n"


def _to_dict(result: Result) -> dict[str, Any]:
    if isinstance(result, NoReport):
        return {
            "verdict": "could not compare",
            "agrees": False,
            "error": str(result.error),
            "case": asdict(result.case),
        }
    return to_dict(result) if isinstance(result, Report) else _entry(result)


def _entry(row: Row) -> dict[str, Any]:
    return {
        "verdict": row.verdict.name.lower(),
        "agrees": row.verdict.name == "AGREE",
        "entry": row.entry.name,
        "failures": [f"{checked.title}: {failure}" for checked, failure in row.failures],
        "lockstep": [asdict(checked) for checked in row.lockstep],
        "own_forward": [asdict(checked) for checked in row.referee],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
