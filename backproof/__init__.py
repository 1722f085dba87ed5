"""Neural networks written in NumPy, compared with PyTorch's autograd: the one door to all of it.

::

    from backproof import crosscheck

    report = crosscheck(parameters, grads=gradients, torch_loss=torch_loss)
    assert report.agrees, report

Nothing is loaded before a name is used, so that ``import backproof`` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compare import (
        CASES,
        BackproofError,
        CannotCompare,
        Case,
        CrossReport,
        Failure,
        NotAgreed,
        Outcome,
        Report,
        UsageError,
        Verdict,
        child,
        compare,
        compare_module,
        crosscheck,
        mirror,
        register_twin,
    )

__version__ = "0.2.0"

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
    "__version__",
    "child",
    "compare",
    "compare_module",
    "crosscheck",
    "mirror",
    "register_twin",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'backproof' has no attribute {name!r}")
    from importlib import import_module

    from backproof.packages import require

    require()
    return getattr(import_module("compare"), name)


def __dir__() -> list[str]:
    return __all__
