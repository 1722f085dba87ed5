"""What can be said of a verdict that stands: which side is wrong, why, and what else to know.

All of it runs code of the user again, at other weights and in other ways, and may raise, exit or
never come back where the comparison did not. So the verdict is told first to whoever wants to know
at once; then each part is looked for in what time there is, or is left out with a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import TypeVar

from compare.own.comparison.against_torch import Look
from compare.own.explain import remarks
from compare.own.explain.find_causes import causes_of, of_own_loss
from compare.own.explain.gradients_compared import from_numbers
from compare.own.explain.second_step import second_step
from compare.own.explain.which_side import judge
from compare.own.isolation.timeout import alarm, alarms, time_left
from compare.own.oracle.autograd import Autograd
from compare.own.user.network import Subject
from compare.process.guarded import CAUSE, OTHER, SECOND_STEP, SIDE, Wanted, attempt, time_for_it
from compare.results.own_report import CrossReport

T = TypeVar("T")

_listener: ContextVar[Callable[[CrossReport], object]] = ContextVar(
    "listener", default=lambda report: None
)


@contextmanager
def told_at_once(listener: Callable[[CrossReport], object]) -> Iterator[None]:
    """Within the block, a report is given to a function as soon as its verdict stands."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def stands(report: CrossReport) -> CrossReport:
    """Tell of a verdict."""
    _listener.get()(report)
    return report


def explained(
    report: CrossReport,
    looks: Sequence[Look],
    subject: Subject,
    autograd: Autograd | None,
    began: float,
) -> CrossReport:
    """A report with all that can be said of its verdict.

    Args:
        report: what was compared, without explanation.
        looks: both sides, at all weights and learning rates.
        subject: the user's side.
        autograd: PyTorch's, if there is one.
        began: when the comparison did, by ``time.monotonic``.
    """
    run = subject.run
    missed: dict[str, None] = {}
    run.budget = budget = time_for_it(began, time_left())

    def found(wanted: Wanted, find: Callable[[], T]) -> T | None:
        result, why_not = attempt(wanted, find, budget, _alarmed)
        if why_not:
            missed[why_not] = None
        return result

    with alarms(held=True):
        stands(report)
        opinion = None
        if autograd is not None:
            opinion = found(SIDE, partial(judge, subject, autograd, looks))
        noted = found(OTHER, lambda: remarks.on(looks, subject)) or []
        again = found(SECOND_STEP, lambda: second_step(looks[0], subject, autograd))
        plain = found(CAUSE, lambda: from_numbers(looks, report.multiple)) or []
        every = found(CAUSE, lambda: causes_of(plain, looks, subject, autograd, report.multiple))
        causes = tuple(plain if every is None else every)
        if autograd is None:
            causes = tuple(map(of_own_loss, causes))
        carried = [again.told] if again is not None else []
        noted = remarks.beside(causes, noted)
        said = (*report.remarks, *noted, *carried, *missed, *remarks.printed(run.lines))
        notice = again.notice if again is not None else ""
        return replace(report, opinion=opinion, causes=causes, remarks=said, notice=notice)


@contextmanager
def _alarmed(seconds: float) -> Iterator[None]:
    """Alarms ring in the block, and after so many seconds there is one."""
    with alarms(held=False), alarm(seconds):
        yield
