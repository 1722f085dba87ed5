"""Both sides of a case, trained side by side and compared all the way.

``from compare import compare`` loads NumPy and PyTorch; ``import compare`` alone does not.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compare.api import compare
    from compare.cases import CASES, Case
    from compare.errors import BackproofError, CannotCompare, UsageError
    from compare.mirroring import child, mirror, register_twin
    from compare.module_api import compare_module
    from compare.own.crosscheck import crosscheck
    from compare.own.report import CrossReport
    from compare.report import Failure, Outcome, Report, Verdict
    from compare.result import NotAgreed

_HOMES = {
    "child": "compare.mirroring",
    "compare": "compare.api",
    "compare_module": "compare.module_api",
    "crosscheck": "compare.own.crosscheck",
    "CrossReport": "compare.own.report",
    "mirror": "compare.mirroring",
    "register_twin": "compare.mirroring",
    "CASES": "compare.cases",
    "Case": "compare.cases",
    "BackproofError": "compare.errors",
    "CannotCompare": "compare.errors",
    "UsageError": "compare.errors",
    "Failure": "compare.report",
    "NotAgreed": "compare.result",
    "Outcome": "compare.report",
    "Report": "compare.report",
    "Verdict": "compare.report",
}

__all__ = [
    "CASES",
    "BackproofError",
    "CannotCompare",
    "Case",
    "CrossReport",
    "Failure",
    "NotAgreed",
    "Outcome",
    "Report",
    "UsageError",
    "Verdict",
    "child",
    "compare",
    "compare_module",
    "crosscheck",
    "mirror",
    "register_twin",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'compare' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
