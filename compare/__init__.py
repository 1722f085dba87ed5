"""Both sides of a case, trained side by side and compared all the way.

``from compare import compare`` loads NumPy and PyTorch; ``import compare`` alone does not.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compare.api import compare
    from compare.base.errors import BackproofError, CannotCompare, UsageError
    from compare.cases.registry import CASES, Case
    from compare.own.api import crosscheck
    from compare.results.own_report import CrossReport
    from compare.results.report import Outcome, Report
    from compare.results.result import NotAgreed
    from compare.results.verdict import Failure, Verdict
    from compare.training.module import compare_module
    from compare.twins.modules import child, mirror, register_twin

_HOMES = {
    "child": "compare.twins.modules",
    "compare": "compare.api",
    "compare_module": "compare.training.module",
    "crosscheck": "compare.own.api",
    "CrossReport": "compare.results.own_report",
    "mirror": "compare.twins.modules",
    "register_twin": "compare.twins.modules",
    "CASES": "compare.cases.registry",
    "Case": "compare.cases.registry",
    "BackproofError": "compare.base.errors",
    "CannotCompare": "compare.base.errors",
    "UsageError": "compare.base.errors",
    "Failure": "compare.results.verdict",
    "NotAgreed": "compare.results.result",
    "Outcome": "compare.results.report",
    "Report": "compare.results.report",
    "Verdict": "compare.results.verdict",
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
